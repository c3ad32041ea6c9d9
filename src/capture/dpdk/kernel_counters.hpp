// SPDX-License-Identifier: BSD-3-Clause
// What the kernel counts for ports that lie on one of its interfaces, where DPDK's drivers do not
// say. Namespaces: /proc/self/net shows the interfaces this process has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tw::dpdk {

// Of one interface since it exists.
struct InterfaceCounts {
    std::uint64_t received_drop = 0;   // rx_dropped + rx_missed_errors
    std::uint64_t received_fifo = 0;   // rx_fifo_errors
    std::uint64_t received_frame = 0;  // bad length, checksum or alignment
    std::uint64_t sent_drop = 0;
};
// `text` is what /proc/net/dev holds. Nothing if the interface is not in it.
[[nodiscard]] std::optional<InterfaceCounts> interface_counts(std::string_view text,
                                                              std::string_view interface);
[[nodiscard]] std::optional<InterfaceCounts> interface_counts(const std::string& interface);

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
