// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_firewall.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "app/firewall_ending.hpp"
#include "firewall/differences.hpp"
#include "sinks/firewall_bundle.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

using taps::index;
using taps::Side;

constexpr std::array<Side, taps::kSides> kBoth{Side::outside, Side::inside};
// Frames of one worker that can still be written when a verdict comes; 200 bytes each.
constexpr std::uint32_t kFramesKept = 1U << 18;
// Frames of the bundle: 10 MB of headers.
constexpr std::size_t kBundleFramesMax = 50'000;
// Facts taken from one worker before the others get their turn.
constexpr std::uint32_t kPopsMax = 1024;

}  // namespace

LiveFirewall::LiveFirewall(const config::Config& config, const LiveFirewallOptions& options,
                           spdlog::logger& logger)
    : options_(options),
      policy_(config.policy),
      timed_rules_(policy_),
      tap_names_(config.firewall.tap),
      logger_(logger),
      investigation_(policy_, {}) {
    for (const config::Port& port : config.ports) {
        for (const Side side : kBoth) {
            if (port.tap == tap_names_[index(side)]) {
                std::string& devices = devices_[index(side)];
                devices += (devices.empty() ? "" : ", ") + port.device;
            }
        }
    }
}

std::expected<void, Error> LiveFirewall::find_taps(const std::vector<std::string>& taps) {
    for (const Side side : kBoth) {
        const std::string& wanted = tap_names_[index(side)];
        const auto found = std::ranges::find(taps, wanted);
        if (found == taps.end()) {
            return std::unexpected(Error{
                fmt::format("firewall: no port belongs to the {} tap, which is called {}; taps of "
                            "the ports: {}",
                            name(side), wanted, fmt::join(taps, ", "))});
        }
        tap_of_side_[index(side)] = static_cast<std::uint8_t>(found - taps.begin());
    }
    return {};
}

taps::EngineOptions LiveFirewall::engine_options() const {
    taps::EngineOptions options = options_.engine;
    for (const Side side : kBoth) {
        options.side_of_tap[tap_of_side_[index(side)]] = side;
    }
    options.nat_hints = policy_.nat;
    options.timed_classes = &timed_rules_;
    return options;
}

std::uint32_t LiveFirewall::frames_kept() const {
    return options_.outputs.bundle.empty() ? 0 : kFramesKept;
}

std::expected<void, Error> LiveFirewall::open_outputs(sinks::Patience patience) {
    if (auto valid = check_outputs(options_.outputs.named()); !valid) {
        return valid;
    }
    auto opened = outputs_.open(options_.outputs);
    outputs_.set_patience(patience);
    return opened;
}

bool LiveFirewall::drain(Workers& workers, Nanos now) {
    bool worked = false;
    for (const auto& worker : workers) {
        taps::Engine& engine = *worker->engine();
        taps::Fact fact;
        for (std::uint32_t i = 0; i < kPopsMax && engine.pop(fact); ++i) {
            investigation_.add(fact);
            worked = true;
        }
        taps::Excerpt excerpt;
        while (engine.pop(excerpt)) {
            keep_frames(excerpt, workers);
            investigation_.add(excerpt);
            worked = true;
        }
        taps::Conversation conversation;
        for (std::uint32_t i = 0; i < kPopsMax && engine.pop(conversation); ++i) {
            investigation_.add(conversation);
            worked = true;
        }
    }
    add_hand_over_losses(workers, now);
    if (now != 0) {
        investigation_.advance(now);
        last_drain_ = now;
    }
    (void)outputs_.take_notices(investigation_);
    return worked;
}

// What found no room between two workers is as good as lost by the taps, about now.
void LiveFirewall::add_hand_over_losses(const Workers& workers, Nanos now) {
    std::uint64_t lost = 0;
    for (const auto& worker : workers) {
        lost += worker->counters().get(stats::Counter::taps_hand_over_full);
    }
    if (lost != hand_over_lost_ && now != 0) {
        for (const Side side : kBoth) {
            investigation_.add_faults(side, (last_drain_ == 0 ? now : last_drain_) - kSecond, now,
                                      event::CaptureFault::loss);
        }
    }
    hand_over_lost_ = lost;
}

void LiveFirewall::add(const event::CaptureMark& mark) {
    for (const Side side : kBoth) {
        investigation_.add_faults(side, mark.from, mark.until,
                                  mark.faults[tap_of_side_[index(side)]]);
    }
}

void LiveFirewall::keep_frames(const taps::Excerpt& excerpt, const Workers& workers) {
    if (workers.front()->frames() == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < excerpt.count && kept_.size() < kBundleFramesMax; ++i) {
        // A worker may have had it from another one.
        const std::uint64_t number = excerpt.packets[i].frame;
        const LiveWorker& seen_by = *workers[FrameStore::worker_of(number) % workers.size()];
        if (const auto frame = seen_by.frames()->find(number)) {
            kept_.push_back(*frame);
        } else {
            ++kept_too_late_;
        }
    }
}

firewall::Confidence LiveFirewall::confidence(const Workers& workers,
                                              const LiveTotals& totals) const {
    firewall::Confidence confidence;
    for (const Side side : kBoth) {
        firewall::TapReport& tap = confidence.taps[index(side)];
        tap.name = tap_names_[index(side)];
        tap.source = devices_[index(side)];
        tap.zone = policy_.zone[index(side)];
        tap.drops_known = true;
        for (const dpdk::PortReading& port : totals.ledger.ports) {
            if (port.tap == tap_of_side_[index(side)]) {
                tap.frames += port.analysed;
                tap.dropped += port.device.lost();
            }
        }
    }
    for (const auto& worker : workers) {
        confidence.health.add(worker->engine()->health());
    }
    for (const Side side : kBoth) {
        firewall::TapReport& tap = confidence.taps[index(side)];
        for (const taps::TapWay& way : confidence.health.taps[index(side)]) {
            if (way.packets != 0) {
                tap.first = tap.first == 0 ? way.first : std::min(tap.first, way.first);
                tap.last = std::max(tap.last, way.last);
            }
        }
    }
    return confidence;
}

std::expected<void, Error> LiveFirewall::write_bundle(firewall::Report& report) {
    sinks::FirewallBundle& bundle = outputs_.bundle();
    if (!bundle.is_open()) {
        return {};
    }
    if (kept_too_late_ != 0) {
        logger_.warn("evidence bundle: {} had been overwritten when the verdict came",
                     sinks::format::count_of(kept_too_late_, "frame"));
    }
    bundle.begin(report);
    std::unordered_map<std::uint64_t, std::string> comments;
    for (sinks::CitedFrame& cited : sinks::cited_frames(report)) {
        comments.emplace(cited.frame, std::move(cited.comment));
    }
    std::vector<const StoredFrame*> frames;
    for (const StoredFrame& frame : kept_) {
        if (comments.contains(frame.frame.number)) {
            frames.push_back(&frame);
        }
    }
    const auto order = [](const StoredFrame* frame) {
        return std::pair(frame->frame.time, frame->frame.number);
    };
    std::ranges::sort(frames, {}, order);
    // Two facts may cite one frame.
    const auto repeated = std::ranges::unique(frames, {}, order);
    frames.erase(repeated.begin(), repeated.end());
    for (const StoredFrame* frame : frames) {
        const Side side =
            frame->frame.tap == tap_of_side_[index(Side::outside)] ? Side::outside : Side::inside;
        bundle.add(side, frame->view(), comments.at(frame->frame.number));
    }
    return bundle.finish(report);
}

ExitCode LiveFirewall::finish(Workers& workers, const LiveTotals& totals) {
    while (drain(workers, 0)) {
    }
    for (const auto& worker : workers) {
        add_limits(investigation_, worker->counters());
    }
    investigation_.finish();
    // A reader that never reads is given up, and then there is room.
    while (!outputs_.take_notices(investigation_)) {
    }
    const auto passage = std::make_unique<taps::Passage>(Backing::lazy);
    for (const auto& worker : workers) {
        passage->add(worker->engine()->passage());
    }
    firewall::Report report = investigation_.report(confidence(workers, totals), *passage);
    report.command = options_.command;
    ExitCode code = static_cast<ExitCode>(report.exit_code);
    if (options_.compare) {
        report.differences = firewall::differences(*options_.compare, report);
    }
    if (const auto done = write_bundle(report); !done) {
        logger_.error("{}", done.error().text);
        code = done.error().code;
    }
    return outputs_.write(report) ? code : ExitCode::environment_failed;
}

}  // namespace tw::app
