// SPDX-License-Identifier: BSD-3-Clause
// One live worker's own world: filter, pipeline, tables, counters, outbox. Fed by its poller's
// thread, drained by the control thread; nothing is shared with other workers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>

#include "app/frame_store.hpp"
#include "base/error.hpp"
#include "base/spsc_ring.hpp"
#include "capture/dpdk/poller.hpp"
#include "capture/dpdk/rte_hash_index.hpp"
#include "capture/dpdk/worker.hpp"
#include "capture/pcap/filter.hpp"
#include "core/event/outbox.hpp"
#include "core/pipeline.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/engine.hpp"

namespace tw::app {

// What can change while a worker runs.
struct LiveSettings {
    std::optional<pcap::Filter> filter;  // nothing: every frame
    FlowTimeouts timeouts;
    std::array<Nanos, kTapsMax> direction_skew = {};  // index: Frame::tap
};

struct LiveWorkerOptions {
    std::uint32_t index = 0;
    std::uint32_t count = 1;  // of workers: ids and stream numbers interleave
    PipelineOptions pipeline;
    const LiveSettings* settings = nullptr;  // times are those of `pipeline` at first
    // Frames come from files: rather wait for the outputs than lose an event.
    bool may_wait = false;
    // Two taps around a firewall: frames go to this engine, and there is no pipeline.
    std::optional<taps::EngineOptions> firewall;
    std::uint32_t frames_kept = 0;  // the last ones, for evidence
};

class LiveWorker final : public dpdk::FrameHandler {
  public:
    // After Eal::start. Reserves everything.
    [[nodiscard]] static std::expected<std::unique_ptr<LiveWorker>, Error> create(
        const LiveWorkerOptions& options);

    void handle(std::span<const Frame> frames) override;
    void tick(Nanos now) override;
    void rest() override;

    // --- control thread
    [[nodiscard]] event::Outbox& outbox() { return outbox_; }
    // Two taps around a firewall; else nullptr.
    [[nodiscard]] taps::Engine* engine() const { return engine_.get(); }
    [[nodiscard]] const FrameStore* frames() const { return frames_.get(); }
    [[nodiscard]] const stats::Counters& counters() const { return counters_; }
    [[nodiscard]] std::uint64_t live_flows() const { return live_flows_.get(); }
    // Taken up at the worker's next tick: about a millisecond from now while it runs. The settings
    // before may go once uses() says so of these; never after the poller has returned.
    void change_settings(const LiveSettings& next) {
        next_settings_.store(&next, std::memory_order_release);
    }
    [[nodiscard]] bool uses(const LiveSettings& settings) const {
        return settings_used_.load(std::memory_order_acquire) == &settings;
    }
    // The ledger's word on an interval; the worker takes it at its next tick. A worker that takes
    // none gets later ones as one, so that nothing is left out.
    void tell(const event::CaptureMark& mark);
    // Once the poller has returned: the last word. Drain the outbox and call again until true.
    [[nodiscard]] bool tell_last(const event::CaptureMark& mark);
    // Once the poller has returned: closes some connections; true when none is left.
    [[nodiscard]] bool close_some();

  private:
    explicit LiveWorker(const LiveWorkerOptions& options);
    [[nodiscard]] std::expected<void, Error> reserve();
    void wait_for_outputs() const;
    void take_marks();
    void watch_firewall(std::span<const Frame> frames);

    LiveWorkerOptions options_;
    stats::Counters counters_;
    event::Outbox outbox_;
    SpscRing<event::CaptureMark> marks_;           // writer: control thread; reader: poller
    std::optional<event::CaptureMark> mark_left_;  // control thread: found no room
    std::unique_ptr<dpdk::RteHashIndex> index_v4_;
    std::unique_ptr<dpdk::RteHashIndex> index_v6_;
    std::unique_ptr<Pipeline> pipeline_;    // or
    std::unique_ptr<taps::Engine> engine_;  // of a firewall
    std::unique_ptr<FrameStore> frames_;
    std::uint64_t frames_seen_ = 0;
    std::array<Frame, kBurstMax> numbered_;           // of a burst
    const LiveSettings* settings_;                    // the poller's own
    std::atomic<const LiveSettings*> next_settings_;  // writer: control thread; reader: poller
    std::atomic<const LiveSettings*> settings_used_;  // writer: poller; reader: control thread
    std::array<Frame, kBurstMax> kept_;               // of a burst: what matches the filter
    dpdk::Count live_flows_;                          // writer: poller; reader: control thread
};

}  // namespace tw::app
