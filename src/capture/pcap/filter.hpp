// SPDX-License-Identifier: BSD-3-Clause
// A filter in libpcap's language (pcap-filter(7)), compiled once for each link type and run by
// libpcap's interpreter. Immutable after compile(), so threads may share it.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"
#include "core/frame.hpp"
#include "core/stats/counters.hpp"

namespace tw::pcap {

class Filter {
  public:
    // An empty expression matches everything. Fails if the expression is valid for no link type.
    [[nodiscard]] static std::expected<Filter, Error> compile(const std::string& expression);

    ~Filter();
    Filter(Filter&& other) noexcept;
    Filter& operator=(Filter&& other) noexcept;

    // A frame of a link type for which the expression has no meaning does not match; one of an
    // unsupported link type does, so that decoding counts it.
    [[nodiscard]] bool matches(const Frame& frame) const;
    // Those of a burst that match, copied to `kept`. The others are counted as the pipeline counts
    // the frames that it is given.
    [[nodiscard]] std::span<const Frame> keep(std::span<const Frame> frames,
                                              std::span<Frame, kBurstMax> kept,
                                              stats::Counters& counters) const;

    // Some expressions have no meaning on some link types ("ether host" on raw IP). Say so before
    // reading frames of that type; unsupported is always fine.
    [[nodiscard]] std::expected<void, Error> check(LinkType link) const;

    [[nodiscard]] const std::string& expression() const;

  private:
    struct Programs;
    explicit Filter(std::unique_ptr<Programs> programs);

    std::unique_ptr<Programs> programs_;
};

// Whether a filter that selects by address, port or protocol would lose the same traffic when it is
// VLAN-tagged or inside a tunnel: "tcp" alone does, "tcp or (vlan and tcp)" only inside tunnels.
// False for an expression that does not compile.
[[nodiscard]] bool misses_encapsulated(const std::string& expression);
// A sentence to warn with, naming what is missed and how to write it; empty if nothing is.
[[nodiscard]] std::string encapsulation_warning(const std::string& expression);

}  // namespace tw::pcap
