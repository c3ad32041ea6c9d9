// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_run.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <ctime>

#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

constexpr Nanos kFlushInterval = 100 * kMillisecond;
constexpr Nanos kClockInterval = kSecond;
// Taken from one outbox before the others get their turn.
constexpr std::uint32_t kPopsMax = 1024;
constexpr timespec kNap{0, 1'000'000};
// A capture file that stops short: nothing came for so long though its end was not reached.
constexpr Nanos kFileSilenceMax = 3 * kSecond;

[[nodiscard]] Nanos steady_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace

ExitCode LiveRun::run() {
    launch();
    keep_house();
    // Some drivers forget their counters when stopped, so the last reading comes first.
    const auto patience = devices_.from_files ? sinks::Patience::endless : sinks::Patience::brief;
    outputs_->set_patience(patience);
    if (firewall_) {
        firewall_->set_patience(patience);
    }
    ledger_->finish([this] { (void)drain(); });
    settler_->end_record_wait();
    const Nanos duration = steady_now() - started_;
    close_connections();
    settle_rest();
    for (const auto& port : ports_) {
        port->stop();
    }
    const LiveTotals closed = totals();
    ExitCode code = outputs_->finish(closed.counters.get(stats::Counter::events_dropped) +
                                     closed.counters.get(stats::Counter::flow_records_dropped) +
                                     settler_->waiting());
    for (const std::string& line : final_text(closed, duration)) {
        logger_.info("{}", line);
    }
    for (const std::string& line : bridge_final_text(closed.bridges)) {
        logger_.info("{}", line);
    }
    if (firewall_) {
        code = firewall_->finish(workers_, closed);
    } else {
        for (const std::string& line : verdicts_text(*settler_)) {
            logger_.info("{}", line);
        }
    }
    // What failed has failed all the same.
    return port_lost_ && code != ExitCode::validation_failed ? ExitCode::environment_failed : code;
}

void LiveRun::launch() {
    clock_->fit();
    started_ = last_fit_ = last_flush_ = last_interval_ = last_ledger_ = last_frame_seen_ =
        steady_now();
    ledger_ = std::make_unique<LiveLedger>(ledger_parts(), logger_);
    interval_start_ = totals();
    snapshot_.publish(interval_start_);
    for (std::uint32_t i = 0; i < pollers_.size(); ++i) {
        eal_->launch_worker(i, {[](void* context) {
                                    auto& poller = *static_cast<Poller*>(context);
                                    poller.worker.run(poller.control);
                                    return 0;
                                },
                                pollers_[i].get()});
    }
    if (dispatcher_) {
        eal_->launch_dispatcher({[](void* context) {
                                     auto& run = *static_cast<LiveRun*>(context);
                                     run.dispatcher_->run(run.control_);
                                     return 0;
                                 },
                                 this});
    }
    logger_.info("receiving; SIGINT or SIGTERM stops");
}

void LiveRun::keep_house() {
    bool stopping = false;
    for (;;) {
        const bool worked = drain();
        const Nanos now = steady_now();
        if (!stopping && should_stop()) {
            stopping = true;
            control_.stop.store(true, std::memory_order_relaxed);
        }
        if (now - last_fit_ >= kClockInterval) {
            last_fit_ = now;
            clock_->fit();
            watch_symmetry();
        }
        if (now - last_flush_ >= kFlushInterval) {
            last_flush_ = now;
            outputs_->flush(now);
            if (firewall_) {
                firewall_->flush();
            }
            free_old_settings();
        }
        if (now - last_ledger_ >= kLedgerInterval) {
            last_ledger_ = now;
            ledger_->update();
            for (const event::CaptureMark& mark : ledger_->ledger().marks()) {
                settler_->add(mark);
                if (firewall_) {
                    firewall_->add(mark);
                }
            }
            snapshot_.publish(totals());
        }
        if (config_.log.interval > 0 && now - last_interval_ >= config_.log.interval) {
            report_interval(now);
        }
        if (stopping && eal_->all_finished()) {
            return;
        }
        if (!worked) {
            nanosleep(&kNap, nullptr);
        }
    }
}

bool LiveRun::should_stop() {
    if (hang_up_.take()) {
        logger_.info(read_again_ ? "SIGHUP: reading the configuration again"
                                 : "SIGHUP: stopping, there is no file to read again");
        if (!read_again_) {
            return true;
        }
        reload();
    }
    if (stop_.requested()) {
        logger_.info("stopping: taking what has arrived");
        return true;
    }
    if (devices_.from_files && files_are_read()) {
        return true;
    }
    if (ports_are_lost()) {
        logger_.error("stopping: nothing more can arrive");
        return true;
    }
    if (firewall_ && firewall_->time_is_up(steady_now() - started_)) {
        logger_.info("stopping: the time is up");
        return true;
    }
    if (outputs_->nobody_reads()) {
        logger_.info("stopping: nobody reads the output any more");
        return true;
    }
    return false;
}

// A device that was removed does not come back as this port. The run goes on with those left, as
// long as they show anything: of a firewall, both taps.
bool LiveRun::ports_are_lost() {
    std::array<std::uint32_t, kTapsMax> left{};
    std::array<bool, kTapsMax> used{};
    for (const dpdk::PortReading& port : ledger_->ledger().last().ports) {
        used[port.tap] = true;
        left[port.tap] += port.link.gone ? 0U : 1U;
        port_lost_ = port_lost_ || port.link.gone;
    }
    std::uint32_t taps_lost = 0;
    std::uint32_t taps_left = 0;
    for (std::size_t tap = 0; tap < kTapsMax; ++tap) {
        taps_lost += used[tap] && left[tap] == 0 ? 1U : 0U;
        taps_left += left[tap] != 0 ? 1U : 0U;
    }
    return taps_lost != 0 && (taps_left == 0 || firewall_ != nullptr);
}

bool LiveRun::files_are_read() {
    std::uint64_t expected = 0;
    const std::uint64_t seen = ledger_->frames_taken();
    for (const auto& port : ports_) {
        expected += port->options().frames_expected;
    }
    const Nanos now = steady_now();
    if (seen != frames_seen_) {
        frames_seen_ = seen;
        last_frame_seen_ = now;
    }
    if (seen < expected && now - last_frame_seen_ >= kFileSilenceMax) {
        logger_.warn("DPDK delivered {} of the {} in the capture files, then no more",
                     sinks::format::count_text(seen), sinks::format::count_of(expected, "frame"));
        return true;
    }
    return seen >= expected;
}

bool LiveRun::drain() {
    if (firewall_) {
        // Files bear times of their own.
        return firewall_->drain(workers_, devices_.from_files ? 0 : clock_->now());
    }
    bool worked = false;
    std::uint64_t bytes = 0;
    for (const auto& worker : workers_) {
        worked = settle(worker->outbox()) || worked;
        bytes += worker->counters().get(stats::Counter::frame_bytes);
    }
    if (!devices_.from_files) {
        settler_->advance(clock_->now(), bytes);
    }
    return outputs_->drain(*settler_) || worked;
}

bool LiveRun::settle(event::Outbox& outbox) {
    bool worked = false;
    bool empty = false;
    event::Event event;
    for (std::uint32_t i = 0; i < kPopsMax && !empty && settler_->has_event_room(); ++i) {
        empty = !outbox.pop(event);
        if (!empty) {
            settler_->add(event);
            worked = true;
        }
    }
    if (!empty && settler_->has_event_room()) {
        return worked;  // records come after their episodes
    }
    event::FlowRecord record;
    for (std::uint32_t i = 0; i < kPopsMax && settler_->has_record_room() && outbox.pop(record);
         ++i) {
        settler_->add(record);
        worked = true;
    }
    return worked;
}

// The last word on everything: what waits for its neighbours has no more of them to come.
void LiveRun::settle_rest() {
    for (const event::CaptureMark& mark : ledger_->ledger().rest()) {
        settler_->add(mark);
        if (firewall_) {
            firewall_->add(mark);
        }
    }
    settler_->finish();
    while (outputs_->drain(*settler_)) {
    }
}

void LiveRun::report_interval(Nanos now) {
    LiveTotals current = totals();
    logger_.info("{}", interval_text(current, interval_start_, now - last_interval_));
    for (const std::string& line : bridge_interval_text(current.bridges, interval_start_.bridges)) {
        logger_.info("{}", line);
    }
    interval_start_ = std::move(current);
    last_interval_ = now;
}

LedgerParts LiveRun::ledger_parts() const {
    LedgerParts parts;
    parts.ports = &ports_;
    parts.dispatcher = dispatcher_.get();
    parts.clock = clock_.get();
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        parts.pollers.push_back(&pollers_[i]->worker);
        parts.workers.push_back(workers_[i].get());
    }
    return parts;
}

LiveTotals LiveRun::totals() const {
    LiveTotals totals;
    totals.ledger = ledger_->ledger().last();
    totals.worst_unaccounted = ledger_->ledger().worst_unaccounted();
    totals.intervals = ledger_->ledger().intervals();
    totals.marked_intervals = ledger_->ledger().marked_intervals();
    totals.ticks_per_second = clock_->ticks_per_second();
    totals.counters.add(settler_counters_);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        const dpdk::PollerCounts& counts = pollers_[i]->worker.counts();
        WorkerTotals worker;
        for (const dpdk::Count& frames : counts.frames) {
            worker.frames += frames.get();
        }
        worker.bursts = counts.bursts.get();
        worker.full_bursts = counts.full_bursts.get();
        worker.stalls = counts.stalls.get();
        worker.longest_stall = counts.longest_stall.get();
        worker.live_flows = workers_[i]->live_flows();
        totals.live_flows += worker.live_flows;
        totals.counters.add(workers_[i]->counters());
        totals.workers.push_back(worker);
    }
    for (const auto& [left, right] : bridges_) {
        for (const auto& [from, to] : {std::pair(left, right), std::pair(right, left)}) {
            const std::uint16_t id = from->queue(0).port_id;
            totals.bridges.push_back(bridge_totals(*from, *to, *dispatcher_->bridge().counts(id),
                                                   dispatcher_->counts().frames[id].get(),
                                                   clock_->ticks_per_second()));
        }
    }
    totals.rss = rss_totals();
    return totals;
}

void LiveRun::close_connections() {
    // What workers have for each other first: nobody gives more any more.
    for (bool worked = firewall_ != nullptr; worked;) {
        worked = false;
        for (const auto& worker : workers_) {
            worked = worker->engine()->settle_some() || worked;
        }
        while (drain()) {
        }
    }
    for (const auto& worker : workers_) {
        bool done = false;
        while (!done) {
            done = worker->close_some();
            while (drain()) {
            }
        }
    }
}

}  // namespace tw::app
