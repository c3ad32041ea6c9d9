// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/tuple_hash.hpp"

#include <array>
#include <vector>

namespace tw::firewall {
namespace {

// The verification key of Microsoft's receive-side scaling, which many drivers keep as default.
constexpr std::array<std::uint8_t, 40> kDefaultKey{
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

std::size_t address_bytes(const flow::Endpoint& end) {
    return end.v6 ? 16 : 4;
}

void append_port(std::vector<std::uint8_t>& bytes, std::uint16_t port) {
    bytes.push_back(static_cast<std::uint8_t>(port >> 8U));
    bytes.push_back(static_cast<std::uint8_t>(port & 0xFFU));
}

std::uint32_t toeplitz_of(std::span<const std::uint8_t> bytes) {
    std::uint32_t result = 0;
    std::uint32_t window = std::uint32_t{kDefaultKey[0]} << 24U |
                           std::uint32_t{kDefaultKey[1]} << 16U |
                           std::uint32_t{kDefaultKey[2]} << 8U | kDefaultKey[3];
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint32_t next = kDefaultKey[(i + 4) % kDefaultKey.size()];
        for (unsigned bit = 0; bit < 8; ++bit) {
            result ^= (bytes[i] >> (7 - bit) & 1U) != 0 ? window : 0;
            window = window << 1U | (next >> (7 - bit) & 1U);
        }
    }
    return result;
}

std::uint32_t toeplitz(const flow::Endpoint& client, const flow::Endpoint& server) {
    std::vector<std::uint8_t> bytes;
    for (const flow::Endpoint* end : {&client, &server}) {
        bytes.insert(bytes.end(), end->address.begin(),
                     end->address.begin() + static_cast<std::ptrdiff_t>(address_bytes(*end)));
    }
    append_port(bytes, client.port);
    append_port(bytes, server.port);
    return toeplitz_of(bytes);
}

// Addresses and ports folded by exclusive or: the same for both directions.
std::uint32_t folded(const flow::Endpoint& client, const flow::Endpoint& server) {
    std::uint32_t result = std::uint32_t{client.port} ^ server.port;
    for (const flow::Endpoint* end : {&client, &server}) {
        for (std::size_t i = 0; i < address_bytes(*end); ++i) {
            result ^= std::uint32_t{end->address[i]} << (8 * (3 - i % 4));
        }
    }
    return result;
}

std::uint32_t ports(const flow::Endpoint& client, const flow::Endpoint& server) {
    return std::uint32_t{client.port} ^ server.port;
}

constexpr std::array<TupleHash, 3> kHashes{{
    {"receive-side scaling with the default key", toeplitz},
    {"exclusive or of addresses and ports", folded},
    {"exclusive or of the ports", ports},
}};

}  // namespace

std::span<const TupleHash> tuple_hashes() {
    return kHashes;
}

}  // namespace tw::firewall
