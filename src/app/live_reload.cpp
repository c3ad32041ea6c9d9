// SPDX-License-Identifier: BSD-3-Clause
// LiveRun at SIGHUP: reads the configuration again, takes over what can change while frames arrive
// and names what cannot. All or nothing: a mistake anywhere leaves the run as it was.
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>

#include "app/live_run.hpp"
#include "capture/pcap/filter.hpp"
#include "config/changes.hpp"

namespace tw::app {

std::expected<std::unique_ptr<LiveSettings>, Error> LiveRun::settings_of(
    const config::Config& config) const {
    auto settings = std::make_unique<LiveSettings>();
    settings->timeouts = config.flows.timeouts;
    settings->direction_skew = direction_skews(config);
    if (config.filter.empty()) {
        return settings;
    }
    auto filter = pcap::Filter::compile(config.filter);
    if (!filter) {
        return std::unexpected(Error{config.places.prefix("filter") + filter.error().text});
    }
    for (const dpdk::PortOptions& port : devices_.ports) {
        if (auto valid = filter->check(port.link); !valid) {
            return std::unexpected(
                Error{fmt::format("port {}: {}", port.name, valid.error().text)});
        }
    }
    settings->filter = std::move(*filter);
    return settings;
}

std::array<Nanos, kTapsMax> LiveRun::direction_skews(const config::Config& config) const {
    auto skews = of_every_tap(config.analysis.direction_skew);
    for (const auto& [name, tap] : config.taps) {
        const auto known = std::find(devices_.taps.begin(), devices_.taps.end(), name);
        if (known != devices_.taps.end() && tap.direction_skew >= 0) {
            skews[static_cast<std::size_t>(known - devices_.taps.begin())] = tap.direction_skew;
        }
    }
    return skews;
}

void LiveRun::warn_of_filter() const {
    const std::string warning = pcap::encapsulation_warning(config_.filter);
    if (!warning.empty()) {
        logger_.warn("{}", warning);
    }
}

void LiveRun::reload() {
    const config::Loaded next = read_again_();
    std::vector<Error> errors;
    if (!next) {
        errors = next.error();
    } else if (auto done = reload(*next); !done) {
        errors.push_back(std::move(done.error()));
    }
    for (const Error& error : errors) {
        logger_.error("reload: {}", error.text);
    }
    if (!errors.empty()) {
        logger_.error("reload: refused, everything stays as it was");
    }
}

std::expected<void, Error> LiveRun::reload(const config::Config& next) {
    auto settings = settings_of(next);
    if (!settings) {
        return std::unexpected(std::move(settings.error()));
    }
    auto log_sink = LiveLog::prepare(next.log);
    if (!log_sink) {
        return std::unexpected(std::move(log_sink.error()));
    }
    auto outputs = outputs_->prepare(next);
    if (!outputs) {
        return std::unexpected(std::move(outputs.error()));
    }
    // Nothing is refused from here on.
    const std::vector<config::Change> changes = config::changes(config_, next);
    const bool new_filter = next.filter != config_.filter;
    config::take_live(config_, next);
    log_.apply(config_.log, std::move(*log_sink));
    settings_.push_back(std::move(*settings));
    for (const auto& worker : workers_) {
        worker->change_settings(*settings_.back());
    }
    std::size_t refused = 0;
    for (const config::Change& change : changes) {
        refused += change.live ? 0 : 1;
        logger_.log(change.live ? spdlog::level::info : spdlog::level::warn,
                    "reload: {}: {} -> {}{}", change.key, change.before, change.after,
                    change.live ? "" : ": needs a restart, not in force");
    }
    if (new_filter) {
        warn_of_filter();
    }
    for (const std::string& name : outputs_->apply(std::move(*outputs))) {
        logger_.info("reload: {} is begun anew", name);
    }
    logger_.info("reload: {} in force, {} after a restart", changes.size() - refused, refused);
    return {};
}

void LiveRun::free_old_settings() {
    if (settings_.size() < 2) {
        return;
    }
    const LiveSettings& newest = *settings_.back();
    if (std::all_of(workers_.begin(), workers_.end(),
                    [&](const auto& worker) { return worker->uses(newest); })) {
        settings_.erase(settings_.begin(), settings_.end() - 1);
        logger_.debug("reload: taken up by every worker");
    }
}

}  // namespace tw::app
