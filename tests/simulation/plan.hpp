// SPDX-License-Identifier: BSD-3-Clause
// What one seed plays: hosts, connections, the path between them, and which faults happen how
// often. Drawn from the seed alone, so that one number names a whole simulation.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "simulation/packet.hpp"

namespace tw::sim {

// "Before" and "after" the tap in the direction of each packet.
enum class Fault : std::uint8_t {
    loss_before,
    loss_after,
    reorder_before,
    reorder_after,
    duplicate_before,
    duplicate_after,
    mirror_loss,
    mirror_duplicate,
    mirror_skew,  // one direction reaches the capture later than the other
    monitor_loss,
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::monitor_loss) + 1;

enum class Profile : std::uint8_t {
    none,
    loss_before,
    loss_after,
    reorder_before,
    reorder_after,
    duplicate_before,
    duplicate_after,
    mirror_loss,
    mirror_duplicate,
    mirror_skew,
    monitor_loss,
    silent,     // the first story: a sender that never sends again
    overshoot,  // the second: a FIN one beyond the data
    mixed_low,  // several faults, each up to 1 %
    mixed_high,
};
inline constexpr std::size_t kProfiles = static_cast<std::size_t>(Profile::mixed_high) + 1;
[[nodiscard]] std::string_view name(Profile profile);
[[nodiscard]] std::optional<Profile> profile_named(std::string_view text);
// The profile of a seed, so that any range of kProfileCycle seeds holds the same mixture.
inline constexpr std::uint64_t kProfileCycle = 20;
[[nodiscard]] Profile profile_of(std::uint64_t seed);

struct Rate {
    std::uint32_t per_million = 0;
    std::uint32_t burst_mean = 1;  // packets in a row; 1 = each on its own
};

enum class IpIdPolicy : std::uint8_t { per_connection, per_host, zero, random };

struct StackOptions {
    bool timestamps = true;
    bool sack = true;
    bool dsack = true;
    bool scaling = true;
    bool tail_probe = true;
    bool delays_acks = true;
    bool fin_with_data = true;
    bool eager_timer = false;
    bool silent = false;
    bool overshoots = false;
    bool answers_when_dead = false;  // after a RST arrived: whatever comes then, with another
    IpIdPolicy ip_id = IpIdPolicy::per_connection;
    std::uint8_t ttl = 64;  // as it leaves the host
    Position mss = 1460;
    Position initial_window_segments = 10;
    Position buffer_bytes = 262'144;
};

// `from` writes `bytes`, in pieces of `chunk_bytes` every `gap`, `delay` after the step before was
// received.
struct Step {
    Side from = Side::client;
    Position bytes = 0;
    Position chunk_bytes = 0;
    Nanos gap = 0;
    Nanos delay = 0;
};

enum class Ending : std::uint8_t { client_closes, server_closes, client_resets, stays_open };

struct ConnectionPlan {
    bool v6 = false;
    std::uint8_t client_host = 0;
    std::uint8_t server_host = 0;
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    std::array<std::uint32_t, kSides> isn{};
    std::array<std::uint32_t, kSides> timestamp_base{};
    std::array<StackOptions, kSides> stack{};
    std::array<Nanos, kSides> delay{};  // between each host and the tap
    std::array<std::uint8_t, kSides> hops{};
    std::vector<Step> steps;
    Ending ending = Ending::client_closes;
    Nanos start = 0;
    Nanos ending_delay = 0;
    Nanos answer_delay = 0;  // from the peer's FIN to one's own
    // A broken server closes at this time though its data never arrived; 0 = no such thing.
    Nanos server_gives_up = 0;
    // Everything the server writes in this range is lost before the tap, every time.
    Span swallowed{};
};

struct Plan {
    std::uint64_t seed = 0;
    Profile profile = Profile::none;
    std::array<Rate, kFaults> faults{};
    Nanos reorder_delay_max = 0;
    Nanos duplicate_delay_max = 0;
    Nanos skew_max = 0;
    Nanos jitter = 0;
    Nanos spacing = 0;  // a packet on the slowest link
    Nanos start = 0;    // wall clock of time 0
    Nanos until = 0;    // the capture ends then
    std::vector<ConnectionPlan> connections;

    [[nodiscard]] Rate rate(Fault fault) const { return faults[static_cast<std::size_t>(fault)]; }
    [[nodiscard]] bool has(Fault fault) const { return rate(fault).per_million != 0; }
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed, std::optional<Profile> profile = {});

}  // namespace tw::sim
