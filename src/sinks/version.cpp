// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/version.hpp"

namespace tw::sinks {

std::string_view version() {
    return TW_VERSION;
}

}  // namespace tw::sinks
