// SPDX-License-Identifier: BSD-3-Clause
// Where a frame can die between the wire and the analysis, one row per stage; and for each driver,
// which of these can happen, what counts it, and what nobody counts. Plain tables:
// port_counters.cpp reads them from the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tw::dpdk {

enum class Stage : std::uint8_t {
    received,
    link_errors,
    missed,
    nic_full,
    queue_full,
    policy,
    host,
    backlog,
    kernel_drop,
    socket_full,
    no_mbuf,
    ring_full,
    forward_refused,
};
inline constexpr std::size_t kStages = 13;

// Whose fault a frame's end is.
enum class Place : std::uint8_t {
    none,     // it is not an end
    link,     // damaged on the cable to us
    device,   // before we could take it
    monitor,  // by us
};

struct StageInfo {
    Stage id;
    std::string_view name;   // as in `list counters`, logs and telemetry
    std::string_view words;  // in reports: "no room in the NIC or its queue 12"
    Place place = Place::none;
    bool loses = true;  // frames counted here never reach the analysis
    std::string_view help;
};
[[nodiscard]] std::span<const StageInfo, kStages> stage_table();
[[nodiscard]] const StageInfo& info_of(Stage stage);

// What tells a count.
enum class Teller : std::uint8_t {
    nobody,             // it can happen, and nobody counts it
    ipackets,           // rte_eth_stats
    imissed,            // rte_eth_stats
    ierrors,            // rte_eth_stats
    rx_nombuf,          // rte_eth_stats
    q_errors,           // rte_eth_stats, sum over queues
    xstats,             // sum of the extended statistics named
    packet_socket,      // the kernel's packet socket: PACKET_STATISTICS
    interface_errors,   // the interface: errors
    interface_full,     // the interface: missed, fifo and overruns
    interface_sent,     // the interface: transmit drops (net_tap: the kernel sends, we receive)
    kernel_backlog,     // the interface's drops, as far as a queue of the kernel was full meanwhile
    interface_dropped,  // the interface's other drops
};

// One stage of one driver. A stage without a row cannot happen there.
struct StageTeller {
    Stage stage = Stage::received;
    Teller teller = Teller::nobody;
    std::string_view names;  // xstats: their names, separated by spaces
    bool loses = true;       // false: the frame waits and comes later
};

// `driver` as rte_eth_dev_info names it. `from_file`: net_pcap on a capture file, whose driver
// loses frames only for want of buffers.
[[nodiscard]] std::vector<StageTeller> tellers_of(std::string_view driver, bool from_file);

// "imissed", "PACKET_STATISTICS", "nobody"
[[nodiscard]] std::string_view name_of(Teller teller);

}  // namespace tw::dpdk
