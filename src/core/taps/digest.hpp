// SPDX-License-Identifier: BSD-3-Clause
// The sum of a TCP payload without touching it: what is left of the checksum when pseudo header and
// TCP header are taken away (RFC 9293 3.1). It survives translated addresses, changed sequence
// numbers and options taken off, as long as whoever changed them kept the checksum right, and it
// changes when the payload does. 16 bits, blind to swapped 16-bit words: it raises a suspicion, or
// tells two packets apart; it does not prove that payloads are equal.
#pragma once

#include <cstdint>
#include <optional>

#include "core/decode/decoded.hpp"
#include "core/tcp/checksum.hpp"

namespace tw::taps {

// 0 and 0xffff are the same number modulo 0xffff: 0 stands for both. Nothing where the header was
// not captured whole, the payload's length is not known, or the checksum was left to the card.
[[nodiscard]] inline std::optional<std::uint16_t> payload_digest(const decode::Decoded& found) {
    constexpr std::uint32_t kTcp = 6;
    const decode::Segment& segment = found.segment;
    if (!segment.header_complete || !segment.payload_known) {
        return std::nullopt;
    }
    const std::uint32_t header_bytes = segment.data_words * 4U;
    const std::uint32_t tcp_bytes = header_bytes + segment.payload_bytes;
    const std::uint16_t addresses =
        found.v6 ? tcp::sum_of_addresses(found.key.v6_key) : tcp::sum_of_addresses(found.key.v4);
    if (segment.checksum == 0 || tcp::is_unfinished(segment.checksum, addresses, tcp_bytes)) {
        return std::nullopt;
    }
    // The header holds the checksum itself, so the whole sum is 0xffff, which is 0.
    const std::uint16_t header =
        tcp::in_host_order(tcp::folded(tcp::sum_in_memory(segment.header, header_bytes)));
    const std::uint16_t rest = tcp::folded(std::uint64_t{addresses} + header + kTcp + tcp_bytes);
    const auto digest = static_cast<std::uint16_t>(~rest);
    return digest == 0xFFFF ? std::uint16_t{0} : digest;
}

}  // namespace tw::taps
