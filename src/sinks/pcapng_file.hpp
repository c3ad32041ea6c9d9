// SPDX-License-Identifier: BSD-3-Clause
// Writes pcapng (draft-ietf-opsawg-pcapng) in the byte order of the host: one section, interfaces
// as they are needed, packets with comments, the interfaces' drop counts at the end. Knows the
// SHA-256 of what it wrote, so that a report can name its evidence.
//
//   section header | interface description … | enhanced packet … | interface statistics …
#pragma once

#include <nettle/sha2.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "core/frame.hpp"
#include "sinks/output_file.hpp"

namespace tw::sinks {

struct PcapngInterface {
    std::string name;
    std::string description;  // may be empty
    LinkType link = LinkType::ethernet;
    std::optional<std::uint64_t> dropped;  // by the capture, for the statistics
};

class PcapngFile {
  public:
    // "-" is standard output.
    [[nodiscard]] std::expected<void, Error> open(const std::string& path);
    [[nodiscard]] bool is_open() const { return file_.is_open(); }
    [[nodiscard]] const std::string& name() const { return file_.name(); }
    // Once, before all else: the section, with its comment.
    void begin(std::string_view comment);
    // Returns its number, for add().
    std::uint32_t add_interface(const PcapngInterface& interface);
    // Times in nanoseconds. A comment longer than 65,535 bytes is cut.
    void add(std::uint32_t interface, const Frame& frame, std::string_view comment);
    // Returns the SHA-256 in hexadecimal.
    [[nodiscard]] std::expected<std::string, Error> finish();

  private:
    void put16(std::uint16_t value);
    void put32(std::uint32_t value);
    void put_option(std::uint16_t code, std::string_view value);
    void put_count(std::uint16_t code, std::uint64_t value);
    void put_padded(std::span<const std::uint8_t> bytes);
    void write_block(std::uint32_t type);

    OutputFile file_;
    std::string body_;  // of the block being made
    std::vector<PcapngInterface> interfaces_;
    std::vector<Nanos> last_;  // of each interface
    sha256_ctx hash_{};
};

}  // namespace tw::sinks
