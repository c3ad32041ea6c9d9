// SPDX-License-Identifier: BSD-3-Clause
// An error an operator or the environment caused, as one sentence: place, value, what is allowed.
// Not for traffic, whose oddities are data. Used outside core with std::expected.
#pragma once

#include <string>

namespace tw {

// The same for every command; README lists them.
enum class ExitCode : int {
    done = 0,
    validation_failed = 1,
    operator_mistake = 2,    // arguments, configuration, unreadable file
    environment_failed = 3,  // while running: disk full, port lost
    inconclusive = 4,
};

struct Error {
    std::string text;
    ExitCode code = ExitCode::operator_mistake;
};

}  // namespace tw
