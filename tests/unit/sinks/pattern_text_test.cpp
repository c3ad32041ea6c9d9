// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/pattern_text.hpp"

#include <gtest/gtest.h>

#include "unit/sinks/samples.hpp"

namespace tw::sinks {
namespace {

using verdict::Pattern;
using verdict::PatternId;

TEST(PatternText, a_size_limit_names_both_sizes) {
    Pattern pattern;
    pattern.id = PatternId::pmtu_black_hole;
    pattern.direction = event::Direction::s2c;
    pattern.subject = test::v4(10, 0, 0, 9, 443);
    pattern.matching = pattern.of = 212;
    pattern.delivered_bytes = 1400;
    pattern.lost_bytes = 1448;
    EXPECT_EQ(pattern_text(pattern),
              "only large segments die: all 212 losses from 10.0.0.9:443 and no delivered segment "
              "were longer than 1,400 bytes; the shortest of them had 1,448");
}

TEST(PatternText, a_host_comes_with_its_share_of_the_traffic) {
    Pattern pattern;
    pattern.id = PatternId::one_host;
    pattern.subject = test::v4(10, 0, 0, 9, 0);
    pattern.matching = 190;
    pattern.of = 200;
    pattern.share = 41;
    EXPECT_EQ(pattern_text(pattern),
              "the losses are those of one host: 190 of 200 losses lie between 10.0.0.9 and the "
              "tap, which carries 4 % of the bytes");
}

TEST(PatternText, every_pattern_has_a_sentence_with_its_numbers) {
    for (const verdict::PatternInfo& info : verdict::pattern_table()) {
        Pattern pattern;
        pattern.id = info.id;
        pattern.matching = 77;
        pattern.of = 78;
        EXPECT_NE(pattern_text(pattern).find("77 of 78"), std::string::npos) << info.name;
    }
}

TEST(ServiceText, what_hangs_is_told_with_what_it_shares) {
    verdict::Service service;
    service.server = test::v4(10, 0, 0, 9, 80);
    service.conversations = 40;
    service.good = 33;
    service.hung = 7;
    const auto before = static_cast<std::size_t>(event::Outcome::never_recovered);
    service.bad_with[before][1] = 7;
    EXPECT_EQ(service_text(service),
              "7 of 40 conversations with 10.0.0.9:80 hung; all 7 lack bytes of the server to the "
              "end, and 0 of the 33 others");
    service.conversations = 7;
    service.good = 0;
    EXPECT_EQ(service_text(service),
              "7 of 7 conversations with 10.0.0.9:80 hung; all 7 lack bytes of the server to the "
              "end");
}

}  // namespace
}  // namespace tw::sinks
