// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness check`: the configuration as a run would use it, the memory it takes, and what the
// host has to say. Standard output is YAML all the way (the rest are comments), so it can be kept
// as a configuration.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string>

#include "app/commands.hpp"
#include "app/doctor.hpp"
#include "app/terminal.hpp"
#include "capture/pcap/filter.hpp"
#include "config/load.hpp"
#include "config/options.hpp"
#include "sinks/output_file.hpp"

namespace tw::app {

namespace {

using sinks::format::printable;

[[nodiscard]] std::string_view word_for(Health health) {
    switch (health) {
        case Health::ok:
            return "ok";
        case Health::note:
            return "note";
        case Health::problem:
            return "problem";
    }
    return "";
}

[[nodiscard]] std::string findings_text(const Findings& findings, std::string_view margin) {
    std::string text;
    for (const Finding& finding : findings.all()) {
        text += fmt::format("{}  {:<8} {}\n", margin, word_for(finding.health),
                            printable(finding.text));
        if (!finding.fix.empty()) {
            text += fmt::format("{}  {:<8} fix: {}\n", margin, "", printable(finding.fix));
        }
    }
    return text;
}

[[nodiscard]] std::string memory_text(const MemoryPlan& plan, const config::Config& config) {
    std::string text = "#\n# memory of one worker\n";
    const auto row = [&text](std::string_view what, std::uint64_t bytes) {
        constexpr double kMebibyte = 1 << 20;
        text +=
            fmt::format("#   {:<52} {:>10.1f} MiB\n", what, static_cast<double>(bytes) / kMebibyte);
    };
    row(fmt::format("{} IPv4 and {} IPv6 connections", config.flows.max_per_worker,
                    config.flows.max_ipv6_per_worker),
        plan.tables_bytes);
    row("events and flow records on their way out", plan.outbox_bytes);
    if (plan.live) {
        row("indexes of the connections (DPDK)", plan.dpdk.index_bytes);
    }
    text += fmt::format("#   all-in {} bytes per IPv4 connection, {} per IPv6 connection\n",
                        plan.v4_connection_bytes, plan.v6_connection_bytes);
    text += "# memory of the run\n";
    row(plan.workers == 1 ? "1 worker" : fmt::format("{} workers", plan.workers),
        plan.workers * plan.worker_bytes());
    row("what waits for its neighbours, at most", plan.settler_bytes);
    if (plan.live) {
        row("packet buffers and rings (DPDK)", plan.dpdk.buffers_bytes);
        row("DPDK itself, at most", kEalSlackBytes);
    }
    row("total", plan.total_bytes());
    return text;
}

// False if standard output took it not: a full disk. A reader that left is none of our business.
[[nodiscard]] bool print(const std::string& text) {
    sinks::OutputFile out;
    if (auto opened = out.open("-"); !opened) {
        say(opened.error().text);
        return false;
    }
    out.append(text);
    out.flush();
    if (out.error()) {
        say(out.error()->text);
    }
    return !out.error();
}

[[nodiscard]] ExitCode check_host() {
    Findings findings;
    examine_host(Host(), findings);
    if (!live_is_built()) {
        findings.note("this build has no live capture: `read` works, `run` does not",
                      std::string(kHowToGetLive));
    }
    return print("host\n" + findings_text(findings, "")) ? ExitCode::done
                                                         : ExitCode::environment_failed;
}

void examine_filter(const config::Config& config, Findings& findings) {
    const auto filter = pcap::Filter::compile(config.filter);
    if (!filter) {
        findings.problem(config.places.at("filter") + filter.error().text, "see pcap-filter(7)");
        return;
    }
    const std::string warning = pcap::encapsulation_warning(config.filter);
    if (!warning.empty()) {
        findings.note(config.places.at("filter") + warning);
    }
}

[[nodiscard]] ExitCode check_config(const std::string& path) {
    const config::Loaded config = config::load(path, config::Use::any);
    if (!config) {
        for (const Error& error : config.error()) {
            say(error.text);
        }
        return ExitCode::operator_mistake;
    }
    const Host host;
    const MemoryPlan plan = plan_memory(*config);
    Findings findings;
    for (const std::string& warning : config->warnings) {
        findings.note(warning);
    }
    examine_filter(*config, findings);
    examine_cpus(host, *config, findings);
    examine_memory(host, *config, plan, findings);
    const std::size_t before_ports = findings.problems_count();
    examine_ports(host, *config, findings);
    if (findings.problems_count() == before_ports) {
        examine_live(*config, findings);  // would only repeat a missing file or interface
    }
    examine_outputs(*config, findings);

    const std::size_t problems = findings.problems_count();
    if (!print(config::effective_yaml(*config) + memory_text(plan, *config) + "#\n# host\n" +
               findings_text(findings, "#"))) {
        return ExitCode::environment_failed;
    }
    if (problems != 0) {
        say(fmt::format("{}: cannot run here: {}, see above", path,
                        problems == 1 ? "1 problem" : fmt::format("{} problems", problems)));
    }
    return problems == 0 ? ExitCode::done : ExitCode::operator_mistake;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
    CLI::App* command =
        app.add_subcommand("check", "validate a configuration and this host, and say what to fix");
    // The parser owns the option and outlives the action.
    const CLI::Option* path =
        command->add_option("-c,--config", "YAML file; without it only the host is looked at")
            ->type_name("FILE");
    command->callback([path, &action] {
        action = [path] {
            return path->count() == 0 ? check_host() : check_config(path->as<std::string>());
        };
    });
}

}  // namespace tw::app
