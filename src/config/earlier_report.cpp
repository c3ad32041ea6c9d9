// SPDX-License-Identifier: BSD-3-Clause
#include "config/earlier_report.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <fstream>

#include "config/document.hpp"
#include "config/values.hpp"

namespace tw::config {
namespace {

// Evidence holds packets of findings: deeper and longer than any configuration.
constexpr std::size_t kBytesMax = 256U << 20U;
constexpr DocumentLimits kLimits{.depth_max = 16, .nodes_max = 4'000'000};

const Node* member(const Node& node, std::string_view name) {
    for (std::size_t i = 0; i < node.keys.size() && i < node.items.size(); ++i) {
        if (node.keys[i].text == name) {
            return &node.items[i];
        }
    }
    return nullptr;
}

// Absent, null and empty are one: a report leaves out what it has not.
std::string text_of(const Node& node, std::string_view name) {
    const Node* const found = member(node, name);
    return found == nullptr || found->kind != Node::Kind::scalar ? std::string{} : found->text;
}

template <typename Number>
std::optional<Number> number_of(const Node& node, std::string_view name) {
    const std::string text = text_of(node, name);
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end && !text.empty() ? std::optional(number)
                                                                : std::nullopt;
}

// The lists of a report. A comparison with half of one would call the other half new.
class Lists {
  public:
    Lists(const Node& root, const std::string& file) : root_(root), file_(file) {}

    template <typename Row>
    void read(std::string_view name, Row row) {
        const Node* const list = member(root_, name);
        if (list == nullptr) {
            return;
        }
        if (list->kind != Node::Kind::sequence) {
            fail(*list, fmt::format("{} is no list", name));
            return;
        }
        for (const Node& node : list->items) {
            if (node.kind != Node::Kind::map) {
                fail(node, fmt::format("{} is a list of objects", name));
                return;
            }
            row(node);
        }
    }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  private:
    void fail(const Node& node, std::string_view what) {
        if (!error_) {
            error_ = Error{fmt::format("{}:{}:{}: {}: not a report of `tapwitness firewall --json`",
                                       file_, node.place.line, node.place.column, what)};
        }
    }

    const Node& root_;
    const std::string& file_;
    std::optional<Error> error_;
};

}  // namespace

std::expected<firewall::EarlierReport, Error> parse_earlier_report(std::string_view text,
                                                                   const std::string& name) {
    const auto root = parse_document(text, name, kLimits);
    if (!root) {
        return std::unexpected(root.error());
    }
    if (const std::string schema = text_of(*root, "schema"); schema != firewall::Report::kSchema) {
        return std::unexpected(Error{
            fmt::format("{}: schema {}: only {} can be compared with", name,
                        schema.empty() ? "is missing" : shown(schema), firewall::Report::kSchema)});
    }
    firewall::EarlierReport report;
    Lists lists(*root, name);
    lists.read("rewrites", [&](const Node& row) {
        report.rewrites.push_back(
            {.way = text_of(row, "way"),
             .rewrite = text_of(row, "rewrite"),
             .of = number_of<std::uint64_t>(row, "of").value_or(0),
             .changed = number_of<std::uint64_t>(row, "changed").value_or(0),
             .before = number_of<std::uint32_t>(row, "before").value_or(0),
             .after = number_of<std::uint32_t>(row, "after").value_or(0),
             .same_values = number_of<std::uint64_t>(row, "same_values").value_or(0),
             .sentence = text_of(row, "sentence")});
    });
    lists.read("parameters", [&](const Node& row) {
        report.parameters.push_back({.name = text_of(row, "name"),
                                     .scope = text_of(row, "scope"),
                                     .value = text_of(row, "value"),
                                     .low = number_of<double>(row, "low"),
                                     .high = number_of<double>(row, "high")});
    });
    lists.read("findings", [&](const Node& row) {
        report.findings.push_back({.behaviour = text_of(row, "behaviour"),
                                   .scope = text_of(row, "scope"),
                                   .sentence = text_of(row, "sentence")});
    });
    lists.read("latencies", [&](const Node& row) {
        report.latencies.push_back({.way = text_of(row, "way"),
                                    .setup = text_of(row, "setup") == "true",
                                    .p50 = number_of<double>(row, "p50").value_or(0),
                                    .p99 = number_of<double>(row, "p99").value_or(0)});
    });
    if (lists.error()) {
        return std::unexpected(*lists.error());
    }
    return report;
}

std::expected<firewall::EarlierReport, Error> load_earlier_report(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text;
    std::array<char, 1U << 16U> chunk{};
    while (text.size() <= kBytesMax && (file.read(chunk.data(), chunk.size()), file.gcount() > 0)) {
        text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (text.size() > kBytesMax) {
        return std::unexpected(
            Error{fmt::format("{}: more than {} is no report", path, format_size(kBytesMax))});
    }
    if (!file.eof()) {
        return std::unexpected(Error{fmt::format("{}: cannot be read", path)});
    }
    return parse_earlier_report(text, path);
}

}  // namespace tw::config
