// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/options.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tw::tcp {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kPeerBase = 9000;

struct Header {
    Bytes options{};          // what is captured of them
    std::uint32_t words = 0;  // 32-bit words of options the data offset says; 0 = as captured
    std::uint32_t relative_ack = 1000;
    std::uint8_t flags = decode::tcp_flag::kAck;
    bool quoted = false;
};

OptionFacts facts_of(const Header& header) {
    decode::Segment segment;
    const auto bytes = static_cast<std::uint8_t>(header.options.size());
    const std::uint32_t words = header.words != 0 ? header.words : (bytes + 3U) / 4;
    segment.data_words = static_cast<std::uint8_t>(5 + words);
    segment.header_complete = bytes == words * 4;
    segment.options = header.options.data();
    segment.options_bytes = bytes;
    segment.flags = header.flags;
    segment.quoted = header.quoted;
    segment.ack = (header.flags & decode::tcp_flag::kAck) != 0 ? kPeerBase + header.relative_ack
                                                               : header.relative_ack;
    return read_options(segment, kPeerBase);
}

void append_sack(Bytes& bytes, std::initializer_list<SackBlock> relative_blocks) {
    bytes.push_back(5);
    bytes.push_back(static_cast<std::uint8_t>(2 + 8 * relative_blocks.size()));
    for (const SackBlock& block : relative_blocks) {
        for (const std::uint32_t edge : {kPeerBase + block.left, kPeerBase + block.right}) {
            for (int shift = 24; shift >= 0; shift -= 8) {
                bytes.push_back(static_cast<std::uint8_t>(edge >> shift));
            }
        }
    }
}

// A SACK option without a block, behind `blocks` in an option of their own.
bool unreadable_behind(std::initializer_list<SackBlock> blocks, Header header = {}) {
    if (blocks.size() != 0) {
        append_sack(header.options, blocks);
    }
    header.options.insert(header.options.end(), {5, 2});
    while (header.options.size() % 4 != 0) {
        header.options.push_back(1);
    }
    return facts_of(header).unreadable;
}

TEST(Options, a_window_scale_above_14_counts_as_14) {
    EXPECT_EQ(facts_of({.options = {3, 3, 7, 0}}).window_scale, 7);
    EXPECT_EQ(facts_of({.options = {3, 3, 15, 0}}).window_scale, 14);
    EXPECT_EQ(facts_of({.options = {1, 3, 2, 7}}).window_scale, -1);  // no shift in it
}

TEST(Options, what_stands_before_a_cut_is_read) {
    const OptionFacts facts = facts_of({.options = {3, 3, 7, 2, 4}, .words = 3});
    EXPECT_EQ(facts.window_scale, 7);
    EXPECT_TRUE(facts.unreadable);
    EXPECT_EQ(facts_of({.options = {2, 4, 5, 0xB4, 3, 3}, .words = 2}).window_scale, -1);
}

TEST(Options, a_cut_matters_only_where_tshark_reads_beyond_it) {
    EXPECT_TRUE(facts_of({.options = {1, 1}, .words = 1}).unreadable);
    EXPECT_TRUE(facts_of({.options = {0, 0}, .words = 1}).unreadable);    // the padding is read
    EXPECT_FALSE(facts_of({.options = {8, 0}, .words = 3}).unreadable);   // length 0 ends the walk
    EXPECT_TRUE(facts_of({.options = {97, 60}, .words = 2}).unreadable);  // beyond the header
    EXPECT_FALSE(facts_of({.options = {97, 60}, .words = 1}).unreadable);
    EXPECT_FALSE(
        facts_of({.options = {8, 12, 0}, .words = 3}).unreadable);          // wrong length: skipped
    EXPECT_TRUE(facts_of({.options = {8, 11, 0}, .words = 3}).unreadable);  // but one follows
}

TEST(Options, a_quoted_header_survives_a_cut_option) {
    const Bytes cut{1, 1, 8, 10, 0};
    EXPECT_TRUE(facts_of({.options = cut, .words = 3}).unreadable);
    EXPECT_FALSE(facts_of({.options = cut, .words = 3, .quoted = true}).unreadable);
    EXPECT_TRUE(facts_of({.options = cut, .words = 4, .quoted = true}).unreadable);
}

TEST(Options, a_sack_without_a_block_is_unreadable_up_to_half_the_circle) {
    EXPECT_TRUE(unreadable_behind({}, {.relative_ack = 0}));
    EXPECT_TRUE(unreadable_behind({}, {.relative_ack = 0x8000'0000}));
    EXPECT_FALSE(unreadable_behind({}, {.relative_ack = 0x8000'0001}));
    EXPECT_FALSE(unreadable_behind({}, {.relative_ack = 1000, .quoted = true}));
}

TEST(Options, without_its_flag_the_ack_number_stays_absolute) {
    // relative_ack is the raw field here.
    EXPECT_TRUE(unreadable_behind({}, {.relative_ack = 0x8000'0000, .flags = 0}));
    EXPECT_FALSE(unreadable_behind({}, {.relative_ack = 0x8000'0001, .flags = 0}));
    EXPECT_FALSE(unreadable_behind({{500, 1001}}, {.relative_ack = 1000, .flags = 0}));
    EXPECT_TRUE(unreadable_behind({{500, 1000}}, {.relative_ack = 1000, .flags = 0}));
}

TEST(Options, blocks_before_it_decide_whether_it_is_read) {
    EXPECT_TRUE(unreadable_behind({{500, 999}}));
    EXPECT_TRUE(unreadable_behind({{500, 1000}}));
    EXPECT_FALSE(unreadable_behind({{500, 1001}}));
    EXPECT_FALSE(unreadable_behind({{5000, 6000}, {100, 200}}));  // only the first counts
    EXPECT_TRUE(unreadable_behind({{100, 200}, {5000, 6000}}));
    EXPECT_TRUE(unreadable_behind({{5100, 5200}, {5000, 6000}}));  // ends inside the second
    EXPECT_TRUE(unreadable_behind({{4000, 5200}, {5000, 6000}}));
    EXPECT_FALSE(unreadable_behind({{4000, 5000}, {5000, 6000}}));  // touches it
    EXPECT_FALSE(unreadable_behind({{5000, 6001}, {5000, 6000}}));
}

TEST(Options, what_follows_an_unreadable_sack_is_not_read) {
    const OptionFacts facts = facts_of({.options = {3, 3, 7, 5, 2, 3, 3, 9}});
    EXPECT_TRUE(facts.unreadable);
    EXPECT_EQ(facts.window_scale, 7);
}

TEST(Options, multipath_kinds_above_seven_are_unknown) {
    EXPECT_EQ(facts_of({.options = {30, 4, 0x40, 0}}).mptcp_kinds, 1U << 4);
    EXPECT_EQ(facts_of({.options = {30, 4, 0x70, 0}}).mptcp_kinds, 1U << 7);
    EXPECT_EQ(facts_of({.options = {30, 4, 0x80, 0}}).mptcp_kinds, 0U);
}

}  // namespace
}  // namespace tw::tcp
