// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/report.hpp"

namespace tw::firewall {

std::string_view name(RowResult result) {
    constexpr std::array<std::string_view, 4> kNames{"pass", "fail", "untested", "inconclusive"};
    return kNames[static_cast<std::size_t>(result)];
}

std::string_view name(Trust trust) {
    constexpr std::array<std::string_view, 3> kNames{"good", "reduced", "unusable"};
    return kNames[static_cast<std::size_t>(trust)];
}

}  // namespace tw::firewall
