// SPDX-License-Identifier: BSD-3-Clause
// Sums over many simulations: confusion matrices, confidence, causes of not knowing, and whether
// the goals of verdicts.md section 5 are met. Adding seeds in any order gives the same sums.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulation/score.hpp"

namespace tw::sim {

struct ClassTally {
    std::uint64_t events = 0;
    std::uint64_t right = 0;
    std::uint64_t proven = 0;
    std::uint64_t proven_wrong = 0;
    std::uint64_t unwitnessed = 0;
    std::uint64_t probable = 0;
    std::uint64_t probable_wrong = 0;
    std::uint64_t unknown = 0;
    std::uint64_t undecidable = 0;  // of them all, those with twins
    // truth, said
    std::array<std::array<std::uint64_t, event::kVerdicts>, event::kVerdicts> matrix{};
    // Wrong by the same pair.
    std::array<std::array<std::uint64_t, event::kVerdicts>, event::kVerdicts> wrong{};
};

class Tally {
  public:
    explicit Tally(std::size_t show_max = 20) : show_max_(show_max) {}

    void add(const Ground& ground, const Findings& findings, const Score& score);
    void add(const Tally& more);

    // Confusion matrices and everything else that was counted, for people.
    [[nodiscard]] std::string text() const;
    // One sentence for each goal that is missed.
    [[nodiscard]] std::vector<std::string> goals_missed() const;

    // As many events right as the goal of this class asks for.
    [[nodiscard]] bool reaches(Class where) const;

    [[nodiscard]] const ClassTally& of(Class where) const {
        return classes_[static_cast<std::size_t>(where)];
    }
    [[nodiscard]] std::uint64_t simulations() const { return simulations_; }

  private:
    using Examples = std::map<std::uint64_t, std::vector<std::string>>;  // by seed
    static void note(Examples& to, std::uint64_t seed, std::string sentence);
    void put_list(std::string& out, const Examples& list, const char* title) const;
    void put_class(std::string& out, Class where) const;

    std::size_t show_max_;
    std::uint64_t simulations_ = 0;
    std::uint64_t frames_ = 0;
    std::uint64_t reportable_ = 0;
    std::array<ClassTally, kClasses> classes_{};
    std::array<std::uint64_t, event::kCauses> unknown_by_cause_{};
    std::map<Twin, std::uint64_t> twins_;
    // What was concluded wrongly by which rule, with the seed of the first such event.
    struct Mistakes {
        std::uint64_t count = 0;
        std::uint64_t seed = 0;
    };
    std::map<std::string, Mistakes> mistakes_;
    MissedBytes missed_;
    Examples proven_wrong_;
    Examples unwitnessed_;
    Examples wrong_;
    Examples missed_wrong_;
    Examples unreported_;
    Examples ledger_blamed_;
};

}  // namespace tw::sim
