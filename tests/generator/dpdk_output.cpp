// SPDX-License-Identifier: BSD-3-Clause
#include "generator/dpdk_output.hpp"

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <string>
#include <vector>

#include "generator/memif_rings.hpp"

namespace tw::generator {

std::atomic<bool> stop_requested{false};

namespace {

constexpr std::uint16_t kBurst = 32;
constexpr std::uint16_t kDescriptors = 512;
// Frames between the pool, the stages and a device that keeps some (net_ring).
constexpr std::uint32_t kMbufs = (1U << 14) - 1;
constexpr std::uint32_t kPoolCache = 256;
// A sender that was kept from the CPU for longer than this does not make up for it: no mirror port
// sends bursts of that length. It is a quarter of the time that 4096 frames take at 4 Mpps.
constexpr Nanos kOwnDelayMax = 250 * kMicrosecond;
// Room was refused for so long: is the peer still there?
constexpr Nanos kLookAtLink = 100 * kMillisecond;
// How long a peer has for the frames in its ring once the source is told to stop.
constexpr Nanos kLastMoment = 5 * kSecond;
constexpr timespec kNap{0, 1'000'000};

[[nodiscard]] Nanos now_of(std::uint64_t ticks, double nanos_per_tick) {
    return static_cast<Nanos>(static_cast<double>(ticks) * nanos_per_tick);
}

// The CPUs this process may use, which the EAL would otherwise narrow down to one.
[[nodiscard]] std::string allowed_cpus() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    std::string list;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &allowed)) {
            list += fmt::format("{}{}", list.empty() ? "" : ",", cpu);
        }
    }
    return "(" + list + ")";
}

[[nodiscard]] bool start_eal(const SourceOptions& options) {
    std::vector<std::string> words{
        "traffic_source",
        "--no-pci",
        "--no-telemetry",
        "--log-level=error",
        fmt::format("--lcores=0@{}",
                    options.cpu < 0 ? allowed_cpus() : std::to_string(options.cpu)),
        fmt::format("--file-prefix=traffic-source-{}", getpid())};
    if (options.huge_pages) {
        words.push_back("--in-memory");
    } else {
        words.insert(words.end(),
                     {"--no-huge", "--no-shconf", "-m", std::to_string(options.memory_mib)});
    }
    words.push_back("--vdev=" + options.vdev);
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        fmt::print(stderr, "traffic_source: DPDK does not start: {}\n", rte_strerror(rte_errno));
        return false;
    }
    return true;
}

// Payloads are zeros and nobody ever writes behind the headers, so they are zeroed once.
void zero_data(rte_mempool* /*pool*/, void* /*context*/, void* object, unsigned /*index*/) {
    auto* const mbuf = static_cast<rte_mbuf*>(object);
    std::fill_n(static_cast<std::uint8_t*>(mbuf->buf_addr), mbuf->buf_len, std::uint8_t{0});
}

class Sender {
  public:
    Sender(const SourceOptions& options, Traffic& traffic)
        : options_(options),
          traffic_(traffic),
          stages_(options.traffic.queues),
          nanos_per_tick_(1e9 / static_cast<double>(rte_get_tsc_hz())) {
        delivery_.queues.resize(options.traffic.queues);
    }

    [[nodiscard]] bool open();
    [[nodiscard]] bool wait_for_link() const;
    void send();
    void let_peer_finish();
    void close() const;
    [[nodiscard]] Delivery delivery() const { return delivery_; }

  private:
    struct Stage {
        std::uint16_t count = 0;
        std::array<rte_mbuf*, kBurst> mbufs{};
    };

    [[nodiscard]] bool failed(const char* step, int error) const;
    [[nodiscard]] Nanos now() const { return now_of(rte_rdtsc(), nanos_per_tick_); }
    [[nodiscard]] bool link_is_up() const;
    [[nodiscard]] std::uint64_t due(Nanos now);
    void make(std::uint32_t count, Nanos now);
    void flush(std::uint16_t queue);
    void flush_all();

    const SourceOptions& options_;
    Traffic& traffic_;
    std::vector<Stage> stages_;
    double nanos_per_tick_;
    std::uint16_t port_ = 0;
    rte_mempool* pool_ = nullptr;
    std::uint64_t made_ = 0;
    Nanos schedule_start_ = 0;
    Nanos last_look_ = 0;
    Delivery delivery_;
};

bool Sender::failed(const char* step, int error) const {
    fmt::print(stderr, "traffic_source: {}: cannot {}: {}\n", options_.vdev, step,
               rte_strerror(error < 0 ? -error : error));
    return false;
}

bool Sender::open() {
    if (rte_eth_dev_count_avail() != 1) {
        fmt::print(stderr, "traffic_source: {}: not one Ethernet device\n", options_.vdev);
        return false;
    }
    port_ = static_cast<std::uint16_t>(rte_eth_find_next(0));
    pool_ = rte_pktmbuf_pool_create("frames", kMbufs, kPoolCache, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                    rte_eth_dev_socket_id(port_));
    if (pool_ == nullptr) {
        return failed("get memory for frames", rte_errno);
    }
    rte_mempool_obj_iter(pool_, zero_data, nullptr);
    // Most devices want as many receive queues; nobody polls them.
    const std::uint16_t queues = options_.traffic.queues;
    rte_eth_conf config{};
    if (const int error = rte_eth_dev_configure(port_, queues, queues, &config); error != 0) {
        return failed("use so many queues", error);
    }
    const auto node = static_cast<unsigned>(rte_eth_dev_socket_id(port_));
    for (std::uint16_t queue = 0; queue < queues; ++queue) {
        int error = rte_eth_tx_queue_setup(port_, queue, kDescriptors, node, nullptr);
        if (error == 0) {
            error = rte_eth_rx_queue_setup(port_, queue, kDescriptors, node, nullptr, pool_);
        }
        if (error != 0) {
            return failed("set up a queue", error);
        }
    }
    const int error = rte_eth_dev_start(port_);
    return error == 0 || failed("start the device", error);
}

bool Sender::link_is_up() const {
    rte_eth_link link{};
    return rte_eth_link_get_nowait(port_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

bool Sender::wait_for_link() const {
    const Nanos deadline = now() + options_.wait;
    while (!link_is_up()) {
        if (now() > deadline || stop_requested) {
            fmt::print(stderr, "traffic_source: {}: no peer: the link stays down\n", options_.vdev);
            return false;
        }
        nanosleep(&kNap, nullptr);
    }
    return true;
}

// Frames whose time has come and that are not made yet.
std::uint64_t Sender::due(Nanos now) {
    const auto elapsed = static_cast<double>(now - schedule_start_);
    const auto scheduled =
        static_cast<std::uint64_t>(elapsed * static_cast<double>(options_.rate_pps) / 1e9);
    return scheduled > made_ ? scheduled - made_ : 0;
}

void Sender::send() {
    const Nanos start = now();
    schedule_start_ = last_look_ = start;
    Nanos last = start;
    while (!traffic_.finished() && !delivery_.peer_gone) {
        if (made_ >= options_.packets || stop_requested) {
            traffic_.finish();
        }
        const Nanos current = now();
        std::uint32_t count = kBurst;
        if (options_.rate_pps != 0) {
            if (current - last > kOwnDelayMax) {
                const Nanos lost = current - last;
                delivery_.stalled += lost;
                ++delivery_.stalls;
                schedule_start_ += lost;
            }
            count = static_cast<std::uint32_t>(std::min<std::uint64_t>(due(current), kBurst));
        }
        last = current;
        if (count == 0) {
            rte_pause();
            continue;
        }
        make(count, current);
        if (options_.rate_pps != 0) {
            flush_all();
            // Waiting for the peer is not the sender's own delay.
            last = now();
        }
    }
    flush_all();
    delivery_.duration = now() - start;
}

void Sender::make(std::uint32_t count, Nanos now) {
    std::array<rte_mbuf*, kBurst> fresh;
    while (rte_pktmbuf_alloc_bulk(pool_, fresh.data(), count) != 0) {
        // A device holds frames until its reader gives them back.
        rte_pause();
        if (stop_requested) {
            return;
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        rte_mbuf* const mbuf = fresh[i];
        if (traffic_.finished()) {
            rte_pktmbuf_free(mbuf);
            continue;
        }
        const MadeFrame made = traffic_.next(rte_pktmbuf_mtod(mbuf, std::uint8_t*), now);
        mbuf->data_len = made.bytes;
        mbuf->pkt_len = made.bytes;
        ++made_;
        Stage& stage = stages_[made.queue];
        stage.mbufs[stage.count++] = mbuf;
        if (stage.count == kBurst) {
            flush(made.queue);
        }
    }
}

void Sender::flush_all() {
    for (std::uint16_t queue = 0; queue < stages_.size(); ++queue) {
        flush(queue);
    }
}

void Sender::flush(std::uint16_t queue) {
    Stage& stage = stages_[queue];
    QueueTruth& truth = delivery_.queues[queue];
    constexpr std::uint32_t kPatience = 64;
    std::uint16_t sent = 0;
    std::uint64_t bytes = 0;
    for (std::uint16_t i = 0; i < stage.count; ++i) {
        bytes += stage.mbufs[i]->pkt_len;
    }
    for (std::uint32_t attempt = 0; sent < stage.count; ++attempt) {
        sent = static_cast<std::uint16_t>(
            sent + rte_eth_tx_burst(port_, queue, stage.mbufs.data() + sent,
                                    static_cast<std::uint16_t>(stage.count - sent)));
        if (sent == stage.count) {
            break;
        }
        truth.refused += attempt == 0 ? static_cast<std::uint64_t>(stage.count - sent) : 0;
        if (options_.drop_refused) {
            break;
        }
        if (attempt < kPatience) {
            rte_pause();
            continue;
        }
        // Not sched_yield: a loop of it makes recent kernels hold this thread back for seconds.
        constexpr timespec kShortNap{0, 20'000};
        nanosleep(&kShortNap, nullptr);
        if (const Nanos current = now(); current - last_look_ > kLookAtLink) {
            last_look_ = current;
            // Told to stop while nobody takes anything: as good as gone.
            delivery_.peer_gone = stop_requested || !link_is_up();
            if (delivery_.peer_gone) {
                break;
            }
        }
    }
    for (std::uint16_t i = sent; i < stage.count; ++i) {
        bytes -= stage.mbufs[i]->pkt_len;
        rte_pktmbuf_free(stage.mbufs[i]);
    }
    truth.packets += sent;
    truth.bytes += bytes;
    stage.count = 0;
}

void Sender::let_peer_finish() {
    const MemifRings rings(options_.traffic.queues);
    delivery_.taken_known = rings.known();
    Nanos told_to_stop = 0;
    while (rings.known() && !rings.empty() && !delivery_.peer_gone) {
        nanosleep(&kNap, nullptr);
        told_to_stop = stop_requested && told_to_stop == 0 ? now() : told_to_stop;
        // Told to stop, the peer still gets a moment for what it has been handed.
        const bool waited = told_to_stop != 0 && now() - told_to_stop > kLastMoment;
        delivery_.peer_gone = waited || !link_is_up();
    }
    delivery_.taken = rings.known() && !delivery_.peer_gone;
}

void Sender::close() const {
    const timespec grace{options_.linger / kSecond, options_.linger % kSecond};
    nanosleep(&grace, nullptr);
    while (!options_.stay_until.empty() && !stop_requested && link_is_up() &&
           access(options_.stay_until.c_str(), F_OK) != 0) {
        nanosleep(&kNap, nullptr);
    }
    rte_eth_dev_stop(port_);
    rte_eth_dev_close(port_);
    rte_mempool_free(pool_);
    rte_eal_cleanup();
}

}  // namespace

std::optional<Delivery> send_frames(const SourceOptions& options, Traffic& traffic) {
    if (!start_eal(options)) {
        return {};
    }
    Sender sender(options, traffic);
    if (!sender.open() || !sender.wait_for_link()) {
        return {};
    }
    sender.send();
    sender.let_peer_finish();
    sender.close();
    return sender.delivery();
}

}  // namespace tw::generator
