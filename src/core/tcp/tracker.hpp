// SPDX-License-Identifier: BSD-3-Clause
// One segment against its connection: flags, episodes, counts; and a connection's begin,
// replacement and end. Owns every bounded pool that connections share; the records themselves are
// the tables'.
#pragma once

#include "core/decode/decoded.hpp"
#include "core/event/outbox.hpp"
#include "core/flow/table.hpp"
#include "core/frame.hpp"
#include "core/observation.hpp"
#include "core/options.hpp"
#include "core/stats/counters.hpp"
#include "core/tcp/analysis.hpp"
#include "core/tcp/episodes.hpp"
#include "core/tcp/history.hpp"
#include "core/tcp/life.hpp"
#include "core/tcp/side_detail.hpp"

namespace tw::tcp {

class Tracker {
  public:
    Tracker(const PipelineOptions& options, event::Outbox& outbox, stats::Counters& counters);

    void set_direction_skew(const std::array<Nanos, kTapsMax>& skew) {
        episodes_.set_direction_skew(skew);
        life_.set_direction_skew(skew);
    }

    // The record at `slot` was just added for this segment.
    void begin(flow::FlowTable& table, std::uint32_t slot, const Frame& frame,
               const decode::Decoded& found);
    // Observation::tcp and everything after it is filled in.
    void observe(flow::FlowTable& table, std::uint32_t slot, const Frame& frame,
                 const decode::Decoded& found, bool created, Observation& observation);
    // Judges what has waited long enough for evidence. `tables`: of IPv4 and IPv6.
    void tick(flow::FlowTable* tables, Nanos now) { episodes_.tick(tables, now); }

    // Reports what is open and the connection itself, and frees what it held. The caller removes or
    // reuses the record.
    void close(flow::FlowTable& table, std::uint32_t slot);

    // Two steps ahead of observe(): first the line that says where the rest is, then the rest.
    void prefetch_line(const flow::FlowTable& table, std::uint32_t slot) {
        if (exact_flight_) {
            __builtin_prefetch(flight_of(table, slot), 1);
        }
    }
    void prefetch_rest(const flow::FlowTable& table, std::uint32_t slot) {
        if (exact_flight_) {
            flight_pool_.prefetch(flight_of(table, slot)[0]);
            flight_pool_.prefetch(flight_of(table, slot)[1]);
        }
    }

    [[nodiscard]] static std::size_t memory_bytes(const FlowOptions& options);

  private:
    void restart(flow::FlowTable& table, std::uint32_t slot, const Frame& frame,
                 const decode::Decoded& found);
    // Any segment; observe() passes those in order by itself.
    [[gnu::noinline]] void observe_any(flow::FlowTable& table, std::uint32_t slot,
                                       const Frame& frame, const decode::Decoded& found,
                                       bool created, const Timestamps& times,
                                       Observation& observation);
    void follow_flight(Flight* flight, const decode::Segment& segment, std::uint8_t sender,
                       std::uint32_t end);
    void note_handshake(flow::FlowTable& table, std::uint32_t slot, std::uint8_t sender);
    [[nodiscard]] FlagSet judge_segment(flow::FlowTable& table, std::uint32_t slot, Nanos now,
                                        const decode::Decoded& found, Meeting meeting);
    [[nodiscard]] SideDetail* detail(flow::Flow& flow, flow::ColdFlow& cold, std::uint8_t side);
    void count_flags(flow::Flow& flow, flow::ColdFlow& cold, std::uint8_t sender, FlagSet flags);
    [[nodiscard]] std::uint16_t mptcp_kinds(const flow::ColdFlow& cold) const;
    void note_mptcp(flow::Flow& flow, flow::ColdFlow& cold, std::uint8_t sender, bool analysed,
                    std::uint16_t kinds, std::uint16_t new_kinds);
    [[nodiscard]] Flight* flight_of(const flow::FlowTable& table, std::uint32_t slot) {
        return exact_flight_ ? &flights_[table.v6()][std::size_t{slot} * 2] : nullptr;
    }

    const std::uint32_t stream_step_;
    const bool exact_flight_;
    const bool observe_streams_;
    std::uint32_t next_stream_;
    event::Outbox& outbox_;
    stats::Counters& counters_;
    Pool<SideDetail> details_;
    History history_;
    Episodes episodes_;
    Life life_;
    FlightPool flight_pool_;
    LazyArray<Flight> flights_[2];  // IPv4, IPv6; two per slot
};

}  // namespace tw::tcp
