// SPDX-License-Identifier: BSD-3-Clause
#include "app/frame_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using namespace tw;
using app::FrameStore;
using app::StoredFrame;

Frame frame_of(std::vector<std::uint8_t>& bytes, std::uint64_t nth) {
    std::fill(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(nth));
    return {.data = bytes.data(),
            .captured_bytes = static_cast<std::uint32_t>(bytes.size()),
            .wire_bytes = 1500,
            .time = static_cast<Nanos>(nth),
            .number = FrameStore::number(nth, 3),
            .tap = 1};
}

TEST(FrameStore, gives_back_the_last_frames_and_no_others) {
    FrameStore store(8, Backing::lazy);
    std::vector<std::uint8_t> bytes(1000);
    for (std::uint64_t nth = 1; nth <= 20; ++nth) {
        store.add(frame_of(bytes, nth));
    }
    EXPECT_FALSE(store.find(0));
    EXPECT_FALSE(store.find(FrameStore::number(12, 3)));
    EXPECT_FALSE(store.find(FrameStore::number(20, 2)));
    for (std::uint64_t nth = 13; nth <= 20; ++nth) {
        const auto found = store.find(FrameStore::number(nth, 3));
        ASSERT_TRUE(found);
        const Frame view = found->view();
        EXPECT_EQ(view.captured_bytes, StoredFrame::kBytes);
        EXPECT_EQ(view.wire_bytes, 1500U);
        EXPECT_EQ(view.time, static_cast<Nanos>(nth));
        EXPECT_EQ(view.tap, 1);
        EXPECT_EQ(view.data[0], nth);
        EXPECT_EQ(view.data[StoredFrame::kBytes - 1], nth);
        EXPECT_EQ(FrameStore::worker_of(view.number), 3U);
    }
}

TEST(FrameStore, a_short_frame_keeps_its_length) {
    FrameStore store(8, Backing::lazy);
    std::vector<std::uint8_t> bytes(54);
    store.add(frame_of(bytes, 1));
    EXPECT_EQ(store.find(FrameStore::number(1, 3))->view().captured_bytes, 54U);
}

TEST(FrameStore, a_reader_never_gets_a_frame_that_was_half_overwritten) {
    FrameStore store(4, Backing::lazy);
    constexpr std::uint64_t kFrames = 200'000;
    std::atomic<std::uint64_t> written{0};
    std::thread writer([&] {
        std::vector<std::uint8_t> bytes(StoredFrame::kBytes);
        for (std::uint64_t nth = 1; nth <= kFrames; ++nth) {
            store.add(frame_of(bytes, nth));
            written.store(nth, std::memory_order_release);
        }
    });
    std::uint64_t found_count = 0;
    for (std::uint64_t nth = 0; nth < kFrames;) {
        nth = written.load(std::memory_order_acquire);
        if (const auto found = store.find(FrameStore::number(nth, 3))) {
            ++found_count;
            const auto expected = static_cast<std::uint8_t>(nth);
            ASSERT_EQ(found->frame.time, static_cast<Nanos>(nth));
            ASSERT_EQ(found->bytes.front(), expected);
            ASSERT_EQ(found->bytes.back(), expected);
        }
    }
    writer.join();
    EXPECT_GT(found_count, 0U);
}

}  // namespace
