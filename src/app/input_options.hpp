// SPDX-License-Identifier: BSD-3-Clause
// The options of `read` and `explain` that say what is read and how: the same words, so that the
// same arguments give the same streams and episodes.
#pragma once

#include <expected>
#include <string>

#include "app/file_analysis.hpp"
#include "base/error.hpp"

namespace CLI {
class App;
}

namespace tw::app {

// As typed; turned into an AnalysisInput once all of it is known.
struct InputArguments {
    AnalysisInput input;
    std::string max_flows;
    std::string timeouts;
    std::string direction_skew;
    std::string decap;
    bool no_progress = false;
};

// FILE comes first in the help, the options last. `arguments` must outlive the parsing.
void add_input_files(CLI::App& command, InputArguments& arguments);
void add_input_options(CLI::App& command, InputArguments& arguments);

[[nodiscard]] std::expected<AnalysisInput, Error> analysis_input(const InputArguments& arguments);

}  // namespace tw::app
