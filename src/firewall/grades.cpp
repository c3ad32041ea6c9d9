// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/grades.hpp"

#include <array>

namespace tw::firewall {

std::string_view help(taps::Grade grade) {
    constexpr std::array<std::string_view, taps::kGrades> kHelp{
        "seen at one tap only, and nothing that was captured tells why. In no sum of drops",
        "consistent with all that was captured, and another explanation is not ruled out",
        "a fact that no error of the capture can explain. A loss that one packet alone shows is "
        "proven only while the tap where it should have left misses nothing within 10 s",
    };
    return kHelp[static_cast<std::size_t>(grade)];
}

}  // namespace tw::firewall
