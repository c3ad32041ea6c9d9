// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/compare.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "unit/core/taps/pair_samples.hpp"

namespace tw::taps {
namespace {

using test::leaving;
using test::segment;
using test::Told;

constexpr std::uint32_t kShift = 1000;

// What a firewall does to a packet, and what is to be told of it.
struct Row {
    const char* claim;
    std::function<void(Packet& in, Packet& out)> change;
    RewriteSet expected;
    bool shifted = false;  // the conversation's numbers are rewritten by kShift
};

void make_syn(Packet& packet) {
    packet.flags = decode::tcp_flag::kSyn;
    packet.payload_bytes = 0;
    packet.options = option_bit::kMss | option_bit::kWindowScale | option_bit::kSackPermitted |
                     option_bit::kTimestamps | option_bit::kFastOpen | option_bit::kMptcp;
    packet.mss = 1460;
    packet.window_scale = 7;
}
void make_syns(Packet& in, Packet& out) {
    make_syn(in);
    make_syn(out);
}
void drop_option(Packet& packet, std::uint16_t option) {
    packet.options = static_cast<std::uint16_t>(packet.options & ~option);
}
void make_sacks(Packet& in, Packet& out) {
    for (Packet* packet : {&in, &out}) {
        packet->options |= option_bit::kSack;
        packet->sack_count = 2;
        packet->sack = {{{6000, 7000}, {8000, 9000}, {}}};
    }
}
void shift_sacks(Packet& packet) {
    for (tcp::SackBlock& block : packet.sack) {
        block.left += kShift;
        block.right += kShift;
    }
}

std::vector<Row> header_rows() {
    using R = Rewrite;
    return {
        {"nothing changes", [](Packet&, Packet&) {}, 0},
        {"ttl", [](Packet&, Packet& out) { out.ttl = 63; }, bit(R::ttl)},
        {"dscp", [](Packet&, Packet& out) { out.tos = 0x20; }, bit(R::dscp)},
        {"ECT cleared", [](Packet& in, Packet&) { in.tos = 2; }, bit(R::ect_cleared)},
        {"CE cleared to ECT is an error",
         [](Packet& in, Packet& out) {
             in.tos = 3;
             out.tos = 2;
         },
         bit(R::ce_cleared)},
        {"a congestion mark set is none",
         [](Packet& in, Packet& out) {
             in.tos = 2;
             out.tos = 3;
         },
         bit(R::ecn_other)},
        {"ECE cleared", [](Packet& in, Packet&) { in.flags |= 0x40; }, bit(R::tcp_ecn_flags)},
        {"PSH cleared", [](Packet& in, Packet&) { in.flags |= 0x08; }, bit(R::urgent_or_reserved)},
        {"window", [](Packet&, Packet& out) { out.window = 400; }, bit(R::window)},
        {"identification", [](Packet&, Packet& out) { out.ip_id = 9; }, bit(R::ip_id)},
        {"identification of IPv6 is none",
         [](Packet& in, Packet& out) {
             in.v6 = out.v6 = true;
             out.ip_id = 9;
         },
         0},
        {"don't fragment", [](Packet&, Packet& out) { out.dont_fragment = false; },
         bit(R::dont_fragment)},
    };
}

std::vector<Row> option_rows() {
    using R = Rewrite;
    return {
        {"clamped MSS",
         [](Packet& in, Packet& out) {
             make_syns(in, out);
             out.mss = 1200;
         },
         bit(R::mss)},
        {"window scale stripped",
         [](Packet& in, Packet& out) {
             make_syns(in, out);
             drop_option(out, option_bit::kWindowScale);
             out.window_scale = -1;
         },
         bit(R::window_scale_removed)},
        {"SACK, timestamps, Fast Open and Multipath stripped",
         [](Packet& in, Packet& out) {
             make_syns(in, out);
             drop_option(out, option_bit::kSackPermitted | option_bit::kTimestamps |
                                  option_bit::kFastOpen | option_bit::kMptcp);
         },
         bit(R::sack_permitted_removed) | bit(R::timestamps_removed) | bit(R::fast_open_removed) |
             bit(R::mptcp_removed)},
        {"an option added",
         [](Packet& in, Packet& out) {
             make_syns(in, out);
             drop_option(in, option_bit::kMss);
         },
         bit(R::option_added)},
        {"options in another order", [](Packet&, Packet& out) { out.options_order = 2; },
         bit(R::options_reordered)},
        {"options that were not captured whole are not compared",
         [](Packet&, Packet& out) {
             out.header_complete = false;
             out.options = 0;
         },
         0},
        {"timestamps", [](Packet&, Packet& out) { out.tsval += 1; }, bit(R::timestamps_changed)},
        {"initial number",
         [](Packet& in, Packet& out) {
             make_syns(in, out);
             out.seq += kShift;
         },
         bit(R::isn)},
    };
}

std::vector<Row> number_and_payload_rows() {
    using R = Rewrite;
    return {
        {"acknowledgment moved as its numbers are, is no change",
         [](Packet&, Packet& out) { out.ack += kShift; }, 0, true},
        {"acknowledgment left behind", [](Packet&, Packet&) {}, bit(R::ack_number), true},
        {"SACK translated",
         [](Packet& in, Packet& out) {
             make_sacks(in, out);
             out.ack += kShift;
             shift_sacks(out);
         },
         bit(R::sack_translated), true},
        {"SACK untranslated",
         [](Packet& in, Packet& out) {
             make_sacks(in, out);
             out.ack += kShift;
         },
         bit(R::sack_untranslated), true},
        {"SACK as it is where numbers are as they were",
         [](Packet& in, Packet& out) { make_sacks(in, out); }, 0},
        {"SACK stripped",
         [](Packet& in, Packet& out) {
             make_sacks(in, out);
             drop_option(out, option_bit::kSack);
         },
         bit(R::sack_removed)},
        {"payload", [](Packet&, Packet& out) { out.digest ^= 1; }, bit(R::payload)},
        {"both zeroes of one's complement are equal",
         [](Packet& in, Packet& out) {
             in.digest = 0;
             out.digest = 0xFFFF;
         },
         0},
        {"a digest that is not known tells nothing",
         [](Packet&, Packet& out) {
             out.digest ^= 1;
             out.digest_known = false;
         },
         0},
        {"payload length", [](Packet&, Packet& out) { out.payload_bytes = 900; },
         bit(R::payload_length)},
    };
}

std::vector<Row> rows() {
    std::vector<Row> all = header_rows();
    for (const auto& more : {option_rows(), number_and_payload_rows()}) {
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

TEST(Compare, each_rewrite_is_told_and_nothing_else) {
    for (const Row& row : rows()) {
        Packet in = segment(0, 1);
        Packet out = leaving(in);
        row.change(in, out);
        const std::uint32_t shift = row.shifted ? kShift : 0;
        const Pair pair{.entered = in, .left = out, .ack_shift = shift, .shifts_known = true};
        EXPECT_EQ(compare(pair), row.expected) << row.claim;
    }
}

TEST(Compare, addresses_and_ports_are_the_conversations) {
    const Packet in = segment(0, 1);
    const Packet out = leaving(in);
    const Pair pair{.entered = in, .left = out, .address_changed = true, .port_changed = true};
    EXPECT_EQ(compare(pair), bit(Rewrite::address) | bit(Rewrite::port));
}

struct Telling : testing::Test {
    void tell(RewriteSet changed, bool alone = true, Way way = Way::inward) {
        const Packet in = segment(0, 1);
        const Packet out = leaving(in);
        const Pair pair{.entered = in, .left = out, .way = way, .alone = alone};
        tell_errors(pair, changed, told, Witnessed{.conversation = 4}, sink);
    }
    Told sink;
    std::uint8_t told = 0;
};

TEST_F(Telling, every_altered_payload_is_a_fact_with_both_packets) {
    tell(bit(Rewrite::payload));
    tell(bit(Rewrite::payload));
    ASSERT_EQ(sink.facts.size(), 2U);
    EXPECT_EQ(sink.facts[0].kind, FactKind::altered);
    EXPECT_EQ(sink.facts[0].grade, Grade::proven);
    EXPECT_EQ(sink.facts[0].cites_count, 2);
    EXPECT_TRUE(sink.facts[0].twin_known);
    EXPECT_EQ(sink.facts[0].conversation, 4U);
}

TEST_F(Telling, what_may_be_another_packets_twin_is_probable) {
    tell(bit(Rewrite::payload), false);
    EXPECT_EQ(sink.facts.at(0).grade, Grade::probable);
}

TEST_F(Telling, lost_marks_and_untranslated_sack_are_told_once_per_way) {
    for (int i = 0; i < 3; ++i) {
        tell(bit(Rewrite::ce_cleared) | bit(Rewrite::sack_untranslated));
        tell(bit(Rewrite::ce_cleared), true, Way::outward);
    }
    ASSERT_EQ(sink.facts.size(), 3U);
    EXPECT_EQ(sink.facts[0].kind, FactKind::ecn_mark_lost);
    EXPECT_EQ(sink.facts[1].kind, FactKind::sack_untranslated);
    EXPECT_EQ(sink.facts[2].way, Way::outward);
}

TEST_F(Telling, what_routing_and_clamping_change_is_no_fact) {
    tell(bit(Rewrite::ttl) | bit(Rewrite::mss) | bit(Rewrite::ect_cleared) | bit(Rewrite::isn));
    EXPECT_TRUE(sink.facts.empty());
}

}  // namespace
}  // namespace tw::taps
