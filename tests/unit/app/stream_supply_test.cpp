// SPDX-License-Identifier: BSD-3-Clause
#include "app/stream_supply.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace {

using namespace tw;

[[nodiscard]] std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    return ends;
}

class StreamSupplyTest : public testing::Test {
  protected:
    ~StreamSupplyTest() override {
        ::close(ends_[0]);
        close_writer();
    }
    void close_writer() {
        if (ends_[1] >= 0) {
            ::close(ends_[1]);
            ends_[1] = -1;
        }
    }
    void send(std::string_view text) {
        ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::size_t read() {
        const auto count = supply_.read(room_);
        EXPECT_TRUE(count);
        return count.value_or(0);
    }

    std::array<int, 2> ends_ = make_pipe();
    bool cut_off_ = false;
    app::StopSignal stop_;
    std::array<std::uint8_t, 16> room_{};
    app::StreamSupply supply_{ends_[0], false, stop_, cut_off_};
};

TEST_F(StreamSupplyTest, bytes_come_as_they_are_and_end_with_the_writer) {
    send("abc");
    EXPECT_EQ(read(), 3U);
    EXPECT_EQ(room_[2], 'c');
    close_writer();
    EXPECT_EQ(read(), 0U);
    EXPECT_FALSE(cut_off_);
    EXPECT_EQ(supply_.stored_bytes_read(), 3U);
}

TEST_F(StreamSupplyTest, after_a_stop_what_is_on_its_way_is_still_read) {
    std::raise(SIGINT);
    send("abc");
    EXPECT_EQ(read(), 3U);
    close_writer();
    EXPECT_EQ(read(), 0U);
    EXPECT_FALSE(cut_off_);
}

TEST_F(StreamSupplyTest, a_stop_ends_a_silent_stream) {
    std::raise(SIGTERM);
    EXPECT_EQ(read(), 0U);
    EXPECT_TRUE(cut_off_);
}

TEST_F(StreamSupplyTest, a_read_error_is_told) {
    app::StreamSupply broken(ends_[1], false, stop_, cut_off_);  // the writing end
    close_writer();
    const auto count = broken.read(room_);
    ASSERT_FALSE(count);
    EXPECT_EQ(count.error(), "read failed: Bad file descriptor");
}

}  // namespace
