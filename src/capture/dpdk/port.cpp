// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/port.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "capture/dpdk/compat.hpp"
#include "capture/dpdk/driver_names.hpp"
#include "capture/dpdk/host_access.hpp"
#include "capture/dpdk/packet_ring.hpp"
#include "capture/dpdk/packet_socket.hpp"
#include "capture/dpdk/port_info.hpp"
#include "capture/dpdk/rss_model.hpp"
#include "capture/dpdk/sizing.hpp"

namespace tw::dpdk {
namespace {

// Unit of the time stamps a driver puts into mbufs. Only drivers known to give time since the
// epoch: others count device ticks, which need a conversion that is experimental in all three LTS.
[[nodiscard]] Nanos timestamp_unit_of(std::string_view driver) {
    if (driver == kPcapDriver) {
        return kMicrosecond;  // up to DPDK 25.11
    }
    return driver == kAfPacketDriver && compat::kAfPacketIsOpen ? 1 : 0;
}

// net_af_packet's own.
constexpr std::uint32_t kSlotBytesDefault = 2048;
constexpr std::uint32_t kSlotsDefault = 512;

[[nodiscard]] std::uint32_t number_given(const Device& device, std::string_view key,
                                         std::uint32_t otherwise) {
    const std::string_view given = find_argument(device.arguments, key).value;
    std::from_chars(given.data(), given.data() + given.size(), otherwise);
    return otherwise;
}

// The kernel cuts frames to what is left of a ring slot behind its header, and the driver forgets
// that they were longer.
[[nodiscard]] std::uint32_t frame_bytes_max(const Device& device) {
    constexpr std::uint32_t kHeader =
        66;  // TPACKET2_HDRLEN, aligned, with room for 16 bytes of MAC
    const std::uint32_t slot = number_given(device, "framesz", kSlotBytesDefault);
    return slot > kHeader ? slot - kHeader : 0;
}

// With several queues there are several rings, and which is whose is not told.
[[nodiscard]] std::unique_ptr<PacketRing> ring_of(const Device& device,
                                                  const std::vector<int>& sockets,
                                                  std::uint64_t first) {
    if (compat::kAfPacketIsOpen || sockets.size() != 1) {
        return nullptr;
    }
    return PacketRing::find(sockets.front(), number_given(device, "framesz", kSlotBytesDefault),
                            number_given(device, "framecnt", kSlotsDefault), first);
}

// The most that Intel's NICs take; a driver that takes more is limited by huge pages at start.
constexpr std::uint16_t kDescriptorsUsual = 4096;

// Pools need a driver too, which is a package of its own.
[[nodiscard]] bool has_pool_driver() {
    const std::string_view wanted = rte_mbuf_best_mempool_ops();
    const auto* begin = std::begin(rte_mempool_ops_table.ops);
    return std::any_of(begin, begin + rte_mempool_ops_table.num_ops,
                       [&](const rte_mempool_ops& ops) { return wanted == ops.name; });
}

[[nodiscard]] DescriptorLimits limits_of(const rte_eth_dev_info& info, std::string_view driver) {
    // virtio names the specification's limit, then uses what its device has: 256 to a few thousand.
    // Buffers for the limit would take 80 MiB per queue that no frame ever fills.
    const std::uint16_t most = driver == kVirtioDriver
                                   ? std::min(info.rx_desc_lim.nb_max, kDescriptorsUsual)
                                   : info.rx_desc_lim.nb_max;
    return {info.rx_desc_lim.nb_min, most, info.rx_desc_lim.nb_align};
}

}  // namespace

// Freed last: queues hold mbufs until the port is closed.
struct Port::Pools {
    std::vector<rte_mempool*> all;
    ~Pools() {
        for (rte_mempool* pool : all) {
            rte_mempool_free(pool);
        }
    }
};

std::uint64_t port_memory_bytes(const PortOptions& options, const QueueSetup& setup) {
    const bool pci = options.device.bus == Bus::pci;
    const DescriptorLimits limits{0, kDescriptorsUsual, 1};
    const PoolNeed need{descriptors_for(options.descriptors, limits, pci), setup.ring_frames,
                        setup.threads, setup.bridged ? kTransmitDescriptors : 0U};
    return pool_bytes(pool_mbufs(need)) * setup.rss.queues;
}

std::expected<std::unique_ptr<Port>, Error> Port::attach(const PortOptions& options, EalLog& log) {
    const Device& device = options.device;
    std::uint16_t id = 0;
    if (device.bus == Bus::vdev) {
        if (rte_eth_dev_get_port_by_name(device.name.c_str(), &id) == 0) {
            return std::unexpected(Error{
                fmt::format("port {}: the device {} is used twice", options.name, device.name)});
        }
        log.begin_attempt();
        const int error =
            rte_eal_hotplug_add("vdev", device.name.c_str(), device.arguments.c_str());
        log.end_attempt();
        if (error != 0) {
            return std::unexpected(
                Error{fmt::format("port {}: DPDK refused the device \"{}{}{}\": {}", options.name,
                                  device.name, device.arguments.empty() ? "" : ",",
                                  device.arguments, log.reason(no_driver_text(device)))});
        }
    }
    if (rte_eth_dev_get_port_by_name(device.name.c_str(), &id) != 0) {
        return std::unexpected(Error{fmt::format(
            "port {}: {}", options.name,
            device.bus == Bus::vdev ? fmt::format("{} is not an Ethernet device", device.name)
                                    : fmt::format("no driver of DPDK took {}: {}", device.name,
                                                  no_pci_driver_text(pci_vendor(device.name))))});
    }
    const rte_eth_dev_info info = device_info(id);
    return std::unique_ptr<Port>(
        new Port(options, id, info.driver_name == nullptr ? "unknown" : info.driver_name));
}

Port::Port(const PortOptions& options, std::uint16_t id, std::string driver)
    : options_(options), id_(id), driver_(std::move(driver)), pools_(std::make_unique<Pools>()) {}

Port::~Port() {
    stop();
    link_.reset();
    rte_eth_dev_close(id_);
    if (options_.device.bus == Bus::vdev) {
        rte_eal_hotplug_remove("vdev", options_.device.name.c_str());
    }
}

Error Port::failed(const std::string& step, int error, const EalLog& log) const {
    return Error{fmt::format("port {} ({}): cannot {}: {}", options_.name, options_.device.name,
                             step, log.reason(rte_strerror(error < 0 ? -error : error))),
                 ExitCode::environment_failed};
}

std::expected<void, Error> Port::configure(const QueueSetup& setup, EalLog& log) {
    const rte_eth_dev_info info = device_info(id_);
    rte_eth_conf config{};
    config.rxmode.mtu = 0;  // the driver's own
    config.intr_conf.lsc = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
    config.intr_conf.rmv = (*info.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
    config.rxmode.offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
    std::vector<std::uint8_t> key;
    if (setup.rss.queues > 1 && !setup.rss.by_peers) {
        constexpr std::size_t kUsualKeyBytes = 40;
        key = key_of(setup.rss, info.hash_key_size == 0 ? kUsualKeyBytes : info.hash_key_size);
        config.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        config.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
        config.rx_adv_conf.rss_conf.rss_key = key.data();
        config.rx_adv_conf.rss_conf.rss_key_len = static_cast<std::uint8_t>(key.size());
        config.rx_adv_conf.rss_conf.rss_hf = setup.rss.types;
    }
    // A port that is not bridged never transmits. Some drivers want a queue all the same: net_tap
    // and net_af_xdp say so, net_memif would only refuse every peer that has a receive ring.
    std::uint16_t transmit_queues =
        driver_ == kMemifDriver || setup.bridged ? setup.rss.queues : std::uint16_t{0};
    if (setup.bridged) {
        config.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    }
    log.begin_attempt();
    int error = rte_eth_dev_configure(id_, setup.rss.queues, transmit_queues, &config);
    if (error != 0 && transmit_queues == 0) {
        transmit_queues = setup.rss.queues;
        error = rte_eth_dev_configure(id_, setup.rss.queues, transmit_queues, &config);
    }
    log.end_attempt();
    if (error != 0) {
        return std::unexpected(failed("configure the port", error, log));
    }
    descriptors_ = descriptors_for(options_.descriptors, limits_of(info, driver_),
                                   options_.device.bus == Bus::pci);
    auto transmit_descriptors = static_cast<std::uint16_t>(kTransmitDescriptors);
    rte_eth_dev_adjust_nb_rx_tx_desc(id_, &descriptors_, &transmit_descriptors);
    for (std::uint16_t queue = 0; queue < transmit_queues; ++queue) {
        error = rte_eth_tx_queue_setup(id_, queue, transmit_descriptors,
                                       static_cast<unsigned>(rte_eth_dev_socket_id(id_)), nullptr);
        if (error != 0) {
            return std::unexpected(failed("set up a transmit queue", error, log));
        }
    }
    return {};
}

std::expected<void, Error> Port::setup_queues(const QueueSetup& setup, EalLog& log) {
    const int node = rte_eth_dev_socket_id(id_);
    const std::uint32_t mbufs = pool_mbufs({descriptors_, setup.ring_frames, setup.threads,
                                            setup.bridged ? kTransmitDescriptors : 0U});
    for (std::uint16_t queue = 0; queue < setup.rss.queues; ++queue) {
        const std::string name = fmt::format("mbufs_{}_{}_{}", id_, queue, starts_);
        log.begin_attempt();
        rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), mbufs, kPoolCache, 0,
                                                    RTE_MBUF_DEFAULT_BUF_SIZE, node);
        log.end_attempt();
        if (pool == nullptr && !has_pool_driver()) {
            return std::unexpected(Error{no_pool_driver_text(), ExitCode::environment_failed});
        }
        if (pool == nullptr) {
            return std::unexpected(failed(
                fmt::format("get {} MiB for {} packet buffers", pool_bytes(mbufs) >> 20, mbufs),
                rte_errno, log));
        }
        pools_->all.push_back(pool);
        log.begin_attempt();
        const int error = rte_eth_rx_queue_setup(id_, queue, descriptors_,
                                                 static_cast<unsigned>(node), nullptr, pool);
        log.end_attempt();
        if (error != 0) {
            return std::unexpected(failed(
                fmt::format("set up a receive queue of {} descriptors", descriptors_), error, log));
        }
    }
    return {};
}

std::expected<void, Error> Port::start(const QueueSetup& setup, EalLog& log,
                                       spdlog::logger& logger) {
    rss_.reset();
    if (auto done = configure(setup, log); !done) {
        return done;
    }
    // Queues of an earlier start hold buffers of its pools until they are set up anew.
    const auto earlier = std::exchange(pools_, std::make_unique<Pools>());
    ++starts_;
    if (auto done = setup_queues(setup, log); !done) {
        pools_->all.insert(pools_->all.end(), earlier->all.begin(), earlier->all.end());
        earlier->all.clear();
        return done;
    }
    log.begin_attempt();
    const int error = rte_eth_dev_start(id_);
    log.end_attempt();
    if (error != 0) {
        return std::unexpected(failed("start the port", error, log));
    }
    started_ = true;
    if (setup.bridged) {
        if (auto done = prepare_bridge(log); !done) {
            return done;
        }
    }
    queues_ = setup.rss.queues;
    watch();
    listen_only(logger);
    if (setup.rss.queues > 1 && !setup.rss.by_peers) {
        if (auto done = apply_rss(setup.rss, log, logger); !done) {
            return done;
        }
    }
    logger.info(
        "port {}: {} ({}), {} receive queue{} of {} descriptors, {} packet buffers each, "
        "link {}",
        options_.name, options_.device.name, driver_, setup.rss.queues,
        setup.rss.queues == 1 ? "" : "s", descriptors_, pools_->all.front()->size,
        link_text(link_->read()));
    return {};
}

void Port::watch() {
    const unsigned ifindex = device_info(id_).if_index;
    std::array<char, IF_NAMESIZE> name{};
    const bool over_kernel = ifindex != 0 && if_indextoname(ifindex, name.data()) != nullptr;
    const bool packet_socket = driver_ == kAfPacketDriver;
    const auto sockets = packet_socket ? packet_sockets(ifindex) : std::vector<int>{};
    ring_ = ring_of(options_.device, sockets, discarded_);
    counters_ = std::make_unique<PortCounters>(id_, driver_, !options_.device.file.empty(),
                                               over_kernel ? name.data() : "", sockets);
    counters_->start();
    // Other drivers know their link better than an interface beside them.
    link_ = std::make_unique<PortLink>(id_, packet_socket ? ifindex : 0);
}

void Port::listen_only(spdlog::logger& logger) {
    // Read back rather than believed: virtual devices refuse what they do anyway.
    if (rte_eth_promiscuous_enable(id_) != 0 && rte_eth_promiscuous_get(id_) != 1) {
        logger.warn(
            "port {}: {} refuses promiscuous mode: frames for other addresses may be missing",
            options_.name, driver_);
    }
    if (rte_eth_allmulticast_enable(id_) != 0 && rte_eth_promiscuous_get(id_) != 1) {
        logger.warn("port {}: {} refuses all-multicast mode", options_.name, driver_);
    }
    // A full monitor port must not slow down the mirror that feeds it.
    rte_eth_fc_conf flow_control{};
    if (rte_eth_dev_flow_ctrl_get(id_, &flow_control) == 0 &&
        flow_control.mode != RTE_ETH_FC_NONE) {
        flow_control.mode = RTE_ETH_FC_NONE;
        if (rte_eth_dev_flow_ctrl_set(id_, &flow_control) != 0) {
            logger.warn("port {}: {} does not turn flow control off: it may pause the sender",
                        options_.name, driver_);
        }
    }
}

RxQueue Port::queue(std::uint16_t index) const {
    RxQueue queue;
    queue.port_id = id_;
    queue.queue = index;
    queue.tap = options_.tap;
    queue.link = options_.link;
    queue.from_file = !options_.device.file.empty();
    queue.cut_from_bytes =
        driver_ == kAfPacketDriver ? frame_bytes_max(options_.device) : options_.cut_from_bytes;
    queue.cut_frames = options_.cut_frames.empty() ? nullptr : &options_.cut_frames;
    queue.ring = ring_.get();
    queue.timestamp_unit = ring_ ? Nanos{1} : timestamp_unit_of(driver_);
    queue.rss = rss_.get();
    return queue;
}

const StageCounts& Port::read_counters() {
    return counters_->read();
}

const LinkState& Port::read_link() {
    return link_->read();
}

std::uint64_t Port::queued() const {
    std::uint64_t frames = 0;
    for (std::uint16_t queue = 0; queue < queues_; ++queue) {
        const int waiting = rte_eth_rx_queue_count(id_, queue);
        frames += waiting > 0 ? static_cast<std::uint64_t>(waiting) : 0;
    }
    return frames;
}

void Port::stop() {
    if (started_) {
        transmit_lost_ = transmit_lost();
        started_ = false;
        remove_rules();
        rte_eth_dev_stop(id_);
    }
}

}  // namespace tw::dpdk
