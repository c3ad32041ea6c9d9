// SPDX-License-Identifier: BSD-3-Clause
// What many episodes have in common: what only large segments meet, what comes in bursts or at an
// even pace, what concerns one host. Each finding carries the numbers it rests on; text is made of
// them in sinks. And per service: how many conversations were good, and what the others share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/time.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"

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
    std::string_view sentence;
    std::string_view help;
};
[[nodiscard]] std::span<const PatternInfo, kPatterns> pattern_table();

// What was found, with its numbers. A member without meaning for the pattern is zero.
struct Pattern {
    PatternId id = PatternId::burst_loss;
    std::uint8_t tap = 0;
    Nanos from = 0;  // of the episodes it rests on
    Nanos until = 0;
    flow::Endpoint subject;        // host, prefix or service
    std::uint8_t prefix_bits = 0;  // one_prefix
    bool whole_run = false;        // else of one interval
    event::Direction direction = event::Direction::c2s;
    std::uint64_t matching = 0;     // episodes that fit
    std::uint64_t of = 0;           // of so many that were looked at
    std::uint64_t connections = 0;  // that took part
    std::uint64_t bytes = 0;        // lost, or missed
    // pmtu_black_hole: the longest segment delivered, the shortest lost.
    std::uint32_t delivered_bytes = 0;
    std::uint32_t lost_bytes = 0;
    // policing: bytes a second, and the bytes that pass at once.
    std::uint64_t rate = 0;
    std::uint64_t burst = 0;
    // periodic_loss: time from loss to loss, and how much that varies; burst_loss: length of the
    // burst; idle_then_reset: the shortest idle time that ended in a reset.
    Nanos time = 0;
    Nanos spread = 0;
    // one_host, one_prefix: its share of the bytes seen, per mille; mirror_overload: load while
    // frames were missed over the load on average, per cent.
    std::uint32_t share = 0;
};

// Conversations of one server address and port.
struct Service {
    flow::Endpoint server;
    std::uint64_t conversations = 0;
    std::uint64_t good = 0;      // no loss, no reset worth a verdict
    std::uint64_t suffered = 0;  // lost something, and recovered
    std::uint64_t hung = 0;      // bytes never arrived, or no answer at all
    std::uint64_t bytes = 0;
    // What those that were not good share: how many of the bad and of the good have it.
    struct Trait {
        event::Verdict verdict = event::Verdict::none;
        event::Direction direction = event::Direction::c2s;
        std::uint64_t bad = 0;
        std::uint64_t good = 0;
    };
    std::array<Trait, 2> common{};  // the most telling first; Verdict::none = nothing
};

struct PatternOptions {
    Nanos interval = 10 * kSecond;
    std::uint32_t services_max = 4096;
};

class Patterns {
  public:
    // Findings that are kept: the latest, at most so many.
    static constexpr std::size_t kFoundMax = 64;

    Patterns(const PatternOptions& options, stats::Counters& counters);
    ~Patterns();
    Patterns(const Patterns&) = delete;
    Patterns& operator=(const Patterns&) = delete;

    // Settled ones. `load`: of the taps at its time over that around it, per cent; 0 = not known.
    void add(const event::Event& event, std::uint32_t load = 0);
    void add(const event::FlowRecord& record);
    // Ends intervals that lie before `now`.
    void advance(Nanos now);
    // Looks at the whole run.
    void finish();

    // Oldest first. Those of the whole run come with finish().
    [[nodiscard]] std::span<const Pattern> found() const;
    // Ever found, by id.
    [[nodiscard]] std::uint64_t count(PatternId id) const;
    // The services with most conversations that were not good, the worst first.
    [[nodiscard]] std::size_t worst_services(std::span<Service> out) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tw::verdict
