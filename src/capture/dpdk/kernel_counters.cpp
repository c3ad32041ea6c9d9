// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/kernel_counters.hpp"

#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>

#include "capture/dpdk/kernel_link.hpp"

namespace tw::dpdk {
namespace {

[[nodiscard]] std::size_t aligned(std::size_t bytes) {
    return (bytes + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
}

// The answer to a request about one interface, as the kernel sent it. Empty = refused.
[[nodiscard]] std::vector<std::byte> link_message(unsigned ifindex) {
    const int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (file < 0) {
        return {};
    }
    std::vector<std::byte> message(32'768);  // the kernel's own limit for one answer
    const ssize_t bytes =
        ask_for_link(file, ifindex) ? recv(file, message.data(), message.size(), 0) : -1;
    close(file);
    message.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
    return message;
}

// Attribute `type` of the link in a message. Empty = it has none.
[[nodiscard]] std::span<const std::byte> attribute_of(std::span<const std::byte> message,
                                                      unsigned short type) {
    constexpr std::size_t kBefore = sizeof(nlmsghdr) + sizeof(ifinfomsg);
    nlmsghdr header{};
    if (message.size() < kBefore) {
        return {};
    }
    std::memcpy(&header, message.data(), sizeof header);
    if (header.nlmsg_type != RTM_NEWLINK) {
        return {};
    }
    message = message.subspan(kBefore);
    rtattr attribute{};
    while (message.size() >= sizeof attribute) {
        std::memcpy(&attribute, message.data(), sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > message.size()) {
            return {};
        }
        if (attribute.rta_type == type) {
            return message.first(attribute.rta_len).subspan(sizeof attribute);
        }
        message = message.subspan(std::min(aligned(attribute.rta_len), message.size()));
    }
    return {};
}

}  // namespace

std::optional<InterfaceCounts> interface_counts(const std::string& interface) {
    const unsigned ifindex = if_nametoindex(interface.c_str());
    if (ifindex == 0) {
        return std::nullopt;
    }
    const std::vector<std::byte> message = link_message(ifindex);
    const auto found = attribute_of(message, IFLA_STATS64);
    if (found.empty()) {
        return std::nullopt;
    }
    // Later kernels append fields.
    rtnl_link_stats64 stats{};
    std::memcpy(&stats, found.data(), std::min(found.size(), sizeof stats));
    InterfaceCounts counts;
    counts.received_errors = stats.rx_crc_errors + stats.rx_length_errors + stats.rx_frame_errors;
    counts.received_full = stats.rx_missed_errors + stats.rx_fifo_errors + stats.rx_over_errors;
    counts.received_dropped = stats.rx_dropped;
    counts.sent_dropped = stats.tx_dropped;
    return counts;
}

std::uint64_t backlog_drops(std::string_view softnet_stat) {
    // A line per CPU: "0000a1b2 00000003 ...": processed, dropped, in hexadecimal.
    std::uint64_t drops = 0;
    while (!softnet_stat.empty()) {
        const std::size_t end = std::min(softnet_stat.find('\n'), softnet_stat.size());
        const std::string_view line = softnet_stat.substr(0, end);
        softnet_stat.remove_prefix(std::min(end + 1, softnet_stat.size()));
        const std::size_t blank = std::min(line.find(' '), line.size());
        const std::string_view dropped = line.substr(std::min(blank + 1, line.size()));
        std::uint64_t number = 0;
        std::from_chars(dropped.data(), dropped.data() + dropped.size(), number, 16);
        drops += number;
    }
    return drops;
}

std::uint64_t backlog_drops() {
    std::ifstream file("/proc/net/softnet_stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return backlog_drops(text);
}

void PacketSocketCounts::read() {
    for (const int socket : sockets_) {
        tpacket_stats stats{};
        socklen_t bytes = sizeof stats;
        if (getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) == 0) {
            seen_ += stats.tp_packets;
            dropped_ += stats.tp_drops;
        }
    }
}

}  // namespace tw::dpdk
