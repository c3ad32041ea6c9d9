// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/filter.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "capture/pcap/filter_program.hpp"

namespace tw::pcap {
namespace {

// The supported link types in the order of their enumerators.
struct Row {
    LinkType link;
    int dlt;
    std::string_view name;
};
constexpr std::array kRows = {
    Row{LinkType::ethernet, DLT_EN10MB, "Ethernet"},
    Row{LinkType::raw_ip, DLT_RAW, "raw IP"},
    Row{LinkType::linux_sll, DLT_LINUX_SLL, "Linux cooked"},
    Row{LinkType::linux_sll2, DLT_LINUX_SLL2, "Linux cooked v2"},
    Row{LinkType::bsd_null, DLT_NULL, "BSD null"},
    Row{LinkType::bsd_loop, DLT_LOOP, "BSD loop"},
};
static_assert(kRows.size() == static_cast<std::size_t>(LinkType::unsupported));
static_assert([] {
    for (std::size_t index = 0; index < kRows.size(); ++index) {
        if (static_cast<std::size_t>(kRows[index].link) != index) {
            return false;
        }
    }
    return true;
}());

}  // namespace

struct Filter::Programs {
    std::string expression;
    std::array<std::expected<FilterProgram, std::string>, kRows.size()> by_link;
};

Filter::Filter(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
Filter::~Filter() = default;
Filter::Filter(Filter&& other) noexcept = default;
Filter& Filter::operator=(Filter&& other) noexcept = default;

std::expected<Filter, Error> Filter::compile(const std::string& expression) {
    auto programs = std::make_unique<Programs>();
    programs->expression = expression;
    bool usable = false;
    for (std::size_t index = 0; index < kRows.size(); ++index) {
        programs->by_link[index] = FilterProgram::compile(expression, kRows[index].dlt);
        usable = usable || programs->by_link[index].has_value();
    }
    if (!usable) {
        // The first row's message: a mistake in the syntax is the same for every link type.
        return std::unexpected(
            Error{fmt::format("filter \"{}\": {}; expected an expression as in pcap-filter(7)",
                              expression, programs->by_link[0].error())});
    }
    return Filter(std::move(programs));
}

bool Filter::matches(const Frame& frame) const {
    if (frame.link == LinkType::unsupported) {
        return true;
    }
    const auto& program = programs_->by_link[static_cast<std::size_t>(frame.link)];
    return program && program->matches(frame);
}

std::span<const Frame> Filter::keep(std::span<const Frame> frames, std::span<Frame, kBurstMax> kept,
                                    stats::Counters& counters) const {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    for (const Frame& frame : frames) {
        if (matches(frame)) {
            kept[count++] = frame;
        } else {
            bytes += frame.wire_bytes;
        }
    }
    const std::uint64_t left_out = frames.size() - count;
    counters.add(stats::Counter::frames, left_out);
    counters.add(stats::Counter::frame_bytes, bytes);
    counters.add(stats::Counter::decode_filtered, left_out);
    return kept.first(count);
}

std::expected<void, Error> Filter::check(LinkType link) const {
    if (link == LinkType::unsupported) {
        return {};
    }
    const auto index = static_cast<std::size_t>(link);
    const auto& program = programs_->by_link[index];
    if (program) {
        return {};
    }
    return std::unexpected(
        Error{fmt::format("filter \"{}\" cannot be used on {} frames: {}", programs_->expression,
                          kRows[index].name, program.error())});
}

const std::string& Filter::expression() const {
    return programs_->expression;
}

}  // namespace tw::pcap
