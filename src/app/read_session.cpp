// SPDX-License-Identifier: BSD-3-Clause
#include "app/read_session.hpp"

#include <fmt/core.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "app/table_size.hpp"
#include "app/terminal.hpp"
#include "base/lazy_array.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// Bursts between two looks at the clock, for ageing and the progress line: 8192 frames.
constexpr std::uint64_t kBurstsPerLook = 256;
// Bursts between two slices of the ageing sweep.
constexpr std::uint64_t kBurstsPerTick = 32;
// Connections closed between two drains at the end: their episodes must fit the event ring.
constexpr std::uint32_t kClosedPerDrain = 32;
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

ExitCode ReadSession::run() {
    for (const std::string& path : options_.files) {
        if (auto read = read_file(path); !read) {
            progress_.clear();
            say(read.error().text);
            return read.error().code;
        }
        if (run_.interrupted || !outputs_alive()) {
            break;
        }
    }
    close_connections();
    return finish();
}

std::expected<void, Error> ReadSession::read_file(const std::string& path) {
    auto opened = pcap::FileSource::open(path, {.first_number = frames_read_ + 1});
    if (!opened) {
        return std::unexpected(opened.error());
    }
    pcap::FileSource& source = **opened;
    if (filter_) {
        for (const pcap::InterfaceLedger& interface : source.ledger().interfaces) {
            if (auto valid = filter_->check(interface.link); !valid) {
                return valid;
            }
        }
    }
    while (true) {
        const std::span<const Frame> frames = source.next();
        if (frames.empty()) {
            break;
        }
        process_burst(frames);
        if (++bursts_ % kBurstsPerLook == 0) {
            progress_.update(bytes_done_ + source.progress().bytes_read,
                             inputs_.stored_bytes.value_or(0),
                             counters_.get(stats::Counter::frames));
            if (!outputs_alive()) {
                break;
            }
        }
        if (stop_.requested()) {
            run_.interrupted = true;
            break;
        }
    }
    frames_read_ += source.frames_read();
    bytes_done_ += source.progress().bytes_read;
    note_file(source);
    return {};
}

void ReadSession::process_burst(std::span<const Frame> frames) {
    note_times(frames);
    if (filter_) {
        frames = filtered(frames);
        if (frames.empty()) {
            return;
        }
    }
    index_v4_->grow_for_burst();
    index_v6_->grow_for_burst();
    const std::span<const Observation> observations = pipeline_->process(frames);
    if (frames_.is_open()) {
        for (std::size_t i = 0; i < observations.size(); ++i) {
            frames_.write(frames[i].number, observations[i].flags);
        }
    }
    if (options_.summary()) {
        for (const Observation& observation : observations) {
            if (!observation.flags.empty()) {
                summary_.add(observation.flags);
            }
        }
    }
    if (bursts_ % kBurstsPerTick == 0) {
        pipeline_->tick(frames.back().time);
    }
    drain();
}

void ReadSession::note_times(std::span<const Frame> frames) {
    // The ends of a burst only: good to a burst where a capture is not in order of time.
    const auto [first, last] = std::minmax(frames.front().time, frames.back().time);
    run_.first = run_.timed ? std::min(run_.first, first) : first;
    run_.last = run_.timed ? std::max(run_.last, last) : last;
    run_.timed = true;
}

std::span<const Frame> ReadSession::filtered(std::span<const Frame> frames) {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    for (const Frame& frame : frames) {
        if (filter_->matches(frame)) {
            kept_[count++] = frame;
        } else {
            bytes += frame.wire_bytes;
        }
    }
    // The pipeline counts the frames it is given; these are the others.
    const std::uint64_t left_out = frames.size() - count;
    counters_.add(stats::Counter::frames, left_out);
    counters_.add(stats::Counter::frame_bytes, bytes);
    counters_.add(stats::Counter::decode_filtered, left_out);
    return std::span(kept_).first(count);
}

void ReadSession::drain() {
    event::Event event;
    while (outbox_->pop(event)) {
        if (events_.is_open()) {
            events_.write(event);
        }
        if (options_.summary()) {
            summary_.add(event);
        }
    }
    event::FlowRecord record;
    while (outbox_->pop(record)) {
        if (flows_.is_open()) {
            flows_.write(record);
        }
        if (options_.summary()) {
            summary_.add(record);
        }
    }
}

void ReadSession::close_connections() {
    bool done = false;
    while (!done && outputs_alive()) {
        done = pipeline_->close_some(kClosedPerDrain);
        drain();
    }
}

void ReadSession::note_file(const pcap::FileSource& source) {
    sinks::CaptureFile file{.path = source.path(),
                            .format = source.format_name(),
                            .frames = source.frames_read(),
                            .warning = source.warning(),
                            .interfaces = {}};
    for (const pcap::InterfaceLedger& ledger : source.ledger().interfaces) {
        file.interfaces.push_back({.name = ledger.name,
                                   .link_name = ledger.link_name,
                                   .decoded = ledger.link != LinkType::unsupported,
                                   .frames = ledger.frames,
                                   .dropped = ledger.dropped(),
                                   .dropped_interface = ledger.dropped_interface,
                                   .dropped_os = ledger.dropped_os});
        if (filter_) {
            if (auto valid = filter_->check(ledger.link); !valid) {
                say("warning: " + valid.error().text);
            }
        }
    }
    run_.files.push_back(std::move(file));
}

bool ReadSession::outputs_alive() const {
    const bool frames = frames_.is_open() && frames_.good();
    const bool events = events_.is_open() && events_.good();
    const bool flows = flows_.is_open() && flows_.good();
    return options_.summary() || frames || events || flows;
}

ExitCode ReadSession::finish() {
    progress_.clear();
    sinks::OutputFile out;
    if (options_.summary()) {
        if (auto opened = out.open("-"); opened) {
            out.append(
                sinks::summary_text(summary_, run_, counters_, terminal_style(STDOUT_FILENO)));
        }
        out.flush();
    }
    // On a terminal the summary has said all of this already.
    if (!options_.summary() || ::isatty(STDOUT_FILENO) == 0) {
        say_warnings();
    }
    frames_.flush();
    events_.flush();
    flows_.flush();
    ExitCode code = ExitCode::done;
    for (const auto& error : {frames_.error(), events_.error(), flows_.error(), out.error()}) {
        if (error) {
            say(error->text);
            code = error->code;
        }
    }
    return code;
}

void ReadSession::say_warnings() const {
    for (const sinks::CaptureFile& file : run_.files) {
        if (file.warning) {
            say("warning: " + *file.warning);
        }
    }
    if (run_.interrupted) {
        say(fmt::format("stopped after {}", sinks::format::count_of(frames_read_, "frame")));
    }
    for (const std::string& limit : sinks::limits_text(run_, counters_)) {
        say("limit reached: " + limit);
    }
}

}  // namespace tw::app
