// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness firewall`: its options, and the mistakes they can hold.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "app/commands.hpp"
#include "app/firewall_ending.hpp"
#include "app/firewall_live.hpp"
#include "app/firewall_session.hpp"
#include "app/terminal.hpp"
#include "config/config.hpp"
#include "config/load.hpp"
#include "config/values.hpp"
#include "sinks/format/page.hpp"

namespace tw::app {
namespace {

using sinks::format::printable;

constexpr const char* kExamples =
    R"(Two taps, one on either side of a firewall: which packets it dropped, delayed, altered,
answered itself or let through against its policy, each with proof, and what the capture
alone is to blame for. Without an output option the report is printed for people.
OUT is a file, or - for standard output. Without captures, -c FILE names the ports of the
two taps and the report comes when SIGINT or SIGTERM stops it.

Examples:
  tapwitness firewall --outside wan.pcapng --inside lan.pcapng      what did it do?
  tapwitness firewall both.pcapng --interfaces eth0,eth1            one file, two interfaces
  tapwitness firewall --outside a.pcap --inside b.pcap -c fw.yaml   does it do what it should?
  tapwitness firewall ... --html report.html --bundle proof.pcapng  for the meeting
  tapwitness firewall ... --junit fw.xml; echo $?                   for CI
  tapwitness firewall ... --json new.json --compare old.json        what has changed?
  tapwitness firewall -c fw.yaml --duration 10m                     live
  tapwitness list behaviours                                        what it can find
Exit codes: 0 passed (without a policy: whatever was found), 1 failed, 2 wrong arguments,
configuration or captures, 3 the environment failed, 4 inconclusive: the capture is not
good enough, or a rule that had to be tested was not.
)";

struct FirewallArguments {
    std::string capture;
    std::string interfaces;
    std::string outside;
    std::string inside;
    std::string config;
    FirewallPaths outputs;
    std::string compare;
    std::string clock_offset = "auto";
    std::string transit_max;
    std::string duration;
    bool no_progress = false;

    [[nodiscard]] bool from_files() const {
        return !capture.empty() || !outside.empty() || !inside.empty();
    }
};

// How to make the report again, for people.
[[nodiscard]] std::string command_text(const FirewallArguments& arguments) {
    std::string text = "tapwitness firewall";
    for (const auto& [option, value] :
         {std::pair<std::string_view, const std::string&>("", arguments.capture),
          std::pair<std::string_view, const std::string&>("--interfaces ", arguments.interfaces),
          std::pair<std::string_view, const std::string&>("--outside ", arguments.outside),
          std::pair<std::string_view, const std::string&>("--inside ", arguments.inside),
          std::pair<std::string_view, const std::string&>("-c ", arguments.config),
          std::pair<std::string_view, const std::string&>("--transit-max ", arguments.transit_max),
          std::pair<std::string_view, const std::string&>("--duration ", arguments.duration),
          std::pair<std::string_view, const std::string&>("--compare ", arguments.compare)}) {
        if (!value.empty()) {
            text += fmt::format(" {}{}", option, printable(value));
        }
    }
    return text;
}

[[nodiscard]] std::unexpected<Error> mistake(std::string text) {
    return std::unexpected(Error{"firewall: " + std::move(text)});
}

[[nodiscard]] std::expected<TapFilePair, Error> files_of(const FirewallArguments& arguments) {
    if (!arguments.capture.empty()) {
        if (!arguments.outside.empty() || !arguments.inside.empty()) {
            return mistake("give either CAPTURE with two interfaces, or --outside and --inside");
        }
        return tap_files_of(arguments.capture, arguments.interfaces);
    }
    if (arguments.outside.empty() || arguments.inside.empty()) {
        return mistake(fmt::format("{} is missing: a firewall needs the captures of two taps",
                                   arguments.outside.empty() ? "--outside FILE" : "--inside FILE"));
    }
    if (!arguments.interfaces.empty()) {
        return mistake("--interfaces goes with one CAPTURE that holds both taps");
    }
    return tap_files(arguments.outside, arguments.inside);
}

[[nodiscard]] std::expected<std::optional<Nanos>, Error> clock_offset_of(const std::string& text) {
    if (text == "auto") {
        return std::optional<Nanos>{};
    }
    if (text == "none") {
        return std::optional<Nanos>{0};
    }
    const bool negative = text.starts_with('-');
    const auto value = config::parse_duration(negative ? text.substr(1) : text);
    if (!value) {
        return mistake(fmt::format(
            "--clock-offset: {} is not allowed; allowed: auto, none, or how much the inside clock "
            "leads, like 1.5s or -20ms",
            printable(text)));
    }
    return std::optional<Nanos>{negative ? -*value : *value};
}

// Without a file everything keeps its default.
[[nodiscard]] config::Loaded configuration(const FirewallArguments& arguments) {
    const auto use = arguments.from_files() ? config::Use::firewall_files : config::Use::firewall;
    return arguments.config.empty() ? config::load_text("{}", "defaults", use)
                                    : config::load(arguments.config, use);
}

// What the command line does not say, the file may.
[[nodiscard]] FirewallPaths outputs_of(const FirewallArguments& arguments,
                                       const config::Config& config) {
    FirewallPaths paths = arguments.outputs;
    const auto fill = [](std::string& path, const std::string& other) {
        path = path.empty() ? other : path;
    };
    using Format = config::ReportKeys::Format;
    fill(paths.text, config.report.path(Format::text));
    fill(paths.json, config.report.path(Format::json));
    fill(paths.junit, config.report.path(Format::junit));
    fill(paths.html, config.report.path(Format::html));
    fill(paths.bundle, config.report.path(Format::pcapng));
    fill(paths.events, config.report.events);
    return paths;
}

[[nodiscard]] std::expected<std::optional<Nanos>, Error> duration_of(const char* option,
                                                                     const std::string& text) {
    if (text.empty()) {
        return std::optional<Nanos>{};
    }
    const auto value = config::parse_duration(text);
    if (!value || *value <= 0) {
        return mistake(
            fmt::format("{}: {} is not allowed; allowed: a duration such as 500ms or 10m", option,
                        printable(text)));
    }
    return value;
}

[[nodiscard]] taps::EngineOptions engine_options(const config::Config& config,
                                                 std::optional<Nanos> transit_max) {
    taps::EngineOptions options;
    options.decode.decap = config.analysis.decap;
    options.conversations_max = config.firewall.connections_max;
    options.transit_max = transit_max.value_or(config.firewall.transit_max);
    options.idle_max = config.firewall.idle_max;
    return options;
}

// An output would empty it.
[[nodiscard]] std::expected<void, Error> spare_config(const std::string& path,
                                                      const FirewallPaths& outputs) {
    for (const auto& [option, output] : outputs.named()) {
        if (!path.empty() && same_file(path, std::string(output))) {
            return mistake(fmt::format("{}: {} is the configuration", option, printable(path)));
        }
    }
    return {};
}

[[nodiscard]] std::expected<ExitCode, Error> run_on_captures(const FirewallArguments& arguments,
                                                             const config::Config& config) {
    const auto files = files_of(arguments);
    if (!files) {
        return std::unexpected(files.error());
    }
    const auto offset = clock_offset_of(arguments.clock_offset);
    if (!offset) {
        return std::unexpected(offset.error());
    }
    const auto transit = duration_of("--transit-max", arguments.transit_max);
    if (!transit) {
        return std::unexpected(transit.error());
    }
    if (!arguments.duration.empty()) {
        return mistake("--duration is for live ports; captures end by themselves");
    }
    auto compare = earlier_report(arguments.compare);
    if (!compare) {
        return std::unexpected(compare.error());
    }
    FirewallInput input{.files = *files,
                        .policy = config.policy,
                        .outputs = outputs_of(arguments, config),
                        .compare = std::move(*compare),
                        .engine = engine_options(config, *transit),
                        .clock_offset = *offset,
                        .command = command_text(arguments),
                        .progress = !arguments.no_progress};
    auto session = FirewallSession::open(input);
    if (!session) {
        return std::unexpected(session.error());
    }
    return (*session)->run();
}

[[nodiscard]] std::expected<ExitCode, Error> run_live(const FirewallArguments& arguments,
                                                      const config::Config& config) {
    const auto transit = duration_of("--transit-max", arguments.transit_max);
    const auto duration = duration_of("--duration", arguments.duration);
    for (const auto& value : {transit, duration}) {
        if (!value) {
            return std::unexpected(value.error());
        }
    }
    if (!arguments.interfaces.empty() || arguments.clock_offset != "auto") {
        return mistake(
            "--interfaces and --clock-offset are for captures; live ports have one clock");
    }
    auto compare = earlier_report(arguments.compare);
    if (!compare) {
        return std::unexpected(compare.error());
    }
    return run_firewall_live(config, {.outputs = outputs_of(arguments, config),
                                      .compare = std::move(*compare),
                                      .engine = engine_options(config, *transit),
                                      .duration = *duration,
                                      .command = command_text(arguments)});
}

[[nodiscard]] ExitCode run(const FirewallArguments& arguments) {
    if (!arguments.from_files() && arguments.config.empty()) {
        say("firewall: give the captures of two taps (--outside FILE --inside FILE), or -c FILE "
            "for "
            "live ports (see tapwitness firewall --help)");
        return ExitCode::operator_mistake;
    }
    const auto config = configuration(arguments);
    if (!config) {
        for (const Error& error : config.error()) {
            say(error.text);
        }
        return config.error().front().code;
    }
    for (const std::string& warning : config->warnings) {
        say("warning: " + warning);
    }
    if (const auto spared = spare_config(arguments.config, outputs_of(arguments, *config));
        !spared) {
        say(spared.error().text);
        return spared.error().code;
    }
    const auto code =
        arguments.from_files() ? run_on_captures(arguments, *config) : run_live(arguments, *config);
    if (!code) {
        say(code.error().text);
        return code.error().code;
    }
    return *code;
}

void add_outputs(CLI::App& command, FirewallPaths& outputs) {
    for (const auto& [name, path, help] :
         {std::tuple<const char*, std::string&, const char*>(
              "--text", outputs.text, "report for people (default: standard output)"),
          std::tuple<const char*, std::string&, const char*>("--json", outputs.json,
                                                             "report for programs"),
          std::tuple<const char*, std::string&, const char*>("--junit", outputs.junit,
                                                             "policy results for CI, JUnit XML"),
          std::tuple<const char*, std::string&, const char*>(
              "--html", outputs.html, "report for the meeting: one self-contained page"),
          std::tuple<const char*, std::string&, const char*>(
              "--bundle", outputs.bundle, "cited frames of both taps with comments, pcapng"),
          std::tuple<const char*, std::string&, const char*>(
              "--events", outputs.events, "every conclusion on a packet, JSON lines")}) {
        command.add_option(name, path, help)->type_name("OUT");
    }
}

}  // namespace

void add_firewall(CLI::App& app, Action& action) {
    // Shared with the action, which runs after parsing has filled it.
    auto arguments = std::make_shared<FirewallArguments>();
    CLI::App* command = app.add_subcommand(
        "firewall", "two taps around a firewall: what it dropped, delayed, altered, let through");
    command->footer(kExamples);
    command->add_option("CAPTURE", arguments->capture, "one pcapng with an interface for each tap")
        ->type_name("");
    command
        ->add_option("--interfaces", arguments->interfaces,
                     "which of CAPTURE's interfaces (names or numbers)")
        ->type_name("OUTSIDE,INSIDE");
    command->add_option("--outside", arguments->outside, "capture of the outside tap")
        ->type_name("FILE");
    command->add_option("--inside", arguments->inside, "capture of the inside tap")
        ->type_name("FILE");
    command
        ->add_option("-c,--config", arguments->config,
                     "policy, hints and, live, the ports: YAML (config/firewall.yaml)")
        ->type_name("FILE");
    add_outputs(*command, arguments->outputs);
    command
        ->add_option("--compare", arguments->compare, "an earlier --json: what has changed since")
        ->type_name("FILE");
    command
        ->add_option("--clock-offset", arguments->clock_offset,
                     "how much the inside clock leads: auto, none, or a duration")
        ->type_name("TIME")
        ->capture_default_str();
    command
        ->add_option(
            "--transit-max", arguments->transit_max,
            "longest time a packet takes between the taps (default: 1s, or more as measured)")
        ->type_name("TIME");
    command->add_option("--duration", arguments->duration, "live: stop after this time")
        ->type_name("TIME");
    command->add_flag("--no-progress", arguments->no_progress, "no progress line on a terminal");
    command->callback([&action, arguments] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace tw::app
