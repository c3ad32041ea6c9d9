// SPDX-License-Identifier: BSD-3-Clause
// What a NIC makes of a frame when it spreads: the fields that enter the hash, the Toeplitz hash
// over them, the entry of its redirection table. Bit by bit, so far too slow for every packet: for
// checks at start and of single frames while it runs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "capture/dpdk/rss.hpp"
#include "core/frame.hpp"

namespace tw::dpdk {

// Source address, destination address, source port, destination port, as on the wire; the ports
// only where they are hashed.
struct RssInput {
    std::array<std::uint8_t, 36> bytes{};
    std::uint8_t count = 0;
    std::uint8_t address_bytes = 4;  // or 16

    [[nodiscard]] std::span<const std::uint8_t> used() const { return {bytes.data(), count}; }
};

// Of a TCP segment directly in IPv4 or IPv6, with at most one VLAN tag: what every NIC parses the
// same way. Nothing for fragments, tunnels, extension headers, or where `types` hashes neither TCP
// nor its addresses.
[[nodiscard]] std::optional<RssInput> rss_input_of(const Frame& frame, std::uint64_t types);

// The same connection in the other direction.
[[nodiscard]] RssInput reversed(const RssInput& input);

// For each bit set in the input, the key's 32 bits from there on. The key has at least four bytes
// more than the input.
[[nodiscard]] std::uint32_t toeplitz_hash(std::span<const std::uint8_t> key,
                                          std::span<const std::uint8_t> input);

// One port as it was set up.
class RssModel {
  public:
    RssModel(RssHash hash, std::uint64_t types, std::vector<std::uint8_t> key,
             std::vector<std::uint16_t> table);

    [[nodiscard]] RssHash hash() const { return hash_; }
    [[nodiscard]] std::uint64_t types() const { return types_; }
    [[nodiscard]] std::uint32_t hash_of(const RssInput& input) const;
    [[nodiscard]] std::uint16_t queue_of_hash(std::uint32_t hash) const {
        return table_[hash & (table_.size() - 1)];
    }
    [[nodiscard]] std::uint16_t queue_of(const RssInput& input) const {
        return queue_of_hash(hash_of(input));
    }
    // Of made-up connections over IPv4 and IPv6: how many of kSamples have both directions on one
    // queue.
    static constexpr std::uint32_t kSamples = 256;
    [[nodiscard]] std::uint32_t samples_that_meet() const;

  private:
    RssHash hash_;
    std::uint64_t types_;
    std::vector<std::uint8_t> key_;
    std::vector<std::uint16_t> table_;  // a power of two
};

}  // namespace tw::dpdk
