// SPDX-License-Identifier: BSD-3-Clause
// The evidence of a firewall report as one pcapng that Wireshark opens: an interface for each tap,
// the frames that findings cite with what surrounds them, and what they show in the comments.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
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
    // Before the run: a path that cannot be written must not cost an hour.
    [[nodiscard]] std::expected<void, Error> open(const std::string& path) {
        return file_.open(path);
    }
    [[nodiscard]] bool is_open() const { return file_.is_open(); }
    // Before the first add().
    void begin(const firewall::Report& report);
    void add(taps::Side tap, const Frame& frame, std::string_view comment);
    // The report names its evidence from here on.
    [[nodiscard]] std::expected<void, Error> finish(firewall::Report& report);

  private:
    std::array<firewall::TapReport, taps::kSides> taps_;
    PcapngFile file_;
    // One per tap and link type.
    std::map<std::pair<taps::Side, LinkType>, std::uint32_t> interfaces_;
};

}  // namespace tw::sinks
