// SPDX-License-Identifier: BSD-3-Clause
// What a FileAnalysis does before its first frame: compile the filter, size the tables.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/file_analysis.hpp"
#include "app/random.hpp"
#include "app/read_files.hpp"
#include "app/table_size.hpp"
#include "app/terminal.hpp"
#include "base/lazy_array.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// The index starts this small and doubles as connections come.
constexpr std::uint32_t kIndexKeysFirst = 4096;

}  // namespace

FileAnalysis::FileAnalysis(const AnalysisInput& input, const InputFacts& facts)
    : input_(input), inputs_(facts), progress_(input.progress && ::isatty(STDERR_FILENO) != 0) {
    run_.filter = input.filter;
}

std::expected<std::unique_ptr<FileAnalysis>, Error> FileAnalysis::open(const AnalysisInput& input,
                                                                       const InputFacts& facts) {
    std::unique_ptr<FileAnalysis> analysis(new FileAnalysis(input, facts));
    for (const auto step : {&FileAnalysis::compile_filter, &FileAnalysis::reserve_tables}) {
        if (auto done = (*analysis.*step)(); !done) {
            return std::unexpected(done.error());
        }
    }
    return analysis;
}

std::expected<void, Error> FileAnalysis::compile_filter() {
    if (input_.filter.empty()) {
        return {};
    }
    auto filter = pcap::Filter::compile(input_.filter);
    if (!filter) {
        return std::unexpected(filter.error());
    }
    filter_ = std::move(*filter);
    const std::string warning = pcap::encapsulation_warning(input_.filter);
    if (!warning.empty()) {
        say("warning: " + warning);
    }
    return {};
}

std::expected<void, Error> FileAnalysis::reserve_tables() {
    const std::uint64_t memory = memory_available();
    TableSize size = table_size(inputs_.capture_bytes, memory);
    if (input_.connections_max != 0) {
        size = {input_.connections_max, input_.connections_max};
    }
    // The arrays below abort if the host refuses their addresses; ask it first.
    const std::uint64_t wanted =
        size.v4_max * bytes_per_v4_connection() + size.v6_max * bytes_per_v6_connection();
    void* region = reserve_region(wanted, Backing::lazy);
    if (region == nullptr) {
        return std::unexpected(Error{
            fmt::format("--max-flows: {} connections take {}, which the host refuses",
                        sinks::format::count_text(size.v4_max), sinks::format::bytes_text(wanted)),
            ExitCode::environment_failed});
    }
    release_region(region, wanted);
    run_.connections_max_v4 = size.v4_max;
    run_.connections_max_v6 = size.v6_max;

    PipelineOptions options;
    options.decode = input_.decode;
    options.flows.v4_max = size.v4_max;
    options.flows.v6_max = size.v6_max;
    options.flows.timeouts = input_.timeouts;
    options.flows.backing = Backing::lazy;
    options.flows.details_divisor = 1;
    // So that nobody can prepare a capture whose keys all meet in one bucket.
    options.flows.hash_seed = random_number();
    options.analysis = input_.analysis;
    options.analysis.exact_flight = true;
    options.observe_streams = input_.observe_streams;
    index_v4_ = std::make_unique<flow::PlainIndex>(sizeof(flow::KeyV4), size.v4_max, Backing::lazy,
                                                   kIndexKeysFirst);
    index_v6_ = std::make_unique<flow::PlainIndex>(sizeof(flow::KeyV6), size.v6_max, Backing::lazy,
                                                   kIndexKeysFirst);
    outbox_ = std::make_unique<event::Outbox>(event::OutboxOptions{});
    verdict::SettlerOptions settling;
    settling.lateness += input_.analysis.direction_skew[0];
    // Behind a pipe somebody may be waiting for answers.
    settling.hold = std::none_of(input_.files.begin(), input_.files.end(), is_stream);
    settler_ = std::make_unique<verdict::Settler>(settling, counters_);
    pipeline_ = std::make_unique<Pipeline>(options, *index_v4_, *index_v6_, *outbox_, counters_);
    return {};
}

}  // namespace tw::app
