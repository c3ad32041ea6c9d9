// SPDX-License-Identifier: BSD-3-Clause
// What passed, in bounded sums: lengths, transit times, rewrites, and the load over time. A loss is
// judged beside what was not lost; these are the packets that were not. One per worker, written by
// the worker on every pair; read by others when the worker has stopped, or from a copy it hands
// out.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

// Transit times in logarithmic steps: 32 per power of two, about 2 % wide, from 1 ns to 8.6 s.
class TransitHistogram {
  public:
    static constexpr std::uint32_t kBuckets = 32 * 34;

    void add(Nanos transit);  // negative counts as `negative`, and nowhere else
    void add(const TransitHistogram& other);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t negative() const { return negative_; }
    [[nodiscard]] Nanos least() const { return least_; }  // negative ones included; 0 = no pair
    [[nodiscard]] Nanos most() const { return most_; }
    // Share in 0..1; the upper edge of the bucket, at most most().
    [[nodiscard]] Nanos quantile(double share) const;
    [[nodiscard]] std::uint64_t bucket(std::uint32_t index) const { return buckets_[index]; }
    [[nodiscard]] static Nanos bucket_begin(std::uint32_t index);

  private:
    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t negative_ = 0;
    Nanos least_ = 0;
    Nanos most_ = 0;
};

// What a firewall may change in a packet it lets through.
enum class Rewrite : std::uint8_t {
    ttl,
    dscp,
    ect_cleared,
    ce_cleared,
    ecn_other,
    tcp_ecn_flags,
    mss,
    window,
    window_scale_removed,
    sack_permitted_removed,
    timestamps_removed,
    timestamps_changed,
    fast_open_removed,
    mptcp_removed,
    sack_removed,
    sack_translated,
    sack_untranslated,
    other_option_removed,
    option_added,
    options_reordered,
    isn,
    ack_number,
    ip_id,
    dont_fragment,
    address,
    port,
    urgent_or_reserved,
    payload,
    payload_length,
};
inline constexpr std::size_t kRewrites = static_cast<std::size_t>(Rewrite::payload_length) + 1;
[[nodiscard]] std::string_view name(Rewrite rewrite);
[[nodiscard]] std::string_view help(Rewrite rewrite);

struct RewriteCount {
    std::uint64_t of = 0;  // pairs on which it could have happened (those with the option, …)
    std::uint64_t changed = 0;
    // The first change seen, and the commonest pair of values as far as kept: before and after.
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    std::uint64_t same_values = 0;  // changes with exactly these two values
    Packet entered;                 // example
    Packet left;
};

// Load in slots of 10 ms, the last kSlots of them: enough for a policer's bucket.
struct LoadSlot {
    std::int64_t slot = 0;           // time / 10 ms; another value = the slot is old
    std::uint32_t passed_bytes = 0;  // of IP
    std::uint32_t passed_packets = 0;
    std::uint32_t lost_bytes = 0;
    std::uint32_t lost_packets = 0;
};

// Who passed what: services by server port, hosts by address, hashed and bounded.
struct ShareRow {
    std::uint64_t key = 0;  // see ShareTable
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

class Passage {
  public:
    static constexpr std::uint32_t kLengthMax = 9216;
    static constexpr std::uint32_t kSlots = 1U << 16;  // 655 s
    static constexpr Nanos kSlotTime = 10 * kMillisecond;

    explicit Passage(Backing backing);

    // A pair: every packet that entered and left.
    void passed(Way way, const Packet& entered, const Packet& left, bool first_of_conversation);
    // What a fact of kind lost_between was about.
    void lost(Way way, const Packet& entered);

    struct WaySums {
        TransitHistogram setup;  // SYN and SYN/ACK
        TransitHistogram data;   // all others
        std::array<RewriteCount, kRewrites> rewrites{};
        std::uint64_t pairs = 0;
        std::uint64_t with_sack = 0;  // of the pairs
        std::uint64_t dont_fragment = 0;
        std::uint64_t out_of_order = 0;
    };
    [[nodiscard]] const WaySums& way(Way way) const { return ways_[index(way)]; }
    // Pairs by length of the IP packet; [kLengthMax] holds all longer ones.
    [[nodiscard]] std::uint64_t of_length(Way way, std::uint32_t ip_bytes) const {
        return lengths_[index(way) * (kLengthMax + 1) + ip_bytes];
    }
    [[nodiscard]] const LoadSlot& slot(Way way, std::int64_t number) const {
        return load_[index(way) * kSlots + static_cast<std::uint64_t>(number) % kSlots];
    }
    void add(const Passage& other);  // another worker's

  private:
    std::array<WaySums, kWays> ways_;
    LazyArray<std::uint64_t> lengths_;
    LazyArray<LoadSlot> load_;
};

}  // namespace tw::taps
