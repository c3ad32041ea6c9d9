// SPDX-License-Identifier: BSD-3-Clause
// The option table as YAML, twice: with comments and defaults for people who begin, and with the
// values of one run for `check`.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "config/groups.hpp"
#include "config/options.hpp"
#include "config/values.hpp"

namespace tw::config {

namespace {

// One line of the output: a value and the sections around it, outermost first.
struct Line {
    std::vector<std::string> parts;
    std::string value;
    const OptionInfo* info = nullptr;
};

void add_line(std::vector<Line>& lines, std::vector<std::string> parts, std::string_view rest,
              const OptionInfo& info, const Target& target) {
    while (!rest.empty()) {
        const std::size_t dot = std::min(rest.find('.'), rest.size());
        parts.emplace_back(rest.substr(0, dot));
        rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    lines.push_back({std::move(parts), info.render(target), &info});
}

// All elements of a group, each with all its rows. List elements are parts "- 0", "- 1": told
// apart here, printed as a dash.
void add_group(std::vector<Line>& lines, const Group& group, Config& config) {
    std::vector<std::string> parts;
    for (std::string_view rest = group.key(); !rest.empty();) {
        const std::size_t dot = std::min(rest.find('.'), rest.size());
        parts.emplace_back(rest.substr(0, dot));
        rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    const std::size_t count = group.count(config);
    if (count == 0) {
        lines.push_back({parts, group.is_list() ? "[]" : "{}", nullptr});
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = group.name(config, i);
        const Target target = group.element(config, i, name);
        std::vector<std::string> mine = parts;
        mine.push_back(group.is_list() ? fmt::format("- {}", i) : format_text(name));
        for (const OptionInfo& info : option_table()) {
            if (info.render && group_of(info.path) == &group) {
                const std::size_t skip = group.pattern.size();
                add_line(lines, mine, info.path.substr(std::min(skip + 1, info.path.size())), info,
                         target);
            }
        }
    }
}

[[nodiscard]] std::vector<Line> lines_of(Config config) {
    std::vector<Line> lines;
    const Group* last = nullptr;
    for (const OptionInfo& info : option_table()) {
        const Group* group = group_of(info.path);
        if (group != nullptr && group != last) {
            add_group(lines, *group, config);
        } else if (group == nullptr && info.render) {
            add_line(lines, {}, info.path, info, {.config = &config});
        }
        last = group;
    }
    return lines;
}

[[nodiscard]] std::string comment_of(const OptionInfo& info) {
    const std::string_view unit = info.kind == Kind::choice_list ? "" : info.unit;
    return fmt::format("{}{}\n# allowed: {}{}{}", info.help, info.live ? " (live)" : "",
                       info.allowed, unit.empty() ? "" : " ", unit);
}

void add_comment(std::string& out, std::string_view comment, std::size_t indent) {
    while (!comment.empty()) {
        const std::size_t end = std::min(comment.find('\n'), comment.size());
        out += fmt::format("{:{}}{}\n", "", indent, comment.substr(0, end));
        comment.remove_prefix(std::min(end + 1, comment.size()));
    }
}

[[nodiscard]] std::string yaml_of(const std::vector<Line>& lines, bool with_comments) {
    std::string out;
    std::vector<std::string> open;  // sections already printed
    for (const Line& line : lines) {
        const auto [mine, theirs] =
            std::mismatch(line.parts.begin(), line.parts.end(), open.begin(), open.end());
        auto depth = static_cast<std::size_t>(mine - line.parts.begin());
        if (with_comments && depth == 0 && !out.empty()) {
            out += '\n';
        }
        std::string dash;
        for (; depth + 1 < line.parts.size(); ++depth) {
            const std::string& part = line.parts[depth];
            if (part.starts_with("- ")) {
                dash = "- ";
            } else {
                out += fmt::format("{:{}}{}:\n", "", 2 * depth, part);
            }
        }
        if (with_comments && line.info != nullptr) {
            add_comment(out, "# " + comment_of(*line.info), 2 * depth - dash.size());
        }
        out += fmt::format("{:{}}{}{}: {}\n", "", 2 * depth - dash.size(), dash, line.parts.back(),
                           line.value);
        open = line.parts;
    }
    return out;
}

}  // namespace

std::string default_yaml() {
    Config config;
    config.ports.push_back({.name = "span0", .device = "0000:3b:00.0", .tap = "core"});
    config.taps["core"] = {};
    std::string out =
        "# Every key of the configuration with its default, what it means and what it may be.\n"
        "# The port and the tap are an example; a file needs one port's device and no other key.\n"
        "# (live): changes while the monitor runs, with SIGHUP; every other key needs a restart.\n"
        "# Generated by: tapwitness list options --yaml\n\n";
    out += yaml_of(lines_of(std::move(config)), true);
    out +=
        "\n# Of the rules of a firewall, which `tapwitness firewall` holds the traffic against;\n"
        "# config/firewall.yaml is an example:\n";
    for (const OptionInfo& info : option_table()) {
        const Group* group = group_of(info.path);
        if (group != nullptr && group->key() != "ports" && group->key() != "taps") {
            out += fmt::format("#   {}: {}\n#       default {}; allowed: {}\n", info.path,
                               info.help, info.fallback, info.allowed);
        }
    }
    out += "\n# Known to the format, refused by this version when set:\n";
    for (const OptionInfo& info : option_table()) {
        if (!info.later.empty()) {
            out += fmt::format("#   {}: {}\n", info.path, info.help);
        }
    }
    return out;
}

std::string effective_yaml(const Config& config) {
    return yaml_of(lines_of(config), false);
}

}  // namespace tw::config
