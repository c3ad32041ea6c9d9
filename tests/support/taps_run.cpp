// SPDX-License-Identifier: BSD-3-Clause
#include "support/taps_run.hpp"

#include <algorithm>

#include "core/decode/decode.hpp"
#include "core/flow/hash.hpp"

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

TapsRun::TapsRun(const taps::EngineOptions& options) {
    counters_.push_back(std::make_unique<stats::Counters>());
    engines_.push_back(std::make_unique<taps::Engine>(options, *counters_.back()));
}

TapsRun::TapsRun(const taps::EngineOptions& options, std::uint32_t workers)
    : hand_over_(workers > 1 ? std::make_unique<taps::HandOver>(workers) : nullptr), ticks_(true) {
    taps::EngineOptions one = options;
    one.hand_over = hand_over_.get();
    one.id_step = workers;
    for (one.worker = 0; one.worker < workers; ++one.worker) {
        one.first_id = one.worker + 1;
        counters_.push_back(std::make_unique<stats::Counters>());
        engines_.push_back(std::make_unique<taps::Engine>(one, *counters_.back()));
    }
}

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
    if (engines_.size() == 1) {
        engines_.front()->process(frames_);
    } else {
        spread();
    }
    for (std::size_t i = 0; i < engines_.size() && ticks_ && !frames_.empty(); ++i) {
        engines_[i]->tick(frames_.back().time);
    }
    frames_.clear();
    bytes_.clear();
    collect();
}

TapsRun& TapsRun::tick(Nanos now) {
    flush();
    for (const auto& engine : engines_) {
        engine->tick(now);
    }
    collect();
    return *this;
}

void TapsRun::finish() {
    flush();
    for (bool worked = true; worked;) {
        worked = false;
        for (const auto& engine : engines_) {
            worked = engine->settle_some() || worked;
        }
    }
    for (const auto& engine : engines_) {
        while (!engine->finish_some()) {
            collect();
        }
    }
    collect();
}

void TapsRun::spread() {
    for (std::uint32_t worker = 0; worker < engines_.size(); ++worker) {
        std::vector<Frame> share;
        for (const Frame& frame : frames_) {
            if (worker_of(frame) == worker) {
                share.push_back(frame);
            }
        }
        engines_[worker]->process(share);
    }
}

// As a NIC would, by a hash of its own.
std::uint32_t TapsRun::worker_of(const Frame& frame) {
    stats::Counters unused;
    decode::Decoded found;
    decode::decode(frame, {}, unused, found);
    const std::uint32_t hash =
        found.v6 ? flow::hash_key(found.key.v6_key, 1) : flow::hash_key(found.key.v4, 1);
    return hash % static_cast<std::uint32_t>(engines_.size());
}

void TapsRun::collect() {
    for (const auto& engine : engines_) {
        taps::Fact fact;
        while (engine->pop(fact)) {
            facts_.push_back(fact);
        }
        taps::Excerpt excerpt;
        while (engine->pop(excerpt)) {
            excerpts_.push_back(excerpt);
        }
        taps::Conversation conversation;
        while (engine->pop(conversation)) {
            conversations_.push_back(conversation);
        }
    }
}

std::uint64_t TapsRun::count(stats::Counter counter) const {
    std::uint64_t sum = 0;
    for (const auto& counters : counters_) {
        sum += counters->get(counter);
    }
    return sum;
}

std::uint64_t TapsRun::facts_of(taps::FactKind kind) const {
    return static_cast<std::uint64_t>(std::count_if(
        facts_.begin(), facts_.end(), [&](const taps::Fact& fact) { return fact.kind == kind; }));
}

}  // namespace tw::test
