// SPDX-License-Identifier: BSD-3-Clause
// A whole pipeline over plain indexes for tests: give it frames, look at what it observed, reported
// and counted. Frames are numbered from 1; time stamps are the caller's.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/flow/plain_index.hpp"
#include "core/pipeline.hpp"

namespace tw::test {

// Options of `read`: everything exact, nothing ages, small tables.
[[nodiscard]] PipelineOptions read_options(std::uint32_t flows_max = 4096);

class PipelineRun {
  public:
    explicit PipelineRun(const PipelineOptions& options = read_options());
    // With the caller's indexes, e.g. rte_hash.
    PipelineRun(const PipelineOptions& options, std::unique_ptr<flow::FlowIndex> v4,
                std::unique_ptr<flow::FlowIndex> v6);

    // One frame, all of it captured.
    Observation feed(const std::vector<std::uint8_t>& bytes, Nanos time,
                     LinkType link = LinkType::ethernet, std::uint8_t tap = 0);
    // A burst; numbers and everything else as given.
    std::vector<Observation> feed(std::span<const Frame> frames);
    // Closes every connection.
    void finish();

    [[nodiscard]] Pipeline& pipeline() { return *pipeline_; }
    [[nodiscard]] const std::vector<event::Event>& events() const { return events_; }
    [[nodiscard]] const std::vector<event::FlowRecord>& flows() const { return flows_; }
    [[nodiscard]] std::uint64_t count(stats::Counter counter) const {
        return counters_->get(counter);
    }
    void collect();  // takes what the outbox holds; feed() and finish() do it

  private:
    std::unique_ptr<flow::FlowIndex> v4_;
    std::unique_ptr<flow::FlowIndex> v6_;
    std::unique_ptr<event::Outbox> outbox_;
    std::unique_ptr<stats::Counters> counters_;
    std::unique_ptr<Pipeline> pipeline_;
    std::uint64_t number_ = 0;
    std::vector<event::Event> events_;
    std::vector<event::FlowRecord> flows_;
};

}  // namespace tw::test
