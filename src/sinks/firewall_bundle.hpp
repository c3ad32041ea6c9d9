// SPDX-License-Identifier: BSD-3-Clause
// The evidence of a firewall report as one pcapng that Wireshark opens: an interface for each tap,
// the frames that findings cite with what surrounds them, and what they show in the comments.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "core/frame.hpp"
#include "core/taps/side.hpp"
#include "firewall/report.hpp"
#include "sinks/pcapng_file.hpp"

namespace tw::sinks {

struct CitedFrame {
    taps::Side tap = taps::Side::outside;
    std::uint64_t frame = 0;
    std::string comment;  // empty: it only surrounds others
};

// Each frame of the report's evidence once, in no order; those without a number are left out.
[[nodiscard]] std::vector<CitedFrame> cited_frames(const firewall::Report& report);

class FirewallBundle {
  public:
    [[nodiscard]] static std::expected<std::unique_ptr<FirewallBundle>, Error> open(
        const std::string& path, const firewall::Report& report);
    void add(taps::Side tap, const Frame& frame, std::string_view comment);
    // Returns the SHA-256 in hexadecimal.
    [[nodiscard]] std::expected<std::string, Error> finish() { return file_.finish(); }

  private:
    explicit FirewallBundle(const std::array<firewall::TapReport, taps::kSides>& taps)
        : taps_(taps) {}

    std::array<firewall::TapReport, taps::kSides> taps_;
    PcapngFile file_;
    // One per tap and link type.
    std::map<std::pair<taps::Side, LinkType>, std::uint32_t> interfaces_;
};

}  // namespace tw::sinks
