// SPDX-License-Identifier: BSD-3-Clause
// PacketBuilder: IPv6 extension headers and tunnels.
#include "support/packet_builder.hpp"
#include "support/packet_bytes.hpp"

namespace tw::test {

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

}  // namespace tw::test
