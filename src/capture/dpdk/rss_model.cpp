// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/rss_model.hpp"

#include <rte_ethdev.h>

#include <algorithm>
#include <bit>

#include "base/byte_reader.hpp"
#include "base/check.hpp"

namespace tw::dpdk {
namespace {

constexpr std::uint16_t kEtherIpv4 = 0x0800;
constexpr std::uint16_t kEtherIpv6 = 0x86DD;
constexpr std::uint16_t kEtherVlan = 0x8100;
constexpr std::uint8_t kProtocolTcp = 6;
constexpr std::uint32_t kPortsBytes = 4;

void append(RssInput& input, const ByteReader& reader, std::uint32_t offset, std::uint8_t count) {
    const std::uint8_t* from = reader.bytes(offset, count);
    std::copy(from, from + count, input.bytes.begin() + input.count);
    input.count = static_cast<std::uint8_t>(input.count + count);
}

[[nodiscard]] bool has_any(std::uint64_t types, std::uint64_t any) {
    return (types & any) != 0;
}

[[nodiscard]] std::optional<RssInput> ipv4_input(ByteReader reader, std::uint64_t types) {
    constexpr std::uint32_t kHeaderMin = 20;
    constexpr std::uint16_t kFragmented = 0x3FFF;  // more fragments, or not at the start
    if (!reader.has(kHeaderMin) || reader.u8(0) >> 4 != 4 || reader.u8(9) != kProtocolTcp ||
        (reader.be16(6) & kFragmented) != 0) {
        return {};
    }
    const bool ports = has_any(types, RTE_ETH_RSS_NONFRAG_IPV4_TCP);
    const std::uint32_t header = (reader.u8(0) & 0x0FU) * 4U;
    if ((!ports && !has_any(types, RTE_ETH_RSS_IPV4)) || header < kHeaderMin ||
        !reader.has(header + kPortsBytes)) {
        return {};
    }
    RssInput input;
    append(input, reader, 12, 8);
    if (ports) {
        append(input, reader, header, kPortsBytes);
    }
    return input;
}

[[nodiscard]] std::optional<RssInput> ipv6_input(ByteReader reader, std::uint64_t types) {
    constexpr std::uint32_t kHeader = 40;
    if (!reader.has(kHeader + kPortsBytes) || reader.u8(0) >> 4 != 6 ||
        reader.u8(6) != kProtocolTcp) {
        return {};
    }
    const bool ports = has_any(types, RTE_ETH_RSS_NONFRAG_IPV6_TCP);
    if (!ports && !has_any(types, RTE_ETH_RSS_IPV6)) {
        return {};
    }
    RssInput input;
    input.address_bytes = 16;
    append(input, reader, 8, 32);
    if (ports) {
        append(input, reader, kHeader, kPortsBytes);
    }
    return input;
}

// "src, dst will be replaced by xor(src, dst)" (rte_flow.h).
[[nodiscard]] RssInput folded(const RssInput& input) {
    const RssInput other = reversed(input);
    RssInput both = input;
    for (std::size_t i = 0; i < input.count; ++i) {
        both.bytes[i] = static_cast<std::uint8_t>(input.bytes[i] ^ other.bytes[i]);
    }
    return both;
}

}  // namespace

std::optional<RssInput> rss_input_of(const Frame& frame, std::uint64_t types) {
    constexpr std::uint32_t kEthernet = 14;
    constexpr std::uint32_t kVlan = 4;
    ByteReader reader(frame.data, frame.captured_bytes, frame.wire_bytes);
    if (frame.link != LinkType::ethernet || !reader.has(kEthernet + kVlan)) {
        return {};
    }
    std::uint16_t type = reader.be16(12);
    reader.skip(kEthernet);
    if (type == kEtherVlan) {
        type = reader.be16(2);
        reader.skip(kVlan);
    }
    return type == kEtherIpv4   ? ipv4_input(reader, types)
           : type == kEtherIpv6 ? ipv6_input(reader, types)
                                : std::nullopt;
}

RssInput reversed(const RssInput& input) {
    RssInput other = input;
    const auto begin = other.bytes.begin();
    std::swap_ranges(begin, begin + input.address_bytes, begin + input.address_bytes);
    const auto ports = begin + 2 * input.address_bytes;
    if (input.count > 2 * input.address_bytes) {
        std::swap_ranges(ports, ports + 2, ports + 2);
    }
    return other;
}

std::uint32_t toeplitz_hash(std::span<const std::uint8_t> key,
                            std::span<const std::uint8_t> input) {
    TW_CHECK(key.size() >= input.size() + 4);
    std::uint32_t hash = 0;
    std::uint32_t window = 0;  // the key's 32 bits from the input's bit on
    for (std::size_t i = 0; i < 4; ++i) {
        window = window << 8 | key[i];
    }
    for (std::size_t i = 0; i < input.size(); ++i) {
        for (int bit = 7; bit >= 0; --bit) {
            if ((input[i] >> bit & 1) != 0) {
                hash ^= window;
            }
            window = window << 1 | (key[i + 4] >> bit & 1U);
        }
    }
    return hash;
}

RssModel::RssModel(RssHash hash, std::uint64_t types, std::vector<std::uint8_t> key,
                   std::vector<std::uint16_t> table)
    : hash_(hash), types_(types), key_(std::move(key)), table_(std::move(table)) {
    TW_CHECK(std::has_single_bit(table_.size()));
    // A key shorter than what is hashed would be continued with zeros.
    key_.resize(std::max(key_.size(), RssInput{}.bytes.size() + 4));
}

std::uint32_t RssModel::hash_of(const RssInput& input) const {
    return toeplitz_hash(
        key_, hash_ == RssHash::symmetric_toeplitz ? folded(input).used() : input.used());
}

std::uint32_t RssModel::samples_that_meet() const {
    std::uint32_t meet = 0;
    std::uint64_t random = 0x9E37'79B9'7F4A'7C15;  // any; splitmix64 below spreads it
    for (std::uint32_t i = 0; i < kSamples; ++i) {
        RssInput input;
        input.address_bytes = i % 2 == 0 ? 4 : 16;
        const bool ports = has_any(
            types_, i % 2 == 0 ? RTE_ETH_RSS_NONFRAG_IPV4_TCP : RTE_ETH_RSS_NONFRAG_IPV6_TCP);
        input.count = static_cast<std::uint8_t>(2 * input.address_bytes + (ports ? 4 : 0));
        for (std::size_t at = 0; at < input.count; ++at) {
            random += 0x9E37'79B9'7F4A'7C15;
            std::uint64_t mixed = (random ^ random >> 30) * 0xBF58'476D'1CE4'E5B9;
            mixed = (mixed ^ mixed >> 27) * 0x94D0'49BB'1331'11EB;
            input.bytes[at] = static_cast<std::uint8_t>(mixed >> 56);
        }
        meet += queue_of(input) == queue_of(reversed(input)) ? 1U : 0U;
    }
    return meet;
}

}  // namespace tw::dpdk
