// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/port_counters.hpp"

#include <rte_ethdev.h>

#include <algorithm>
#include <numeric>

namespace tw::dpdk {
namespace {

[[nodiscard]] bool needs_interface(Teller teller) {
    return teller >= Teller::interface_errors;  // they are the last of the list
}

}  // namespace

bool StageCounts::any_hidden() const {
    return std::any_of(hidden.begin(), hidden.end(), [](bool one) { return one; });
}

std::uint64_t StageCounts::lost() const {
    std::uint64_t frames = 0;
    for (std::size_t i = 0; i < kStages; ++i) {
        frames += loses[i] ? count[i] : 0;
    }
    return frames;
}

// What one look at driver and kernel gave.
struct PortCounters::Sample {
    rte_eth_stats stats{};
    bool stats_known = false;
    std::optional<InterfaceCounts> interface;
};

PortCounters::PortCounters(std::uint16_t port_id, std::string_view driver, bool from_file,
                           std::string interface, std::vector<int> sockets)
    : port_id_(port_id),
      interface_(std::move(interface)),
      sockets_(std::move(sockets)),
      tellers_(tellers_of(driver, from_file)) {
    for (StageTeller& teller : tellers_) {
        Source source;
        source.told = teller;
        if (teller.teller == Teller::xstats) {
            find_xstats(source);
        }
        // A teller that is not there tells nothing: better hidden than zero.
        if ((teller.teller == Teller::xstats && source.xstat_ids.empty()) ||
            (teller.teller == Teller::packet_socket && !sockets_.any()) ||
            (needs_interface(teller.teller) && !interface_counts(interface_))) {
            teller.teller = source.told.teller = Teller::nobody;
        }
        const auto stage = static_cast<std::size_t>(teller.stage);
        counts_.counted[stage] = teller.teller != Teller::nobody;
        counts_.hidden[stage] = teller.teller == Teller::nobody;
        counts_.loses[stage] = counts_.counted[stage] && teller.loses;
        sources_.push_back(std::move(source));
    }
}

void PortCounters::find_xstats(Source& source) {
    std::string_view names = source.told.names;
    while (!names.empty()) {
        const std::size_t blank = std::min(names.find(' '), names.size());
        const std::string name(names.substr(0, blank));
        names.remove_prefix(std::min(blank + 1, names.size()));
        std::uint64_t id = 0;
        if (rte_eth_xstats_get_id_by_name(port_id_, name.c_str(), &id) == 0) {
            source.xstat_ids.push_back(id);
        }
    }
}

void PortCounters::KernelDrops::see(std::uint64_t interface_now, std::uint64_t backlog_now) {
    if (known) {
        const std::uint64_t dropped = interface_now - interface_last;
        const std::uint64_t full = std::min(dropped, backlog_now - backlog_last);
        before_us += full;
        doubtful += dropped - full;
    }
    known = true;
    interface_last = interface_now;
    backlog_last = backlog_now;
}

PortCounters::Sample PortCounters::sample() {
    Sample sample;
    // Read before the driver's own numbers: what waits in the socket must not look negative.
    const bool kernel =
        std::any_of(tellers_.begin(), tellers_.end(),
                    [](const StageTeller& teller) { return needs_interface(teller.teller); });
    if (kernel) {
        sample.interface = interface_counts(interface_);
        drops_.see(sample.interface ? sample.interface->received_dropped : drops_.interface_last,
                   backlog_drops());
    }
    sample.stats_known = rte_eth_stats_get(port_id_, &sample.stats) == 0;
    sockets_.read();
    return sample;
}

std::uint64_t PortCounters::value_of(const Source& source, const Sample& sample) const {
    const rte_eth_stats& stats = sample.stats;
    switch (source.told.teller) {
        case Teller::nobody:
            return 0;
        case Teller::ipackets:
            return sample.stats_known ? stats.ipackets : source.last;
        case Teller::imissed:
            return sample.stats_known ? stats.imissed : source.last;
        case Teller::ierrors:
            return sample.stats_known ? stats.ierrors : source.last;
        case Teller::rx_nombuf:
            return sample.stats_known ? stats.rx_nombuf : source.last;
        case Teller::q_errors:
            return sample.stats_known ? std::accumulate(std::begin(stats.q_errors),
                                                        std::end(stats.q_errors), std::uint64_t{0})
                                      : source.last;
        case Teller::xstats: {
            std::vector<std::uint64_t> values(source.xstat_ids.size());
            const int read =
                rte_eth_xstats_get_by_id(port_id_, source.xstat_ids.data(), values.data(),
                                         static_cast<unsigned>(values.size()));
            return read == static_cast<int>(values.size())
                       ? std::accumulate(values.begin(), values.end(), std::uint64_t{0})
                       : source.last;
        }
        case Teller::packet_socket:
            return sockets_.dropped();
        // An interface that is gone has said its last.
        case Teller::interface_errors:
            return sample.interface ? sample.interface->received_errors : source.last;
        case Teller::interface_full:
            return sample.interface ? sample.interface->received_full : source.last;
        case Teller::interface_sent:
            return sample.interface ? sample.interface->sent_dropped : source.last;
        case Teller::kernel_backlog:
            return drops_.before_us;
        case Teller::interface_dropped:
            return drops_.doubtful;
    }
    return 0;
}

void PortCounters::start() {
    const Sample now = sample();
    for (Source& source : sources_) {
        // The socket's own counts began when it was opened, and so did the frames it delivers.
        source.last = source.told.teller == Teller::packet_socket ? 0 : value_of(source, now);
    }
    started_ = true;
}

const StageCounts& PortCounters::read() {
    if (!started_) {
        return counts_;
    }
    const Sample now = sample();
    for (Source& source : sources_) {
        const std::uint64_t value = value_of(source, now);
        const bool received = source.told.stage == Stage::received;
        // net_memif tells zero while it has no peer, and goes on from where it was with the next
        // one. A driver that really began again shows it by its first frame.
        const bool silent = value == 0 && source.last != 0;
        counts_.restarts += received && silent && !source.silent ? 1 : 0;
        source.silent = silent;
        if (silent) {
            continue;
        }
        const bool again = value < source.last;
        counts_.count[static_cast<std::size_t>(source.told.stage)] +=
            again ? value : value - source.last;
        counts_.restarts += again && received ? 1 : 0;
        source.last = value;
    }
    const std::uint64_t gone = counts_[Stage::received] + sockets_.dropped();
    counts_.kernel_waiting = sockets_.seen() > gone ? sockets_.seen() - gone : 0;
    return counts_;
}

}  // namespace tw::dpdk
