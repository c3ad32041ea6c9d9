// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/options.hpp"

#include <algorithm>
#include <cstring>

namespace tw::tcp {
namespace {

constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kNop = 1;
constexpr std::uint8_t kWindowScale = 3;
constexpr std::uint8_t kSack = 5;
constexpr std::uint8_t kMptcp = 30;
constexpr std::uint8_t kShiftMax = 14;
constexpr std::uint32_t kBlockBytes = 8;

std::uint32_t be32(const std::uint8_t* at) {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

void read_sack(const std::uint8_t* option, std::uint32_t length, OptionFacts& facts) {
    facts.sack_without_block = length < 2 + kBlockBytes;
    facts.sack_count = 0;
    for (std::uint32_t at = 2; at + kBlockBytes <= length && facts.sack_count < facts.sack.size();
         at += kBlockBytes) {
        facts.sack[facts.sack_count++] = {be32(option + at), be32(option + at + 4)};
    }
}

}  // namespace

OptionFacts read_options(const decode::Segment& segment) {
    OptionFacts facts;
    const std::uint8_t* at = segment.options;
    const std::uint8_t* const end = at + segment.options_bytes;
    // What nearly every data segment carries: NOP, NOP, timestamps (RFC 7323 appendix A).
    constexpr std::uint32_t kTimestampsAlone = 0x0101'080AU;
    if (segment.options_bytes == 12 && be32(at) == kTimestampsAlone) {
        return facts;
    }
    while (at < end && *at != kEnd) {
        if (*at == kNop) {
            ++at;
            continue;
        }
        if (end - at < 2 || at[1] < 2 || at[1] > end - at) {
            break;
        }
        if (*at == kWindowScale && at[1] == 3) {
            facts.window_scale = static_cast<std::int8_t>(std::min<std::uint8_t>(at[2], kShiftMax));
        } else if (*at == kSack) {
            read_sack(at, at[1], facts);
        } else if (*at == kMptcp && at[1] >= 3) {
            facts.mptcp_kinds = static_cast<std::uint16_t>(facts.mptcp_kinds | 1U << (at[2] >> 4));
        }
        at += at[1];
    }
    return facts;
}

}  // namespace tw::tcp
