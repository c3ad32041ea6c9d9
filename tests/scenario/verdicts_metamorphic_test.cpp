// SPDX-License-Identifier: BSD-3-Clause
// What must not change a verdict does not: other sequence numbers (wrapped ones too), other times,
// a VLAN or VXLAN around the frames, ends in the other order, other bursts, other connections in
// between. Over faulty connections made for it and over the project's captures.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "capture/pcap/file_source.hpp"
#include "core/event/verdict.hpp"
#include "support/altered_traffic.hpp"
#include "support/faulty_traffic.hpp"

namespace tw::test {
namespace {

#ifdef NDEBUG
constexpr std::uint64_t kSeeds = 250;
#else
constexpr std::uint64_t kSeeds = 60;  // sanitizer builds
#endif

// Each of the project's captures in which all is plain Ethernet and whole.
std::map<std::string, Traffic> captures() {
    std::map<std::string, Traffic> found;
    const char* const source = std::getenv("TAPWITNESS_SOURCE");
    const std::filesystem::path folder =
        std::filesystem::path(source == nullptr ? "." : source) / "tests/captures";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        auto opened = pcap::FileSource::open(entry.path().string());
        if (entry.path().extension() != ".pcap" || !opened) {
            continue;
        }
        Traffic traffic;
        bool plain = true;
        for (auto burst = (*opened)->next(); !burst.empty(); burst = (*opened)->next()) {
            for (const Frame& frame : burst) {
                plain &=
                    frame.link == LinkType::ethernet && frame.captured_bytes == frame.wire_bytes;
                traffic.push_back({frame.time, Bytes(frame.data, frame.data + frame.captured_bytes),
                                   frame.wire_bytes});
            }
        }
        if (plain) {
            found[entry.path().filename().string()] = std::move(traffic);
        }
    }
    return found;
}

// The lines in which the two differ, so that a failure can be read.
void expect_equal(const std::vector<std::string>& changed, const std::vector<std::string>& plain,
                  const std::string& where) {
    std::vector<std::string> more;
    std::vector<std::string> less;
    std::ranges::set_difference(changed, plain, std::back_inserter(more));
    std::ranges::set_difference(plain, changed, std::back_inserter(less));
    ASSERT_EQ(more, less) << where;
}

using Change = std::function<Traffic(const Traffic&)>;

// `rewrites`: the change reaches into IPv4 and TCP, and leaves frames with anything else alone.
void expect_same(const Change& change, bool rewrites, const Shift& shift = {}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const Traffic traffic = faulty_traffic(seed);
        expect_equal(lines_of(change(traffic), shift), lines_of(traffic),
                     "seed " + std::to_string(seed));
    }
    std::size_t compared = 0;
    for (const auto& [name, traffic] : captures()) {
        if (!rewrites || is_plain(traffic)) {
            expect_equal(lines_of(change(traffic), shift), lines_of(traffic), name);
            ++compared;
        }
    }
    EXPECT_GE(compared, 12U);
}

// Else the others prove nothing.
TEST(VerdictsMetamorphic, the_traffic_raises_nearly_every_verdict) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        for (const std::string& line : lines_of(faulty_traffic(seed))) {
            for (const event::VerdictInfo& row : event::verdict_table()) {
                const std::string name(row.name);
                if (line.find(' ' + name + ' ') < line.find('|')) {
                    seen.insert(name);
                }
            }
        }
    }
    for (const char* const name :
         {"missed_by_capture", "lost_before_tap", "reordered_before_tap", "lost_after_tap",
          "ack_lost", "spurious_retransmission", "duplicated_by_mirror", "never_recovered",
          "reordered_in_capture", "rst_by_third_party", "receiver_limited", "unknown"}) {
        EXPECT_TRUE(seen.contains(name)) << name;
    }
}

TEST(VerdictsMetamorphic, sequence_numbers_may_start_anywhere) {
    for (const Shift& shift :
         {Shift{.seq = {77'777, 123'456'789}}, Shift{.seq = {0x8000'0001, 0x7FFF'FFFF}},
          Shift{.seq = {3'294'967'001, 1'294'960'003}}}) {
        expect_same([&](const Traffic& traffic) { return shift_numbers(traffic, shift); }, true,
                    shift);
    }
}

// So close below zero that every connection wraps: the initial numbers are the script's own.
TEST(VerdictsMetamorphic, sequence_numbers_may_wrap) {
    const ConversationOptions plain;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        ConversationOptions wrapping;
        wrapping.isn = {0xFFFF'F000U + static_cast<std::uint32_t>(seed), 0xFFFF'FE01U};
        Shift shift;
        shift.seq = {wrapping.isn[0] - plain.isn[0], wrapping.isn[1] - plain.isn[1]};
        expect_equal(lines_of(faulty_traffic(seed, wrapping), shift),
                     lines_of(faulty_traffic(seed)), "seed " + std::to_string(seed));
    }
}

TEST(VerdictsMetamorphic, times_may_be_others) {
    for (const Nanos time : {Nanos{1}, 86'400 * kSecond + 123'456'789, -900'000'000 * kSecond}) {
        expect_same([&](const Traffic& traffic) { return shift_time(traffic, time); }, false,
                    {.seq = {}, .time = time});
    }
}

TEST(VerdictsMetamorphic, a_vlan_does_not_show) {
    expect_same([](const Traffic& traffic) { return in_vlan(traffic); }, false);
}

TEST(VerdictsMetamorphic, a_vxlan_does_not_show) {
    expect_same([](const Traffic& traffic) { return in_vxlan(traffic); }, false);
}

TEST(VerdictsMetamorphic, the_order_of_the_addresses_does_not_show) {
    expect_same([](const Traffic& traffic) { return swap_sides(traffic); }, true);
}

TEST(VerdictsMetamorphic, bursts_do_not_show) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const Traffic traffic = faulty_traffic(seed);
        const auto one_by_one = lines_of(traffic);
        for (const std::vector<std::size_t>& portions :
             {std::vector<std::size_t>{32}, {7}, {1, 32, 3}}) {
            expect_equal(lines_of(traffic, {}, portions), one_by_one,
                         "seed " + std::to_string(seed));
        }
    }
}

}  // namespace
}  // namespace tw::test
