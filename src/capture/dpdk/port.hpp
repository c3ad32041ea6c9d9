// SPDX-License-Identifier: BSD-3-Clause
// One receiving port: attach its device, configure it for listening only, start, count, stop. All
// calls from the control thread; only the receive queues belong to workers (or the dispatcher).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "capture/dpdk/device.hpp"
#include "capture/dpdk/eal_log.hpp"
#include "capture/dpdk/port_counters.hpp"
#include "capture/dpdk/port_link.hpp"
#include "capture/dpdk/rss.hpp"
#include "core/frame.hpp"

namespace spdlog {
class logger;
}

namespace tw::dpdk {

class PacketRing;
class RssModel;

// A frame of a capture file that was longer on the wire than what the file holds of it.
struct CutFrame {
    std::uint64_t index = 0;  // in the file, from 0
    std::uint32_t wire_bytes = 0;
};

struct PortOptions {
    std::string name;
    Device device;
    std::uint8_t tap = 0;
    std::uint32_t descriptors = 0;  // 0 = auto
    // For capture files, as whoever looked at the file found out:
    LinkType link = LinkType::ethernet;
    std::uint64_t frames_expected = 0;
    std::vector<CutFrame> cut_frames;           // in order; empty if too many, see the next
    std::uint32_t cut_from_bytes = UINT32_MAX;  // see RxQueue
};

// How the receive queues are to be set up.
struct QueueSetup {
    RssPlan rss;                    // queues > 1: spread by the NIC
    std::uint32_t ring_frames = 0;  // frames that may wait in workers' rings; 0 without dispatcher
    std::uint32_t threads = 1;      // that free into each pool
    bool bridged = false;           // has a transmit queue that is used; no other port ever sends
};

// What a bridge needs to know of the one transmit queue of a bridged port.
struct TxQueue {
    std::uint16_t port_id = 0;
    std::uint16_t queue = 0;
    bool takes_segments = true;  // frames of several buffers
    int socket = -1;             // behind net_af_packet; -1 = another driver
};

// What a poller needs to know of one receive queue.
struct RxQueue {
    std::uint16_t port_id = 0;
    std::uint16_t queue = 0;
    std::uint8_t tap = 0;
    LinkType link = LinkType::ethernet;
    bool from_file = false;  // frames can wait, and carry the only time there is
    // The driver tells the length it delivers, not the one on the wire. Which frames were cut is
    // known of a file (a list that lives as long as the port); elsewhere frames at least this long
    // may have been (UINT32_MAX: never).
    const std::vector<CutFrame>* cut_frames = nullptr;
    std::uint32_t cut_from_bytes = UINT32_MAX;
    Nanos timestamp_unit = 0;       // of time stamps in mbufs; 0 = none to be trusted
    PacketRing* ring = nullptr;     // where those are found instead; lives as long as the port
    const RssModel* rss = nullptr;  // where the NIC spreads; lives as long as the port
};

// EAL memory for the pools of one port, before anything is attached.
[[nodiscard]] std::uint64_t port_memory_bytes(const PortOptions& options, const QueueSetup& setup);

class Port {
  public:
    // After Eal::start. Errors name port and device and give the driver's reason.
    [[nodiscard]] static std::expected<std::unique_ptr<Port>, Error> attach(
        const PortOptions& options, EalLog& log);
    // Stops and closes the port.
    ~Port();
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    [[nodiscard]] const PortOptions& options() const { return options_; }
    [[nodiscard]] const std::string& name() const { return options_.name; }
    [[nodiscard]] const std::string& driver() const { return driver_; }
    [[nodiscard]] RssAbility rss_ability() const;

    // Frames may arrive from here on. Says in the log what was set and what the driver refused.
    // After stop() another setup can be tried.
    [[nodiscard]] std::expected<void, Error> start(const QueueSetup& setup, EalLog& log,
                                                   spdlog::logger& logger);
    [[nodiscard]] RxQueue queue(std::uint16_t index) const;
    // Of a port that was started as bridged.
    [[nodiscard]] TxQueue transmit_queue() const;
    // Frames the driver took for sending and dropped, or the kernel behind it, since the start.
    [[nodiscard]] std::uint64_t transmit_lost() const;
    // What driver and kernel count since start(). Some forget it at stop().
    const StageCounts& read_counters();
    [[nodiscard]] const std::vector<StageTeller>& tellers() const { return counters_->tellers(); }
    const LinkState& read_link();
    // Frames in the receive queues, where the driver tells.
    [[nodiscard]] std::uint64_t queued() const;
    // No frame is delivered from here on.
    void stop();

  private:
    struct Pools;
    Port(const PortOptions& options, std::uint16_t id, std::string driver);
    [[nodiscard]] Error failed(const std::string& step, int error, const EalLog& log) const;
    [[nodiscard]] std::expected<void, Error> configure(const QueueSetup& setup, EalLog& log);
    [[nodiscard]] std::expected<void, Error> setup_queues(const QueueSetup& setup, EalLog& log);
    void watch();
    void listen_only(spdlog::logger& logger);
    [[nodiscard]] std::expected<void, Error> prepare_bridge(EalLog& log);
    [[nodiscard]] std::uint64_t transmit_lost_ever() const;
    // port_rss.cpp: the plan into the device, and back out of it
    [[nodiscard]] std::expected<void, Error> apply_rss(const RssPlan& plan, EalLog& log,
                                                       spdlog::logger& logger);
    [[nodiscard]] std::expected<void, Error> install_symmetric_rules(const RssPlan& plan,
                                                                     EalLog& log);
    [[nodiscard]] std::expected<void, Error> write_table(const RssPlan& plan, EalLog& log);
    [[nodiscard]] std::expected<void, Error> read_hash_back(const RssPlan& plan,
                                                            spdlog::logger& logger);
    void remove_rules();

    PortOptions options_;
    std::uint16_t id_;
    std::string driver_;
    std::uint16_t descriptors_ = 0;
    bool started_ = false;
    std::unique_ptr<Pools> pools_;
    std::uint16_t queues_ = 1;
    std::unique_ptr<PortCounters> counters_;  // from start() on
    std::unique_ptr<PortLink> link_;
    int socket_ = -1;                   // of a bridged port behind net_af_packet
    std::unique_ptr<PacketRing> ring_;  // of a port behind net_af_packet with one queue
    std::uint64_t discarded_ = 0;       // frames taken and forgotten before anybody polled
    std::uint64_t transmit_lost_at_start_ = 0;
    std::uint64_t transmit_lost_ = 0;  // once stopped
    std::uint32_t starts_ = 0;         // tells the pools of one start from those of another
    bool has_rules_ = false;
    std::unique_ptr<RssModel> rss_;
};

}  // namespace tw::dpdk
