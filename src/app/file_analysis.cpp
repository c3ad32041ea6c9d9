// SPDX-License-Identifier: BSD-3-Clause
#include "app/file_analysis.hpp"

#include <fmt/core.h>

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

std::expected<void, Error> FileAnalysis::run(AnalysisReader& reader) {
    for (const std::string& path : input_.files) {
        if (auto read = read_file(path, reader); !read) {
            progress_.clear();
            return read;
        }
        if (run_.interrupted || !reader.wants_more()) {
            break;
        }
    }
    close_connections(reader);
    settle_rest(reader);
    progress_.clear();
    return {};
}

std::expected<std::unique_ptr<pcap::FileSource>, Error> FileAnalysis::open_source(
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

std::expected<void, Error> FileAnalysis::read_file(const std::string& path,
                                                   AnalysisReader& reader) {
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
        process_burst(frames, reader);
        if (++bursts_ % kBurstsPerLook == 0) {
            progress_.update(bytes_done_ + source.progress().bytes_read,
                             inputs_.stored_bytes.value_or(0),
                             counters_.get(stats::Counter::frames));
            if (!reader.wants_more()) {
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

void FileAnalysis::process_burst(std::span<const Frame> frames, AnalysisReader& reader) {
    note_times(frames);
    if (filter_) {
        frames = filter_->keep(frames, kept_, counters_);
        if (frames.empty()) {
            return;
        }
    }
    index_v4_->grow_for_burst();
    index_v6_->grow_for_burst();
    reader.take(frames, pipeline_->process(frames));
    if (bursts_ % kBurstsPerTick == 0) {
        pipeline_->tick(frames.back().time);
    }
    drain(reader);
    settler_->advance(run_.last, counters_.get(stats::Counter::frame_bytes));
    hand_out(reader);
}

void FileAnalysis::note_times(std::span<const Frame> frames) {
    // The ends of a burst only: good to a burst where a capture is not in order of time.
    const auto [first, last] = std::minmax(frames.front().time, frames.back().time);
    run_.first = run_.timed ? std::min(run_.first, first) : first;
    run_.last = run_.timed ? std::max(run_.last, last) : last;
    run_.timed = true;
}

void FileAnalysis::drain(AnalysisReader& reader) {
    event::Event event;
    event::FlowRecord record;
    bool full = true;
    while (full) {
        while (settler_->has_event_room() && outbox_->pop(event)) {
            settler_->add(event);
        }
        // Records come after their episodes.
        full = !settler_->has_event_room();
        while (!full && settler_->has_record_room() && outbox_->pop(record)) {
            settler_->add(record);
        }
        full = full || !settler_->has_record_room();
        hand_out(reader);
    }
}

void FileAnalysis::hand_out(AnalysisReader& reader) {
    event::Event event;
    while (settler_->pop(event)) {
        reader.take(event);
    }
    event::FlowRecord record;
    while (settler_->pop(record)) {
        reader.take(record);
    }
}

void FileAnalysis::close_connections(AnalysisReader& reader) {
    bool done = false;
    while (!done && reader.wants_more()) {
        done = pipeline_->close_some(kClosedPerDrain);
        drain(reader);
    }
}

void FileAnalysis::settle_rest(AnalysisReader& reader) {
    std::uint64_t dropped = 0;
    for (const sinks::CaptureFile& file : run_.files) {
        for (const auto& interface : file.interfaces) {
            dropped += interface.dropped.value_or(0);
        }
    }
    settler_->set_capture_dropped(dropped);
    settler_->finish();
    hand_out(reader);
}

void FileAnalysis::note_file(const pcap::FileSource& source) {
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

void FileAnalysis::say_warnings() const {
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
