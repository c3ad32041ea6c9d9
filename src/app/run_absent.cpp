// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness run` in a build without DPDK: says so, and how to get it.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "app/commands.hpp"
#include "app/live_version.hpp"
#include "app/terminal.hpp"

namespace tw::app {

std::string live_version() {
    return "built without live capture";
}

void add_run(CLI::App& app, Action& action) {
    CLI::App* command =
        app.add_subcommand("run", "monitor ports live (not in this build: it has no DPDK)");
    // Whatever is typed behind it, the answer is the same.
    command->allow_extras();
    command->callback([&action] {
        action = [] {
            say("run: this build has no live capture; install libdpdk-dev, then "
                "meson setup -Dlive=enabled build && ninja -C build");
            return ExitCode::operator_mistake;
        };
    });
}

}  // namespace tw::app
