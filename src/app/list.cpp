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
#include "core/tcp/flags.hpp"
#include "core/verdict/pattern.hpp"
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
        facts += option.live ? "; changes with SIGHUP" : "; needs a restart";
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
    add("counters", "what is counted", list_counters);
    add("layers", "encapsulations and how they are opened", list_layers);
    auto yaml = std::make_shared<bool>(false);
    CLI::App* options = list->add_subcommand("options", "keys of the configuration file");
    options->add_flag("--yaml", *yaml, "as a configuration file with every default, commented");
    options->callback([&action, yaml] { action = [yaml] { return list_options(*yaml); }; });
}

}  // namespace tw::app
