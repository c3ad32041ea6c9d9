// SPDX-License-Identifier: BSD-3-Clause
// PacketBuilder::build: what depends on the layers around a header, from the innermost outwards, so
// that an outer length or checksum covers finished inner headers.
#include <array>
#include <stdexcept>

#include "support/packet_builder.hpp"
#include "support/packet_bytes.hpp"

namespace tw::test {
std::size_t PacketBuilder::layer_bytes(std::size_t index) const {
    const std::size_t end = index + 1 < layers_.size() ? layers_[index + 1].offset : bytes_.size();
    return end - layers_[index].offset;
}

// The row of `kind`, in the order of the enumeration.
const PacketBuilder::KindInfo& PacketBuilder::info(Kind kind) {
    static constexpr KindInfo kTable[] = {
        {.kind = Kind::ethernet, .ether_type = 0x6558, .ip_protocol = 143, .type_offset = 12},
        {.kind = Kind::vlan, .type_offset = 2},  // EtherType: the tag's own TPID
        {.kind = Kind::llc_snap, .type_offset = 6},
        {.kind = Kind::mpls, .ether_type = 0x8847, .ip_protocol = 137},
        {.kind = Kind::control_word},
        {.kind = Kind::pppoe, .ether_type = 0x8864},
        {.kind = Kind::linux_sll, .type_offset = 14},
        {.kind = Kind::linux_sll2, .type_offset = 0},
        {.kind = Kind::bsd_null},
        {.kind = Kind::ipv4,
         .ether_type = 0x0800,
         .ip_protocol = 4,
         .next_offset = 9,
         .checksum_offset = 10},
        {.kind = Kind::ipv6, .ether_type = 0x86DD, .ip_protocol = 41, .next_offset = 6},
        {.kind = Kind::hop_by_hop, .ip_protocol = 0, .next_offset = 0},
        {.kind = Kind::destination_options, .ip_protocol = 60, .next_offset = 0},
        {.kind = Kind::routing, .ip_protocol = 43, .next_offset = 0},
        {.kind = Kind::fragment_header, .ip_protocol = 44, .next_offset = 0},
        {.kind = Kind::authentication, .ip_protocol = 51, .next_offset = 0},
        {.kind = Kind::gre, .ip_protocol = 47, .type_offset = 2},
        {.kind = Kind::erspan1, .ether_type = 0x88BE},
        {.kind = Kind::erspan2, .ether_type = 0x88BE},
        {.kind = Kind::erspan3, .ether_type = 0x22EB},
        {.kind = Kind::udp, .ip_protocol = 17, .checksum_offset = 6, .addresses_in_checksum = true},
        {.kind = Kind::vxlan},
        {.kind = Kind::vxlan_gpe},
        {.kind = Kind::geneve, .type_offset = 2},
        {.kind = Kind::gtpu},
        {.kind = Kind::icmp, .ip_protocol = 1, .checksum_offset = 2},
        {.kind = Kind::icmpv6,
         .ip_protocol = 58,
         .checksum_offset = 2,
         .addresses_in_checksum = true},
        {.kind = Kind::tcp, .ip_protocol = 6, .checksum_offset = 16, .addresses_in_checksum = true},
        {.kind = Kind::raw},
    };
    static_assert(std::size(kTable) == static_cast<std::size_t>(Kind::raw) + 1);
    const KindInfo& row = kTable[static_cast<std::size_t>(kind)];
    if (row.kind != kind) {
        throw std::logic_error("PacketBuilder: table out of order");
    }
    return row;
}

// Writes into header `index` what announces the header after it.
void PacketBuilder::link_to_next(Bytes& frame, std::size_t index, std::size_t end) const {
    std::uint8_t* header = frame.data() + layers_[index].offset;
    const Layer& next = layers_[index + 1];
    const Layer& layer = layers_[index];
    const std::uint16_t ether_type =
        next.kind == Kind::vlan ? next.detail : info(next.kind).ether_type;
    if (info(layer.kind).type_offset >= 0) {
        // IEEE 802.3: where LLC follows, the field is a length.
        put16(header + info(layer.kind).type_offset,
              next.kind == Kind::llc_snap ? end - next.offset : ether_type);
    }
    if (info(layer.kind).next_offset >= 0) {
        header[info(layer.kind).next_offset] = info(next.kind).ip_protocol;
    }
    if (layer.kind == Kind::mpls && next.kind != Kind::mpls) {
        header[2] |= 1;  // bottom of the stack
    } else if (layer.kind == Kind::pppoe) {
        put16(header + 6, next.kind == Kind::ipv4   ? 0x0021
                          : next.kind == Kind::ipv6 ? 0x0057
                                                    : 0x0281);
    } else if (layer.kind == Kind::bsd_null) {
        header[layer.detail != 0 ? 3 : 0] = next.kind == Kind::ipv6 ? 30 : 2;
    } else if (layer.kind == Kind::vxlan_gpe) {
        header[3] = next.kind == Kind::ipv4 ? 1 : next.kind == Kind::ipv6 ? 2 : 3;
    }
}

void PacketBuilder::fill_lengths(Bytes& frame, std::size_t index, std::size_t end) const {
    const Layer& layer = layers_[index];
    std::uint8_t* header = frame.data() + layer.offset;
    const std::size_t bytes = end - layer.offset;
    if (layer.kind == Kind::pppoe) {
        put16(header + 4, bytes - 6);
    } else if (layer.kind == Kind::ipv4) {
        put16(header + 2, bytes);
    } else if (layer.kind == Kind::ipv6) {
        const bool jumbo = index + 1 < layers_.size() && is_jumbo(layers_[index + 1]);
        put16(header + 4, jumbo ? 0 : bytes - 40);
    } else if (is_jumbo(layer)) {
        put32(header + 4, bytes);
    } else if (layer.kind == Kind::udp) {
        put16(header + 4, bytes);
    } else if (layer.kind == Kind::gtpu) {
        put16(header + 2, bytes - 8);
    } else if (layer.kind == Kind::tcp) {
        header[12] = static_cast<std::uint8_t>((layer_bytes(index) + 3) / 4 << 4);
    }
}

void PacketBuilder::fill_checksum(Bytes& frame, std::size_t index, std::size_t end) const {
    const Layer& layer = layers_[index];
    std::size_t at = info(layer.kind).checksum_offset;
    if (layer.kind == Kind::gre && (frame[layer.offset] & 0x80) != 0) {
        at = 4;
    }
    if (at == 0) {
        return;
    }
    for (const Patch& patch : layer.patches) {
        if (patch.offset < at + 2 && at < patch.offset + patch.width) {
            return;  // overruled
        }
    }
    std::uint8_t* header = frame.data() + layer.offset;
    const std::size_t covered = layer.kind == Kind::ipv4 ? layer_bytes(index) : end - layer.offset;
    put16(header + at, 0);
    std::uint16_t checksum = internet_checksum(
        {header, covered},
        info(layer.kind).addresses_in_checksum ? pseudo_header_sum(frame, index, end) : 0);
    if (layer.kind == Kind::udp && checksum == 0) {
        checksum = 0xFFFF;
    }
    put16(header + at, checksum);
}

// Addresses are those of the nearest IP header, also where a routing header names another end.
std::uint32_t PacketBuilder::pseudo_header_sum(const Bytes& frame, std::size_t index,
                                               std::size_t end) const {
    for (std::size_t i = index; i-- > 0;) {
        const Layer& layer = layers_[i];
        if (layer.kind == Kind::ipv4 || layer.kind == Kind::ipv6) {
            const std::uint8_t* header = frame.data() + layer.offset;
            const std::span<const std::uint8_t> addresses =
                layer.kind == Kind::ipv4 ? std::span(header + 12, 8) : std::span(header + 8, 32);
            std::array<std::uint8_t, 8> rest{};
            put32(rest.data(), end - layers_[index].offset);
            rest[7] = info(layers_[index].kind).ip_protocol;
            const auto sum = static_cast<std::uint16_t>(~internet_checksum(addresses));
            return static_cast<std::uint16_t>(~internet_checksum(rest, sum));
        }
    }
    return 0;
}

Bytes PacketBuilder::build() const {
    Bytes frame = bytes_;
    if (!layers_.empty() && layers_.back().kind == Kind::tcp) {
        while ((frame.size() - layers_.back().offset) % 4 != 0) {
            frame.push_back(0);
        }
    }
    frame.insert(frame.end(), payload_.begin(), payload_.end());
    for (std::size_t index = layers_.size(); index-- > 0;) {
        const Layer& layer = layers_[index];
        if (layer.quoted_bytes && layer.offset + 8 + *layer.quoted_bytes < frame.size()) {
            frame.resize(layer.offset + 8 + *layer.quoted_bytes);
        }
        const std::size_t end = frame.size();
        if (index + 1 < layers_.size()) {
            link_to_next(frame, index, end);
        } else if (layer.kind == Kind::mpls) {
            frame[layer.offset + 2] |= 1;  // bottom of the stack
        }
        fill_lengths(frame, index, end);
        for (const Patch& patch : layer.patches) {
            if (layer.offset + patch.offset + patch.width > end) {
                throw std::logic_error("PacketBuilder: override beyond the frame");
            }
            for (std::size_t i = 0; i < patch.width; ++i) {
                frame[layer.offset + patch.offset + i] =
                    static_cast<std::uint8_t>(patch.value >> 8 * (patch.width - 1 - i));
            }
        }
        fill_checksum(frame, index, end);
    }
    frame.resize(frame.size() + padding_, 0);
    return frame;
}

}  // namespace tw::test
