// SPDX-License-Identifier: BSD-3-Clause
// One live run: EAL, ports, workers and outputs wired together from a configuration; then the
// housekeeping of the control thread until a signal or the end of the capture files.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/hang_up.hpp"
#include "app/live_devices.hpp"
#include "app/live_firewall.hpp"
#include "app/live_ledger.hpp"
#include "app/live_log.hpp"
#include "app/live_outputs.hpp"
#include "app/live_report.hpp"
#include "app/live_snapshot.hpp"
#include "app/live_telemetry.hpp"
#include "app/live_worker.hpp"
#include "app/stop_signal.hpp"
#include "base/error.hpp"
#include "capture/dpdk/clock.hpp"
#include "capture/dpdk/dispatcher.hpp"
#include "capture/dpdk/eal.hpp"
#include "capture/dpdk/eal_log.hpp"
#include "capture/dpdk/port.hpp"
#include "capture/dpdk/worker.hpp"
#include "config/config.hpp"
#include "config/load.hpp"
#include "core/taps/hand_over.hpp"
#include "core/verdict/settler.hpp"

namespace tw::app {

class LiveRun {
  public:
    // Everything that can be refused is refused here, in one sentence. `log` must outlive the run.
    // `read_again` gives the configuration as it is at a SIGHUP; without it the signal stops the
    // run. One per process: the EAL starts once.
    using ReadAgain = std::function<config::Loaded()>;
    // With `firewall` its two taps are compared, instead of each connection being followed alone.
    [[nodiscard]] static std::expected<std::unique_ptr<LiveRun>, Error> open(
        const config::Config& config, LiveLog& log, ReadAgain read_again,
        std::unique_ptr<LiveFirewall> firewall = nullptr);
    ~LiveRun();
    LiveRun(const LiveRun&) = delete;
    LiveRun& operator=(const LiveRun&) = delete;

    // Until SIGINT, SIGTERM, the end of the files, or nobody reads the outputs any more.
    [[nodiscard]] ExitCode run();

  private:
    // A worker's poller and what its thread needs to run it.
    struct Poller {
        dpdk::Worker worker;
        const dpdk::RunControl& control;
    };

    LiveRun(const config::Config& config, LiveLog& log, ReadAgain read_again,
            std::unique_ptr<LiveFirewall> firewall);

    // --- opening, in this order
    [[nodiscard]] std::expected<void, Error> compile_filter();
    [[nodiscard]] std::expected<void, Error> find_devices();
    [[nodiscard]] std::expected<void, Error> start_eal();
    [[nodiscard]] std::expected<void, Error> attach_ports();
    [[nodiscard]] std::expected<void, Error> choose_distribution();
    [[nodiscard]] std::expected<void, Error> make_workers();
    [[nodiscard]] std::expected<void, Error> make_workers(LiveWorkerOptions options);
    [[nodiscard]] std::expected<void, Error> start_ports();
    [[nodiscard]] std::expected<void, Error> make_pollers();
    [[nodiscard]] std::expected<void, Error> open_telemetry();
    [[nodiscard]] std::expected<void, Error> open_outputs();

    [[nodiscard]] std::expected<std::unique_ptr<LiveSettings>, Error> settings_of(
        const config::Config& config) const;
    [[nodiscard]] std::array<Nanos, kTapsMax> direction_skews(const config::Config& config) const;
    void warn_of_filter() const;
    [[nodiscard]] PipelineOptions pipeline_options() const;
    [[nodiscard]] bool may_take_dispatcher() const;
    [[nodiscard]] Error cannot_spread(const Error& why) const;
    void use_dispatcher(std::string_view why);
    void find_bridges();
    [[nodiscard]] std::expected<void, Error> start_all_ports();

    // --- running
    void launch();
    void keep_house();
    [[nodiscard]] bool should_stop();
    [[nodiscard]] bool files_are_read();
    [[nodiscard]] bool ports_are_lost();
    [[nodiscard]] bool drain();
    [[nodiscard]] bool settle(event::Outbox& outbox);
    void settle_rest();
    void report_interval(Nanos now);
    [[nodiscard]] LedgerParts ledger_parts() const;
    void watch_symmetry();
    [[nodiscard]] std::vector<RssTotals> rss_totals() const;
    [[nodiscard]] LiveTotals totals() const;
    void close_connections();

    // --- SIGHUP
    void reload();
    [[nodiscard]] std::expected<void, Error> reload(const config::Config& next);
    void free_old_settings();

    config::Config config_;  // as it is in force
    LiveLog& log_;
    spdlog::logger& logger_;
    ReadAgain read_again_;
    HangUp hang_up_;
    // The last one is for all workers; those before, until no worker uses them.
    std::vector<std::unique_ptr<const LiveSettings>> settings_;
    LiveDevices devices_;
    std::uint64_t hash_seed_;

    // In the order they are made; destroyed the other way round.
    std::unique_ptr<dpdk::EalLog> eal_log_;
    std::unique_ptr<dpdk::Eal> eal_;
    std::unique_ptr<dpdk::Clock> clock_;
    dpdk::MbufFields fields_;
    std::vector<std::unique_ptr<dpdk::Port>> ports_;
    std::vector<std::pair<dpdk::Port*, dpdk::Port*>> bridges_;  // into ports_
    std::vector<dpdk::RssPlan> rss_plans_;  // the better ones first; empty: not by the NICs
    dpdk::QueueSetup queues_;
    bool dispatching_ = false;
    std::unique_ptr<dpdk::Dispatcher> dispatcher_;
    std::unique_ptr<taps::HandOver> hand_over_;  // between several workers of a firewall
    std::vector<std::unique_ptr<LiveWorker>> workers_;
    std::vector<std::unique_ptr<Poller>> pollers_;
    dpdk::RunControl control_;
    std::unique_ptr<LiveLedger> ledger_;  // while the pollers run
    LiveSnapshot snapshot_;
    LiveTelemetry telemetry_answers_{snapshot_};
    std::unique_ptr<dpdk::Telemetry> telemetry_;

    // Between all workers' outboxes and the outputs; control thread only.
    stats::Counters settler_counters_;
    std::unique_ptr<verdict::Settler> settler_;
    std::unique_ptr<LiveOutputs> outputs_;
    std::unique_ptr<LiveFirewall> firewall_;  // may be absent

    StopSignal stop_;
    Nanos started_ = 0;  // steady clock
    Nanos last_fit_ = 0;
    Nanos last_flush_ = 0;
    Nanos last_interval_ = 0;
    Nanos last_ledger_ = 0;
    Nanos last_frame_seen_ = 0;  // capture files: when a frame arrived last
    std::uint64_t frames_seen_ = 0;
    LiveTotals interval_start_;
    bool port_lost_ = false;  // its device is gone, while running
    bool rss_warned_ = false;
    bool one_sided_warned_ = false;
};

}  // namespace tw::app
