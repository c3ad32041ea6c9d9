// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_builder.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "support/packet_bytes.hpp"

namespace tw::test {
namespace {

std::array<std::uint8_t, 6> mac_bytes(std::string_view text) {
    std::array<unsigned, 6> part{};
    if (std::sscanf(std::string(text).c_str(), "%x:%x:%x:%x:%x:%x", &part[0], &part[1], &part[2],
                    &part[3], &part[4], &part[5]) != 6) {
        throw std::invalid_argument("not a MAC address: " + std::string(text));
    }
    std::array<std::uint8_t, 6> mac{};
    std::ranges::transform(part, mac.begin(),
                           [](unsigned p) { return static_cast<std::uint8_t>(p); });
    return mac;
}

std::uint32_t add_words(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
    std::uint64_t total = sum;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        total += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    }
    if (bytes.size() % 2 != 0) {
        total += static_cast<std::uint32_t>(bytes.back() << 8);
    }
    while (total >> 16 != 0) {
        total = (total & 0xFFFF) + (total >> 16);
    }
    return static_cast<std::uint32_t>(total);
}

}  // namespace

Ipv4Bytes ipv4_bytes(std::string_view text) {
    Ipv4Bytes address{};
    if (inet_pton(AF_INET, std::string(text).c_str(), address.data()) != 1) {
        throw std::invalid_argument("not an IPv4 address: " + std::string(text));
    }
    return address;
}

Ipv6Bytes ipv6_bytes(std::string_view text) {
    Ipv6Bytes address{};
    if (inet_pton(AF_INET6, std::string(text).c_str(), address.data()) != 1) {
        throw std::invalid_argument("not an IPv6 address: " + std::string(text));
    }
    return address;
}

std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
    return static_cast<std::uint16_t>(~add_words(bytes, sum));
}

Frame frame_of(const Bytes& bytes, Nanos time, std::uint64_t number, LinkType link,
               std::uint32_t wire_bytes) {
    const auto captured_bytes = static_cast<std::uint32_t>(bytes.size());
    return Frame{.data = bytes.data(),
                 .captured_bytes = captured_bytes,
                 .wire_bytes = wire_bytes == 0 ? captured_bytes : wire_bytes,
                 .time = time,
                 .number = number,
                 .link = link,
                 .tap = 0};
}

PacketBuilder::Layer& PacketBuilder::add(Kind kind, std::span<const std::uint8_t> header,
                                         std::uint16_t detail) {
    if (!layers_.empty() && layers_.back().kind == Kind::tcp) {
        pad_to_word();
    }
    layers_.push_back(Layer{.kind = kind, .detail = detail, .offset = bytes_.size()});
    append(bytes_, header);
    return layers_.back();
}

PacketBuilder::Layer& PacketBuilder::add(Kind kind, std::initializer_list<std::uint8_t> header,
                                         std::uint16_t detail) {
    return add(kind, std::span(header.begin(), header.size()), detail);
}

void PacketBuilder::pad_to_word() {
    while ((bytes_.size() - layers_.back().offset) % 4 != 0) {
        bytes_.push_back(0);
    }
}

std::uint8_t* PacketBuilder::last_header() {
    if (layers_.empty()) {
        throw std::logic_error("PacketBuilder: no layer to change yet");
    }
    return bytes_.data() + layers_.back().offset;
}

// --- link layers

PacketBuilder& PacketBuilder::ethernet(std::string_view source, std::string_view destination) {
    Bytes header;
    append(header, mac_bytes(destination));
    append(header, mac_bytes(source));
    append16(header, 0);
    add(Kind::ethernet, header);
    return *this;
}

PacketBuilder& PacketBuilder::vlan(std::uint16_t id, std::uint16_t tpid, std::uint8_t priority) {
    Bytes header;
    append16(header, static_cast<std::uint32_t>(priority << 13 | (id & 0xFFF)));
    append16(header, 0);
    add(Kind::vlan, header, tpid);
    return *this;
}

PacketBuilder& PacketBuilder::llc_snap() {
    add(Kind::llc_snap, {0xAA, 0xAA, 0x03, 0, 0, 0, 0, 0});
    return *this;
}

PacketBuilder& PacketBuilder::mpls(std::uint32_t label, std::uint8_t ttl) {
    Bytes header;
    append32(header, label << 12 | ttl);
    add(Kind::mpls, header);
    return *this;
}

PacketBuilder& PacketBuilder::control_word(std::uint32_t word) {
    Bytes header;
    append32(header, word);
    add(Kind::control_word, header);
    return *this;
}

PacketBuilder& PacketBuilder::pppoe(std::uint16_t session) {
    Bytes header{0x11, 0x00};
    append16(header, session);
    append32(header, 0);  // length, PPP protocol
    add(Kind::pppoe, header);
    return *this;
}

PacketBuilder& PacketBuilder::linux_sll() {
    add(Kind::linux_sll, {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0});
    return *this;
}

PacketBuilder& PacketBuilder::linux_sll2() {
    add(Kind::linux_sll2, {0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0});
    return *this;
}

PacketBuilder& PacketBuilder::bsd_null(bool big_endian) {
    add(Kind::bsd_null, {0, 0, 0, 0}, big_endian ? 1 : 0);
    return *this;
}

// --- IP

PacketBuilder& PacketBuilder::ipv4(const Ipv4Bytes& source, const Ipv4Bytes& destination) {
    Bytes header{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 0, 0, 0};
    append(header, source);
    append(header, destination);
    add(Kind::ipv4, header);
    return *this;
}

PacketBuilder& PacketBuilder::ipv4(std::string_view source, std::string_view destination) {
    return ipv4(ipv4_bytes(source), ipv4_bytes(destination));
}

PacketBuilder& PacketBuilder::ipv6(const Ipv6Bytes& source, const Ipv6Bytes& destination) {
    Bytes header{0x60, 0, 0, 0, 0, 0, 0, 64};
    append(header, source);
    append(header, destination);
    add(Kind::ipv6, header);
    return *this;
}

PacketBuilder& PacketBuilder::ipv6(std::string_view source, std::string_view destination) {
    return ipv6(ipv6_bytes(source), ipv6_bytes(destination));
}

PacketBuilder& PacketBuilder::ttl(std::uint8_t value) {
    last_header()[layers_.back().kind == Kind::ipv6 ? 7 : 8] = value;
    return *this;
}

PacketBuilder& PacketBuilder::ip_id(std::uint16_t value) {
    put16(last_header() + 4, value);
    return *this;
}

PacketBuilder& PacketBuilder::fragment(std::uint32_t offset_bytes, bool more) {
    put16(last_header() + 6, (more ? 0x2000U : 0U) | offset_bytes / 8);
    return *this;
}

PacketBuilder& PacketBuilder::ip_options(std::span<const std::uint8_t> options) {
    append(bytes_, options);
    pad_to_word();
    const std::size_t words = (bytes_.size() - layers_.back().offset) / 4;
    *last_header() = static_cast<std::uint8_t>(0x40 | words);
    return *this;
}

PacketBuilder& PacketBuilder::source_route(std::initializer_list<std::string_view> hops,
                                           std::uint8_t pointer, std::uint8_t option) {
    Bytes options{option, static_cast<std::uint8_t>(3 + 4 * hops.size()), pointer};
    for (const std::string_view hop : hops) {
        append(options, ipv4_bytes(hop));
    }
    return ip_options(options);
}

PacketBuilder& PacketBuilder::total_length(std::uint16_t value) {
    return set16(layers_.back().kind == Kind::ipv6 ? 4 : 2, value);
}

PacketBuilder& PacketBuilder::next_protocol(std::uint8_t value) {
    const Kind kind = layers_.back().kind;
    return set8(kind == Kind::ipv4 ? 9 : kind == Kind::ipv6 ? 6 : 0, value);
}

// --- TCP

PacketBuilder& PacketBuilder::tcp(std::uint16_t source_port, std::uint16_t destination_port) {
    Bytes header;
    append16(header, source_port);
    append16(header, destination_port);
    header.resize(20, 0);
    header[13] = 0x10;
    put16(header.data() + 14, 8192);
    add(Kind::tcp, header);
    return *this;
}

PacketBuilder& PacketBuilder::seq(std::uint32_t value) {
    put32(last_header() + 4, value);
    return *this;
}

PacketBuilder& PacketBuilder::ack(std::uint32_t value) {
    put32(last_header() + 8, value);
    return *this;
}

PacketBuilder& PacketBuilder::flags(std::string_view set) {
    constexpr std::string_view kLetters = "FSRPAUEC";
    std::uint8_t bits = 0;
    for (const char letter : set) {
        const std::size_t bit = kLetters.find(letter);
        if (bit == std::string_view::npos) {
            throw std::invalid_argument("no such TCP flag: " + std::string(set));
        }
        bits = static_cast<std::uint8_t>(bits | 1U << bit);
    }
    return flag_bits(bits);
}

PacketBuilder& PacketBuilder::flag_bits(std::uint8_t bits) {
    last_header()[13] = bits;
    return *this;
}

PacketBuilder& PacketBuilder::window(std::uint16_t value) {
    put16(last_header() + 14, value);
    return *this;
}

PacketBuilder& PacketBuilder::urgent(std::uint16_t value) {
    put16(last_header() + 18, value);
    return *this;
}

PacketBuilder& PacketBuilder::data_offset(std::uint8_t words) {
    return set8(12, static_cast<std::uint8_t>(words << 4));
}

PacketBuilder& PacketBuilder::option(std::uint8_t kind, std::span<const std::uint8_t> data) {
    bytes_.push_back(kind);
    bytes_.push_back(static_cast<std::uint8_t>(2 + data.size()));
    append(bytes_, data);
    return *this;
}

PacketBuilder& PacketBuilder::option_raw(std::initializer_list<std::uint8_t> bytes) {
    append(bytes_, bytes);
    return *this;
}

PacketBuilder& PacketBuilder::option_mss(std::uint16_t bytes) {
    Bytes data;
    append16(data, bytes);
    return option(2, data);
}

PacketBuilder& PacketBuilder::option_wscale(std::uint8_t shift) {
    return option_raw({3, 3, shift});
}

PacketBuilder& PacketBuilder::option_sack(std::initializer_list<SackBlock> blocks) {
    Bytes data;
    for (const SackBlock& block : blocks) {
        append32(data, block.begin);
        append32(data, block.end);
    }
    return option(5, data);
}

PacketBuilder& PacketBuilder::option_timestamps(std::uint32_t value, std::uint32_t echo) {
    Bytes data;
    append32(data, value);
    append32(data, echo);
    return option(8, data);
}

// --- content

PacketBuilder& PacketBuilder::payload(std::size_t count) {
    payload_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        payload_[i] = static_cast<std::uint8_t>('a' + i % 26);
    }
    return *this;
}

PacketBuilder& PacketBuilder::payload(std::string_view text) {
    payload_.assign(text.begin(), text.end());
    return *this;
}

PacketBuilder& PacketBuilder::payload(std::span<const std::uint8_t> bytes) {
    payload_.assign(bytes.begin(), bytes.end());
    return *this;
}

PacketBuilder& PacketBuilder::padding(std::size_t count) {
    padding_ = count;
    return *this;
}

PacketBuilder& PacketBuilder::raw(std::span<const std::uint8_t> bytes) {
    add(Kind::raw, bytes);
    return *this;
}

PacketBuilder& PacketBuilder::set8(std::size_t offset, std::uint8_t value) {
    layers_.back().patches.push_back({offset, 1, value});
    return *this;
}

PacketBuilder& PacketBuilder::set16(std::size_t offset, std::uint16_t value) {
    layers_.back().patches.push_back({offset, 2, value});
    return *this;
}

PacketBuilder& PacketBuilder::set32(std::size_t offset, std::uint32_t value) {
    layers_.back().patches.push_back({offset, 4, value});
    return *this;
}

}  // namespace tw::test
