// SPDX-License-Identifier: BSD-3-Clause
// A live worker's pipeline for tests of scale: what comes out is counted instead of kept, so that
// the test itself stays flat, and what the process holds in memory can be asked for.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>

#include "core/flow/plain_index.hpp"
#include "core/pipeline.hpp"

namespace tw::test {

[[nodiscard]] inline std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// Allocator and page granularity, not growth with traffic.
inline constexpr std::size_t kMemorySlack = std::size_t{4} << 20;

[[nodiscard]] inline PipelineOptions small_live_table() {
    PipelineOptions options;
    options.flows.v4_max = 50'000;
    options.flows.v6_max = 1'000;
    options.flows.backing = Backing::lazy;
    options.flows.hash_seed = 7;
    return options;
}

class CountingMonitor {
  public:
    explicit CountingMonitor(const PipelineOptions& options)
        : v4_(sizeof(flow::KeyV4), options.flows.v4_max, Backing::lazy),
          v6_(sizeof(flow::KeyV6), options.flows.v6_max, Backing::lazy),
          outbox_(event::OutboxOptions{}),
          pipeline_(options, v4_, v6_, outbox_, counters) {}

    void feed(std::span<const Frame> frames) {
        pipeline_.process(frames);
        pipeline_.tick(frames.back().time);
        drain();
    }
    // Closes every connection.
    void finish() {
        while (!pipeline_.close_some(64)) {
            drain();
        }
        drain();
    }
    [[nodiscard]] std::uint64_t live() const { return pipeline_.live_flows(); }

    stats::Counters counters;
    std::uint64_t events = 0;
    std::uint64_t records = 0;

  private:
    void drain() {
        event::Event event;
        while (outbox_.pop(event)) {
            ++events;
        }
        event::FlowRecord record;
        while (outbox_.pop(record)) {
            ++records;
        }
    }

    flow::PlainIndex v4_;
    flow::PlainIndex v6_;
    event::Outbox outbox_;
    Pipeline pipeline_;
};

}  // namespace tw::test
