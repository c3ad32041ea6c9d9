// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/ledger.hpp"

#include <algorithm>
#include <limits>

namespace tw::pcap {

std::optional<std::uint64_t> InterfaceLedger::dropped() const {
    if (!dropped_interface && !dropped_os && !dropped_before_packets) {
        return std::nullopt;
    }
    // The drop counts of packets say when the same losses happened, so they do not add up with the
    // statistics; a writer that gives only one of the two gives the larger number.
    const std::uint64_t at_interface = dropped_interface.value_or(0);
    const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - at_interface;
    const std::uint64_t by_statistics = at_interface + std::min(dropped_os.value_or(0), room);
    return std::max(by_statistics, dropped_before_packets.value_or(0));
}

}  // namespace tw::pcap
