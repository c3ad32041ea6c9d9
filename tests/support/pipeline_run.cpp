// SPDX-License-Identifier: BSD-3-Clause
#include "support/pipeline_run.hpp"

namespace tw::test {

PipelineOptions read_options(std::uint32_t flows_max) {
    PipelineOptions options;
    options.flows.v4_max = flows_max;
    options.flows.v6_max = flows_max;
    options.flows.timeouts.enabled = false;
    options.flows.backing = Backing::lazy;
    options.flows.details_divisor = 1;
    options.flows.hash_seed = 0x5EED;
    options.analysis.exact_flight = true;
    options.observe_streams = true;
    return options;
}

PipelineRun::PipelineRun(const PipelineOptions& options)
    : PipelineRun(options,
                  std::make_unique<flow::PlainIndex>(sizeof(flow::KeyV4), options.flows.v4_max,
                                                     Backing::lazy),
                  std::make_unique<flow::PlainIndex>(sizeof(flow::KeyV6), options.flows.v6_max,
                                                     Backing::lazy)) {}

PipelineRun::PipelineRun(const PipelineOptions& options, std::unique_ptr<flow::FlowIndex> v4,
                         std::unique_ptr<flow::FlowIndex> v6)
    : v4_(std::move(v4)),
      v6_(std::move(v6)),
      outbox_(std::make_unique<event::Outbox>(event::OutboxOptions{})),
      counters_(std::make_unique<stats::Counters>()),
      pipeline_(std::make_unique<Pipeline>(options, *v4_, *v6_, *outbox_, *counters_)) {}

Observation PipelineRun::feed(const std::vector<std::uint8_t>& bytes, Nanos time, LinkType link,
                              std::uint8_t tap) {
    Frame frame;
    frame.data = bytes.data();
    frame.captured_bytes = frame.wire_bytes = static_cast<std::uint32_t>(bytes.size());
    frame.time = time;
    frame.number = ++number_;
    frame.link = link;
    frame.tap = tap;
    return feed(std::span(&frame, 1)).front();
}

std::vector<Observation> PipelineRun::feed(std::span<const Frame> frames) {
    const auto seen = pipeline_->process(frames);
    collect();
    return {seen.begin(), seen.end()};
}

void PipelineRun::finish() {
    while (!pipeline_->close_some(64)) {
        collect();
    }
    collect();
}

void PipelineRun::collect() {
    event::Event event;
    while (outbox_->pop(event)) {
        events_.push_back(event);
    }
    event::FlowRecord record;
    while (outbox_->pop(record)) {
        flows_.push_back(record);
    }
}

}  // namespace tw::test
