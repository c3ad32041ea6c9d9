// SPDX-License-Identifier: BSD-3-Clause
#include "app/read_session.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/stream_supply.hpp"
#include "app/terminal.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// Bursts between two looks at the clock, for ageing and the progress line: 8192 frames.
constexpr std::uint64_t kBurstsPerLook = 256;
// Bursts between two slices of the ageing sweep.
constexpr std::uint64_t kBurstsPerTick = 32;
// Connections closed between two drains at the end: their episodes must fit the event ring.
constexpr std::uint32_t kClosedPerDrain = 32;

}  // namespace

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

std::expected<std::unique_ptr<pcap::FileSource>, Error> ReadSession::open_source(
    const std::string& path) {
    const pcap::FileSourceOptions options{.first_number = next_number_};
    if (!is_stream(path)) {
        return pcap::FileSource::open(path, options);
    }
    auto supply = StreamSupply::open(path, stop_, run_.interrupted);
    if (!supply) {
        return std::unexpected(supply.error());
    }
    const std::string name = path == "-" ? "standard input" : path;
    return pcap::FileSource::open_supply(std::move(*supply), name, options);
}

std::expected<void, Error> ReadSession::read_file(const std::string& path) {
    auto opened = open_source(path);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    const bool stream = is_stream(path);
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
        // A stream ends itself when a stop is requested: what is on its way still counts.
        if (!stream && stop_.requested()) {
            run_.interrupted = true;
            break;
        }
    }
    next_number_ = source.next_number();
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
                            // Where a stop cut the stream off is no fault of the file.
                            .warning = run_.interrupted ? std::nullopt : source.warning(),
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
        say(fmt::format("stopped after {}",
                        sinks::format::count_of(counters_.get(stats::Counter::frames), "frame")));
    }
    for (const std::string& limit : sinks::limits_text(run_, counters_)) {
        say("limit reached: " + limit);
    }
}

}  // namespace tw::app
