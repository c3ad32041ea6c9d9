// SPDX-License-Identifier: BSD-3-Clause
// The part of LiveRun that decides who spreads connections over workers, and watches whether they
// arrive that way: the NICs by the best plan that all of them take, else a dispatcher.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <algorithm>

#include "app/live_run.hpp"
#include "app/random.hpp"
#include "app/symmetry.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// The longest key of a NIC that DPDK drives (i40e, ice) is 52 bytes.
constexpr std::size_t kRandomKeyBytes = 64;

}  // namespace

std::expected<void, Error> LiveRun::choose_distribution() {
    const auto workers = static_cast<std::uint16_t>(config_.workers.cores.size());
    std::string why = "as configured";
    dispatching_ = config_.workers.distribution == config::Distribution::dispatcher;
    if (!config_.bridges.empty()) {
        dispatching_ = true;
        why = "inline: it forwards every frame before the workers see it";
    }
    if (!dispatching_ && workers > 1) {
        std::vector<dpdk::RssAbility> abilities;
        for (const auto& port : ports_) {
            abilities.push_back(port->rss_ability());
        }
        const bool demanded = config_.workers.distribution == config::Distribution::rss;
        const auto by_peers = dpdk::plan_peers(abilities, workers);
        const auto plan = dpdk::plan_rss(abilities, workers);
        if (demanded && by_peers) {
            rss_plans_ = {*by_peers};
            logger_.info(
                "the peers spread connections over {} queues, as configured; whether both "
                "directions of each use the same one is theirs to see to",
                workers);
        } else if (plan) {
            std::array<std::uint8_t, kRandomKeyBytes> key{};
            fill_random(key);
            if (const auto symmetric = dpdk::plan_symmetric(*plan, abilities, key)) {
                rss_plans_.push_back(*symmetric);
            }
            rss_plans_.push_back(*plan);
        } else if (demanded) {
            return std::unexpected(cannot_spread(plan.error()));
        } else {
            dispatching_ = true;
            why = plan.error().text;
        }
    }
    if (dispatching_) {
        use_dispatcher(why);
    } else {
        logger_.info("{} on CPU {}", sinks::format::count_of(workers, "worker"),
                     fmt::join(config_.workers.cores, ", "));
    }
    if (eal_->placement().crowded && config_.workers.poll == config::Poll::busy) {
        logger_.info("busy threads share CPUs: they give way to each other when nothing arrives");
    }
    return {};
}

Error LiveRun::cannot_spread(const Error& why) const {
    return Error{
        fmt::format("{}the NICs cannot spread connections: {}; allowed here: auto, dispatcher",
                    config_.places.prefix("workers.distribution"), why.text),
        why.code};
}

void LiveRun::use_dispatcher(std::string_view why) {
    const auto workers = static_cast<std::uint32_t>(config_.workers.cores.size());
    dispatching_ = true;
    queues_.rss = {};
    queues_.ring_frames = workers * config_.workers.ring;
    queues_.threads = workers + 1;
    logger_.info("{} on CPU {}, fed by a dispatcher on CPU {} ({})",
                 sinks::format::count_of(workers, "worker"), fmt::join(config_.workers.cores, ", "),
                 fmt::join(eal_->placement().dispatcher_cpus, " or "), why);
}

// What a driver offers and what it does may differ: its refusal, or a setting that reads back
// otherwise, sends all ports to the next plan.
std::expected<void, Error> LiveRun::start_ports() {
    find_bridges();
    for (const dpdk::RssPlan& plan : rss_plans_) {
        queues_.rss = plan;
        auto started = start_all_ports();
        if (started) {
            return started;
        }
        for (const auto& port : ports_) {
            port->stop();
        }
        const bool last = &plan == &rss_plans_.back();
        if (last && config_.workers.distribution == config::Distribution::rss) {
            return std::unexpected(cannot_spread(started.error()));
        }
        logger_.warn("{}; trying {}", started.error().text,
                     last ? "a dispatcher" : dpdk::key_text(rss_plans_.back()));
        if (last) {
            use_dispatcher("RSS did not work");
        }
    }
    return start_all_ports();
}

std::expected<void, Error> LiveRun::start_all_ports() {
    for (const auto& port : ports_) {
        dpdk::QueueSetup setup = queues_;
        setup.bridged = std::any_of(bridges_.begin(), bridges_.end(), [&](const auto& bridge) {
            return bridge.first == port.get() || bridge.second == port.get();
        });
        if (auto started = port->start(setup, *eal_log_, logger_); !started) {
            return started;
        }
    }
    for (const auto& [left, right] : bridges_) {
        logger_.info(
            "inline: {} and {} are one line now; a link that goes down on one side stays up on the "
            "other, and without this program the line is cut",
            left->name(), right->name());
    }
    return {};
}

void LiveRun::find_bridges() {
    const auto find = [this](const std::string& name) {
        return std::find_if(ports_.begin(), ports_.end(),
                            [&](const auto& port) { return port->name() == name; })
            ->get();
    };
    for (const config::Bridge& bridge : config_.bridges) {
        bridges_.emplace_back(find(bridge.left), find(bridge.right));
    }
}

std::vector<RssTotals> LiveRun::rss_totals() const {
    std::vector<RssTotals> totals;
    for (const auto& port : ports_) {
        RssTotals one{.port = port->name()};
        const std::uint16_t id = port->queue(0).port_id;
        for (const auto& poller : pollers_) {
            const dpdk::PollerCounts& counts = poller->worker.counts();
            one.checked += counts.rss_checked[id].get();
            one.elsewhere += counts.rss_elsewhere[id].get();
        }
        totals.push_back(std::move(one));
    }
    return totals;
}

void LiveRun::watch_symmetry() {
    const LiveTotals now = totals();
    for (const RssTotals& rss : now.rss) {
        if (rss.elsewhere != 0 && !rss_warned_) {
            rss_warned_ = true;
            logger_.warn("{}", rss_text(rss));
        }
    }
    const std::string one_sided = one_sided_warned_ ? "" : one_sided_text(now);
    if (!one_sided.empty()) {
        one_sided_warned_ = true;
        logger_.warn("{}", one_sided);
    }
}

}  // namespace tw::app
