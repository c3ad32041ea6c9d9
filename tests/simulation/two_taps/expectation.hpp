// SPDX-License-Identifier: BSD-3-Clause
// What a fact should have said: the truth about the packet it is about, and where two fates give
// the same frames, which other answers are as good as that. The rows of twin_table() are the only
// such leniency, and a claim of proof is wrong in them.
#pragma once

#include <span>
#include <string>

#include "core/taps/fact.hpp"
#include "simulation/two_taps/ground.hpp"

namespace tw::sim::two_taps {

// What became of a packet, in the scorer's words.
enum class Truth : std::uint8_t {
    passed,           // and was seen on both sides: there is nothing to say
    lost,             // the firewall dropped it
    missed_at_exit,   // the capture did
    missed_at_entry,  // idem
    duplicated,       // the firewall sent it twice
    made,             // the firewall sent it, nobody else
    altered,
    lengthened,
    late,         // overtaken in the firewall
    absorbed,     // a proxy took it
    on_its_way,   // the simulation ended first
    mirror_copy,  // the second of two frames of one packet
    no_packet,    // no such frame
};
inline constexpr std::size_t kTruths = static_cast<std::size_t>(Truth::no_packet) + 1;
[[nodiscard]] std::string_view name(Truth truth);

// Fates that the frames of two taps may not tell apart.
enum class Twin : std::uint8_t {
    none,
    missed_and_lost,
    acks_unseen,
    after_close,
    copy_left_before,
    repeat_of_the_arrived,
    copy_of_mirror,
    entry_missed_twice,
    nobody_tells,
    look_alike,
};
inline constexpr std::size_t kTwins = static_cast<std::size_t>(Twin::look_alike) + 1;
struct TwinRow {
    Twin id;
    const char* name;
    const char* reason;
};
[[nodiscard]] std::span<const TwinRow> twin_table();

struct Expectation {
    Truth truth = Truth::no_packet;
    bool right = false;      // what was said is true
    Twin twin = Twin::none;  // or cannot be told from the truth: right unless proven
    // Proven by a loss beyond a tap that misses nothing else: rule S, refuted by no frame.
    bool double_fault = false;
    Drop drop = Drop::none;
    Nanos time = 0;
};

[[nodiscard]] Expectation expect(const Ground& ground, const taps::Fact& fact);

}  // namespace tw::sim::two_taps
