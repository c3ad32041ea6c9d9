// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/kernel_link.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace tw::dpdk {

bool ask_for_link(int socket, unsigned ifindex) {
    struct {
        nlmsghdr header;
        ifinfomsg interface;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_GETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.interface.ifi_index = static_cast<int>(ifindex);
    return send(socket, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
}

std::unique_ptr<KernelLink> KernelLink::open(unsigned ifindex) {
    const int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (file < 0) {
        return nullptr;
    }
    std::unique_ptr<KernelLink> link(new KernelLink(file, ifindex));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    if (bind(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        !ask_for_link(file, ifindex)) {
        return nullptr;
    }
    link->update();
    return link;
}

KernelLink::~KernelLink() {
    close(socket_);
}

void KernelLink::update() {
    // A message about one interface takes 1.5 KiB; several may come at once.
    alignas(nlmsghdr) std::array<std::byte, 32'768> buffer;
    for (;;) {
        const ssize_t bytes = recv(socket_, buffer.data(), buffer.size(), 0);
        if (bytes > 0) {
            take(std::span(buffer).first(static_cast<std::size_t>(bytes)));
        } else if (bytes < 0 && errno == ENOBUFS) {
            // Some were lost, ours perhaps among them.
            ++changes_;
            (void)ask_for_link(socket_, ifindex_);
        } else if (bytes == 0 || errno != EINTR) {
            return;
        }
    }
}

void KernelLink::take(std::span<const std::byte> messages) {
    while (messages.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header{};
        std::memcpy(&header, messages.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > messages.size()) {
            return;
        }
        ifinfomsg interface {};
        if (header.nlmsg_len >= sizeof header + sizeof interface &&
            (header.nlmsg_type == RTM_NEWLINK || header.nlmsg_type == RTM_DELLINK)) {
            std::memcpy(&interface, messages.data() + sizeof header, sizeof interface);
            // A bridge speaks of its ports in the same words, under its own family.
            if (interface.ifi_family == AF_UNSPEC &&
                interface.ifi_index == static_cast<int>(ifindex_)) {
                gone_ = gone_ || header.nlmsg_type == RTM_DELLINK;
                constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
                became(!gone_ && (interface.ifi_flags & kUp) == kUp);
            }
        }
        const std::size_t step = (header.nlmsg_len + NLMSG_ALIGNTO - 1U) & ~(NLMSG_ALIGNTO - 1U);
        messages = messages.subspan(std::min(step, messages.size()));
    }
}

void KernelLink::became(bool up) {
    if (known_ && up != up_) {
        ++changes_;
    }
    known_ = true;
    up_ = up;
}

}  // namespace tw::dpdk
