// SPDX-License-Identifier: BSD-3-Clause
// The classic format (draft-ietf-opsawg-pcap): a 24-byte header, then records of a 16-byte header
// and the captured bytes. Either byte order, micro- and nanoseconds; also Alexey Kuznetzov's
// variant with 24-byte record headers, and the swapped length fields of files older than
// version 2.4.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "capture/pcap/format.hpp"

namespace tw::pcap {

inline constexpr std::size_t kPcapHeaderBytes = 24;

[[nodiscard]] bool is_pcap(std::span<const std::uint8_t> first_bytes);

// Takes the file header from the window, which holds it. The error says what is wrong with it.
[[nodiscard]] std::expected<std::unique_ptr<Format>, std::string> open_pcap(
    Window& window, const FileSourceOptions& options);

}  // namespace tw::pcap
