// SPDX-License-Identifier: BSD-3-Clause
// Where on the path bytes were lost, over the bytes that went there: "client side 0.00 %, server
// side 1.31 %, mirror missed 0.20 %", for the whole run and for each host. Fed with finished
// connections, so that what was lost and what was seen always belong together.
#pragma once

#include <cstdint>
#include <span>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"

namespace tw::verdict {

// One stretch of the path, both directions.
struct Stretch {
    std::uint64_t bytes_offered = 0;  // went into it, as far as the tap can tell
    std::uint64_t bytes_lost = 0;
    std::uint64_t segments_lost = 0;  // at least so many
    std::uint64_t acks_lost = 0;      // as shown by what was sent again for want of them
    std::uint64_t episodes = 0;

    // Of the bytes offered, 0 to 1.
    [[nodiscard]] double share() const {
        return bytes_offered == 0
                   ? 0.0
                   : static_cast<double>(bytes_lost) / static_cast<double>(bytes_offered);
    }
    void add(const Stretch& more);
};

// The capture's own account, apart from the network's.
struct CaptureSum {
    std::uint64_t bytes_delivered = 0;  // captured or not
    std::uint64_t bytes_missed = 0;
    std::uint64_t segments_missed = 0;
    std::uint64_t episodes = 0;

    [[nodiscard]] double share() const {
        return bytes_delivered == 0
                   ? 0.0
                   : static_cast<double>(bytes_missed) / static_cast<double>(bytes_delivered);
    }
    void add(const CaptureSum& more);
};

struct PathSum {
    Stretch client_side;  // between the clients and the tap
    Stretch server_side;  // between the servers and the tap
    CaptureSum capture;
    std::uint64_t unknown_episodes = 0;
    std::uint64_t unknown_bytes = 0;
    std::uint64_t connections = 0;
    std::uint64_t incomplete = 0;  // of these: a limit kept verdicts from being added
};

// One host: what was lost between it and the tap, whichever end of a connection it was.
struct HostSum {
    flow::Endpoint host;  // port 0
    std::uint8_t tap = 0;
    bool complete = true;  // false: earlier connections of it may have been forgotten
    Stretch stretch;
    CaptureSum capture;
    std::uint64_t connections = 0;
};

class PathSums {
  public:
    static constexpr std::uint32_t kHostsMax = 8192;

    explicit PathSums(stats::Counters& counters);

    // With its outcomes, once per connection.
    void add(const event::FlowRecord& record);

    [[nodiscard]] const PathSum& total() const { return total_; }
    // In no order. Room is made for a new host by forgetting one without losses.
    [[nodiscard]] std::span<const HostSum> hosts() const { return {hosts_.data(), hosts_count_}; }
    // The hosts that lost most, the worst first; fills at most out.size(), returns how many.
    [[nodiscard]] std::size_t worst(std::span<const HostSum*> out) const;

  private:
    void add_host(const event::FlowRecord& record, bool server, const Stretch& stretch,
                  const CaptureSum& capture);
    [[nodiscard]] HostSum* host_at(const flow::Endpoint& host, std::uint8_t tap);
    [[nodiscard]] std::uint32_t make_room();

    stats::Counters& counters_;
    PathSum total_;
    LazyArray<HostSum> hosts_;
    LazyArray<std::uint32_t> next_;     // index + 1 of the next host of the bucket
    LazyArray<std::uint32_t> buckets_;  // index + 1
    std::uint32_t hosts_count_ = 0;
    std::uint32_t hand_ = 0;
    bool forgot_ = false;
};

}  // namespace tw::verdict
