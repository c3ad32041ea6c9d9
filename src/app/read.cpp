// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness read`: its options, and the mistakes they can hold.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "app/commands.hpp"
#include "app/option_text.hpp"
#include "app/read_session.hpp"
#include "app/terminal.hpp"

namespace tw::app {
namespace {

constexpr const char* kExamples =
    R"(Without an output option, a summary for people is printed: what is missing, the
worst connections, how good the capture is. OUT is a file, or - for standard output.

Examples:
  tapwitness read trace.pcapng                     what went missing
  tapwitness read part1.pcap part2.pcap            one capture in several files
  tapwitness read trace.pcap -f 'host 10.0.0.5'    only what matches (libpcap syntax)
  tapwitness read trace.pcap --frames -            flags per frame, as tcp.analysis.*
  tapwitness read trace.pcap --events - | jq .     each hole and each repeat
  tapwitness read trace.pcap --flows flows.jsonl   one line per connection
  tcpdump -i eth0 -w - tcp | tapwitness read -     from a pipe; Ctrl-C ends it
)";

// As typed; turned into ReadOptions once all of it is known.
struct ReadArguments {
    ReadOptions options;
    std::string max_flows;
    std::string timeouts;
    std::string direction_skew;
    std::string decap;
    bool no_progress = false;
};

[[nodiscard]] std::expected<ReadOptions, Error> read_options(const ReadArguments& arguments) {
    ReadOptions options = arguments.options;
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
    options.connections_max = arguments.max_flows.empty() ? 0 : config.flows.max_per_worker;
    options.timeouts = config.flows.timeouts;
    options.analysis.direction_skew = of_every_tap(config.analysis.direction_skew);
    options.decode.decap = config.analysis.decap;
    options.progress = !arguments.no_progress;
    return options;
}

[[nodiscard]] ExitCode read(const ReadArguments& arguments) {
    const auto options = read_options(arguments);
    if (!options) {
        say(options.error().text);
        return options.error().code;
    }
    auto session = ReadSession::open(*options);
    if (!session) {
        say(session.error().text);
        return session.error().code;
    }
    return (*session)->run();
}

}  // namespace

void add_read(CLI::App& app, Action& action) {
    // Shared with the action, which runs after parsing has filled it.
    auto arguments = std::make_shared<ReadArguments>();
    CLI::App* command = app.add_subcommand(
        "read", "analyse capture files (pcap, pcapng, plain or gzip): no root, no DPDK");
    command->footer(kExamples);
    command
        ->add_option("FILE", arguments->options.files,
                     "capture files in order of time, - for standard input")
        ->required();
    ReadOptions& options = arguments->options;
    command->add_option("--frames", options.outputs.frames, "flags of each frame that has any, TSV")
        ->type_name("OUT");
    command->add_option("--events", options.outputs.events, "episodes, JSON lines")
        ->type_name("OUT");
    command->add_option("--flows", options.outputs.flows, "connections, JSON lines")
        ->type_name("OUT");
    command->add_option("-f,--filter", options.filter, "only frames that match, libpcap syntax")
        ->type_name("EXPR");
    command
        ->add_option("--max-flows", arguments->max_flows,
                     "IPv4 connections followed at one time, and as many IPv6 ones (default: what "
                     "the files can hold, within three quarters of the memory)")
        ->type_name("N");
    command
        ->add_option("--timeouts", arguments->timeouts,
                     "let idle connections age out, such as embryonic=5s,established=300s,"
                     "closing=10s (default: nothing ages out)")
        ->type_name("LIST");
    command
        ->add_option("--direction-skew", arguments->direction_skew,
                     "how long after an ACK its data may still appear (default 50ms)")
        ->type_name("TIME");
    command
        ->add_option("--decap", arguments->decap,
                     "encapsulations to open, such as vlan,gre (default: all; see list layers)")
        ->type_name("LIST");
    command->add_flag("--no-progress", arguments->no_progress, "no progress line on the terminal");
    command->callback([&action, arguments] { action = [arguments] { return read(*arguments); }; });
}

}  // namespace tw::app
