// SPDX-License-Identifier: BSD-3-Clause
// The packets around facts, for ladders: a bounded store that one behaviour cannot fill alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "core/taps/fact.hpp"
#include "firewall/behaviour.hpp"

namespace tw::firewall {

class Excerpts {
  public:
    explicit Excerpts(std::uint32_t excerpts_max) : excerpts_max_(excerpts_max) {}

    // `behaviour` of the fact it is about.
    void add(const taps::Excerpt& excerpt, std::optional<Behaviour> behaviour);
    [[nodiscard]] const taps::Excerpt* of(std::uint64_t fact) const;
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  private:
    // What shows something of the capture alone is shown in no finding, so it gets little room.
    static constexpr std::uint32_t kBehaviourShare = 16;
    static constexpr std::uint32_t kOtherShare = 64;

    std::uint32_t excerpts_max_;
    std::unordered_map<std::uint64_t, taps::Excerpt> kept_;
    std::array<std::uint32_t, kBehaviours + 1> counts_{};
    std::uint64_t dropped_ = 0;
};

}  // namespace tw::firewall
