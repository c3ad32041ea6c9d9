// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_worker.hpp"

#include <fmt/format.h>

#include <ctime>

#include "core/flow/key.hpp"

namespace tw::app {
namespace {

// Connections closed between two drains at the end: their episodes must fit the event ring.
constexpr std::uint32_t kClosedPerDrain = 32;

// 16 s of intervals: a worker that is away for longer gets the rest as one.
constexpr std::size_t kMarksMax = 64;

[[nodiscard]] event::OutboxOptions outbox_options(const LiveWorkerOptions& options) {
    event::OutboxOptions outbox;
    outbox.first_id = options.index + 1;
    outbox.id_step = options.count;
    // A file's frames wait for us and bear times of their own; the ledger has nothing to say.
    outbox.await_capture = !options.may_wait;
    return outbox;
}

[[nodiscard]] std::expected<std::unique_ptr<dpdk::RteHashIndex>, Error> make_index(
    std::uint32_t worker, std::string_view version, std::uint32_t key_bytes,
    std::uint32_t keys_max) {
    dpdk::RteHashIndexOptions options;
    options.name = fmt::format("flows_{}_{}", version, worker);
    options.key_bytes = key_bytes;
    options.keys_max = keys_max;
    return dpdk::RteHashIndex::create(options);
}

}  // namespace

LiveWorker::LiveWorker(const LiveWorkerOptions& options)
    : options_(options),
      outbox_(outbox_options(options)),
      marks_(kMarksMax),
      settings_(options.settings),
      next_settings_(options.settings),
      settings_used_(options.settings) {
    options_.pipeline.stream_first = options.index;
    options_.pipeline.stream_step = options.count;
}

std::expected<std::unique_ptr<LiveWorker>, Error> LiveWorker::create(
    const LiveWorkerOptions& options) {
    std::unique_ptr<LiveWorker> worker(new LiveWorker(options));
    if (auto reserved = worker->reserve(); !reserved) {
        return std::unexpected(std::move(reserved.error()));
    }
    return worker;
}

std::expected<void, Error> LiveWorker::reserve() {
    if (options_.firewall) {
        taps::EngineOptions& taps = *options_.firewall;
        taps.first_id = options_.index + 1;
        taps.id_step = options_.count;
        taps.worker = options_.index;
        engine_ = std::make_unique<taps::Engine>(taps, counters_);
        if (options_.frames_kept != 0) {
            frames_ = std::make_unique<FrameStore>(options_.frames_kept, taps.backing);
        }
        return {};
    }
    const FlowOptions& flows = options_.pipeline.flows;
    auto v4 = make_index(options_.index, "v4", sizeof(flow::KeyV4), flows.v4_max);
    if (!v4) {
        return std::unexpected(std::move(v4.error()));
    }
    auto v6 = make_index(options_.index, "v6", sizeof(flow::KeyV6), flows.v6_max);
    if (!v6) {
        return std::unexpected(std::move(v6.error()));
    }
    index_v4_ = std::move(*v4);
    index_v6_ = std::move(*v6);
    pipeline_ =
        std::make_unique<Pipeline>(options_.pipeline, *index_v4_, *index_v6_, outbox_, counters_);
    return {};
}

void LiveWorker::handle(std::span<const Frame> frames) {
    if (options_.may_wait) {
        wait_for_outputs();
    }
    if (settings_->filter) {
        frames = settings_->filter->keep(frames, kept_, counters_);
    }
    if (frames.empty()) {
        return;
    }
    if (engine_) {
        watch_firewall(frames);
    } else {
        pipeline_->process(frames);
    }
}

// Frames get numbers, by which evidence finds them again.
void LiveWorker::watch_firewall(std::span<const Frame> frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        numbered_[i] = frames[i];
        numbered_[i].number = FrameStore::number(++frames_seen_, options_.index);
        if (frames_) {
            frames_->add(numbered_[i]);
        }
    }
    engine_->process(std::span(numbered_).first(frames.size()));
}

void LiveWorker::tick(Nanos now) {
    const LiveSettings* next = next_settings_.load(std::memory_order_acquire);
    if (next != settings_) {
        settings_ = next;
        if (pipeline_) {
            pipeline_->set_times(next->timeouts, next->direction_skew);
        }
        settings_used_.store(next, std::memory_order_release);
    }
    take_marks();
    if (engine_) {
        engine_->tick(now);
        return;
    }
    pipeline_->tick(now);
    live_flows_.set(pipeline_->live_flows());
}

// A file's frames that have not come yet are not older than those that have.
void LiveWorker::rest() {
    if (engine_) {
        engine_->rest(options_.may_wait);
    }
}

void LiveWorker::take_marks() {
    event::CaptureMark mark;
    while (marks_.pop(mark)) {
        outbox_.tell(mark, counters_);
    }
}

void LiveWorker::tell(const event::CaptureMark& mark) {
    if (mark_left_) {
        mark_left_->until = mark.until;
        for (std::size_t tap = 0; tap < kTapsMax; ++tap) {
            mark_left_->faults[tap] |= mark.faults[tap];
        }
    } else {
        mark_left_ = mark;
    }
    if (marks_.push(*mark_left_)) {
        mark_left_.reset();
    }
}

bool LiveWorker::tell_last(const event::CaptureMark& mark) {
    take_marks();
    if (mark_left_) {
        outbox_.tell(*mark_left_, counters_);
        mark_left_.reset();
    }
    outbox_.tell(mark, counters_);
    return outbox_.waiting() == 0;
}

bool LiveWorker::close_some() {
    if (engine_) {
        return engine_->finish_some();
    }
    const bool done = pipeline_->close_some(kClosedPerDrain);
    live_flows_.set(pipeline_->live_flows());
    return done;
}

void LiveWorker::wait_for_outputs() const {
    constexpr timespec kNap{0, 50'000};
    while (!(engine_ ? engine_->half_empty() : outbox_.half_empty())) {
        nanosleep(&kNap, nullptr);
    }
}

}  // namespace tw::app
