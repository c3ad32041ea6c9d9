// SPDX-License-Identifier: BSD-3-Clause
// The first half of LiveRun: from a configuration to ports that receive.
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>

#include "app/host.hpp"
#include "app/live_run.hpp"
#include "app/memory_plan.hpp"
#include "app/random.hpp"
#include "base/lazy_array.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

using sinks::format::bytes_text;

// What the EAL and its libraries take for themselves, and what allocation wastes.
constexpr std::uint64_t kEalSlack = std::uint64_t{64} << 20;
// A sixteenth of the connections may show anomalies at one time.
constexpr std::uint32_t kDetailsDivisor = 16;

// Header and one VLAN tag, which come on top of an MTU.
constexpr std::uint32_t kEthernetBytes = 18;

void warn_of_interface(const std::string& name, spdlog::logger& logger) {
    const auto interface = Host().interface(name);
    if (!interface) {
        return;
    }
    if (!interface->up) {
        logger.warn("{} is down, nothing will arrive: ip link set {} up", name, name);
    }
    if (name == "lo") {
        logger.warn(
            "lo hands every frame over twice, as sent and as received: all will look like "
            "repeats");
        return;
    }
    if (interface->gro.value_or(false) || interface->lro.value_or(false)) {
        logger.warn(
            "{} merges segments before they are seen, sizes and repeats are not those of the wire: "
            "ethtool -K {} gro off lro off",
            name, name);
    }
    if (interface->up && !interface->carrier) {
        logger.warn("{} has no link partner: nothing will arrive until it is plugged in", name);
    }
    if (interface->mtu + kEthernetBytes > dpdk::InterfaceRing::kFrameBytes) {
        logger.info(
            "{} takes frames of {} bytes, of which the first {} or so are kept: enough for every "
            "header, and lengths come from those",
            name, interface->mtu + kEthernetBytes, dpdk::InterfaceRing::kFrameBytes);
    }
}

}  // namespace

LiveRun::LiveRun(const config::Config& config, LiveLog& log, ReadAgain read_again,
                 std::unique_ptr<LiveFirewall> firewall)
    : config_(config),
      log_(log),
      logger_(log.logger()),
      read_again_(std::move(read_again)),
      hang_up_(!read_again_),
      hash_seed_(random_number()),
      firewall_(std::move(firewall)) {}

LiveRun::~LiveRun() = default;

std::expected<std::unique_ptr<LiveRun>, Error> LiveRun::open(
    const config::Config& config, LiveLog& log, ReadAgain read_again,
    std::unique_ptr<LiveFirewall> firewall) {
    std::unique_ptr<LiveRun> run(
        new LiveRun(config, log, std::move(read_again), std::move(firewall)));
    for (const auto step : {&LiveRun::find_devices, &LiveRun::compile_filter, &LiveRun::start_eal,
                            &LiveRun::attach_ports, &LiveRun::choose_distribution,
                            &LiveRun::make_workers, &LiveRun::start_ports, &LiveRun::make_pollers,
                            &LiveRun::open_telemetry, &LiveRun::open_outputs}) {
        if (auto done = ((*run).*step)(); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    return run;
}

std::expected<void, Error> LiveRun::find_devices() {
    auto devices = live_devices(config_, Host());
    if (!devices) {
        return std::unexpected(std::move(devices.error()));
    }
    devices_ = std::move(*devices);
    for (const std::string& warning : devices_.warnings) {
        logger_.warn("{}", warning);
    }
    for (const dpdk::PortOptions& port : devices_.ports) {
        if (!port.device.interface.empty()) {
            warn_of_interface(port.device.interface, logger_);
        }
    }
    return firewall_ ? firewall_->find_taps(devices_.taps) : std::expected<void, Error>{};
}

std::expected<void, Error> LiveRun::compile_filter() {
    auto settings = settings_of(config_);
    if (!settings) {
        return std::unexpected(std::move(settings.error()));
    }
    settings_.push_back(std::move(*settings));
    warn_of_filter();
    return {};
}

// Before the ports are asked: a thread more costs nothing if they can do without.
bool LiveRun::may_take_dispatcher() const {
    return !config_.bridges.empty() ||
           config_.workers.distribution == config::Distribution::dispatcher ||
           (config_.workers.distribution == config::Distribution::automatic &&
            config_.workers.cores.size() > 1);
}

std::expected<void, Error> LiveRun::start_eal() {
    const MemoryPlan plan = plan_memory(config_);
    dpdk::EalOptions options;
    for (const dpdk::PortOptions& port : devices_.ports) {
        if (port.device.bus == dpdk::Bus::pci) {
            options.pci_devices.push_back(port.device.arguments.empty()
                                              ? port.device.name
                                              : port.device.name + "," + port.device.arguments);
        }
    }
    options.worker_cpus = config_.workers.cores;
    options.dispatcher = may_take_dispatcher();
    options.memory_bytes = plan.dpdk_bytes() + kEalSlack;
    options.telemetry = config_.telemetry.enabled;
    options.extra_arguments = config_.eal_args;
    auto log = dpdk::EalLog::open(logger_);
    if (!log) {
        return std::unexpected(std::move(log.error()));
    }
    eal_log_ = std::move(*log);
    auto eal = dpdk::Eal::start(options, *eal_log_);
    if (!eal) {
        return std::unexpected(std::move(eal.error()));
    }
    eal_ = std::move(*eal);
    clock_ = std::make_unique<dpdk::Clock>();
    auto fields = dpdk::register_mbuf_fields();
    if (!fields) {
        return std::unexpected(std::move(fields.error()));
    }
    fields_ = *fields;
    return {};
}

std::expected<void, Error> LiveRun::attach_ports() {
    for (const dpdk::PortOptions& options : devices_.ports) {
        auto port = dpdk::Port::attach(options, *eal_log_);
        if (!port) {
            return std::unexpected(std::move(port.error()));
        }
        ports_.push_back(std::move(*port));
    }
    return {};
}

PipelineOptions LiveRun::pipeline_options() const {
    PipelineOptions options;
    options.decode.decap = config_.analysis.decap;
    options.flows.v4_max = config_.flows.max_per_worker;
    options.flows.v6_max = config_.flows.max_ipv6_per_worker;
    options.flows.timeouts = config_.flows.timeouts;
    // Touching every page at start takes memory a small machine may never need; with huge pages the
    // operator has set it apart.
    options.flows.backing =
        eal_->memory() == dpdk::Memory::huge_pages ? Backing::populated : Backing::lazy;
    options.flows.details_divisor = kDetailsDivisor;
    options.flows.hash_seed = hash_seed_;
    options.analysis.direction_skew = direction_skews(config_);
    for (const auto& [name, tap] : config_.taps) {
        const auto known = std::find(devices_.taps.begin(), devices_.taps.end(), name);
        if (known == devices_.taps.end()) {
            continue;
        }
        const auto index = static_cast<std::size_t>(known - devices_.taps.begin());
        KeyScope& scope = options.decode.key_scope[index];
        scope.vlan = tap.vlan_key;
        scope.tunnel = tap.tunnel_key;
    }
    return options;
}

std::expected<void, Error> LiveRun::make_workers() {
    LiveWorkerOptions options;
    options.count = static_cast<std::uint32_t>(config_.workers.cores.size());
    options.pipeline = pipeline_options();
    options.settings = settings_.back().get();
    options.may_wait = devices_.from_files;
    if (firewall_) {
        options.firewall = firewall_->engine_options();
        options.firewall->decode = options.pipeline.decode;
        options.firewall->backing = options.pipeline.flows.backing;
        options.firewall->hash_seed = hash_seed_;
        options.frames_kept = firewall_->frames_kept();
        if (options.count > 1) {
            hand_over_ = std::make_unique<taps::HandOver>(options.count);
            options.firewall->hand_over = hand_over_.get();
        }
        return make_workers(options);
    }
    const MemoryPlan plan = plan_memory(config_);
    const std::uint64_t tables = options.count * plan.tables_bytes;
    const std::uint64_t available = Host().available_bytes() + dpdk::free_huge_page_bytes();
    void* probe = reserve_region(tables, Backing::lazy);
    const bool touched = options.pipeline.flows.backing == Backing::populated;
    if (probe == nullptr || (touched && tables > available)) {
        return std::unexpected(
            Error{fmt::format("{}the tables of {} take {}, {}: lower it",
                              config_.places.prefix("flows.max_per_worker"),
                              sinks::format::count_of(options.count, "worker"), bytes_text(tables),
                              tables > available
                                  ? fmt::format("the host has {}", bytes_text(available))
                                  : "more than this process may reserve (ulimit -v, overcommit)"),
                  ExitCode::environment_failed});
    }
    release_region(probe, tables);
    if (auto made = make_workers(options); !made) {
        return made;
    }
    logger_.info("room for {} IPv4 and {} IPv6 connections per worker; tables {}{}, {}",
                 sinks::format::count_text(options.pipeline.flows.v4_max),
                 sinks::format::count_text(options.pipeline.flows.v6_max), bytes_text(tables),
                 options.pipeline.flows.backing == Backing::lazy ? " at most" : "",
                 eal_->memory() == dpdk::Memory::huge_pages
                     ? "huge pages"
                     : "ordinary pages (huge pages are faster: README, going live)");
    return {};
}

std::expected<void, Error> LiveRun::make_workers(LiveWorkerOptions options) {
    for (options.index = 0; options.index < options.count; ++options.index) {
        auto worker = LiveWorker::create(options);
        if (!worker) {
            return std::unexpected(std::move(worker.error()));
        }
        workers_.push_back(std::move(*worker));
    }
    return {};
}

std::expected<void, Error> LiveRun::make_pollers() {
    dpdk::PollerOptions poller;
    poller.clock = clock_.get();
    poller.fields = fields_;
    const bool adaptive =
        config_.workers.poll == config::Poll::adaptive || eal_->placement().crowded;
    poller.waiting = adaptive ? dpdk::Waiting::adaptive : dpdk::Waiting::busy;
    if (dispatching_) {
        dpdk::DispatcherOptions options;
        options.poller = poller;
        for (const auto& port : ports_) {
            options.poller.queues.push_back(port->queue(0));
        }
        options.workers = static_cast<std::uint32_t>(workers_.size());
        options.ring_frames = config_.workers.ring;
        options.decode = pipeline_options().decode;
        options.hash_seed = random_number();
        for (const auto& [left, right] : bridges_) {
            options.bridges.push_back({left->transmit_queue(), right->transmit_queue()});
        }
        auto dispatcher = dpdk::Dispatcher::create(options);
        if (!dispatcher) {
            return std::unexpected(std::move(dispatcher.error()));
        }
        dispatcher_ = std::move(*dispatcher);
    }
    for (std::uint16_t i = 0; i < workers_.size(); ++i) {
        dpdk::WorkerOptions options;
        options.poller = poller;
        options.time_from_frames = devices_.from_files;
        for (const auto& port : ports_) {
            (dispatching_ ? options.ring_ports : options.poller.queues)
                .push_back(port->queue(dispatching_ ? std::uint16_t{0} : i));
        }
        options.ring = dispatching_ ? dispatcher_->ring(i) : nullptr;
        pollers_.push_back(
            std::unique_ptr<Poller>(new Poller{dpdk::Worker(options, *workers_[i]), control_}));
    }
    return {};
}

std::expected<void, Error> LiveRun::open_telemetry() {
    if (!config_.telemetry.enabled) {
        return {};
    }
    auto telemetry = dpdk::Telemetry::start(telemetry_commands(), telemetry_answers_);
    if (!telemetry) {
        return std::unexpected(std::move(telemetry.error()));
    }
    telemetry_ = std::move(*telemetry);
    logger_.info("telemetry: dpdk-telemetry.py -f {}, then /tapwitness/ledger",
                 eal_->file_prefix());
    return {};
}

// Last, so that no mistake elsewhere truncates a file.
std::expected<void, Error> LiveRun::open_outputs() {
    verdict::SettlerOptions settling;
    settling.lateness += std::ranges::max(direction_skews(config_));
    // Files bear times of their own and have no ledger.
    settling.hold = devices_.from_files;
    settling.record_wait = devices_.from_files ? 0 : kSecond;
    settler_ = std::make_unique<verdict::Settler>(settling, settler_counters_);
    const auto patience = devices_.from_files ? sinks::Patience::endless : sinks::Patience::none;
    outputs_ = std::make_unique<LiveOutputs>(devices_.taps, patience, logger_);
    if (firewall_) {
        return firewall_->open_outputs(patience);
    }
    return outputs_->open(config_);
}

}  // namespace tw::app
