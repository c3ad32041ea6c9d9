// SPDX-License-Identifier: BSD-3-Clause
// The kernel's packet sockets behind net_af_packet. The driver neither hands them out nor says what
// happens in them, so they are found among the open files of this process by their interface.
#pragma once

#include <system_error>
#include <vector>

namespace tw::dpdk {

// Sockets of this process that are bound to the interface.
[[nodiscard]] std::vector<int> packet_sockets(unsigned ifindex);

// What a bridged port needs besides: what the host itself sends on the interface is not delivered
// as if it had come from the line; and the kernel takes no more frames than its transmit queue
// holds, so that a full one is felt here instead of losing frames there.
[[nodiscard]] std::error_code prepare_for_bridge(int socket);

// False while the frames on their way to the wire are as many as prepare_for_bridge allowed. The
// driver would wait for the kernel without a limit.
[[nodiscard]] bool has_room(int socket);

// Sends what is left in the transmit ring: the kernel stops at a frame it cannot take now, and the
// driver does not ask again before its next burst. False if nothing is left.
[[nodiscard]] bool send_rest(int socket);

}  // namespace tw::dpdk
