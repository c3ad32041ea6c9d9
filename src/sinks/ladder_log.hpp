// SPDX-License-Identifier: BSD-3-Clause
// What is kept of one connection for its ladder: a compact row per segment, and its episodes.
// Bounded: when the rows are full, stretches in which nothing happened are dropped first, then the
// middle of what did; beginning and end stay. Rows carry running totals, so that whatever is
// missing between two of them can still be told.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/decode/decoded.hpp"
#include "core/event/event.hpp"
#include "core/frame.hpp"
#include "core/observation.hpp"

namespace tw::sinks {

struct LadderRow {
    Nanos time = 0;
    std::uint64_t frame = 0;
    // Of the connection up to here, this row included.
    std::array<std::uint64_t, 2> segments{};  // index: side of the key
    std::array<std::uint64_t, 2> bytes{};     // TCP payload, by side
    std::uint64_t flagged = 0;                // segments with flags of tcp.analysis
    std::uint32_t seq = 0;                    // as on the wire
    std::uint32_t relative_seq = 0;           // these two as Wireshark shows them
    std::uint32_t relative_ack = 0;
    std::uint32_t payload_bytes = 0;
    std::uint32_t window = 0;  // scaled where window_scaled
    std::uint32_t ts_value = 0;
    std::uint32_t ts_echo = 0;
    std::array<std::array<std::uint32_t, 2>, 4> sack{};  // relative; left, one past the last
    std::uint16_t mss = 0;                               // 0 = no such option
    std::int8_t window_shift = -1;                       // -1 = no such option
    std::uint8_t sack_count = 0;
    tcp::FlagSet flags;
    std::uint8_t tcp_flags = 0;
    std::uint8_t side = 0;  // the sender's side of the key
    bool window_scaled : 1 = false;
    bool sack_permitted : 1 = false;
    bool timestamps : 1 = false;
    bool quoted : 1 = false;        // inside an ICMP error that travels towards `side`
    bool length_known : 1 = false;  // false: first fragment, or a header that contradicts itself

    [[nodiscard]] std::uint64_t ordinal() const { return segments[0] + segments[1]; }
    [[nodiscard]] bool has(std::uint8_t tcp_flag) const { return (tcp_flags & tcp_flag) != 0; }
    // Worth showing for itself, not as one of many.
    [[nodiscard]] bool notable() const;
};
static_assert(sizeof(LadderRow) <= 136);

// What many episodes are added up by.
struct EpisodeKind {
    event::Direction direction{};
    event::Verdict verdict{};
    event::Cause cause{};
    event::Place place{};
    event::EventType type{};
    event::Resolution resolution{};  // `never` where there is a verdict
    auto operator<=>(const EpisodeKind&) const = default;
};

struct EpisodeSum {
    std::uint64_t episodes = 0;
    std::uint64_t proven = 0;
    std::uint64_t bytes = 0;
    Nanos cost = 0;
    event::Event example;  // the first
};

struct LadderLogOptions {
    std::size_t rows_max = 131'072;
    std::uint64_t episode = 0;  // id of an event that is kept in any case; 0 = none
};

class LadderLog {
  public:
    static constexpr std::size_t kEventsMax = 4096;

    explicit LadderLog(const LadderLogOptions& options) : options_(options) {}

    // Segments of the one connection, in capture order. found.outcome must be decoded_segments.
    void add(const Frame& frame, const decode::Decoded& found, const Observation& observation);
    void add(const event::Event& event);

    [[nodiscard]] std::span<const LadderRow> rows() const { return rows_; }
    // The gravest, at most kEventsMax, in order of first sign.
    [[nodiscard]] std::vector<event::Event> events() const;
    [[nodiscard]] std::uint64_t episodes() const { return episodes_; }
    // Over all episodes, also those not kept.
    [[nodiscard]] const std::map<EpisodeKind, EpisodeSum>& sums() const { return sums_; }
    [[nodiscard]] const LadderLogOptions& options() const { return options_; }

  private:
    void read_options(const decode::Segment& segment, std::uint8_t side, LadderRow& row);
    void learn_bases(const decode::Segment& segment, std::uint8_t side);
    void learn_scale(const LadderRow& row);
    void thin();

    LadderLogOptions options_;
    std::vector<LadderRow> rows_;
    LadderRow last_;  // its running totals
    std::array<std::uint32_t, 2> base_{};
    std::array<bool, 2> base_set_{};
    std::array<std::int8_t, 2> shift_{-1, -1};  // -1 = the SYN was not seen, or carried none
    std::array<bool, 2> syn_seen_{};

    std::vector<event::Event> events_;
    std::uint64_t episodes_ = 0;
    std::map<EpisodeKind, EpisodeSum> sums_;
};

// Whether `a` matters more to who reads a ladder than `b`; a strict order.
[[nodiscard]] bool graver(const event::Event& a, const event::Event& b);
// Leaves the `count_max` gravest, in any order; the event with the id `wanted` is among them.
void keep_gravest(std::vector<event::Event>& events, std::uint64_t wanted, std::size_t count_max);

}  // namespace tw::sinks
