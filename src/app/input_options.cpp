// SPDX-License-Identifier: BSD-3-Clause
#include "app/input_options.hpp"

#include <CLI/CLI.hpp>

#include "app/option_text.hpp"

namespace tw::app {

void add_input_files(CLI::App& command, InputArguments& arguments) {
    command
        .add_option("FILE", arguments.input.files,
                    "capture files in order of time, - for standard input")
        ->required();
}

void add_input_options(CLI::App& command, InputArguments& arguments) {
    command
        .add_option("-f,--filter", arguments.input.filter, "only frames that match, libpcap syntax")
        ->type_name("EXPR");
    command
        .add_option("--max-flows", arguments.max_flows,
                    "IPv4 connections followed at one time, and as many IPv6 ones (default: what "
                    "the files can hold, within three quarters of the memory)")
        ->type_name("N");
    command
        .add_option("--timeouts", arguments.timeouts,
                    "let idle connections age out, such as embryonic=5s,established=300s,"
                    "closing=10s (default: nothing ages out)")
        ->type_name("LIST");
    command
        .add_option("--direction-skew", arguments.direction_skew,
                    "how long after an ACK its data may still appear (default 50ms)")
        ->type_name("TIME");
    command
        .add_option("--decap", arguments.decap,
                    "encapsulations to open, such as vlan,gre (default: all; see list layers)")
        ->type_name("LIST");
    command.add_flag("--no-progress", arguments.no_progress, "no progress line on the terminal");
}

std::expected<AnalysisInput, Error> analysis_input(const InputArguments& arguments) {
    AnalysisInput input = arguments.input;
    config::Config config;
    config.flows.timeouts.enabled = false;  // nothing ages out unless asked
    const auto set = [&config](std::string_view path, std::string_view option,
                               const std::string& value) -> std::expected<void, Error> {
        return value.empty() ? std::expected<void, Error>{}
                             : set_option(config, path, option, value);
    };
    auto done = set("flows.max_per_worker", "--max-flows", arguments.max_flows);
    if (done) {
        done = set("analysis.direction_skew", "--direction-skew", arguments.direction_skew);
    }
    if (done) {
        done = set("analysis.decap", "--decap", arguments.decap);
    }
    if (done && !arguments.timeouts.empty()) {
        config.flows.timeouts.enabled = true;
        done = set_timeouts(config, arguments.timeouts);
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    input.connections_max = arguments.max_flows.empty() ? 0 : config.flows.max_per_worker;
    input.timeouts = config.flows.timeouts;
    input.analysis.direction_skew = of_every_tap(config.analysis.direction_skew);
    input.decode.decap = config.analysis.decap;
    input.progress = !arguments.no_progress;
    return input;
}

}  // namespace tw::app
