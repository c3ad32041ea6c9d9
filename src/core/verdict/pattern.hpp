// SPDX-License-Identifier: BSD-3-Clause
// A pattern: what many episodes have in common, with the numbers it rests on. Text is made of them
// in sinks (pattern_text).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/time.hpp"
#include "core/event/event.hpp"

namespace tw::verdict {

enum class PatternId : std::uint8_t {
    pmtu_black_hole,
    policing,
    burst_loss,
    periodic_loss,
    one_host,
    one_prefix,
    idle_then_reset,
    mirror_overload,
};
inline constexpr std::size_t kPatterns = static_cast<std::size_t>(PatternId::mirror_overload) + 1;

struct PatternInfo {
    PatternId id;
    std::string_view name;
    std::string_view sentence;  // what it means, for people
    std::string_view help;      // when it is said, and what to do
};
// Rows in the order of the enumerators.
[[nodiscard]] std::span<const PatternInfo, kPatterns> pattern_table();
[[nodiscard]] std::string_view name(PatternId id);

// A member without meaning for the pattern is zero.
struct Pattern {
    PatternId id = PatternId::burst_loss;
    std::uint8_t tap = 0;
    std::uint8_t prefix_bits = 0;  // one_prefix
    event::Direction direction = event::Direction::c2s;
    flow::Endpoint subject;  // host, prefix or service
    event::FlowName flow;    // policing
    Nanos from = 0;          // of the episodes it rests on
    Nanos until = 0;
    std::uint64_t matching = 0;     // episodes that fit
    std::uint64_t of = 0;           // of so many that were looked at
    std::uint64_t connections = 0;  // that took part, at least
    std::uint64_t bytes = 0;        // lost, or missed
    // pmtu_black_hole: the longest segment that was delivered, the shortest that was lost.
    std::uint32_t delivered_bytes = 0;
    std::uint32_t lost_bytes = 0;
    // policing: bytes a second, and the bytes that pass at once.
    std::uint64_t rate = 0;
    std::uint64_t burst = 0;
    // periodic_loss: from loss to loss, and how far they stray; idle_then_reset: the shortest idle
    // time that ended in a reset, and how much longer the longest was.
    Nanos time = 0;
    Nanos spread = 0;
    // one_host, one_prefix: its share of the bytes seen, per mille. mirror_overload: load while
    // frames were missed over that around them, per cent; 0 = not known.
    std::uint32_t share = 0;
};

// A few of them; the oldest leaves when it is full.
class PatternList {
  public:
    static constexpr std::size_t kMax = 64;

    void add(const Pattern& pattern) {
        if (count_ == kMax) {
            for (std::size_t i = 1; i < kMax; ++i) {
                patterns_[i - 1] = patterns_[i];
            }
            --count_;
        }
        patterns_[count_++] = pattern;
    }
    void clear() { count_ = 0; }
    [[nodiscard]] std::span<const Pattern> all() const { return {patterns_.data(), count_}; }

  private:
    std::array<Pattern, kMax> patterns_{};
    std::size_t count_ = 0;
};

}  // namespace tw::verdict
