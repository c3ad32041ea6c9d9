// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_outputs.hpp"

#include <spdlog/logger.h>

#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// Written before the outboxes get their turn.
constexpr std::uint32_t kPopsMax = 1024;
// Trouble that ended a moment ago and begins again is the same trouble.
constexpr Nanos kCalm = kSecond;

using sinks::OpenFile;
using sinks::OutputFile;

// The first line must be on disk before frames are asked for.
template <typename Lines>
[[nodiscard]] std::expected<void, Error> open_one(Lines& lines, const std::string& path) {
    if (path.empty()) {
        return {};
    }
    if (auto opened = lines.open(path); !opened) {
        return opened;
    }
    lines.flush();
    return lines.error() ? std::expected<void, Error>(std::unexpected(*lines.error()))
                         : std::expected<void, Error>();
}

// Whether another line fits, if need be after writing out what is there.
[[nodiscard]] bool has_room(OutputFile& file) {
    return file.has_room() || (file.flush(), file.has_room());
}

// Nothing if the output is written to `path` already.
[[nodiscard]] std::expected<std::optional<OpenFile>, Error> prepare_one(const OutputFile& file,
                                                                        const std::string& path) {
    if (path.empty() || file.is_at(path)) {
        return std::nullopt;
    }
    auto opened = OpenFile::open(path);
    if (!opened) {
        return std::unexpected(std::move(opened.error()));
    }
    return std::optional<OpenFile>(std::move(*opened));
}

}  // namespace

LiveOutputs::LiveOutputs(const std::vector<std::string>& taps, sinks::Patience patience,
                         spdlog::logger& logger)
    : logger_(logger), events_(taps), flows_(taps) {
    set_patience(patience);
}

std::expected<void, Error> LiveOutputs::open(const config::Config& config) {
    if (auto opened = open_one(events_, config.events.path); !opened) {
        return opened;
    }
    return open_one(flows_, config.flow_records.path);
}

bool LiveOutputs::drain(verdict::Settler& settler) {
    bool worked = false;
    event::Event event;
    for (std::uint32_t i = 0; i < kPopsMax && has_room(events_.file()) && settler.pop(event); ++i) {
        events_.write(event);
        worked = true;
    }
    event::FlowRecord record;
    for (std::uint32_t i = 0; i < kPopsMax && has_room(flows_.file()) && settler.pop(record); ++i) {
        flows_.write(record);
        worked = true;
    }
    return worked;
}

void LiveOutputs::flush(Nanos now) {
    events_.flush();
    flows_.flush();
    watch(events_.file(), events_trouble_, now);
    watch(flows_.file(), flows_trouble_, now);
}

void LiveOutputs::watch(OutputFile& file, Trouble& trouble, Nanos now) {
    if (file.error() || !file.has_room()) {
        trouble.failed_once = trouble.failed_once || file.error().has_value();
        trouble.since = now;
        if (!trouble.now) {
            trouble.now = true;
            logger_.error(
                "{}; the analysis goes on, events wait in memory, and those that find no room "
                "there are counted as lost",
                file.error() ? file.error()->text
                             : fmt::format("{}: nobody reads it fast enough", file.name()));
        }
    } else if (trouble.now && now - trouble.since >= kCalm) {
        trouble.now = false;
        logger_.info("{}: writing again", file.name());
    }
}

bool LiveOutputs::nobody_reads() const {
    const bool events_gone = !events_.is_open() || events_.reader_gone();
    const bool flows_gone = !flows_.is_open() || flows_.reader_gone();
    return events_gone && flows_gone && (events_.is_open() || flows_.is_open());
}

std::expected<LiveOutputs::Change, Error> LiveOutputs::prepare(const config::Config& next) {
    Change change;
    auto events = prepare_one(events_.file(), next.events.path);
    if (!events) {
        return std::unexpected(std::move(events.error()));
    }
    auto flows = prepare_one(flows_.file(), next.flow_records.path);
    if (!flows) {
        return std::unexpected(std::move(flows.error()));
    }
    change.events = std::move(*events);
    change.flows = std::move(*flows);
    change.close_events = next.events.path.empty();
    change.close_flows = next.flow_records.path.empty();
    return change;
}

std::vector<std::string> LiveOutputs::apply(Change change) {
    std::vector<std::string> begun;
    const auto apply_one = [&begun](auto& lines, std::optional<OpenFile>& file, bool close) {
        if (file) {
            begun.push_back(file->name());
            lines.switch_to(std::move(*file));
        } else if (close) {
            lines.file().close();
        }
    };
    apply_one(events_, change.events, change.close_events);
    apply_one(flows_, change.flows, change.close_flows);
    return begun;
}

void LiveOutputs::set_patience(sinks::Patience patience) {
    events_.file().set_patience(patience);
    flows_.file().set_patience(patience);
}

// Lines that never left the buffer.
std::uint64_t LiveOutputs::say_lost(const OutputFile& file) const {
    if (file.lost_lines() != 0) {
        logger_.error("{}: {} could not be written", file.name(),
                      sinks::format::count_of(file.lost_lines(), "line"));
    }
    return file.lost_lines();
}

ExitCode LiveOutputs::finish(std::uint64_t lost_in_ring) {
    events_.flush();
    flows_.flush();
    const bool failing = events_.error() || flows_.error();
    events_.file().give_up();
    flows_.file().give_up();
    const std::uint64_t lost = say_lost(events_.file()) + say_lost(flows_.file());
    const bool failed_once = events_trouble_.failed_once || flows_trouble_.failed_once;
    const bool lost_by_failure = failed_once && lost_in_ring != 0;
    return failing || lost != 0 || lost_by_failure ? ExitCode::environment_failed : ExitCode::done;
}

}  // namespace tw::app
