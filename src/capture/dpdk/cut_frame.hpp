// SPDX-License-Identifier: BSD-3-Clause
// Some drivers cut frames and forget how long they were (net_pcap: what the file holds of a frame;
// net_af_packet: what fits its ring slot). The outermost IP header still tells; without it the IP
// length would look impossible and the payload would shrink to what was captured.
#pragma once

#include <cstdint>

#include "core/frame.hpp"

namespace tw::dpdk {

// Length on the wire of a frame that may have been cut: what is captured, or more if the IP header
// behind Ethernet, VLAN tags, Linux cooked or BSD headers says so.
[[nodiscard]] std::uint32_t wire_bytes_of_cut(const Frame& frame);

}  // namespace tw::dpdk
