// SPDX-License-Identifier: BSD-3-Clause
// argv -> sub-command -> exit code. Mistakes are one line that says what is allowed and where help
// is.
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.hpp"
#include "app/live_version.hpp"
#include "app/terminal.hpp"
#include "base/nearest.hpp"
#include "config/values.hpp"
#include "sinks/output_file.hpp"
#include "sinks/version.hpp"

namespace tw::app {
namespace {

constexpr const char* kExamples = R"(Examples:
  tapwitness read trace.pcapng       what went missing in a capture
  tapwitness explain trace.pcapng    one connection as a ladder, with its verdicts
  tapwitness run -c monitor.yaml     what read finds, live on a SPAN or TAP port
  tapwitness firewall --outside a.pcap --inside b.pcap   what a firewall did to the packets
  tapwitness check -c monitor.yaml   is the configuration right, what memory will it take
  tapwitness list flags              what every word in the output means

tapwitness COMMAND --help explains a command.
Exit codes: 0 done, 1 a validation failed, 2 wrong arguments, configuration or input,
3 the environment failed, 4 a validation is inconclusive.
)";

// Sub-commands of other versions: known words, so that nobody searches for a typing mistake.
constexpr std::array<std::string_view, 1> kElsewhere{"top"};

void print(std::string_view text) {
    sinks::OutputFile out;
    if (out.open("-")) {
        out.append(text);
    }
}

[[nodiscard]] std::string version_text() {
    return fmt::format("tapwitness {}\n{}\ncompiled by {} {}\n", sinks::version(), live_version(),
#ifdef __clang__
                       "clang", __clang_version__
#else
                       "GCC", __VERSION__
#endif
    );
}

[[nodiscard]] std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        names.push_back(command->get_name());
    }
    return names;
}

// A first word that is no command gets a better answer than "not expected".
[[nodiscard]] bool is_unknown_command(const CLI::App& app, std::string_view word) {
    if (word.empty() || word.front() == '-') {
        return false;
    }
    const std::vector<std::string> names = command_names(app);
    if (std::find(names.begin(), names.end(), word) != names.end()) {
        return false;
    }
    std::string text = fmt::format("{} is no command", config::shown(word));
    if (std::find(kElsewhere.begin(), kElsewhere.end(), word) != kElsewhere.end()) {
        text = fmt::format("{} is not part of this version", word);
    } else {
        const std::vector<std::string_view> known(names.begin(), names.end());
        if (const auto near = nearest(word, known)) {
            text += fmt::format("; did you mean {}?", *near);
        }
    }
    say(fmt::format("{} (commands: {})", text, fmt::join(names, ", ")));
    return true;
}

// The chosen sub-command, or the program itself.
[[nodiscard]] const CLI::App& chosen(const CLI::App& app) {
    const auto commands = app.get_subcommands();
    return commands.empty() ? app : *commands.front();
}

void say_mistake(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App& command = chosen(app);
    const bool sub = &command != &app;
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    say(fmt::format("{}{} (see tapwitness {}--help)", sub ? command.get_name() + ": " : "", text,
                    sub ? command.get_name() + " " : ""));
}

}  // namespace

int run_command_line(int argc, char** argv) {
    // A reader that closes the pipe (`| head`) is noticed by the write that fails.
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App app(
        "tapwitness: follows every TCP sequence number, says which bytes went missing, and who "
        "lost them",
        "tapwitness");
    Action action;
    app.require_subcommand(1);
    app.footer(kExamples);
    app.set_version_flag("--version", version_text(), "versions of tapwitness, DPDK, compiler");
    add_read(app, action);
    add_explain(app, action);
    add_run(app, action);
    add_firewall(app, action);
    add_check(app, action);
    add_list(app, action);

    if (argc < 2) {
        print(app.help());
        return static_cast<int>(ExitCode::operator_mistake);
    }
    if (is_unknown_command(app, argv[1])) {
        return static_cast<int>(ExitCode::operator_mistake);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        print(app.help());
        return static_cast<int>(ExitCode::done);
    } catch (const CLI::CallForVersion&) {
        print(version_text());
        return static_cast<int>(ExitCode::done);
    } catch (const CLI::ParseError& error) {
        say_mistake(app, error);
        return static_cast<int>(ExitCode::operator_mistake);
    }
    return static_cast<int>(action());
}

}  // namespace tw::app
