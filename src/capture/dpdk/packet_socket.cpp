// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/packet_socket.hpp"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace tw::dpdk {
namespace {

// Nothing if `file` is no packet socket.
[[nodiscard]] std::optional<unsigned> interface_of(int file) {
    int domain = 0;
    socklen_t bytes = sizeof domain;
    if (getsockopt(file, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) != 0 || domain != AF_PACKET) {
        return std::nullopt;
    }
    sockaddr_ll address{};
    bytes = sizeof address;
    if (getsockname(file, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
        return std::nullopt;
    }
    return static_cast<unsigned>(address.sll_ifindex);
}

// PACKET_IGNORE_OUTGOING does nothing here: the driver puts its socket into a fan-out group, and
// the kernel then asks the group, which has no such option before 5.10 and is not ours after it.
[[nodiscard]] bool drop_outgoing(int socket) {
    constexpr std::uint32_t kPacketType =
        static_cast<std::uint32_t>(SKF_AD_OFF) + std::uint32_t{SKF_AD_PKTTYPE};
    std::array<sock_filter, 4> code{{
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, kPacketType},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PACKET_OUTGOING},
        {BPF_RET | BPF_K, 0, 0, 0},
        {BPF_RET | BPF_K, 0, 0, UINT32_MAX},
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

// A frame of 64 bytes is charged 768 bytes, a long one 2304, and the socket counts as writable up
// to half of twice the number given: below the 1000 frames of the kernel's default queue, more than
// the 256 descriptors of most NICs.
[[nodiscard]] bool limit_frames_in_flight(int socket) {
    constexpr int kBytes = 700'000;
    return setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &kBytes, sizeof kBytes) == 0;
}

}  // namespace

std::vector<int> packet_sockets(unsigned ifindex) {
    std::vector<int> found;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failed)) {
        const std::string name = entry.path().filename().string();
        int file = -1;
        std::from_chars(name.data(), name.data() + name.size(), file);
        if (interface_of(file) == ifindex) {
            found.push_back(file);
        }
    }
    return found;
}

std::error_code prepare_for_bridge(int socket) {
    const bool done = drop_outgoing(socket) && limit_frames_in_flight(socket);
    return done ? std::error_code() : std::error_code(errno, std::generic_category());
}

bool has_room(int socket) {
    pollfd file{socket, POLLOUT, 0};
    // An interface that is down is an error, not a shortage: the driver then counts the frames.
    return poll(&file, 1, 0) != 0;
}

bool send_rest(int socket) {
    const ssize_t sent = send(socket, nullptr, 0, MSG_DONTWAIT);
    return sent > 0 || (sent < 0 && (errno == EAGAIN || errno == ENOBUFS));
}

}  // namespace tw::dpdk
