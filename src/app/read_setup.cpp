// SPDX-License-Identifier: BSD-3-Clause
// What a ReadSession does before its first frame: check, size, open.
#include <fmt/core.h>
#include <sys/random.h>
#include <unistd.h>

#include <utility>

#include "app/read_session.hpp"
#include "app/table_size.hpp"
#include "app/terminal.hpp"
#include "base/lazy_array.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// The index starts this small and doubles as connections come.
constexpr std::uint32_t kIndexKeysFirst = 4096;

const std::vector<std::string> kTapNames{"capture"};

// So that nobody can prepare a capture whose keys all meet in one bucket.
[[nodiscard]] std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof seed)) {
        seed = static_cast<std::uint64_t>(::getpid()) * 0x9E3779B97F4A7C15U;
    }
    return seed;
}

}  // namespace

ReadSession::ReadSession(const ReadOptions& options)
    : options_(options),
      events_(kTapNames),
      flows_(kTapNames),
      progress_(options.progress && ::isatty(STDERR_FILENO) != 0) {
    run_.filter = options.filter;
}

std::expected<std::unique_ptr<ReadSession>, Error> ReadSession::open(const ReadOptions& options) {
    std::unique_ptr<ReadSession> session(new ReadSession(options));
    if (auto prepared = session->prepare(); !prepared) {
        return std::unexpected(prepared.error());
    }
    return session;
}

std::expected<void, Error> ReadSession::prepare() {
    if (auto valid = check_outputs(options_.outputs); !valid) {
        return valid;
    }
    auto inputs = check_inputs(options_.files, options_.outputs);
    if (!inputs) {
        return std::unexpected(inputs.error());
    }
    inputs_ = *inputs;
    for (const auto step :
         {&ReadSession::compile_filter, &ReadSession::reserve_tables, &ReadSession::open_outputs}) {
        if (auto done = (this->*step)(); !done) {
            return done;
        }
    }
    return {};
}

std::expected<void, Error> ReadSession::compile_filter() {
    if (options_.filter.empty()) {
        return {};
    }
    auto filter = pcap::Filter::compile(options_.filter);
    if (!filter) {
        return std::unexpected(filter.error());
    }
    filter_ = std::move(*filter);
    const std::string warning = pcap::encapsulation_warning(options_.filter);
    if (!warning.empty()) {
        say("warning: " + warning);
    }
    return {};
}

std::expected<void, Error> ReadSession::reserve_tables() {
    const std::uint64_t memory = memory_available();
    TableSize size = table_size(inputs_.capture_bytes, memory);
    if (options_.connections_max != 0) {
        size = {options_.connections_max, options_.connections_max};
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
    options.decode = options_.decode;
    options.flows.v4_max = size.v4_max;
    options.flows.v6_max = size.v6_max;
    options.flows.timeouts = options_.timeouts;
    options.flows.backing = Backing::lazy;
    options.flows.details_divisor = 1;
    options.flows.hash_seed = random_seed();
    options.analysis = options_.analysis;
    options.analysis.exact_flight = true;
    index_v4_ = std::make_unique<flow::PlainIndex>(sizeof(flow::KeyV4), size.v4_max, Backing::lazy,
                                                   kIndexKeysFirst);
    index_v6_ = std::make_unique<flow::PlainIndex>(sizeof(flow::KeyV6), size.v6_max, Backing::lazy,
                                                   kIndexKeysFirst);
    outbox_ = std::make_unique<event::Outbox>(event::OutboxOptions{});
    pipeline_ = std::make_unique<Pipeline>(options, *index_v4_, *index_v6_, *outbox_, counters_);
    return {};
}

std::expected<void, Error> ReadSession::open_outputs() {
    std::expected<void, Error> opened;
    if (!options_.outputs.frames.empty()) {
        opened = frames_.open(options_.outputs.frames);
    }
    if (opened && !options_.outputs.events.empty()) {
        opened = events_.open(options_.outputs.events);
    }
    if (opened && !options_.outputs.flows.empty()) {
        opened = flows_.open(options_.outputs.flows);
    }
    return opened;
}

}  // namespace tw::app
