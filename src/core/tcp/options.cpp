// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/options.hpp"

#include <algorithm>
#include <cstring>

#include "base/sequence.hpp"

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

// A first block that ends at or before the ACK number makes tshark look at a second one; where the
// option holds no block at all it reads beyond its end and gives up on the packet. The first block
// is that of the whole packet, ending at zero where there is none; numbers are relative, the ACK's
// only with its flag (measured on 4.0.17).
bool fails_in_sack(const decode::Segment& segment, std::uint32_t peer_base,
                   const OptionFacts& facts) {
    const bool relative = (segment.flags & decode::tcp_flag::kAck) != 0;
    const std::uint32_t ack = segment.ack - (relative ? peer_base : 0);
    const std::uint32_t right = facts.sack_count == 0 ? 0 : facts.sack[0].right - peer_base;
    return at_or_before(right, ack);
}

void read_sack(const std::uint8_t* option, std::uint32_t length, OptionFacts& facts) {
    for (std::uint32_t at = 2; at + kBlockBytes <= length && facts.sack_count < facts.sack.size();
         at += kBlockBytes) {
        facts.sack[facts.sack_count++] = {be32(option + at), be32(option + at + 4)};
    }
}

}  // namespace

OptionFacts read_options(const decode::Segment& segment, std::uint32_t peer_base) {
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
            if (at[1] < 2 + kBlockBytes && fails_in_sack(segment, peer_base, facts)) {
                facts.unreadable = true;
                break;
            }
            read_sack(at, at[1], facts);
        } else if (*at == kMptcp && at[1] >= 3) {
            facts.mptcp_kinds = static_cast<std::uint16_t>(facts.mptcp_kinds | 1U << (at[2] >> 4));
        }
        at += at[1];
    }
    return facts;
}

}  // namespace tw::tcp
