// SPDX-License-Identifier: BSD-3-Clause
// Where the bytes of a capture file come from: a file descriptor, memory, or one of these through
// gzip. Chosen when the file is opened; one virtual call per buffer, never per packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"

namespace tw::pcap {

class ByteSupply {
  public:
    virtual ~ByteSupply() = default;

    // Fills some of `room` (not empty) and returns how much; 0 at the end. Waits for at least one
    // byte. The error says what went wrong, without the path.
    [[nodiscard]] virtual std::expected<std::size_t, std::string> read(
        std::span<std::uint8_t> room) = 0;

    // As stored: compressed bytes for gzip. A total of 0 is unknown.
    [[nodiscard]] virtual std::uint64_t stored_bytes_read() const = 0;
    [[nodiscard]] virtual std::uint64_t stored_bytes_total() const = 0;
};

// "-" is standard input. Refuses directories and what cannot be opened.
[[nodiscard]] std::expected<std::unique_ptr<ByteSupply>, Error> open_file(const std::string& path);

// `bytes` must outlive the supply.
[[nodiscard]] std::unique_ptr<ByteSupply> supply_from_memory(std::span<const std::uint8_t> bytes);

}  // namespace tw::pcap
