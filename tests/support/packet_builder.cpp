// SPDX-License-Identifier: BSD-3-Clause
#include "support/packet_builder.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace tw::test {
namespace {

void put16(std::uint8_t* at, std::uint32_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}

void put32(std::uint8_t* at, std::uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value);
}

void append16(Bytes& bytes, std::uint32_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

void append32(Bytes& bytes, std::uint32_t value) {
    append16(bytes, value >> 16);
    append16(bytes, value);
}

template <typename Range>
void append(Bytes& bytes, const Range& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

void pad_to(Bytes& bytes, std::size_t multiple) {
    while (bytes.size() % multiple != 0) {
        bytes.push_back(0);
    }
}

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

// --- IPv6 extension headers

PacketBuilder& PacketBuilder::add_options_header(Kind kind, std::span<const std::uint8_t> options) {
    Bytes header{0, 0};
    append(header, options);
    pad_to(header, 8);
    header[1] = static_cast<std::uint8_t>(header.size() / 8 - 1);
    add(kind, header);
    return *this;
}

PacketBuilder& PacketBuilder::hop_by_hop(std::span<const std::uint8_t> options) {
    return add_options_header(Kind::hop_by_hop, options);
}

PacketBuilder& PacketBuilder::jumbo(std::optional<std::uint32_t> length) {
    add(Kind::hop_by_hop, {0, 0, 0xC2, 4, 0, 0, 0, 0}, kJumbo);
    return length ? set32(4, *length) : *this;
}

PacketBuilder& PacketBuilder::destination_options(std::span<const std::uint8_t> options) {
    return add_options_header(Kind::destination_options, options);
}

PacketBuilder& PacketBuilder::home_address(std::string_view address) {
    Bytes options{1, 2, 0, 0, 0xC9, 16};  // PadN first: the option wants alignment 8n+6
    append(options, ipv6_bytes(address));
    return destination_options(options);
}

PacketBuilder& PacketBuilder::routing(std::uint8_t type, std::uint8_t segments_left,
                                      std::span<const std::uint8_t> data) {
    Bytes header{0, 0, type, segments_left};
    append(header, data);
    pad_to(header, 8);
    header[1] = static_cast<std::uint8_t>(header.size() / 8 - 1);
    add(Kind::routing, header);
    return *this;
}

PacketBuilder& PacketBuilder::routing(std::uint8_t type, std::uint8_t segments_left,
                                      std::initializer_list<std::string_view> addresses) {
    Bytes data{0, 0, 0, 0};
    if (type == 4 && addresses.size() != 0) {
        data[0] = static_cast<std::uint8_t>(addresses.size() - 1);
    }
    for (const std::string_view address : addresses) {
        append(data, ipv6_bytes(address));
    }
    return routing(type, segments_left, data);
}

PacketBuilder& PacketBuilder::fragment_header(std::uint32_t offset_bytes, bool more,
                                              std::uint32_t id) {
    Bytes header{0, 0};
    append16(header, (offset_bytes & 0xFFF8) | (more ? 1U : 0U));
    append32(header, id);
    add(Kind::fragment_header, header);
    return *this;
}

PacketBuilder& PacketBuilder::authentication(std::size_t icv_bytes) {
    Bytes header(12 + icv_bytes, 0);
    header[1] = static_cast<std::uint8_t>(header.size() / 4 - 2);
    header[7] = 1;   // SPI
    header[11] = 1;  // sequence
    add(Kind::authentication, header);
    return *this;
}

// --- tunnels

PacketBuilder& PacketBuilder::gre(const GreFields& fields) {
    Bytes header(4, 0);
    header[0] = static_cast<std::uint8_t>((fields.checksum ? 0x80 : 0) | (fields.key ? 0x20 : 0) |
                                          (fields.sequence ? 0x10 : 0));
    header[1] = static_cast<std::uint8_t>((fields.ack ? 0x80 : 0) | fields.version);
    if (fields.checksum) {
        append32(header, 0);
    }
    for (const auto& field : {fields.key, fields.sequence, fields.ack}) {
        if (field) {
            append32(header, *field);
        }
    }
    add(Kind::gre, header);
    return *this;
}

PacketBuilder& PacketBuilder::erspan1() {
    add(Kind::erspan1, {});
    return *this;
}

PacketBuilder& PacketBuilder::erspan2(std::uint16_t vlan, std::uint16_t session) {
    Bytes header;
    append16(header, 0x1000U | (vlan & 0xFFF));
    append16(header, session & 0x3FF);
    append32(header, 1);  // port index
    add(Kind::erspan2, header);
    return *this;
}

PacketBuilder& PacketBuilder::erspan3(std::uint16_t vlan, std::uint16_t session, bool subheader) {
    Bytes header;
    append16(header, 0x2000U | (vlan & 0xFFF));
    append16(header, session & 0x3FF);
    append32(header, 0x01020304);  // time stamp
    append32(header, subheader ? 1 : 0);
    if (subheader) {
        append32(header, 0);
        append32(header, 0);
    }
    add(Kind::erspan3, header);
    return *this;
}

PacketBuilder& PacketBuilder::udp(std::uint16_t source_port, std::uint16_t destination_port) {
    Bytes header;
    append16(header, source_port);
    append16(header, destination_port);
    append32(header, 0);
    add(Kind::udp, header);
    return *this;
}

PacketBuilder& PacketBuilder::vxlan(std::uint32_t vni) {
    udp(kTunnelSourcePort, 4789);
    Bytes header{0x08, 0, 0, 0};
    append32(header, vni << 8);
    add(Kind::vxlan, header);
    return *this;
}

PacketBuilder& PacketBuilder::vxlan_gpe(std::uint32_t vni) {
    udp(kTunnelSourcePort, 4790);
    Bytes header{0x0C, 0, 0, 0};
    append32(header, vni << 8);
    add(Kind::vxlan_gpe, header);
    return *this;
}

PacketBuilder& PacketBuilder::geneve(std::uint32_t vni, std::size_t option_words) {
    udp(kTunnelSourcePort, 6081);
    Bytes header{static_cast<std::uint8_t>(option_words), 0, 0, 0};
    append32(header, vni << 8);
    if (option_words != 0) {  // one option of class 0x0100, type 1
        append(header, Bytes{1, 0, 1, static_cast<std::uint8_t>(option_words - 1)});
        header.resize(8 + 4 * option_words, 0);
    }
    add(Kind::geneve, header);
    return *this;
}

PacketBuilder& PacketBuilder::gtpu(
    std::uint32_t teid, std::initializer_list<std::pair<std::uint8_t, std::size_t>> extensions,
    std::optional<std::uint16_t> sequence) {
    udp(kTunnelSourcePort, 2152);
    const bool extended = extensions.size() != 0;
    Bytes header{static_cast<std::uint8_t>(0x30 | (extended ? 4 : 0) | (sequence ? 2 : 0)), 0xFF};
    append16(header, 0);
    append32(header, teid);
    if (extended || sequence) {
        append16(header, sequence.value_or(0));
        append16(header, 0);  // N-PDU number, next extension type
    }
    for (const auto& [type, content_bytes] : extensions) {
        header.back() = type;
        const std::size_t words = (content_bytes + 2 + 3) / 4;
        header.push_back(static_cast<std::uint8_t>(words));
        header.resize(header.size() + 4 * words - 1, 0);
    }
    add(Kind::gtpu, header);
    return *this;
}

PacketBuilder& PacketBuilder::icmp_error(std::uint8_t type, std::uint8_t code,
                                         std::optional<std::size_t> quoted_bytes) {
    add(Kind::icmp, {type, code, 0, 0, 0, 0, 0, 0}).quoted_bytes = quoted_bytes;
    return *this;
}

PacketBuilder& PacketBuilder::icmpv6_error(std::uint8_t type, std::uint8_t code,
                                           std::optional<std::size_t> quoted_bytes) {
    add(Kind::icmpv6, {type, code, 0, 0, 0, 0, 0, 0}).quoted_bytes = quoted_bytes;
    return *this;
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
