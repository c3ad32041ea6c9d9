// SPDX-License-Identifier: BSD-3-Clause
// The bytes inside gzip data (RFC 1952), one or many members in a row, with their checksums
// checked.
#pragma once

#include <memory>
#include <span>

#include "capture/pcap/byte_supply.hpp"

namespace tw::pcap {

[[nodiscard]] bool is_gzip(std::span<const std::uint8_t> first_bytes);

// `first_bytes` were read from `stored` already and come before what it still holds.
[[nodiscard]] std::unique_ptr<ByteSupply> supply_from_gzip(
    std::unique_ptr<ByteSupply> stored, std::span<const std::uint8_t> first_bytes);

}  // namespace tw::pcap
