// SPDX-License-Identifier: BSD-3-Clause
// What Port does to be one end of a bridge.
#include <fmt/format.h>
#include <net/if.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "capture/dpdk/kernel_counters.hpp"
#include "capture/dpdk/packet_socket.hpp"
#include "capture/dpdk/poller.hpp"
#include "capture/dpdk/port.hpp"
#include "capture/dpdk/port_info.hpp"

namespace tw::dpdk {
namespace {

// What waits in a queue before the bridge runs is late by seconds, and net_af_packet opens its
// sockets before it binds them: frames of any interface of the host may be among it.
std::uint64_t discard_waiting(std::uint16_t port_id) {
    rte_mbuf* mbufs[kBurstMax];
    std::uint64_t frames = 0;
    for (std::uint32_t i = 0; i < kDrainBurstsMax; ++i) {
        const std::uint16_t count = rte_eth_rx_burst(port_id, 0, mbufs, kBurstMax);
        if (count == 0) {
            break;
        }
        frames += count;
        rte_pktmbuf_free_bulk(mbufs, count);
    }
    return frames;
}

// The one socket net_af_packet has with one queue.
[[nodiscard]] std::expected<int, std::string> socket_on(const std::string& interface) {
    const auto sockets = packet_sockets(if_nametoindex(interface.c_str()));
    if (sockets.size() != 1) {
        return std::unexpected(
            fmt::format("{} packet sockets on {} instead of one", sockets.size(), interface));
    }
    return sockets.front();
}

}  // namespace

std::expected<void, Error> Port::prepare_bridge(EalLog& log) {
    const std::string& interface = options_.device.interface;
    if (driver_ == kAfPacketDriver) {
        const auto socket = socket_on(interface);
        if (!socket) {
            return std::unexpected(Error{fmt::format("port {}: {}", options_.name, socket.error()),
                                         ExitCode::environment_failed});
        }
        if (const auto error = prepare_for_bridge(*socket)) {
            return std::unexpected(failed("prepare its socket for a bridge", error.value(), log));
        }
        socket_ = *socket;
    }
    discarded_ += discard_waiting(id_);
    if (socket_ >= 0) {
        // The kernel's counts are those since the last reading, and these frames are not ours.
        PacketSocketCounts({socket_}).read();
    }
    transmit_lost_at_start_ = transmit_lost_ever();
    return {};
}

TxQueue Port::transmit_queue() const {
    TxQueue queue;
    queue.port_id = id_;
    queue.takes_segments = (device_info(id_).tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
    queue.socket = socket_;
    return queue;
}

// Virtual devices count in oerrors what they refused, which is not lost yet; a NIC counts there
// what it failed to send, net_af_packet what it took and could not give to the kernel.
std::uint64_t Port::transmit_lost_ever() const {
    const bool kernel = driver_ == kAfPacketDriver;
    rte_eth_stats stats{};
    if ((!kernel && options_.device.bus != Bus::pci) || rte_eth_stats_get(id_, &stats) != 0) {
        return 0;
    }
    const auto interface = kernel ? interface_counts(options_.device.interface) : std::nullopt;
    return stats.oerrors + (interface ? interface->sent_dropped : 0);
}

std::uint64_t Port::transmit_lost() const {
    return started_ ? transmit_lost_ever() - transmit_lost_at_start_ : transmit_lost_;
}

}  // namespace tw::dpdk
