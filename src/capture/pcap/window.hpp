// SPDX-License-Identifier: BSD-3-Clause
// The part of a capture file that is in memory: one buffer that a format parses in place and that
// is refilled by large reads. Bytes stay where they are until the next fill().
//
//   buffer: [ parsed | bytes() ........ | free ]
//           fill() moves bytes() to the front, then reads into what is free
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "capture/pcap/byte_supply.hpp"

namespace tw::pcap {

class Window {
  public:
    // `first_bytes` were read from `supply` already.
    Window(std::unique_ptr<ByteSupply> supply, std::span<const std::uint8_t> first_bytes);

    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return {buffer_.get() + begin_, end_ - begin_};
    }
    void consume(std::size_t count) { begin_ += count; }

    // Reads until bytes() holds at least `bytes_needed`; the buffer grows only as data arrives, so
    // a hostile length costs nothing. False if the file ends or fails before.
    [[nodiscard]] bool fill(std::size_t bytes_needed);

    // Of the first of bytes(), in the file after decompression.
    [[nodiscard]] std::uint64_t offset() const { return offset_of_buffer_ + begin_; }
    // Why reading failed; absent at an orderly end.
    [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
    [[nodiscard]] const ByteSupply& supply() const { return *supply_; }

  private:
    void make_room();

    std::unique_ptr<ByteSupply> supply_;
    std::unique_ptr<std::uint8_t[]> buffer_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t offset_of_buffer_ = 0;
    std::optional<std::string> failure_;
};

}  // namespace tw::pcap
