// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/evidence_spans.hpp"

#include <gtest/gtest.h>

namespace tw::taps {
namespace {

class EvidenceSpans : public testing::Test {
  protected:
    Spans spans_{256, Backing::lazy};
    Span span_;
};

TEST_F(EvidenceSpans, what_was_never_noted_was_not_seen) {
    EXPECT_EQ(spans_.seen(span_, 0, 10), Share::none);
    spans_.note(span_, 100, 200, 0);
    EXPECT_EQ(spans_.seen(span_, 100, 200), Share::whole);
    EXPECT_EQ(spans_.seen(span_, 50, 100), Share::none);
    EXPECT_EQ(spans_.seen(span_, 50, 101), Share::some);
    EXPECT_EQ(spans_.seen(span_, 199, 300), Share::some);
    EXPECT_EQ(spans_.seen(span_, 200, 300), Share::none);
}

TEST_F(EvidenceSpans, a_gap_is_seen_once_it_is_filled) {
    spans_.note(span_, 0, 100, 0);
    spans_.note(span_, 300, 400, 5);
    EXPECT_EQ(spans_.seen(span_, 100, 300), Share::none);
    EXPECT_EQ(spans_.seen(span_, 50, 350), Share::some);
    const Noted middle = spans_.note(span_, 150, 250, 9);
    EXPECT_EQ(middle.before, Share::none);
    EXPECT_TRUE(middle.fills);
    EXPECT_EQ(middle.gap_since, 5);
    EXPECT_EQ(spans_.seen(span_, 150, 250), Share::whole);
    EXPECT_EQ(spans_.seen(span_, 100, 150), Share::none);
    EXPECT_EQ(spans_.seen(span_, 250, 300), Share::none);
    EXPECT_EQ(spans_.note(span_, 100, 300, 9).before, Share::some);
    EXPECT_EQ(spans_.seen(span_, 0, 400), Share::whole);
    EXPECT_EQ(span_.gaps_count, 0);
}

TEST_F(EvidenceSpans, an_acknowledged_gap_is_taken_after_a_while_and_by_its_part) {
    spans_.note(span_, 0, 100, 0);
    spans_.note(span_, 300, 400, 0);
    spans_.cover(span_, 0, 200, 7);
    Gap gap;
    EXPECT_FALSE(spans_.take_covered(span_, 6, gap));
    ASSERT_TRUE(spans_.take_covered(span_, 7, gap));
    EXPECT_EQ(gap.lo, 100U);
    EXPECT_EQ(gap.hi, 200U);
    EXPECT_FALSE(spans_.take_covered(span_, 100, gap));
    EXPECT_EQ(spans_.seen(span_, 200, 300), Share::none);
}

TEST_F(EvidenceSpans, an_ack_beyond_the_end_makes_a_gap_that_the_data_may_still_fill) {
    spans_.note(span_, 0, 100, 0);
    spans_.cover(span_, 0, 200, 7);
    const Noted late = spans_.note(span_, 100, 200, 9);
    EXPECT_TRUE(late.after_ack);
    EXPECT_EQ(late.acknowledged_at, 7);
    Gap gap;
    EXPECT_FALSE(spans_.take_covered(span_, 100, gap));
}

TEST_F(EvidenceSpans, a_sack_block_covers_what_is_inside_it_alone) {
    spans_.note(span_, 0, 100, 0);
    spans_.note(span_, 500, 600, 0);
    spans_.cover(span_, 200, 300, 7);
    Gap gap;
    ASSERT_TRUE(spans_.take_covered(span_, 7, gap));
    EXPECT_EQ(gap.lo, 200U);
    EXPECT_EQ(gap.hi, 300U);
    EXPECT_EQ(span_.gaps_count, 2);
}

TEST_F(EvidenceSpans, numbers_come_round) {
    spans_.note(span_, 0xFFFF'FF00U, 0xFFFF'FFF0U, 0);
    spans_.note(span_, 0x10U, 0x20U, 0);
    EXPECT_EQ(spans_.seen(span_, 0xFFFF'FFF0U, 0x10U), Share::none);
    spans_.note(span_, 0xFFFF'FFF0U, 0x10U, 0);
    EXPECT_EQ(spans_.seen(span_, 0xFFFF'FF00U, 0x20U), Share::whole);
}

TEST_F(EvidenceSpans, a_long_connection_forgets_what_lies_half_a_circle_behind) {
    std::uint32_t at = 0;
    for (int i = 0; i < 40; ++i) {
        spans_.note(span_, at, at + (1U << 28), 0);
        at += 1U << 28;
    }
    EXPECT_EQ(spans_.seen(span_, at - 100, at), Share::whole);
    EXPECT_EQ(spans_.seen(span_, at, at + 100), Share::none);
}

TEST_F(EvidenceSpans, the_limit_of_gaps_is_counted_and_told) {
    for (std::uint32_t i = 0; i < 2U * Spans::kGapsMax; ++i) {
        spans_.note(span_, i * 100, i * 100 + 50, 0);
    }
    EXPECT_TRUE(span_.incomplete);
    EXPECT_GT(spans_.refused(), 0U);
    spans_.release(span_);
    EXPECT_EQ(span_.gaps_count, 0);
}

}  // namespace
}  // namespace tw::taps
