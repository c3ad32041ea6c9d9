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
constexpr std::uint8_t kTimestamps = 8;
constexpr std::uint8_t kMptcp = 30;
constexpr std::uint8_t kMptcpKindMax = 7;  // tshark 4.0.17 knows no later ones
constexpr std::uint8_t kShiftMax = 14;
constexpr std::uint32_t kBlockBytes = 8;

std::uint32_t be32(const std::uint8_t* at) {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

void read_sack(const std::uint8_t* option, OptionFacts& facts) {
    for (std::uint32_t at = 2;
         at + kBlockBytes <= option[1] && facts.sack_count < facts.sack.size(); at += kBlockBytes) {
        facts.sack[facts.sack_count++] = {be32(option + at), be32(option + at + 4)};
    }
}

void read_timestamps(const std::uint8_t* option, OptionFacts& facts) {
    facts.has_timestamps = true;
    facts.tsval = be32(option + 2);
    facts.tsecr = be32(option + 6);
}

// How tshark 4.0.17 tells a D-SACK (RFC 2883 section 4) from the blocks of this header so far: the
// first ends at or before the ACK, or ends inside the second. Found by experiment; an ACK number
// without its flag stays absolute there, edges are relative.
bool shows_duplicate(const OptionFacts& facts, const decode::Segment& segment,
                     std::uint32_t peer_base) {
    const bool acknowledges = (segment.flags & decode::tcp_flag::kAck) != 0;
    const std::uint32_t ack = acknowledges ? segment.ack - peer_base : segment.ack;
    if (facts.sack_count == 0) {
        return at_or_before(0, ack);
    }
    const SackBlock& first = facts.sack[0];
    const SackBlock& second = facts.sack[1];
    return at_or_before(first.right - peer_base, ack) ||
           (facts.sack_count > 1 && at_or_before(first.right, second.right) &&
            after(first.right, second.left));
}

// An option of one fixed length is skipped unread if its length is another.
bool has_wrong_length(const std::uint8_t* option) {
    switch (option[0]) {
        case 2:   // maximum segment size
        case 20:  // SCPS capabilities
        case 28:  // user time-out
            return option[1] != 4;
        case kWindowScale:
            return option[1] != 3;
        case 4:  // SACK permitted
            return option[1] != 2;
        case 6:  // echo, echo reply, connection count, new, echo
        case 7:
        case 11:
        case 12:
        case 13:
            return option[1] != 6;
        case kTimestamps:
            return option[1] != 10;
        case 19:  // MD5 signature
            return option[1] != 18;
        default:
            return false;
    }
}

// `option` is whole and lies within the header.
void read_option(const std::uint8_t* option, const decode::Segment& segment,
                 std::uint32_t peer_base, OptionFacts& facts) {
    if (option[0] == kWindowScale) {
        facts.window_scale = static_cast<std::int8_t>(std::min<std::uint8_t>(option[2], kShiftMax));
    } else if (option[0] == kSack) {
        read_sack(option, facts);
        facts.unreadable = option[1] < 2 + kBlockBytes && !segment.quoted &&
                           shows_duplicate(facts, segment, peer_base);
    } else if (option[0] == kTimestamps) {
        read_timestamps(option, facts);
    } else if (option[0] == kMptcp && option[1] >= 3 && option[2] >> 4 <= kMptcpKindMax) {
        facts.mptcp_kinds = static_cast<std::uint16_t>(facts.mptcp_kinds | 1U << (option[2] >> 4));
    }
}

}  // namespace

OptionFacts read_options(const decode::Segment& segment, std::uint32_t peer_base) {
    OptionFacts facts;
    const bool whole = segment.header_complete;
    const std::uint8_t* const bytes = segment.options;
    // By the data offset; at `available` the capture or the IP packet ends.
    const std::uint32_t end = segment.data_words * 4U - 20U;
    const std::uint32_t available = segment.options_bytes;
    if (const Timestamps times = timestamps_alone(segment); times.present) {
        facts.has_timestamps = true;
        facts.tsval = times.value;
        facts.tsecr = times.echo;
        return facts;
    }
    std::uint32_t at = 0;
    while (at < end && !facts.unreadable) {
        const std::uint8_t* const option = bytes + std::min(at, available);
        if (at >= available) {
            facts.unreadable = true;
        } else if (option[0] == kEnd) {
            facts.unreadable = !whole;  // the padding is read too
            break;
        } else if (option[0] == kNop) {
            ++at;
        } else if (end - at < 2) {
            break;
        } else if (available - at < 2) {
            facts.unreadable = true;
        } else if (option[1] < 2) {
            break;
        } else if (option[1] > end - at) {
            facts.unreadable = end - available > 2;  // by experiment: two bytes less are read
            break;
        } else if (has_wrong_length(option)) {
            at += option[1];
        } else if (option[1] > available - at) {
            // In a quoted header tshark survives a cut option and goes on behind it.
            facts.unreadable = !segment.quoted;
            at += option[1];
        } else {
            read_option(option, segment, peer_base, facts);
            at += option[1];
        }
    }
    return facts;
}

}  // namespace tw::tcp
