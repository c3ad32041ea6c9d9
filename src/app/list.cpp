// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness list`: the manual, printed from the program's own tables.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "app/commands.hpp"
#include "app/list_live.hpp"
#include "app/terminal.hpp"
#include "config/options.hpp"
#include "core/decode/layer.hpp"
#include "core/event/verdict.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/fact.hpp"
#include "core/tcp/flags.hpp"
#include "core/verdict/pattern.hpp"
#include "firewall/behaviour.hpp"
#include "firewall/gates.hpp"
#include "firewall/grades.hpp"
#include "sinks/format/page.hpp"
#include "sinks/output_file.hpp"

namespace tw::app {
namespace {

using sinks::format::Page;
using sinks::format::Table;
using sinks::format::Tone;

[[nodiscard]] ExitCode print(const Page& page) {
    sinks::OutputFile out;
    auto opened = out.open("-");
    if (opened) {
        out.append(page.text());
        out.flush();
    }
    if (!opened || out.error()) {
        say(opened ? out.error()->text : opened.error().text);
        return ExitCode::environment_failed;
    }
    return ExitCode::done;
}

[[nodiscard]] Page new_page() {
    return Page(terminal_style(STDOUT_FILENO));
}

[[nodiscard]] ExitCode list_flags() {
    Page page = new_page();
    Table table("<<");
    table.row({"flag", "as tcp.analysis.NAME in Wireshark"});
    for (const tcp::FlagInfo& flag : tcp::flag_table()) {
        table.row({std::string(flag.name), std::string(flag.help)});
    }
    page.table(table, true);
    return print(page);
}

[[nodiscard]] ExitCode list_counters() {
    Page page = new_page();
    Table table("<<<");
    table.row({"counter", "unit", "counts"});
    for (const stats::CounterInfo& counter : stats::counter_table()) {
        table.row(
            {std::string(counter.name), std::string(counter.unit), std::string(counter.help)});
    }
    for (const CounterRow& row : live_counter_rows()) {
        table.row({row.name, row.unit, row.help});
    }
    page.table(table, true);
    return print(page);
}

[[nodiscard]] ExitCode list_layers() {
    Page page = new_page();
    Table table("<<<");
    table.row({"layer", "opened by analysis.decap", "what it is"});
    for (const decode::LayerInfo& layer : decode::layer_table()) {
        table.row({std::string(layer.name),
                   std::string(layer.decap.empty() ? std::string_view("always") : layer.decap),
                   std::string(layer.help)});
    }
    page.table(table, true);
    return print(page);
}

[[nodiscard]] ExitCode list_options(bool yaml) {
    Page page = new_page();
    if (yaml) {
        page.verbatim(config::default_yaml());
        return print(page);
    }
    for (const config::OptionInfo& option : config::option_table()) {
        page.line(option.path, Tone::strong);
        if (!option.later.empty()) {
            page.paragraph(option.later, 4, 4);
            continue;
        }
        page.paragraph(option.help, 4, 4);
        std::string facts = fmt::format("{}; default {}", config::kind_name(option.kind),
                                        option.fallback.empty() ? "\"\"" : option.fallback);
        if (!option.allowed.empty()) {
            facts += fmt::format("; allowed: {}", option.allowed);
        }
        if (!option.unit.empty()) {
            facts += fmt::format(" ({})", option.unit);
        }
        facts += option.firewall ? "; of `tapwitness firewall`"
                 : option.live   ? "; changes with SIGHUP"
                                 : "; needs a restart";
        page.paragraph(facts, 4, 6, Tone::faint);
    }
    return print(page);
}

void list_verdict_rows(Page& page) {
    page.line("VERDICTS: what an episode means (key `verdict`)", Tone::strong);
    for (const event::VerdictInfo& verdict : event::verdict_table()) {
        if (verdict.id == event::Verdict::none) {
            continue;
        }
        page.blank();
        page.line("  " + std::string(verdict.name), Tone::strong);
        page.paragraph(verdict.sentence, 4, 4);
        page.paragraph(fmt::format("{}.", verdict.help), 4, 4, Tone::faint);
    }
}

template <typename Row, std::size_t N>
void list_words(Page& page, std::string_view heading, std::span<const Row, N> rows) {
    page.heading(heading);
    Table table("<<");
    for (const Row& row : rows) {
        if (static_cast<std::size_t>(row.id) != 0) {  // the first row stands for nothing
            table.row({std::string(row.name), std::string(row.help)});
        }
    }
    page.table(table, false);
}

[[nodiscard]] ExitCode list_verdicts() {
    Page page = new_page();
    list_verdict_rows(page);
    list_words(page, "CONFIDENCE (key `confidence`)", event::confidence_table());
    list_words(page, "CAUSES: what is behind it, where known (key `cause`)", event::cause_table());
    list_words(page, "PLACES: where, in the direction of the data (key `place`)",
               event::place_table());
    list_words(page, "RULES: how it was concluded (key `rule`)", event::rule_table());
    page.heading("PATTERNS: what many episodes have in common");
    for (const verdict::PatternInfo& pattern : verdict::pattern_table()) {
        page.blank();
        page.line("  " + std::string(pattern.name), Tone::strong);
        page.paragraph(pattern.sentence, 4, 4);
        page.paragraph(fmt::format("{}.", pattern.help), 4, 4, Tone::faint);
    }
    return print(page);
}

[[nodiscard]] ExitCode list_behaviours() {
    Page page = new_page();
    page.line("BEHAVIOURS: what a firewall was seen to do (key `behaviour`)", Tone::strong);
    for (const firewall::BehaviourInfo& row : firewall::behaviour_table()) {
        page.blank();
        page.line(fmt::format("  {}{}", row.name,
                              row.section == 0 ? "" : fmt::format("  (section {})", row.section)),
                  Tone::strong);
        page.paragraph(fmt::format("{}.", row.sentence), 4, 4);
        page.paragraph(fmt::format("Rule: {}.", row.help), 4, 4, Tone::faint);
        if (!row.advice.empty()) {
            page.paragraph(fmt::format("Look at: {}.", row.advice), 4, 4, Tone::faint);
        }
        page.paragraph(
            fmt::format("Weight: {}.{}", firewall::name(row.weight),
                        row.standard.empty() ? "" : fmt::format(" See {}.", row.standard)),
            4, 4, Tone::faint);
    }
    page.heading("GRADES: how far it is proven (key `grade`)");
    Table grades("<<");
    for (std::size_t i = taps::kGrades; i-- > 0;) {
        const auto grade = static_cast<taps::Grade>(i);
        grades.row({std::string(taps::name(grade)), std::string(firewall::help(grade))});
    }
    page.table(grades, false);
    page.heading("PROOFS: what it rests on (key `proof`)");
    Table proofs("<<");
    for (std::size_t i = 1; i < taps::kProofs; ++i) {
        const auto proof = static_cast<taps::Proof>(i);
        proofs.row({std::string(taps::name(proof)), std::string(taps::help(proof))});
    }
    page.table(proofs, false);
    page.heading("DOUBTS: what speaks against the capture (key `doubts`)");
    for (const firewall::DoubtInfo& row : firewall::doubt_table()) {
        page.blank();
        page.line(fmt::format("  {}", row.name), Tone::strong);
        page.paragraph(fmt::format("{}.", row.help), 4, 4);
        page.paragraph(fmt::format("Leads to: capture {}. What to do: {}.",
                                   firewall::name(row.trust), row.advice),
                       4, 4, Tone::faint);
    }
    return print(page);
}

}  // namespace

void add_list(CLI::App& app, Action& action) {
    CLI::App* list = app.add_subcommand("list", "the manual: what every word in the output means");
    list->require_subcommand(1);
    list->footer(
        "Examples:\n"
        "  tapwitness list flags\n"
        "  tapwitness list verdicts\n"
        "  tapwitness list options --yaml > monitor.yaml   a configuration to start from\n");
    const auto add = [&](const char* name, const char* help, ExitCode (*print_it)()) {
        list->add_subcommand(name, help)->callback([&action, print_it] { action = print_it; });
    };
    add("flags", "per-packet facts, named as in Wireshark", list_flags);
    add("verdicts", "what episodes mean, who lost it, and how that is known", list_verdicts);
    add("behaviours", "what a firewall between two taps does, and how that is known",
        list_behaviours);
    add("counters", "what is counted", list_counters);
    add("layers", "encapsulations and how they are opened", list_layers);
    auto yaml = std::make_shared<bool>(false);
    CLI::App* options = list->add_subcommand("options", "keys of the configuration file");
    options->add_flag("--yaml", *yaml, "as a configuration file with every default, commented");
    options->callback([&action, yaml] { action = [yaml] { return list_options(*yaml); }; });
}

}  // namespace tw::app
