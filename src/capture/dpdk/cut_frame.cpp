// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/cut_frame.hpp"

#include <algorithm>
#include <optional>

namespace tw::dpdk {
namespace {

constexpr std::uint32_t kVlanTagsMax = 4;

[[nodiscard]] std::optional<std::uint16_t> be16(const Frame& frame, std::uint32_t offset) {
    if (offset + 2 > frame.captured_bytes) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(frame.data[offset] << 8 | frame.data[offset + 1]);
}

[[nodiscard]] bool announces_ip(std::optional<std::uint16_t> type) {
    return type == 0x0800 || type == 0x86DD;
}

// Where the IP header begins.
[[nodiscard]] std::optional<std::uint32_t> ip_offset(const Frame& frame) {
    constexpr std::uint32_t kEthernetBytes = 14;
    std::uint32_t offset = 0;
    std::optional<std::uint16_t> type;
    switch (frame.link) {
        case LinkType::ethernet:
            offset = kEthernetBytes;
            type = be16(frame, offset - 2);
            for (std::uint32_t i = 0; i < kVlanTagsMax; ++i) {
                if (type == 0x8100 || type == 0x88A8 || type == 0x9100) {
                    offset += 4;
                    type = be16(frame, offset - 2);
                }
            }
            break;
        case LinkType::linux_sll:
            offset = 16;
            type = be16(frame, 14);
            break;
        case LinkType::linux_sll2:
            offset = 20;
            type = be16(frame, 0);
            break;
        case LinkType::bsd_null:
        case LinkType::bsd_loop:
            return 4;
        case LinkType::raw_ip:
            return 0;
        case LinkType::unsupported:
            return std::nullopt;
    }
    return announces_ip(type) ? std::optional(offset) : std::nullopt;
}

}  // namespace

std::uint32_t wire_bytes_of_cut(const Frame& frame) {
    constexpr std::uint32_t kIpv6Bytes = 40;
    const auto offset = ip_offset(frame);
    if (!offset || *offset >= frame.captured_bytes) {
        return frame.captured_bytes;
    }
    std::uint32_t ip_bytes = 0;
    if (frame.data[*offset] >> 4 == 4) {
        ip_bytes = be16(frame, *offset + 2).value_or(0);
    } else if (frame.data[*offset] >> 4 == 6) {
        ip_bytes = kIpv6Bytes + be16(frame, *offset + 4).value_or(0);
    }
    return std::max(frame.captured_bytes, *offset + ip_bytes);
}

}  // namespace tw::dpdk
