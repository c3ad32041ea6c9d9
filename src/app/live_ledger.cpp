// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_ledger.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "app/live_report.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// Loss is said when it begins, and when it has been over for so long.
constexpr Nanos kCalm = kSecond;

[[nodiscard]] dpdk::LedgerOptions options_of(const LedgerParts& parts) {
    dpdk::LedgerOptions options;
    options.workers = static_cast<std::uint32_t>(parts.workers.size());
    options.dispatching = parts.dispatcher != nullptr;
    options.stall_ticks = dpdk::stall_ticks(*parts.clock);
    options.started = parts.clock->now();
    return options;
}

}  // namespace

LiveLedger::LiveLedger(LedgerParts parts, spdlog::logger& logger)
    : parts_(std::move(parts)),
      logger_(logger),
      ledger_(options_of(parts_), read()),
      said_(parts_.ports->size()) {
    for (std::size_t i = 0; i < said_.size(); ++i) {
        said_[i].link = ledger_.last().ports[i].link;
    }
}

std::uint64_t LiveLedger::taken() const {
    std::uint64_t frames = 0;
    for (const auto& port : *parts_.ports) {
        const std::uint16_t id = port->queue(0).port_id;
        if (parts_.dispatcher != nullptr) {
            frames += parts_.dispatcher->counts().frames[id].get();
            continue;
        }
        for (const dpdk::Worker* poller : parts_.pollers) {
            frames += poller->counts().frames[id].get();
        }
    }
    return frames;
}

std::uint64_t LiveLedger::frames_taken() const {
    std::uint64_t frames = taken();
    for (const dpdk::PortReading& port : ledger_.last().ports) {
        frames += port.device.lost();
    }
    return frames;
}

// The numbers cannot be read at one moment, so they are read until few frames arrived meanwhile.
dpdk::LedgerReading LiveLedger::read() const {
    constexpr int kTriesMax = 16;
    std::optional<dpdk::LedgerReading> best;
    for (int i = 0; i < kTriesMax; ++i) {
        dpdk::LedgerReading reading = read_once();
        const bool still = reading.moved <= kBurstMax;
        if (!best || reading.moved < best->moved) {
            // Numbers that are cleared by reading were added up in the port's own counts, so that
            // no try is lost; the interval begins with the first.
            const Nanos time = best ? best->time : reading.time;
            best = std::move(reading);
            best->time = time;
        }
        if (still) {
            break;
        }
    }
    return *std::move(best);
}

dpdk::LedgerReading LiveLedger::read_once() const {
    dpdk::LedgerReading reading;
    reading.ticks = dpdk::Clock::ticks();
    reading.time = parts_.clock->at(reading.ticks);
    for (const auto& port : *parts_.ports) {
        dpdk::PortReading one;
        one.name = port->name();
        one.driver = port->driver();
        one.tap = port->options().tap;
        one.link = port->read_link();
        reading.ports.push_back(std::move(one));
    }
    const std::uint64_t taken_before = taken();
    for (std::size_t i = 0; i < reading.ports.size(); ++i) {
        dpdk::Port& port = *(*parts_.ports)[i];
        reading.ports[i].device = port.read_counters();
        reading.ports[i].queued = port.queued();
        read_flow(reading.ports[i], port);
    }
    reading.in_rings = parts_.dispatcher == nullptr ? 0 : parts_.dispatcher->waiting();
    reading.moved = taken() - taken_before;

    const auto read_poller = [&](const dpdk::PollerCounts& counts) {
        dpdk::PollerReading poller;
        poller.heartbeat = counts.heartbeat.get();
        poller.stalls = counts.stalls.get();
        poller.longest_stall = counts.longest_stall.get();
        for (const auto& port : *parts_.ports) {
            poller.emptied.push_back(counts.emptied[port->queue(0).port_id].get());
        }
        reading.pollers.push_back(std::move(poller));
    };
    if (parts_.dispatcher != nullptr) {
        read_poller(parts_.dispatcher->counts());
    } else {
        for (const dpdk::Worker* poller : parts_.pollers) {
            read_poller(poller->counts());
        }
    }
    return reading;
}

// Where the frames of a port went once they were taken.
void LiveLedger::read_flow(dpdk::PortReading& reading, const dpdk::Port& port) const {
    const std::uint16_t id = port.queue(0).port_id;
    for (const dpdk::Worker* poller : parts_.pollers) {
        const std::uint64_t frames = poller->counts().frames[id].get();
        reading.analysed += frames;
        if (parts_.dispatcher == nullptr) {
            reading.taken_by_queue.push_back(frames);
        }
    }
    if (const auto* bridge =
            parts_.dispatcher == nullptr ? nullptr : parts_.dispatcher->bridge().counts(id)) {
        reading.inline_mode = true;
        reading.forwarded = bridge->forwarded.get();
        reading.forward_refused = bridge->refused.get() + bridge->cut.get();
    }
    if (parts_.dispatcher != nullptr) {
        reading.taken_by_queue.push_back(parts_.dispatcher->counts().frames[id].get());
        for (const auto& of_worker : parts_.dispatcher->dispatch_counts().ring_full) {
            reading.ring_full_by_worker.push_back(of_worker[id].get());
        }
    }
    // A driver that began again has forgotten frames that we took; one whose peer left before it
    // was ever asked tells nothing.
    auto& received = reading.device.count[static_cast<std::size_t>(dpdk::Stage::received)];
    if (reading.device.restarts != 0 || received == 0) {
        received = std::max(received, reading.taken());
    }
}

void LiveLedger::update() {
    const Nanos before = ledger_.last().time;
    ledger_.close(read());
    tell_workers();
    say_changes(ledger_.last().time - before);
}

void LiveLedger::finish(const std::function<void()>& drain) {
    update();
    const auto rest = ledger_.rest();
    for (std::size_t i = 0; i < parts_.workers.size(); ++i) {
        while (!parts_.workers[i]->tell_last(rest[i])) {
            drain();
        }
    }
}

void LiveLedger::tell_workers() {
    for (std::size_t i = 0; i < parts_.workers.size(); ++i) {
        parts_.workers[i]->tell(ledger_.marks()[i]);
    }
}

void LiveLedger::say_changes(Nanos elapsed) {
    for (std::size_t i = 0; i < said_.size(); ++i) {
        const dpdk::PortReading& port = ledger_.last().ports[i];
        const dpdk::PortChange& change = ledger_.changes()[i];
        Said& said = said_[i];
        if (!(port.link == said.link)) {
            const std::uint64_t flaps = port.link.changes - said.link.changes;
            logger_.log(port.link.up ? spdlog::level::info : spdlog::level::warn,
                        "port {}: link {}{}", port.name, dpdk::link_text(port.link),
                        flaps > 1 ? fmt::format(" ({} changes in {})", flaps,
                                                sinks::format::duration_text(elapsed))
                                  : "");
            said.link = port.link;
        }
        if (change.restarted) {
            logger_.warn(
                "port {}: its driver's counters began again at zero: what it had counted since the "
                "reading before is not known",
                port.name);
        }
        say_loss(port, change, said);
    }
}

void LiveLedger::say_loss(const dpdk::PortReading& port, const dpdk::PortChange& change,
                          Said& said) {
    const Nanos now = ledger_.last().time;
    if (change.lost != 0) {
        if (!said.losing) {
            said.losing = true;
            said.losing_since = now;
            said.lost_before = port.lost() - change.lost;
            logger_.warn("port {}: the capture loses frames: {}; what is found meanwhile is marked",
                         port.name, loss_text(port));
        }
        said.lost_last = now;
    } else if (said.losing && now - said.lost_last >= kCalm) {
        said.losing = false;
        logger_.info(
            "port {}: no loss since {} ago; {} lost within {}", port.name,
            sinks::format::duration_text(now - said.lost_last),
            sinks::format::count_of(port.lost() - said.lost_before, "frame"),
            sinks::format::duration_text(said.lost_last - said.losing_since + kLedgerInterval));
    }
}

}  // namespace tw::app
