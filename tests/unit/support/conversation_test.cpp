// SPDX-License-Identifier: BSD-3-Clause
#include "support/conversation.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "support/stories.hpp"

namespace tw::test {
namespace {

constexpr std::size_t kIp = 14;
constexpr std::size_t kTcp = kIp + 20;

std::uint32_t be32(const Bytes& bytes, std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
           std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

struct Numbers {
    std::uint32_t seq;
    std::uint32_t ack;
    friend bool operator==(const Numbers&, const Numbers&) = default;
};

// Relative numbers of frame `index`.
Numbers numbers(const Conversation& talk, std::size_t index) {
    const ConversationOptions options;
    const Bytes& bytes = talk.frames().at(index).bytes;
    const std::size_t from = bytes[kIp + 12] == 192 ? 0 : 1;
    return {be32(bytes, kTcp + 4) - options.isn[from],
            be32(bytes, kTcp + 8) - options.isn[from ^ 1]};
}

TEST(Conversation, numbers_follow_from_what_was_said) {
    Conversation talk;
    talk.handshake().client("PA", {.bytes = 100}).server("A").server("FA", {.bytes = 10});
    talk.client("A");
    EXPECT_EQ(numbers(talk, 1), (Numbers{0, 1}));
    EXPECT_EQ(numbers(talk, 2), (Numbers{1, 1}));
    EXPECT_EQ(numbers(talk, 4), (Numbers{1, 101}));
    EXPECT_EQ(numbers(talk, 6), (Numbers{101, 12}));  // data and FIN
}

TEST(Conversation, lost_bytes_are_not_acknowledged_and_unseen_ones_are) {
    Conversation talk;
    talk.handshake().lost(Party::server, 500).server("A", {.bytes = 10}).client("A");
    EXPECT_EQ(numbers(talk, 3).seq, 501U);
    EXPECT_EQ(numbers(talk, 4).ack, 1U);
    Conversation other;
    other.handshake().unseen(Party::server, 500).server("A", {.bytes = 10}).client("A");
    EXPECT_EQ(numbers(other, 4).ack, 511U);
}

TEST(Conversation, a_repeat_does_not_move_the_numbers_back) {
    Conversation talk;
    talk.handshake().client("A", {.bytes = 100}).client("A", {.seq = 1, .bytes = 100}).client("A");
    EXPECT_EQ(numbers(talk, 5).seq, 101U);
}

TEST(Conversation, time_moves_by_steps_or_as_told) {
    Conversation talk({.start = 1000, .step = 10});
    talk.client("S").server("SA").wait(500).client("A").client("A");
    EXPECT_EQ(talk.frames()[0].time, 1000);
    EXPECT_EQ(talk.frames()[1].time, 1010);
    EXPECT_EQ(talk.frames()[2].time, 1510);
    EXPECT_EQ(talk.frames()[3].time, 1520);
}

TEST(Stories, the_server_closes_twenty_seconds_after_its_last_word) {
    const Conversation talk = story_of_the_firewall();
    ASSERT_EQ(talk.frames().size(), 10U);
    EXPECT_EQ(talk.frames()[5].time - talk.frames()[4].time, 20 * kSecond);
    EXPECT_EQ(numbers(talk, 5), (Numbers{1011, 44}));
    EXPECT_EQ(numbers(talk, 6), (Numbers{44, 1}));
    EXPECT_EQ(numbers(talk, 7), numbers(talk, 9));  // the client's FIN, and again
}

}  // namespace
}  // namespace tw::test
