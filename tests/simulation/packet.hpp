// SPDX-License-Identifier: BSD-3-Clause
// What simulated hosts exchange. Positions are 64-bit and never wrap: the SYN is 0, the first byte
// 1, the FIN follows the last byte; only frame_bytes turns them into 32-bit sequence numbers. No
// sequence arithmetic is shared with the product that is judged here.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace tw::sim {

using Position = std::int64_t;

struct Span {
    Position begin = 0;
    Position end = 0;  // one past the last

    [[nodiscard]] Position length() const { return end - begin; }
    [[nodiscard]] bool empty() const { return end <= begin; }
    [[nodiscard]] bool covers(Span other) const { return begin <= other.begin && other.end <= end; }
    [[nodiscard]] bool overlaps(Span other) const {
        return std::max(begin, other.begin) < std::min(end, other.end);
    }
    [[nodiscard]] Span common(Span other) const {
        return {std::max(begin, other.begin), std::min(end, other.end)};
    }
    bool operator==(const Span&) const = default;
};

// The two hosts of a connection; a direction of data is named by its sender.
enum class Side : std::uint8_t { client, server };
inline constexpr std::size_t kSides = 2;
[[nodiscard]] constexpr Side other(Side side) {
    return side == Side::client ? Side::server : Side::client;
}
[[nodiscard]] constexpr std::size_t index(Side side) {
    return static_cast<std::size_t>(side);
}

// Why a segment was sent.
enum class Why : std::uint8_t { first, dup_acks, recovery, timeout, tail_probe, reply };
[[nodiscard]] const char* name(Why why);

// What a SYN offers beside sequence numbers.
struct SynOptions {
    Position mss = 536;  // RFC 9293 section 3.7.1: without the option
    bool sack = false;
    bool scaling = false;
    bool timestamps = false;
};

struct Packet {
    static constexpr std::size_t kSackMax = 4;

    std::uint32_t connection = 0;
    Side from = Side::client;
    Why why = Why::first;
    Span span;  // sequence numbers taken: payload, SYN, FIN; empty for a bare ACK
    bool syn = false;
    bool fin = false;
    bool rst = false;
    bool push = false;
    bool has_ack = false;
    bool dsack = false;  // the first SACK block reports a duplicate
    bool timestamps = false;
    std::uint8_t ttl = 64;
    std::uint8_t sack_count = 0;
    std::uint16_t ip_id = 0;
    std::uint16_t window = 0;  // as in the header: scaled
    Position ack = 0;
    std::array<Span, kSackMax> sack{};
    SynOptions offer{};  // with syn
    std::uint32_t ts_value = 0;
    std::uint32_t ts_echo = 0;
    Nanos sent = 0;

    [[nodiscard]] Position payload_bytes() const {
        return span.length() - (syn ? 1 : 0) - (fin ? 1 : 0);
    }
    // The receiver that sent this has [part].
    [[nodiscard]] bool acknowledges(Span part) const {
        if (!has_ack || rst) {
            return false;
        }
        if (ack >= part.end) {
            return true;
        }
        for (std::size_t i = dsack ? 1 : 0; i < sack_count; ++i) {
            if (sack[i].covers({std::max(part.begin, ack), part.end})) {
                return true;
            }
        }
        return false;
    }
};

}  // namespace tw::sim
