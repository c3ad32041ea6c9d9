// SPDX-License-Identifier: BSD-3-Clause
// Findings in words, numbers included. Only what is proven is worded as a deed ("did not pass");
// the rest is "probably". Who did it is what stands between the two taps; "the firewall" only where
// the TTL shows that one router alone stands there.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "firewall/findings.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

class Words {
  public:
    Words(const Confidence& confidence, const Policy& policy);

    [[nodiscard]] const std::string& subject() const {
        return subject_;
    }  // "what stands between …"
    [[nodiscard]] const std::string& tap(taps::Side side) const { return taps_[taps::index(side)]; }

  private:
    std::array<std::string, taps::kSides> taps_;
    std::string subject_;
};

// `finding` has its numbers, scope and grade.
[[nodiscard]] std::string sentence_of(const Finding& finding, const Group& group,
                                      const FindingsInput& input, const Words& words);
// Of one case.
[[nodiscard]] std::string sentence_of(const taps::Fact& fact, taps::Grade grade,
                                      const Words& words);
[[nodiscard]] std::vector<std::string> excluded_of(const Group& group, const FindingsInput& input,
                                                   const Words& words);
// The first line for people: is the capture good, did it cross, if not who, since when, which
// flows, what they have in common.
[[nodiscard]] std::string verdict_of(const Report& report);

}  // namespace tw::firewall
