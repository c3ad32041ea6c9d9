// SPDX-License-Identifier: BSD-3-Clause
#include "support/taps_run.hpp"

#include <algorithm>

namespace tw::test {

using taps::Side;

taps::EngineOptions small_taps() {
    taps::EngineOptions options;
    options.side_of_tap[1] = Side::inside;
    options.backing = Backing::lazy;
    options.conversations_max = 4096;
    options.in_flight_max = 1U << 14;
    options.open_losses_max = 1U << 12;
    options.transit_max = 100 * kMillisecond;
    return options;
}

TapsRun::TapsRun(const taps::EngineOptions& options)
    : counters_(std::make_unique<stats::Counters>()),
      engine_(std::make_unique<taps::Engine>(options, *counters_)) {}

TapsRun& TapsRun::at(Side tap, const Bytes& bytes, Nanos time) {
    bytes_.push_back(bytes);
    Frame frame = frame_of(bytes_.back(), time, ++number_);
    frame.tap = static_cast<std::uint8_t>(taps::index(tap));
    frames_.push_back(frame);
    if (frames_.size() >= burst_max_) {
        flush();
    }
    return *this;
}

void TapsRun::flush() {
    // The bytes may have moved when more came.
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        frames_[i].data = bytes_[i].data();
    }
    engine_->process(frames_);
    frames_.clear();
    bytes_.clear();
    collect();
}

TapsRun& TapsRun::tick(Nanos now) {
    flush();
    engine_->tick(now);
    collect();
    return *this;
}

void TapsRun::finish() {
    flush();
    while (!engine_->finish_some()) {
        collect();
    }
    collect();
}

void TapsRun::collect() {
    taps::Fact fact;
    while (engine_->pop(fact)) {
        facts_.push_back(fact);
    }
    taps::Excerpt excerpt;
    while (engine_->pop(excerpt)) {
        excerpts_.push_back(excerpt);
    }
    taps::Conversation conversation;
    while (engine_->pop(conversation)) {
        conversations_.push_back(conversation);
    }
}

std::uint64_t TapsRun::facts_of(taps::FactKind kind) const {
    return static_cast<std::uint64_t>(std::count_if(
        facts_.begin(), facts_.end(), [&](const taps::Fact& fact) { return fact.kind == kind; }));
}

}  // namespace tw::test
