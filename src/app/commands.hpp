// SPDX-License-Identifier: BSD-3-Clause
// The sub-commands. Each add_* describes its options to CLI11 and sets `action` when chosen; main
// runs it and returns its exit code.
#pragma once

#include <functional>

#include "base/error.hpp"

namespace CLI {
class App;
}

namespace tw::app {

using Action = std::function<ExitCode()>;

void add_read(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_firewall(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_list(CLI::App& app, Action& action);

// argv -> sub-command -> exit code.
[[nodiscard]] int run_command_line(int argc, char** argv);

}  // namespace tw::app
