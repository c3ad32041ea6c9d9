// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness explain`: its options, and the mistakes they can hold.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "app/commands.hpp"
#include "app/explain_session.hpp"
#include "app/input_options.hpp"
#include "app/terminal.hpp"
#include "config/values.hpp"

namespace tw::app {
namespace {

constexpr const char* kExamples =
    R"(Draws one connection as a ladder: the client on the left, the server on the right, the
tap between them. What was lost is an arrow that ends where it was lost; each verdict
stands in its place with its rule and the frames it rests on. Stretches in order are
folded. Frame and sequence numbers are Wireshark's (relative), ranges are [first..last+1).

Without --flow, --stream or --episode the worst connections are listed, or the only one
is explained. The output is plain text of 80 columns when it is no terminal, made to be
pasted into a ticket between two lines of ```.

  a hole        1010 bytes [1..1011) ......X   |        never reached the tap
  missed        1010 bytes [1..1011) ..........X.......>  the receiver has it, the tap does not
  lost behind   seq 1 len 1010 ---------------+-----X   seen here, never arrived
  late          1010 bytes [1..1011) ......~   |        came later

Examples:
  tapwitness explain trace.pcap                                        the worst ones
  tapwitness explain trace.pcap --flow 10.0.0.5:51000-93.184.216.34:80
  tapwitness explain trace.pcap --flow '[2001:db8::5]:51000-[2001:db8::9]:443'
  tapwitness explain trace.pcap --flow 10.0.0.5-10.0.0.9               if there is one only
  tapwitness explain trace.pcap --stream 7                             as tcp.stream eq 7
  tapwitness explain trace.pcap --episode 12        the id read --events gave, in detail
  tapwitness explain trace.pcap --stream 7 --all --ascii > ticket.txt
)";

// As typed; turned into ExplainOptions once all of it is known.
struct ExplainArguments {
    InputArguments input;
    std::string flow;
    std::string stream;
    std::string episode;
    bool all = false;
    bool ascii = false;
};

// For a shell: as it is where that is safe, in single quotes otherwise.
[[nodiscard]] std::string shell_word(std::string_view word) {
    constexpr std::string_view kSafe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
    if (!word.empty() && word.find_first_not_of(kSafe) == std::string_view::npos) {
        return std::string(word);
    }
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return text + "'";
}

// The command again, without the choice of a connection.
[[nodiscard]] std::string command_text(const InputArguments& input) {
    std::string text = "tapwitness explain";
    for (const std::string& file : input.input.files) {
        text += " " + shell_word(file);
    }
    const auto add = [&text](std::string_view option, const std::string& value) {
        text += value.empty() ? "" : fmt::format(" {} {}", option, shell_word(value));
    };
    add("-f", input.input.filter);
    add("--max-flows", input.max_flows);
    add("--timeouts", input.timeouts);
    add("--direction-skew", input.direction_skew);
    add("--decap", input.decap);
    return sinks::format::printable(text);
}

[[nodiscard]] std::expected<std::optional<std::uint64_t>, Error> number(std::string_view option,
                                                                        const std::string& text,
                                                                        std::uint64_t least) {
    if (text.empty()) {
        return std::nullopt;
    }
    const auto value = config::parse_integer(text);
    if (!value || *value < least) {
        return std::unexpected(Error{fmt::format("{}: {} is not allowed; allowed: a number from {}",
                                                 option, config::shown(text), least)});
    }
    return *value;
}

[[nodiscard]] std::expected<ExplainOptions, Error> explain_options(
    const ExplainArguments& arguments) {
    const auto input = analysis_input(arguments.input);
    if (!input) {
        return std::unexpected(input.error());
    }
    const auto stream = number("--stream", arguments.stream, 0);
    if (!stream) {
        return std::unexpected(stream.error());
    }
    const auto episode = number("--episode", arguments.episode, 1);
    if (!episode) {
        return std::unexpected(episode.error());
    }
    return ExplainOptions{.input = *input,
                          .flow = arguments.flow,
                          .stream = *stream,
                          .episode = *episode,
                          .all = arguments.all,
                          .ascii = arguments.ascii,
                          .command = command_text(arguments.input)};
}

[[nodiscard]] ExitCode explain(const ExplainArguments& arguments) {
    const auto options = explain_options(arguments);
    if (!options) {
        say(options.error().text);
        return options.error().code;
    }
    auto session = ExplainSession::open(*options);
    if (!session) {
        say(session.error().text);
        return session.error().code;
    }
    return (*session)->run();
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
    // Shared with the action, which runs after parsing has filled it.
    auto arguments = std::make_shared<ExplainArguments>();
    CLI::App* command = app.add_subcommand(
        "explain", "the life of one connection in a capture, as a ladder with its verdicts");
    command->footer(kExamples);
    add_input_files(*command, arguments->input);
    CLI::Option* flow = command
                            ->add_option("--flow", arguments->flow,
                                         "the connection by its ends, in any order; ports are "
                                         "optional")
                            ->type_name("A:port-B:port");
    command
        ->add_option("--stream", arguments->stream,
                     "the connection by the number read gives it (tcp.stream in Wireshark)")
        ->type_name("N");
    command
        ->add_option("--episode", arguments->episode,
                     "the connection of the episode with this id, and that episode alone in detail")
        ->type_name("ID")
        ->excludes(flow)
        ->excludes("--stream");
    command->add_flag("--all", arguments->all, "every segment and every episode, nothing folded");
    command->add_flag("--ascii", arguments->ascii,
                      "draw with ASCII (default where the locale is not UTF-8)");
    add_input_options(*command, arguments->input);
    command->callback(
        [&action, arguments] { action = [arguments] { return explain(*arguments); }; });
}

}  // namespace tw::app
