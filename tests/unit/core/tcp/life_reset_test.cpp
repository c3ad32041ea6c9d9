// SPDX-License-Identifier: BSD-3-Clause
// Resets: each rule with one that must raise it and near misses that must not.
#include "unit/core/tcp/life_talk.hpp"

namespace tw::tcp {
namespace {

// A conversation of some segments each; the server's frames come 12 hops and count their IDs.
Conversation ordinary_exchange(std::uint8_t server_ttl = 52) {
    ConversationOptions options;
    options.ttl = {64, server_ttl};
    Conversation talk(options);
    talk.handshake();
    std::uint16_t id = 5000;
    for (int i = 0; i < 5; ++i) {
        talk.client("PA", {.bytes = 100});
        talk.server("PA", {.bytes = 500, .ip_id = ++id});
    }
    return talk.client("A");
}

TEST(LifeReset, sender_that_goes_on_after_a_rst_from_elsewhere_proves_a_third_party) {
    Conversation talk = ordinary_exchange();
    talk.server("R", {.ttl = 58, .ip_id = 0});
    talk.wait(300 * kMillisecond).server("PA", {.bytes = 500, .ip_id = 5006});
    const auto events = events_of(talk, EventType::reset);
    expect_one(events, Verdict::rst_by_third_party, Rule::sender_went_on, Confidence::proven,
               Direction::s2c);
    EXPECT_EQ(events[0].subject[0].frame, 15U);
    ASSERT_EQ(events[0].evidence_count, 2U);
    EXPECT_EQ(events[0].evidence[0].frame, 13U);
    EXPECT_EQ(events[0].evidence[1].frame, 16U);
}

TEST(LifeReset, sender_that_goes_on_is_probable_where_distance_says_nothing) {
    Conversation talk = ordinary_exchange();
    talk.server("R").wait(300 * kMillisecond).server("PA", {.bytes = 500});
    expect_one(events_of(talk, EventType::reset), Verdict::rst_by_third_party, Rule::sender_went_on,
               Confidence::probable, Direction::s2c);
}

TEST(LifeReset, rst_from_another_distance_is_probably_a_third_party) {
    Conversation talk = ordinary_exchange();
    talk.server("R", {.ttl = 58});
    expect_one(events_of(talk, EventType::reset), Verdict::rst_by_third_party, Rule::foreign_ttl,
               Confidence::probable, Direction::s2c);
}

TEST(LifeReset, rst_far_out_of_the_senders_count_is_probably_a_third_party) {
    Conversation talk = ordinary_exchange();
    talk.server("R", {.ip_id = 40'000});
    expect_one(events_of(talk, EventType::reset), Verdict::rst_by_third_party, Rule::foreign_ip_id,
               Confidence::probable, Direction::s2c);
}

// What kernels do on their own: Linux resets of closed sockets have IP identification 0, window 0
// and no options; others use another initial TTL for them; Windows counts on.
TEST(LifeReset, real_resets_say_nothing) {
    expect_silence(ordinary_exchange().server("R", {.window = 0, .ip_id = 0}));
    expect_silence(ordinary_exchange(116).server("R", {.window = 0, .ttl = 52, .ip_id = 0}));
    expect_silence(ordinary_exchange(116).server("RA", {.window = 0, .ip_id = 5006}));
    expect_silence(ordinary_exchange(243).server("R", {.ttl = 52}));
    // Counting for all its connections, a busy host is far ahead after a while.
    expect_silence(ordinary_exchange().wait(2 * kSecond).server("R", {.ip_id = 20'000}));
}

TEST(LifeReset, frames_that_a_rst_overtook_do_not_contradict_it) {
    Conversation talk = ordinary_exchange();
    talk.server("R", {.seq = 3001}).wait(5 * kMillisecond);
    talk.server("PA", {.seq = 2501, .bytes = 500});
    expect_silence(talk);
}

TEST(LifeReset, refusing_an_old_answer_before_the_handshake_is_no_third_party) {
    Conversation talk;
    talk.client("S").server("SA", {.seq = 77'000, .ack = 500}).client("R", {.seq = 500});
    talk.wait(kSecond).client("S", {.seq = 0}).server("SA", {.seq = 0}).client("A", {.ack = 1});
    for (const Event& event : events_of(talk, EventType::reset)) {
        ADD_FAILURE() << name(event.finding.verdict);
    }
}

TEST(LifeReset, rsts_after_the_senders_fin_say_nothing) {
    Conversation talk = ordinary_exchange();
    talk.server("FA").client("PA", {.bytes = 10}).server("R", {.ttl = 58});
    EXPECT_TRUE(events_of(talk, EventType::reset).empty());
}

TEST(LifeReset, mirror_that_copies_before_and_after_a_router_says_nothing) {
    ConversationOptions options;
    Conversation talk(options);
    talk.handshake();
    for (int i = 0; i < 4; ++i) {
        talk.client("PA", {.bytes = 100});
        talk.server("PA", {.bytes = 100, .ttl = 60});
        const std::uint32_t seq = 1 + 100 * static_cast<std::uint32_t>(i);
        talk.wait(10 * kMicrosecond).server("PA", {.seq = seq, .bytes = 100, .ttl = 59});
    }
    talk.server("R", {.ttl = 60}).wait(10 * kMicrosecond).server("R", {.ttl = 59});
    EXPECT_TRUE(events_of(talk, EventType::reset).empty());
}

TEST(LifeReset, reset_after_a_long_silence_tells_how_long_it_was) {
    Conversation talk = ordinary_exchange();
    talk.wait(60 * kSecond).client("PA", {.bytes = 10}).server("R");
    const auto events = events_of(talk, EventType::reset);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].finding.verdict, Verdict::none);
    EXPECT_EQ(events[0].finding.lag, 60 * kSecond);
    EXPECT_EQ(events[0].direction, Direction::s2c);
    expect_silence(ordinary_exchange().wait(kSecond).client("PA", {.bytes = 10}).server("R"));
}

}  // namespace
}  // namespace tw::tcp
