// SPDX-License-Identifier: BSD-3-Clause
// Whether a port's link is up, and how often that changed, also between two looks: told by the
// driver's interrupt where it has one, by the kernel for ports over an interface, else by looking.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "capture/dpdk/kernel_link.hpp"

namespace tw::dpdk {

struct LinkState {
    bool up = false;
    bool gone = false;           // the device was removed
    std::uint32_t megabits = 0;  // 0 = not known
    std::uint64_t changes = 0;   // since the port started, up and down each one
    bool operator==(const LinkState&) const = default;
};
// "up, 10000 Mbit/s", "down", "device removed"
[[nodiscard]] std::string link_text(const LinkState& state);

class PortLink {
  public:
    // `ifindex` of the kernel interface whose link counts; 0 = the driver's word.
    PortLink(std::uint16_t port_id, unsigned ifindex);
    ~PortLink();
    PortLink(const PortLink&) = delete;
    PortLink& operator=(const PortLink&) = delete;

    [[nodiscard]] const LinkState& read();

  private:
    std::uint16_t port_id_;
    std::unique_ptr<KernelLink> kernel_;
    // writer: EAL's interrupt thread
    std::atomic<std::uint64_t> interrupts_{0};
    std::atomic<bool> removed_{false};
    std::uint64_t interrupts_seen_ = 0;
    bool known_ = false;
    LinkState state_;
};

}  // namespace tw::dpdk
