// SPDX-License-Identifier: BSD-3-Clause
// Looks at the transmit rings of our net_memif client in shared memory: has the peer taken every
// frame? The driver does not tell, and one that closes too early pulls the ring from under its
// peer, which crashes a reader of DPDK 22.11. Layout: memif protocol version 2.
#pragma once

#include <cstdint>
#include <vector>

namespace tw::generator {

class MemifRings {
  public:
    // The rings of this process's only memif connection, once it is up; none if there is not
    // exactly one, or it is not the client's.
    explicit MemifRings(std::uint16_t queues);

    [[nodiscard]] bool known() const { return !rings_.empty(); }
    [[nodiscard]] bool empty() const;

  private:
    std::vector<const volatile std::uint8_t*> rings_;
};

}  // namespace tw::generator
