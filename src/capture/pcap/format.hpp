// SPDX-License-Identifier: BSD-3-Clause
// One capture format: turns the bytes of a window into frames. One virtual call per burst.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "capture/pcap/ledger.hpp"
#include "capture/pcap/source_options.hpp"
#include "capture/pcap/window.hpp"
#include "core/frame.hpp"

namespace tw::pcap {

// libpcap never captures more of a packet, and Wireshark refuses more: a larger number means that
// the record is corrupt.
inline constexpr std::uint32_t kCapturedBytesMax = 262'144;

// Wireshark shows no longer packets, so that signed arithmetic holds; neither do we.
inline constexpr std::uint32_t kWireBytesMax = 0x7FFF'FFFF;

class Format {
  public:
    explicit Format(const FileSourceOptions& options)
        : tap_(options.tap),
          tap_by_interface_(options.tap_by_interface),
          next_number_(options.first_number) {}
    virtual ~Format() = default;
    Format(const Format&) = delete;
    Format& operator=(const Format&) = delete;

    // Takes the complete records at the front of the window, until `frames` is full, and returns
    // how many frames they gave. 0 means that fault() is set or that bytes_needed() more are to be
    // read.
    [[nodiscard]] virtual std::uint32_t parse(Window& window,
                                              std::span<Frame, kBurstMax> frames) = 0;
    [[nodiscard]] virtual Ledger ledger() const = 0;
    [[nodiscard]] virtual std::string_view name() const = 0;
    // True where the file may end in good order: nothing of a record has been read.
    [[nodiscard]] virtual bool between_records() const { return true; }

    // How many bytes the window must hold before parse() can go on.
    [[nodiscard]] std::size_t bytes_needed() const { return bytes_needed_; }
    // What is wrong with the record at the front of the window. Nothing can be read after it.
    [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }
    [[nodiscard]] std::uint64_t next_number() const { return next_number_; }

  protected:
    std::uint8_t tap_;
    bool tap_by_interface_;
    std::uint64_t next_number_;
    std::size_t bytes_needed_ = 1;
    std::optional<std::string> fault_;
};

}  // namespace tw::pcap
