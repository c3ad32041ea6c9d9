// SPDX-License-Identifier: BSD-3-Clause
// One's complement sums (RFC 1071) over what a TCP checksum covers, and how a checksum looks that
// the stack left to the network card.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/flow/key.hpp"

namespace tw::tcp {

// A sum of 16-bit words folded to 16 bits; big endian or not, as its words were.
[[nodiscard]] inline std::uint16_t folded(std::uint64_t sum) {
    sum = (sum & 0xFFFF'FFFFU) + (sum >> 32);
    sum = (sum & 0xFFFFU) + (sum >> 16);
    sum = (sum & 0xFFFFU) + (sum >> 16);
    return static_cast<std::uint16_t>((sum & 0xFFFFU) + (sum >> 16));
}

// Words as they lie in memory: the sum commutes with swapping the bytes of every word, so only the
// result has to be swapped. `bytes` is even.
[[nodiscard]] inline std::uint64_t sum_in_memory(const void* data, std::uint32_t bytes) {
    const auto* at = static_cast<const unsigned char*>(data);
    std::uint64_t sum = 0;
    for (; bytes >= 4; bytes -= 4, at += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, at, sizeof word);
        sum += word;
    }
    if (bytes != 0) {
        std::uint16_t word = 0;
        std::memcpy(&word, at, sizeof word);
        sum += word;
    }
    return sum;
}

[[nodiscard]] inline std::uint16_t in_host_order(std::uint16_t folded_in_memory) {
    return std::endian::native == std::endian::little ? __builtin_bswap16(folded_in_memory)
                                                      : folded_in_memory;
}

// Both addresses of a key, host order.
template <typename Key>
[[nodiscard]] std::uint16_t sum_of_addresses(const Key& key) {
    return in_host_order(folded(sum_in_memory(key.address, sizeof key.address)));
}

// A checksum before the network card has finished it: the sum of the pseudo header, not inverted,
// with the length of the TCP segment (Linux, BSD) or without, where the card cuts it into segments
// (Windows). One finished checksum in 2^15 looks so by accident.
[[nodiscard]] inline bool is_unfinished(std::uint16_t checksum, std::uint16_t addresses,
                                        std::uint32_t tcp_bytes) {
    constexpr std::uint32_t kTcp = 6;
    return checksum == folded(std::uint64_t{addresses} + kTcp + tcp_bytes) ||
           checksum == folded(std::uint64_t{addresses} + kTcp);
}

}  // namespace tw::tcp
