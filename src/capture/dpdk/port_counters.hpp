// SPDX-License-Identifier: BSD-3-Clause
// Reads what driver and kernel count of one port, stage by stage, since the port started. One
// thread only: reading some NICs clears their registers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/dpdk/kernel_counters.hpp"
#include "capture/dpdk/stages.hpp"

namespace tw::dpdk {

// Numbers of one port since its start. They never run backwards.
struct StageCounts {
    std::array<std::uint64_t, kStages> count{};
    std::array<bool, kStages> counted{};  // false: this stage cannot happen here, or see hidden
    std::array<bool, kStages> hidden{};   // it can happen and nobody counts it
    std::array<bool, kStages> loses{};    // a frame counted here never reaches the analysis
    // The kernel's socket holds so many frames that were not received yet; 0 for other drivers.
    std::uint64_t kernel_waiting = 0;
    // The driver began again at zero, or tells zero for a while (net_memif without a peer): what it
    // had counted since the reading before is not known.
    std::uint64_t restarts = 0;

    [[nodiscard]] std::uint64_t operator[](Stage stage) const {
        return count[static_cast<std::size_t>(stage)];
    }
    [[nodiscard]] bool any_hidden() const;
    // Sum of what never reached the analysis, as far as the device or the kernel counts it.
    [[nodiscard]] std::uint64_t lost() const;
};

class PortCounters {
  public:
    // `interface`: the kernel interface under the port, "" = none. The port is configured.
    PortCounters(std::uint16_t port_id, std::string_view driver, bool from_file,
                 std::string interface, std::vector<int> sockets);

    // Counts from here on.
    void start();
    const StageCounts& read();
    [[nodiscard]] const StageCounts& last() const { return counts_; }
    [[nodiscard]] const std::vector<StageTeller>& tellers() const { return tellers_; }

  private:
    struct Source {
        StageTeller told;
        std::vector<std::uint64_t> xstat_ids;
        std::uint64_t last = 0;
        bool silent = false;  // tells zero for now
    };
    struct Sample;
    // The kernel tells how many frames of an interface it dropped, and how many of any interface
    // found a queue full: what both can be is lost, the rest may have come to us before.
    struct KernelDrops {
        std::uint64_t interface_last = 0;
        std::uint64_t backlog_last = 0;
        bool known = false;
        std::uint64_t before_us = 0;
        std::uint64_t doubtful = 0;
        void see(std::uint64_t interface_now, std::uint64_t backlog_now);
    };
    void find_xstats(Source& source);
    [[nodiscard]] Sample sample();
    [[nodiscard]] std::uint64_t value_of(const Source& source, const Sample& sample) const;

    std::uint16_t port_id_;
    std::string interface_;
    PacketSocketCounts sockets_;
    std::vector<StageTeller> tellers_;
    std::vector<Source> sources_;
    KernelDrops drops_;
    StageCounts counts_;
    bool started_ = false;
};

}  // namespace tw::dpdk
