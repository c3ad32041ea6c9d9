// SPDX-License-Identifier: BSD-3-Clause
// What the kernel counts for ports that lie on one of its interfaces, where DPDK's drivers do not
// say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tw::dpdk {

// Of one interface since it exists (rtnl_link_stats64).
struct InterfaceCounts {
    std::uint64_t received_errors = 0;  // bad length, checksum or alignment
    std::uint64_t received_full = 0;    // missed, fifo and ring overruns of the device
    // Dropped by the driver or the kernel: before our socket was asked, or after it had its copy
    // (a tagged frame without a VLAN device, say). The kernel does not tell which.
    std::uint64_t received_dropped = 0;
    std::uint64_t sent_dropped = 0;
};
// Asked of the kernel by rtnetlink, because /sys may belong to another network namespace. Nothing
// if there is no such interface.
[[nodiscard]] std::optional<InterfaceCounts> interface_counts(const std::string& interface);

// Frames that found the kernel's queue of some CPU full, whatever their interface: the second
// column of /proc/net/softnet_stat, whose text is given.
[[nodiscard]] std::uint64_t backlog_drops(std::string_view softnet_stat);
[[nodiscard]] std::uint64_t backlog_drops();

// The packet sockets of one interface. Reading clears the kernel's numbers, so there must be one
// reader, which this is.
class PacketSocketCounts {
  public:
    PacketSocketCounts() = default;
    explicit PacketSocketCounts(std::vector<int> sockets) : sockets_(std::move(sockets)) {}

    void read();
    [[nodiscard]] bool any() const { return !sockets_.empty(); }
    [[nodiscard]] std::uint64_t seen() const { return seen_; }  // the dropped ones included
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  private:
    std::vector<int> sockets_;
    std::uint64_t seen_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace tw::dpdk
