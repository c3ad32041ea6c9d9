// SPDX-License-Identifier: BSD-3-Clause
// The identity of a TCP connection: unordered pair of endpoints, both directions give the same key.
// Side 0 is the endpoint with the lower address (compared as bytes), then the lower port.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tw::flow {

using AddressV4 = std::array<std::uint8_t, 4>;
using AddressV6 = std::array<std::uint8_t, 16>;

// Key bytes are hashed and compared as a whole, so no member may have padding. Ports are host
// order.
struct KeyV4 {
    AddressV4 address[2];
    std::uint16_t port[2];
    std::uint32_t
        scope;  // 0, or the VLAN / tunnel id where the tap's options make it part of the key
    friend bool operator==(const KeyV4&, const KeyV4&) = default;
};
static_assert(sizeof(KeyV4) == 16);

struct KeyV6 {
    AddressV6 address[2];
    std::uint16_t port[2];
    std::uint32_t scope;
    friend bool operator==(const KeyV6&, const KeyV6&) = default;
};
static_assert(sizeof(KeyV6) == 40);

// One endpoint as output needs it; IPv4 addresses use the first four bytes, the others are zero.
struct Endpoint {
    AddressV6 address{};
    std::uint16_t port = 0;
    bool v6 = false;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

[[nodiscard]] inline bool same_host(const Endpoint& one, const Endpoint& other) {
    return one.v6 == other.v6 && one.address == other.address;
}

// One side of a key.
template <typename Key>
[[nodiscard]] Endpoint endpoint_of(const Key& key, std::uint8_t side) {
    Endpoint end{.port = key.port[side], .v6 = sizeof key.address[side] == sizeof(AddressV6)};
    std::memcpy(end.address.data(), key.address[side].data(), sizeof key.address[side]);
    return end;
}

// True if the first endpoint lies behind the second. Which way round is a coin toss for a branch
// predictor, so this is arithmetic: a mispredicted branch per packet was a third of decoding.
[[nodiscard]] inline bool behind(const AddressV4& address, std::uint16_t port,
                                 const AddressV4& other, std::uint16_t other_port) {
    const auto rank = [](const AddressV4& a, std::uint16_t p) {
        std::uint32_t value = 0;
        std::memcpy(&value, a.data(), sizeof value);
        if constexpr (std::endian::native == std::endian::little) {
            value = __builtin_bswap32(value);
        }
        return std::uint64_t{value} << 16 | p;
    };
    return rank(address, port) > rank(other, other_port);
}

[[nodiscard]] inline bool behind(const AddressV6& address, std::uint16_t port,
                                 const AddressV6& other, std::uint16_t other_port) {
    const auto half = [](const AddressV6& a, std::size_t offset) {
        std::uint64_t value = 0;
        std::memcpy(&value, a.data() + offset, sizeof value);
        return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
    };
    const std::uint64_t high = half(address, 0);
    const std::uint64_t low = half(address, 8);
    const std::uint64_t other_high = half(other, 0);
    const std::uint64_t other_low = half(other, 8);
    const unsigned low_behind =
        static_cast<unsigned>(low > other_low) |
        (static_cast<unsigned>(low == other_low) & static_cast<unsigned>(port > other_port));
    return (static_cast<unsigned>(high > other_high) |
            (static_cast<unsigned>(high == other_high) & low_behind)) != 0;
}

// Fills `key` in canonical order and returns the side (0 or 1) that `source` became.
template <typename Key, typename Address>
inline std::uint8_t canonical_key(const Address& source, std::uint16_t source_port,
                                  const Address& destination, std::uint16_t destination_port,
                                  std::uint32_t scope, Key& key) {
    const std::uint8_t side = behind(source, source_port, destination, destination_port) ? 1 : 0;
    key.address[side] = source;
    key.address[side ^ 1] = destination;
    key.port[side] = source_port;
    key.port[side ^ 1] = destination_port;
    key.scope = scope;
    return side;
}

}  // namespace tw::flow
