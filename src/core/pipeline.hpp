// SPDX-License-Identifier: BSD-3-Clause
// START READING HERE. The path of a packet through core: decode, find the connection, judge the
// segment, emit what was found. A function of frames: no clock, no I/O, no lock, no allocation
// after construction. Live workers and `read` are thin drivers over this one class.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "core/event/outbox.hpp"
#include "core/flow/index.hpp"
#include "core/frame.hpp"
#include "core/observation.hpp"
#include "core/options.hpp"
#include "core/stats/counters.hpp"

namespace tw {

class Pipeline {
  public:
    // Reserves everything it will ever use. All references must outlive the pipeline.
    Pipeline(const PipelineOptions& options, flow::FlowIndex& index_v4, flow::FlowIndex& index_v6,
             event::Outbox& outbox, stats::Counters& counters);
    ~Pipeline();
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    // At most kBurstMax frames, in capture order. observations[i] belongs to frames[i] and is valid
    // until the next call.
    std::span<const Observation> process(std::span<const Frame> frames);

    // Ages a slice of the table. `now` is the time of the wire: the last frame's, or the clock's
    // when the link is silent. Call every few bursts; a whole round takes kSweepCalls calls.
    void tick(Nanos now);

    // Other times from here on, for connections that live already too. Between calls of process().
    void set_times(const FlowTimeouts& timeouts, const std::array<Nanos, kTapsMax>& direction_skew);

    // At the end of a run: closes up to `connections_max` connections (episodes and flow record
    // each) and returns true once none is left. Drain the outbox between calls.
    [[nodiscard]] bool close_some(std::uint32_t connections_max);

    [[nodiscard]] std::uint64_t live_flows() const;
    // Bytes reserved for tables and pools, indexes excluded.
    [[nodiscard]] std::size_t memory_bytes() const;
    // The same before anything is reserved, for `check`.
    [[nodiscard]] static std::size_t memory_bytes(const FlowOptions& options);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tw
