// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/kernel_counters.hpp"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>

namespace tw::dpdk {
namespace {

[[nodiscard]] std::string_view without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(' ');
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

}  // namespace

std::optional<InterfaceCounts> interface_counts(std::string_view text, std::string_view interface) {
    // "  eth0: bytes packets errs drop fifo frame compressed multicast | bytes packets errs drop
    // ..."
    constexpr std::size_t kDrop = 3;
    constexpr std::size_t kFifo = 4;
    constexpr std::size_t kFrame = 5;
    constexpr std::size_t kSentDrop = 11;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = without_blanks(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || line.substr(0, colon) != interface) {
            continue;
        }
        line.remove_prefix(colon + 1);
        std::array<std::uint64_t, 16> numbers{};
        for (std::uint64_t& number : numbers) {
            line = without_blanks(line);
            const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
            line.remove_prefix(static_cast<std::size_t>(read.ptr - line.data()));
        }
        return InterfaceCounts{numbers[kDrop], numbers[kFifo], numbers[kFrame], numbers[kSentDrop]};
    }
    return std::nullopt;
}

std::optional<InterfaceCounts> interface_counts(const std::string& interface) {
    std::ifstream file("/proc/self/net/dev");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return interface_counts(text, interface);
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
