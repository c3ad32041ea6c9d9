// SPDX-License-Identifier: BSD-3-Clause
#include "app/read_session.hpp"

#include <unistd.h>

#include <string>
#include <vector>

#include "app/terminal.hpp"
#include "sinks/summary_text.hpp"

namespace tw::app {
namespace {

const std::vector<std::string> kTapNames{"capture"};

}  // namespace

ReadSession::ReadSession(const ReadOptions& options)
    : options_(options), events_(kTapNames), flows_(kTapNames) {}

std::expected<std::unique_ptr<ReadSession>, Error> ReadSession::open(const ReadOptions& options) {
    std::unique_ptr<ReadSession> session(new ReadSession(options));
    if (auto prepared = session->prepare(); !prepared) {
        return std::unexpected(prepared.error());
    }
    return session;
}

std::expected<void, Error> ReadSession::prepare() {
    if (auto valid = check_outputs(options_.outputs.named()); !valid) {
        return valid;
    }
    const auto facts = check_inputs(options_.input.files, options_.outputs.named());
    if (!facts) {
        return std::unexpected(facts.error());
    }
    auto analysis = FileAnalysis::open(options_.input, *facts);
    if (!analysis) {
        return std::unexpected(analysis.error());
    }
    analysis_ = std::move(*analysis);
    return open_outputs();
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
    if (auto done = analysis_->run(*this); !done) {
        say(done.error().text);
        return done.error().code;
    }
    return finish();
}

void ReadSession::take(std::span<const Frame> frames, std::span<const Observation> observations) {
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
}

void ReadSession::take(const event::Event& event) {
    if (events_.is_open()) {
        events_.write(event);
    }
    if (options_.summary()) {
        summary_.add(event);
    }
}

void ReadSession::take(const event::FlowRecord& record) {
    if (flows_.is_open()) {
        flows_.write(record);
    }
    if (options_.summary()) {
        summary_.add(record);
    }
}

bool ReadSession::wants_more() const {
    const bool frames = frames_.is_open() && frames_.good();
    const bool events = events_.is_open() && events_.good();
    const bool flows = flows_.is_open() && flows_.good();
    return options_.summary() || frames || events || flows;
}

ExitCode ReadSession::finish() {
    sinks::OutputFile out;
    if (options_.summary()) {
        if (auto opened = out.open("-"); opened) {
            out.append(sinks::summary_text(summary_, sinks::run_verdicts(analysis_->settler()),
                                           analysis_->facts(), analysis_->counters(),
                                           terminal_style(STDOUT_FILENO)));
        }
        out.flush();
    }
    // On a terminal the summary has said all of this already.
    if (!options_.summary() || ::isatty(STDOUT_FILENO) == 0) {
        analysis_->say_warnings();
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

}  // namespace tw::app
