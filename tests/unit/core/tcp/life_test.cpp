// SPDX-License-Identifier: BSD-3-Clause
// Connections seen from one side, and what is not told one by one.
#include "unit/core/tcp/life_talk.hpp"

namespace tw::tcp {
namespace {

TEST(LifePath, acknowledged_bytes_of_a_side_never_seen_are_one_sided) {
    Conversation talk;
    talk.client("S").unseen(Party::server, 1).client("A").client("PA", {.bytes = 100});
    talk.unseen(Party::server, 5000).client("A").unseen(Party::server, 5000).client("A");
    const auto events = events_of(talk, EventType::path);
    expect_one(events, Verdict::one_sided, Rule::one_direction, Confidence::proven, Direction::s2c);
    EXPECT_EQ(events[0].bytes, 10'000U);
    EXPECT_EQ(events[0].finding.place, Place::at_tap);
}

TEST(LifePath, scans_and_stray_resets_are_not_one_sided) {
    expect_silence(Conversation().client("S"));
    expect_silence(Conversation().client("S").client("R", {.seq = 1}));
    expect_silence(Conversation().server("SA").server("R", {.seq = 1}));
    expect_silence(Conversation().client("R").client("R", {.seq = 0}));
    expect_silence(Conversation().client("A").client("A"));
}

TEST(LifePath, connection_seen_from_both_sides_is_not_one_sided) {
    expect_silence(Conversation().handshake().client("PA", {.bytes = 10}).server("A"));
}

TEST(LifePath, a_mirror_with_one_direction_does_not_drown_the_rest) {
    PipelineRun run(test::read_options(8192));
    for (std::uint32_t i = 0; i < 1500; ++i) {
        ConversationOptions options;
        options.port[0] = static_cast<std::uint16_t>(20'000 + i);
        Conversation talk(options);
        talk.client("S").unseen(Party::server, 1).client("A").unseen(Party::server, 500);
        tell(run, talk.client("A"));
    }
    run.finish();
    EXPECT_EQ(run.events().size(), RateLimit::kMost);
    EXPECT_EQ(run.count(Counter::events_withheld_path), 1500 - RateLimit::kMost);
}

}  // namespace
}  // namespace tw::tcp
