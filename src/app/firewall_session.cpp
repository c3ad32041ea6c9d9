// SPDX-License-Identifier: BSD-3-Clause
#include "app/firewall_session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/firewall_bundle.hpp"
#include "app/firewall_ending.hpp"
#include "app/random.hpp"
#include "app/terminal.hpp"
#include "firewall/differences.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

constexpr std::uint64_t kBurstsPerLook = 256;
constexpr std::uint64_t kBurstsPerTick = 4;

}  // namespace

FirewallSession::FirewallSession(const FirewallInput& input)
    : input_(input), progress_(input.progress && ::isatty(STDERR_FILENO) != 0) {}

std::expected<std::unique_ptr<FirewallSession>, Error> FirewallSession::open(
    const FirewallInput& input) {
    std::unique_ptr<FirewallSession> session(new FirewallSession(input));
    const auto outputs = session->input_.outputs.named();
    if (auto valid = check_outputs(outputs); !valid) {
        return std::unexpected(valid.error());
    }
    const auto facts = check_inputs({input.files[0].path, input.files[1].path}, outputs);
    if (!facts) {
        return std::unexpected(facts.error());
    }
    const std::uint64_t passes = 1U + (input.clock_offset ? 0U : 1U);
    session->bytes_total_ = facts->stored_bytes.value_or(0) * passes;

    taps::EngineOptions& options = session->input_.engine;
    options.side_of_tap[index(taps::Side::outside)] = taps::Side::outside;
    options.side_of_tap[index(taps::Side::inside)] = taps::Side::inside;
    options.backing = Backing::lazy;
    options.nat_hints = session->input_.policy.nat;
    options.timed_classes = &session->timed_rules_.emplace(session->input_.policy);
    options.hash_seed = random_number();
    session->investigation_ = std::make_unique<firewall::Investigation>(
        session->input_.policy, firewall::InvestigationOptions{});
    if (auto opened = session->outputs_.open(input.outputs); !opened) {
        return std::unexpected(opened.error());
    }
    return session;
}

ExitCode FirewallSession::run() {
    for (const auto step : {&FirewallSession::settle_clocks, &FirewallSession::analyse}) {
        if (auto done = (this->*step)(); !done) {
            progress_.clear();
            say(done.error().text);
            return done.error().code;
        }
    }
    progress_.clear();
    firewall::Report report = investigation_->report(confidence(), engine_->passage());
    report.command = input_.command;
    if (input_.compare) {
        report.differences = firewall::differences(*input_.compare, report);
    }
    auto code = static_cast<ExitCode>(report.exit_code);
    if (const auto done = write_bundle(report); !done) {
        say(done.error().text);
        code = done.error().code;
    }
    if (interrupted_) {
        say("stopped: the report is about what had been read");
    }
    return outputs_.write(report) ? code : ExitCode::environment_failed;
}

void FirewallSession::look(std::uint64_t bytes_read) {
    progress_.update(bytes_before_ + bytes_read, bytes_total_,
                     counters_.get(stats::Counter::frames));
}

std::expected<void, Error> FirewallSession::settle_clocks() {
    if (input_.clock_offset) {
        clocks_.differs = *input_.clock_offset != 0;
        clocks_.correction.offset = *input_.clock_offset;
        return {};
    }
    std::uint64_t bytes = 0;
    auto estimated = estimate_clocks(input_.files, [&](std::uint64_t read) {
        bytes = read;
        look(read);
        return !stop_.requested();
    });
    if (!estimated) {
        return std::unexpected(estimated.error());
    }
    bytes_before_ += bytes;
    clocks_ = *estimated;
    // Two interfaces of one file were stamped by one clock.
    if (input_.files[0].path == input_.files[1].path) {
        clocks_.differs = false;
        clocks_.correction = {};
    }
    return {};
}

std::expected<void, Error> FirewallSession::analyse() {
    auto opened = TapReader::open(input_.files, clocks_.correction);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    reader_ = std::move(*opened);
    input_.engine.times_tell_sides = !clocks_.differs || input_.clock_offset;
    engine_ = std::make_unique<taps::Engine>(input_.engine, counters_);
    std::uint64_t bursts = 0;
    for (auto burst = reader_->next(); !burst.empty(); burst = reader_->next()) {
        engine_->process(burst);
        if (++bursts % kBurstsPerTick == 0) {
            engine_->tick(reader_->reached());
        }
        if (!engine_->half_empty() || bursts % kBurstsPerTick == 0) {
            drain();
        }
        if (bursts % kBurstsPerLook == 0) {
            look(reader_->bytes_read());
            if (stop_.requested()) {
                interrupted_ = true;
                break;
            }
        }
    }
    while (!engine_->finish_some()) {
        drain();
    }
    drain();
    add_limits(*investigation_, counters_);
    investigation_->finish();
    drain();
    return {};
}

void FirewallSession::drain() {
    taps::Fact fact;
    while (engine_->pop(fact)) {
        investigation_->add(fact);
    }
    taps::Excerpt excerpt;
    while (engine_->pop(excerpt)) {
        investigation_->add(excerpt);
    }
    taps::Conversation conversation;
    while (engine_->pop(conversation)) {
        investigation_->add(conversation);
    }
    (void)outputs_.take_notices(*investigation_);
}

firewall::Confidence FirewallSession::confidence() const {
    firewall::Confidence confidence;
    for (const taps::Side side : {taps::Side::outside, taps::Side::inside}) {
        const TapReader::Lane& lane = reader_->lane(side);
        const TapFile& file = input_.files[index(side)];
        firewall::TapReport& tap = confidence.taps[index(side)];
        tap.name = name(side);
        tap.zone = input_.policy.zone[index(side)];
        tap.source = file.path;
        if (file.interface) {
            tap.source += fmt::format(", interface {}", file.interface_name.empty()
                                                            ? std::to_string(*file.interface)
                                                            : file.interface_name);
        }
        tap.frames = lane.frames;
        tap.first = lane.first;
        tap.last = lane.last;
        if (const auto dropped = reader_->dropped(side)) {
            tap.dropped = *dropped;
            tap.drops_known = true;
        }
        if (const auto& warning = lane.source->warning()) {
            confidence.doubts.push_back(
                {.name = "capture_cut",
                 .trust = firewall::Trust::reduced,
                 .sentence = *warning,
                 .advice = "capture again, or judge the part that is whole"});
        }
    }
    confidence.health = engine_->health();
    confidence.clock_offset = clocks_.correction.offset;
    confidence.clock_estimated = clocks_.differs && !input_.clock_offset;
    return confidence;
}

std::expected<void, Error> FirewallSession::write_bundle(firewall::Report& report) {
    return outputs_.bundle().is_open()
               ? app::write_bundle(outputs_.bundle(), report, input_.files, clocks_.correction)
               : std::expected<void, Error>{};
}

}  // namespace tw::app
