// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/frame_bytes.hpp"

#include <array>
#include <cstring>
#include <span>

namespace tw::sim {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint32_t kFrameBytesMin = 60;
constexpr std::uint8_t kWindowShift = 7;

void put8(Bytes& bytes, std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value));
}
void put16(Bytes& bytes, std::size_t value) {
    put8(bytes, value >> 8);
    put8(bytes, value);
}
void put32(Bytes& bytes, std::size_t value) {
    put16(bytes, value >> 16);
    put16(bytes, value);
}
void set16(Bytes& bytes, std::size_t at, std::size_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint64_t sum_of(std::span<const std::uint8_t> bytes) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        sum += static_cast<std::uint64_t>(bytes[i] << 8 | bytes[i + 1]);
    }
    return sum + (bytes.size() % 2 != 0 ? static_cast<std::uint64_t>(bytes.back() << 8) : 0);
}
std::uint16_t checksum(std::uint64_t sum) {
    while (sum >> 16 != 0) {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

void put_options(Bytes& out, const Packet& packet, const ConnectionPlan& connection) {
    const StackOptions& stack = connection.stack[index(packet.from)];
    const std::size_t begin = out.size();
    if (packet.syn) {
        put32(out, 0x0204'0000U | static_cast<std::uint32_t>(stack.mss));
        if (stack.sack) {
            put16(out, 0x0402);
        }
        if (stack.scaling) {
            put16(out, 0x0303);
            put8(out, kWindowShift);
        }
    }
    if (packet.timestamps) {
        if (!packet.syn) {
            put16(out, 0x0101);
        }
        put16(out, 0x080A);
        put32(out, packet.ts_value);
        put32(out, packet.ts_echo);
    }
    if (packet.sack_count != 0) {
        put16(out, 0x0101);
        put8(out, 5);
        put8(out, 2U + 8U * packet.sack_count);
        const std::uint32_t isn = connection.isn[index(other(packet.from))];
        for (std::size_t i = 0; i < packet.sack_count; ++i) {
            put32(out, isn + static_cast<std::uint32_t>(packet.sack[i].begin));
            put32(out, isn + static_cast<std::uint32_t>(packet.sack[i].end));
        }
    }
    while ((out.size() - begin) % 4 != 0) {
        put8(out, 1);
    }
}

std::uint8_t tcp_flags(const Packet& packet) {
    return static_cast<std::uint8_t>((packet.fin ? 1 : 0) | (packet.syn ? 2 : 0) |
                                     (packet.rst ? 4 : 0) | (packet.push ? 8 : 0) |
                                     (packet.has_ack ? 16 : 0));
}

Bytes tcp_segment(const Packet& packet, const ConnectionPlan& connection) {
    const bool client = packet.from == Side::client;
    const std::size_t from = index(packet.from);
    Bytes out;
    out.reserve(60 + static_cast<std::size_t>(packet.payload_bytes()));
    put16(out, client ? connection.client_port : connection.server_port);
    put16(out, client ? connection.server_port : connection.client_port);
    put32(out, connection.isn[from] + static_cast<std::uint32_t>(packet.span.begin));
    put32(out,
          packet.has_ack ? connection.isn[1 - from] + static_cast<std::uint32_t>(packet.ack) : 0);
    put16(out, tcp_flags(packet));
    put16(out, packet.window);
    put32(out, 0);
    put_options(out, packet, connection);
    out[12] = static_cast<std::uint8_t>(out.size() / 4 << 4);
    const Position begin = packet.span.begin + (packet.syn ? 1 : 0);
    append_stream(out, packet.connection, packet.from, {begin, begin + packet.payload_bytes()});
    return out;
}

void put_ipv4(Bytes& frame, const Packet& packet, std::uint8_t ttl, const Bytes& source,
              const Bytes& destination, std::size_t segment_bytes) {
    put16(frame, 0x4500);
    put16(frame, 20 + segment_bytes);
    put16(frame, packet.ip_id);
    put16(frame, packet.ip_id == 0 ? 0x4000 : 0);  // do not fragment
    put8(frame, ttl);
    put8(frame, kTcp);
    put16(frame, 0);
    frame.insert(frame.end(), source.begin(), source.end());
    frame.insert(frame.end(), destination.begin(), destination.end());
    set16(frame, 24, checksum(sum_of(std::span(frame).subspan(14, 20))));
}

}  // namespace

std::vector<std::uint8_t> address(const ConnectionPlan& connection, Side side) {
    const bool client = side == Side::client;
    const auto host = static_cast<std::uint8_t>(client ? 10 + connection.client_host
                                                       : 80 + connection.server_host);
    if (connection.v6) {
        Bytes bytes{0x20, 0x01, 0x0D, 0xB8, 0, static_cast<std::uint8_t>(client ? 1 : 2)};
        bytes.resize(16);
        bytes.back() = host;
        return bytes;
    }
    return client ? Bytes{10, 1, 0, host} : Bytes{203, 0, 113, host};
}

void append_stream(std::vector<std::uint8_t>& out, std::uint32_t connection, Side from, Span part) {
    const std::uint64_t salt = std::uint64_t{connection} * 2 + index(from);
    std::uint64_t word = 0;
    for (Position at = part.begin; at < part.end; ++at) {
        if (at % 8 == 0 || at == part.begin) {
            word = (static_cast<std::uint64_t>(at / 8) + (salt << 40)) * 0x9E37'79B9'7F4A'7C15ULL;
        }
        put8(out, word >> (static_cast<unsigned>(at % 8) * 8));
    }
}

std::vector<std::uint8_t> frame_bytes(const Packet& packet, const ConnectionPlan& connection,
                                      bool ttl_less) {
    const Bytes source = address(connection, packet.from);
    const Bytes destination = address(connection, other(packet.from));
    Bytes segment = tcp_segment(packet, connection);
    set16(segment, 16,
          checksum(sum_of(source) + sum_of(destination) + kTcp + segment.size() + sum_of(segment)));
    const auto ttl = static_cast<std::uint8_t>(packet.ttl - (ttl_less ? 1 : 0));
    Bytes frame{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    frame.reserve(54 + segment.size());
    if (connection.v6) {
        put16(frame, 0x86DD);
        put32(frame, 0x6000'0000U);
        put16(frame, segment.size());
        put8(frame, kTcp);
        put8(frame, ttl);
        frame.insert(frame.end(), source.begin(), source.end());
        frame.insert(frame.end(), destination.begin(), destination.end());
    } else {
        put16(frame, 0x0800);
        put_ipv4(frame, packet, ttl, source, destination, segment.size());
    }
    frame.insert(frame.end(), segment.begin(), segment.end());
    if (frame.size() < kFrameBytesMin) {
        frame.resize(kFrameBytesMin);
    }
    return frame;
}

}  // namespace tw::sim
