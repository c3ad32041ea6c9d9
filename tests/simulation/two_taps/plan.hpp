// SPDX-License-Identifier: BSD-3-Clause
// What one seed plays between two taps: connections, the network on both sides, what the firewall
// does to packets, and what the two mirrors deliver. Drawn from the seed alone.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "core/taps/side.hpp"
#include "simulation/plan.hpp"

namespace tw::sim::two_taps {

using TapSide = taps::Side;

// One thing that a firewall does, and that is to be found.
enum class Deed : std::uint8_t {
    none,
    drop_random,
    drop_bursts,
    drop_long,           // all packets longer than some length: a black hole for path MTU discovery
    drop_with_sack,      // packets with SACK blocks
    drop_beyond_window,  // data beyond the window as it reads unscaled
    drop_syn,
    drop_syn_ack,
    refuse_silently,  // by policy, the server's port
    refuse_by_reset,
    refuse_by_icmp,
    idle_silent,
    idle_reset,
    connection_limit,
    policer,
    shaper,
    reorder,
    duplicate,
    corrupt,
    corrupt_unfixed,  // and the checksum left as it was
    lengthen,
    rewrite_isn,
    rewrite_isn_not_sack,
    strip_options,
    clamp_mss,
    rewrite_header,
    nat_source,
    nat_destination,
    syn_proxy,
    tcp_proxy,
    inject_reset,
    block_reset,
    cut_half_closed,
    refuse_reuse,
    lose_state,
    delay_spike,
};
inline constexpr std::size_t kDeeds = static_cast<std::size_t>(Deed::delay_spike) + 1;
[[nodiscard]] std::string_view name(Deed deed);
[[nodiscard]] std::optional<Deed> deed_named(std::string_view text);

enum class Profile : std::uint8_t {
    clean,
    single,        // one deed, perfect capture
    single_lossy,  // one deed, each tap misses 1 % of the packets
    network,       // the network on both sides loses, reorders, doubles; the firewall does nothing
    capture,       // the capture has faults, nothing else
    innocent,      // faults of network and capture, none of the firewall's
    mixed,         // everything
    nat,           // translation of every kind, many short connections
};
inline constexpr std::size_t kProfiles = static_cast<std::size_t>(Profile::nat) + 1;
[[nodiscard]] std::string_view name(Profile profile);
[[nodiscard]] std::optional<Profile> profile_named(std::string_view text);
// Any range of kProfileCycle seeds holds the same mixture.
inline constexpr std::uint64_t kProfileCycle = 20;
[[nodiscard]] Profile profile_of(std::uint64_t seed);

// Chances by what a packet is; the first that fits.
enum class DropRule : std::uint8_t { any, syn, syn_ack, with_sack };
inline constexpr std::size_t kDropRules = static_cast<std::size_t>(DropRule::with_sack) + 1;

enum class Refusal : std::uint8_t { none, silent, reset, icmp };
enum class Translation : std::uint8_t { none, source, destination };
enum class Towards : std::uint8_t { client, server, both };

struct Bucket {
    std::int64_t bytes_per_second = 0;  // 0 = no such thing
    std::int64_t burst_bytes = 0;       // policer: depth; shaper: the longest queue
};

struct FirewallPlan {
    std::vector<Deed> deeds;
    Nanos transit = 100 * kMicrosecond;
    Nanos jitter = 0;
    std::array<Rate, kDropRules> drops{};
    std::uint32_t longer_than = 0;  // bytes of IP; 0 = any length passes
    bool checks_raw_window = false;
    Refusal refusal = Refusal::none;
    std::uint16_t refused_port = 0;
    Nanos idle_timeout = 0;  // 0 = never
    bool idle_resets = false;
    std::uint32_t connections_max = 0;
    Bucket policer;
    Bucket shaper;
    Rate reorder;
    Nanos reorder_delay_max = 0;
    Rate duplicate;
    Nanos duplicate_delay_max = 0;
    Rate corrupt;
    bool fixes_checksum = true;
    std::uint16_t inserts_bytes = 0;  // once in each connection, into the client's first data
    bool rewrites_isn = false;
    bool translates_sack = true;
    bool strips_timestamps = false;
    bool strips_sack = false;
    bool strips_scale = false;
    bool strips_one_way = false;  // off the SYN/ACK only
    bool strips_by_nops = false;
    std::uint16_t mss_max = 0;
    std::uint8_t hops = 1;  // taken off the TTL
    bool clears_tos = false;
    Translation translation = Translation::none;
    bool syn_proxy = false;
    bool tcp_proxy = false;
    std::uint32_t reset_after_packets = 0;  // of a connection; 0 = no such reset
    Towards reset_towards = Towards::both;
    bool reset_forgets = true;  // and drops what comes then
    bool blocks_reset = false;
    Nanos half_close_timeout = 0;
    Nanos reuse_refused_for = 0;
    Nanos state_lost_at = 0;
    Nanos spike_at = 0;
    Nanos spike_length = 0;
    Nanos spike_delay = 0;

    [[nodiscard]] bool does(Deed deed) const;
    [[nodiscard]] bool innocent() const { return deeds.empty(); }
};

// A mirror and what captures it.
struct MirrorPlan {
    Rate loss;
    Rate duplicate;
    Rate held;  // stretches in which one direction comes later
    Nanos held_max = 0;
    Rate swap;  // a packet that a later one overtakes in the mirror
    Nanos jitter = 0;
    Nanos from = INT64_MIN / 2;
    Nanos until = INT64_MAX;
    std::array<bool, taps::kWays> carries{true, true};
    std::uint16_t vlan = 0;
    std::uint32_t snaplen = 0;  // 0 = whole frames
    [[nodiscard]] bool perfect() const;
};

// The network between the firewall and the hosts of one side.
struct OutsidePlan {
    std::array<Rate, 2> loss{};       // index: 0 towards the firewall, 1 away from it
    std::array<Rate, 2> reorder{};    // idem
    std::array<Rate, 2> duplicate{};  // idem
};

struct Plan {
    sim::Plan hosts;  // connections, times; its own faults are not played here
    Profile profile = Profile::clean;
    TapSide client_side = TapSide::outside;
    FirewallPlan firewall;
    std::array<MirrorPlan, taps::kSides> mirrors;    // index: TapSide
    std::array<OutsidePlan, taps::kSides> networks;  // index: TapSide
    std::vector<bool> marked;  // by connection: its packets carry ECT and a DSCP

    [[nodiscard]] bool perfect_capture() const {
        return mirrors[0].perfect() && mirrors[1].perfect();
    }
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed, std::optional<Profile> profile = {},
                             std::optional<Deed> deed = {});

}  // namespace tw::sim::two_taps
