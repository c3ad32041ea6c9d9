// SPDX-License-Identifier: BSD-3-Clause
// The link of a kernel interface, told by the kernel itself (rtnetlink): every change since it was
// asked last, however short, and whether the interface is gone. DPDK's drivers over the kernel
// always say "up".
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace tw::dpdk {

// Asks the kernel about one interface over a NETLINK_ROUTE socket; it answers with RTM_NEWLINK.
[[nodiscard]] bool ask_for_link(int socket, unsigned ifindex);

class KernelLink {
  public:
    // Nothing if the kernel does not tell.
    [[nodiscard]] static std::unique_ptr<KernelLink> open(unsigned ifindex);
    ~KernelLink();
    KernelLink(const KernelLink&) = delete;
    KernelLink& operator=(const KernelLink&) = delete;

    // Takes what the kernel has said since.
    void update();
    [[nodiscard]] bool up() const { return up_; }      // by the administrator, with a carrier
    [[nodiscard]] bool gone() const { return gone_; }  // the interface was removed
    [[nodiscard]] std::uint64_t changes() const { return changes_; }

  private:
    KernelLink(int socket, unsigned ifindex) : socket_(socket), ifindex_(ifindex) {}
    void take(std::span<const std::byte> messages);
    void became(bool up);

    int socket_;
    unsigned ifindex_;
    bool up_ = false;
    bool gone_ = false;
    bool known_ = false;
    std::uint64_t changes_ = 0;
};

}  // namespace tw::dpdk
