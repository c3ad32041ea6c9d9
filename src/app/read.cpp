// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness read`: its options, and the mistakes they can hold.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "app/commands.hpp"
#include "app/input_options.hpp"
#include "app/read_session.hpp"
#include "app/terminal.hpp"

namespace tw::app {
namespace {

constexpr const char* kExamples =
    R"(Without an output option, a summary for people is printed: is the capture good, what
was lost on which side of it, the worst connections and episodes. OUT is a file, or - for standard output.

Examples:
  tapwitness read trace.pcapng                     what went missing, and who lost it
  tapwitness read part1.pcap part2.pcap            one capture in several files
  tapwitness read trace.pcap -f 'host 10.0.0.5'    only what matches (libpcap syntax)
  tapwitness read trace.pcap --frames -            flags per frame, as tcp.analysis.*
  tapwitness read trace.pcap --events - | jq .     each episode with its verdict and evidence
  tapwitness read trace.pcap --flows flows.jsonl   one line per connection
  tcpdump -i eth0 -w - tcp | tapwitness read -     from a pipe; Ctrl-C ends it
)";

// As typed; turned into ReadOptions once all of it is known.
struct ReadArguments {
    InputArguments input;
    OutputPaths outputs;
};

[[nodiscard]] ExitCode read(const ReadArguments& arguments) {
    const auto input = analysis_input(arguments.input);
    if (!input) {
        say(input.error().text);
        return input.error().code;
    }
    auto session = ReadSession::open({.input = *input, .outputs = arguments.outputs});
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
    add_input_files(*command, arguments->input);
    OutputPaths& outputs = arguments->outputs;
    command->add_option("--frames", outputs.frames, "flags of each frame that has any, TSV")
        ->type_name("OUT");
    command->add_option("--events", outputs.events, "episodes, JSON lines")->type_name("OUT");
    command->add_option("--flows", outputs.flows, "connections, JSON lines")->type_name("OUT");
    add_input_options(*command, arguments->input);
    command->callback([&action, arguments] { action = [arguments] { return read(*arguments); }; });
}

}  // namespace tw::app
