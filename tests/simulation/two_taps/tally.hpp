// SPDX-License-Identifier: BSD-3-Clause
// Sums over many simulations between two taps: what was true by what was said, what was found of
// what the frames show, and whether the goals of firewall.md section 7.3 are met. Adding seeds in
// any order gives the same sums.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulation/two_taps/score.hpp"

namespace tw::sim::two_taps {

// What the goals distinguish.
enum class Capture : std::uint8_t { perfect, one_percent, other };
inline constexpr std::size_t kCaptures = static_cast<std::size_t>(Capture::other) + 1;

class Tally {
  public:
    explicit Tally(std::size_t show_max = 5) : show_max_(show_max) {}

    void add(const Ground& ground, const Findings& findings, const Score& score);
    void add(const Tally& more);

    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::vector<std::string> goals_missed() const;
    [[nodiscard]] std::uint64_t simulations() const { return simulations_; }
    [[nodiscard]] std::uint64_t proven_wrong() const { return proven_wrong_; }

  private:
    // Sentences by what they have in common.
    struct Examples {
        std::uint64_t count = 0;
        std::map<std::uint64_t, std::string> by_seed;
    };
    using Lists = std::map<std::string, Examples>;
    void note(Lists& to, const std::string& what, std::uint64_t seed, std::string sentence) const;
    void put(std::string& out, const Lists& lists, const char* title) const;
    void put_matrix(std::string& out) const;
    void put_quests(std::string& out) const;
    void put_behaviours(std::string& out) const;
    void add_findings(const Ground& ground, const Findings& findings, const Score& score);

    std::size_t show_max_;
    std::uint64_t simulations_ = 0;
    std::uint64_t frames_ = 0;
    std::uint64_t connections_ = 0;
    std::uint64_t wrongly_paired_ = 0;
    std::uint64_t unpaired_ = 0;
    std::uint64_t claims_ = 0;
    std::uint64_t proven_ = 0;
    std::uint64_t proven_wrong_ = 0;
    std::uint64_t runs_proven_wrong_ = 0;
    std::uint64_t unwitnessed_ = 0;
    std::uint64_t reordered_extra_ = 0;  // with perfect capture, any grade
    // truth, said
    std::array<std::array<std::uint64_t, taps::kFactKinds>, kTruths> matrix_{};
    std::array<std::array<Found, kQuests>, kCaptures> quests_{};
    std::array<std::uint64_t, kTwins> twins_{};
    // Runs by the only deed of the firewall, with perfect capture; of them those with a finding.
    std::array<std::uint64_t, kDeeds> deeds_{};
    std::array<std::array<std::uint64_t, firewall::kBehaviours>, kDeeds> behaviours_{};
    std::array<std::uint64_t, 3> trust_{};
    std::uint64_t findings_ = 0;
    std::uint64_t findings_proven_wrong_ = 0;
    std::uint64_t parameters_wrong_ = 0;
    Lists proven_wrong_list_;
    Lists wrong_list_;
    Lists unwitnessed_list_;
    Lists unfound_list_;
    Lists pairing_list_;
    Lists findings_list_;
    Lists findings_wrong_list_;
    Lists parameters_list_;
    Lists doubts_list_;  // that make a capture unusable
};

}  // namespace tw::sim::two_taps
