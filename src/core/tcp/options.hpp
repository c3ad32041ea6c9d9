// SPDX-License-Identifier: BSD-3-Clause
// TCP options (RFC 9293 section 3.2): what tracking needs of them. Broken options end the walk.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "core/decode/decoded.hpp"

namespace tw::tcp {

struct SackBlock {
    std::uint32_t left = 0;
    std::uint32_t right = 0;  // one past the last
};

struct OptionFacts {
    std::int8_t window_scale = -1;  // -1 = absent; at most 14 (RFC 7323 section 2.3)
    // The options are cut short, or a SACK option without a whole block stands where tshark reads a
    // D-SACK (RFC 2883): it fails there, reads nothing of what follows and prints nothing.
    bool unreadable = false;
    bool has_timestamps = false;
    std::uint16_t mptcp_kinds = 0;  // subtypes of Multipath TCP options, one bit each (RFC 8684)
    std::uint8_t sack_count = 0;
    std::array<SackBlock, 4> sack{};
    std::uint32_t tsval = 0;
    std::uint32_t tsecr = 0;
};

// What nearly every data segment carries and no other option: NOP, NOP, timestamps (RFC 7323
// appendix A). Absent where the options are any others.
struct Timestamps {
    bool present = false;
    std::uint32_t value = 0;
    std::uint32_t echo = 0;
};
[[nodiscard]] inline Timestamps timestamps_alone(const decode::Segment& segment) {
    constexpr std::uint32_t kWords = 0x0101'080AU;
    constexpr std::uint8_t kHeaderWords = 8;  // with 12 bytes of options
    if (segment.data_words != kHeaderWords || !segment.header_complete) {
        return {};
    }
    std::uint32_t words[3];
    std::memcpy(words, segment.options, sizeof words);
    if (__builtin_bswap32(words[0]) != kWords) {
        return {};
    }
    return {true, __builtin_bswap32(words[1]), __builtin_bswap32(words[2])};
}

// segment.options_bytes must not be zero. `peer_base` is the initial sequence number of the side
// whose bytes are acknowledged, as far as known.
[[nodiscard]] OptionFacts read_options(const decode::Segment& segment, std::uint32_t peer_base);

}  // namespace tw::tcp
