// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/stages.hpp"

#include <algorithm>
#include <array>

#include "capture/dpdk/compat.hpp"

namespace tw::dpdk {
namespace {

constexpr std::array<StageInfo, kStages> kTable{{
    {Stage::received, "port.received", "received", Place::none, false,
     "frames the device handed over"},
    {Stage::link_errors, "port.link_errors", "damaged on the link", Place::link, true,
     "frames with a bad checksum or length, dropped by the device"},
    {Stage::missed, "port.missed", "no room in the NIC or its queue", Place::device, true,
     "frames the device dropped because nobody had taken those before"},
    {Stage::nic_full, "port.nic_full", "no room in the NIC", Place::device, true,
     "frames dropped in the NIC's packet buffer, where the driver counts them apart from missed"},
    {Stage::queue_full, "port.queue_full", "no room in a queue", Place::device, true,
     "frames dropped at one receive queue, where the driver counts them apart from missed"},
    {Stage::policy, "port.policy", "held back by the cloud", Place::device, true,
     "frames a cloud dropped because an allowance of the instance was exceeded"},
    {Stage::host, "port.host", "lost by the host of this machine", Place::device, true,
     "frames lost before they reach a virtual device; no guest can see them"},
    {Stage::backlog, "port.backlog", "no room in the kernel", Place::device, true,
     "frames the kernel or its driver dropped before our socket was asked"},
    {Stage::kernel_drop, "port.kernel_drop", "dropped by the kernel, perhaps after we had them",
     Place::none, false,
     "frames the interface counts as dropped though no queue of the kernel was full, such as "
     "tagged "
     "ones without a VLAN device; our socket may have had them, so they are no loss but a doubt"},
    {Stage::socket_full, "port.socket_full", "no room in the socket", Place::device, true,
     "frames the kernel dropped because our packet socket or queue was full"},
    {Stage::no_mbuf, "port.no_mbuf", "without a buffer", Place::monitor, true,
     "times the driver found no free buffer; the frame is lost only where the report says so"},
    {Stage::ring_full, "port.ring_full", "no room in a worker's ring", Place::monitor, true,
     "frames the dispatcher dropped because a worker was behind"},
    {Stage::forward_refused, "port.forward_refused", "not sent on", Place::monitor, false,
     "inline: frames analysed but not sent to the other port, which had no room"},
}};

// A row for "" holds for every driver without a row of its own for that stage.
struct DriverRow {
    std::string_view driver;
    StageTeller told;
};

constexpr std::string_view kMlx5Errors =
    "rx_phy_crc_errors rx_phy_symbol_errors rx_phy_in_range_len_errors";
constexpr std::string_view kEnaPolicy =
    "bw_in_allowance_exceeded pps_allowance_exceeded conntrack_allowance_exceeded";

// As each driver really reports it (its source, 22.11 to 24.11); what was tried is in README.
constexpr DriverRow kRows[] = {
    {"", {Stage::received, Teller::ipackets, "", false}},
    {"", {Stage::link_errors, Teller::ierrors, "", true}},
    {"", {Stage::missed, Teller::imissed, "", true}},
    // Most drivers count attempts; what is lost for want of a buffer shows as missed.
    {"", {Stage::no_mbuf, Teller::rx_nombuf, "", false}},
    // With rx_drop_en a full queue is counted in QPRDC, which is not part of imissed.
    {"net_ixgbe", {Stage::queue_full, Teller::q_errors, "", true}},
    // imissed is out_of_buffer only, ierrors frames without a buffer.
    {"mlx5_pci", {Stage::nic_full, Teller::xstats, "rx_phy_discard_packets", true}},
    {"mlx5_pci", {Stage::link_errors, Teller::xstats, kMlx5Errors, true}},
    {"net_ena", {Stage::policy, Teller::xstats, kEnaPolicy, true}},
    {"net_virtio", {Stage::host, Teller::nobody, "", true}},
    {"net_vmxnet3", {Stage::host, Teller::nobody, "", true}},
    // XDP counts its queue but not the rings around it.
    {"net_af_xdp", {Stage::socket_full, Teller::nobody, "", true}},
    {"net_af_packet", {Stage::link_errors, Teller::interface_errors, "", true}},
    {"net_af_packet", {Stage::nic_full, Teller::interface_full, "", true}},
    {"net_af_packet", {Stage::backlog, Teller::kernel_backlog, "", true}},
    {"net_af_packet", {Stage::kernel_drop, Teller::interface_dropped, "", false}},
    {"net_tap", {Stage::socket_full, Teller::interface_sent, "", true}},
};

// Drivers that have no such stage.
struct Absence {
    std::string_view driver;
    Stage stage;
};
constexpr Absence kAbsent[] = {
    // A full ring makes the sender wait or fail: nothing is lost on this side.
    {"net_memif", Stage::missed},
    {"net_memif", Stage::link_errors},
    {"net_ring", Stage::missed},
    {"net_ring", Stage::link_errors},
    {"net_ring", Stage::no_mbuf},
    {"net_null", Stage::missed},
    {"net_null", Stage::link_errors},
    {"net_tap", Stage::missed},
    {"net_virtio", Stage::missed},
    {"net_af_packet", Stage::missed},
    // The frame stays in the socket's ring.
    {"net_af_packet", Stage::no_mbuf},
};

[[nodiscard]] bool absent(std::string_view driver, Stage stage) {
    return std::any_of(std::begin(kAbsent), std::end(kAbsent), [&](const Absence& absence) {
        return absence.driver == driver && absence.stage == stage;
    });
}

}  // namespace

std::span<const StageInfo, kStages> stage_table() {
    return kTable;
}

const StageInfo& info_of(Stage stage) {
    return kTable[static_cast<std::size_t>(stage)];
}

std::vector<StageTeller> tellers_of(std::string_view driver, bool from_file) {
    std::vector<StageTeller> tellers;
    const auto told = [&](Stage stage) {
        return std::find_if(tellers.begin(), tellers.end(),
                            [stage](const StageTeller& teller) { return teller.stage == stage; });
    };
    for (const DriverRow& row : kRows) {
        const bool mine = row.driver == driver;
        if ((!mine && !row.driver.empty()) || absent(driver, row.told.stage)) {
            continue;
        }
        if (const auto known = told(row.told.stage); known != tellers.end()) {
            *known = row.told;
        } else {
            tellers.push_back(row.told);
        }
    }
    if (driver == "net_af_packet") {
        // From 25.03 on the driver reads its sockets itself, which clears them.
        tellers.push_back({Stage::socket_full,
                           compat::kAfPacketIsOpen ? Teller::imissed : Teller::packet_socket, "",
                           true});
    }
    if (driver == "net_pcap") {
        // Its no_mbuf is a frame thrown away. Behind an interface, what the NIC loses is not told.
        told(Stage::no_mbuf)->loses = true;
        if (from_file) {
            std::erase_if(tellers, [](const StageTeller& teller) {
                return teller.stage == Stage::missed || teller.stage == Stage::link_errors;
            });
        } else {
            tellers.push_back({Stage::backlog, Teller::nobody, "", true});
        }
    }
    return tellers;
}

std::string_view name_of(Teller teller) {
    switch (teller) {
        case Teller::nobody:
            return "nobody";
        case Teller::ipackets:
            return "ipackets";
        case Teller::imissed:
            return "imissed";
        case Teller::ierrors:
            return "ierrors";
        case Teller::rx_nombuf:
            return "rx_nombuf";
        case Teller::q_errors:
            return "q_errors";
        case Teller::xstats:
            return "xstats";
        case Teller::packet_socket:
            return "PACKET_STATISTICS";
        case Teller::interface_errors:
        case Teller::interface_full:
        case Teller::interface_sent:
        case Teller::interface_dropped:
            return "the interface";
        case Teller::kernel_backlog:
            return "the interface and softnet_stat";
    }
    return "";
}

}  // namespace tw::dpdk
