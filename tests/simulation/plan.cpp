// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/plan.hpp"

#include "support/random.hpp"

namespace tw::sim {
namespace {

using test::Random;

constexpr std::array<std::string_view, kProfiles> kNames{
    "none",
    "loss_before",
    "loss_after",
    "reorder_before",
    "reorder_after",
    "duplicate_before",
    "duplicate_after",
    "mirror_loss",
    "mirror_duplicate",
    "mirror_skew",
    "monitor_loss",
    "silent",
    "overshoot",
    "mixed_low",
    "mixed_high",
};

constexpr std::array<Profile, kProfileCycle> kCycle{
    Profile::none,
    Profile::loss_before,
    Profile::loss_after,
    Profile::reorder_before,
    Profile::reorder_after,
    Profile::duplicate_before,
    Profile::duplicate_after,
    Profile::mirror_loss,
    Profile::mirror_duplicate,
    Profile::mirror_skew,
    Profile::monitor_loss,
    Profile::silent,
    Profile::overshoot,
    Profile::mixed_low,
    Profile::mixed_low,
    Profile::mixed_low,
    Profile::mixed_low,
    Profile::mixed_high,
    Profile::mixed_high,
    Profile::mixed_high,
};

// Packets per million: 0.1 % to 30 %.
std::uint32_t any_rate(Random& random) {
    return random.pick({1'000U, 3'000U, 10'000U, 30'000U, 100'000U, 300'000U});
}
std::uint32_t low_rate(Random& random) {
    return random.pick({1'000U, 2'000U, 5'000U, 10'000U});
}
std::uint32_t burst(Random& random) {
    return random.chance(65) ? 1 : random.between(2, 12);
}

Nanos between(Random& random, Nanos first, Nanos last) {
    return first + static_cast<Nanos>(random.next() % static_cast<std::uint64_t>(last - first + 1));
}

void draw_faults(Plan& plan, Random& random) {
    const auto set = [&](std::size_t fault, std::uint32_t per_million) {
        const bool bursts = static_cast<Fault>(fault) == Fault::monitor_loss;
        plan.faults[fault] = {per_million, bursts ? random.between(2, 30) : burst(random)};
    };
    const auto first = static_cast<std::size_t>(Profile::loss_before);
    const auto profile = static_cast<std::size_t>(plan.profile);
    if (plan.profile == Profile::mixed_low || plan.profile == Profile::mixed_high) {
        const std::uint32_t kinds = random.between(2, 6);
        for (std::uint32_t i = 0; i < kinds; ++i) {
            const bool low = plan.profile == Profile::mixed_low;
            set(random.below(kFaults), low ? low_rate(random) : any_rate(random));
        }
    } else if (profile >= first && profile < first + kFaults) {
        set(profile - first, any_rate(random));
    }
}

StackOptions draw_stack(Random& random) {
    StackOptions stack;
    stack.timestamps = random.chance(60);
    stack.sack = random.chance(75);
    stack.dsack = random.chance(65);
    stack.scaling = random.chance(80);
    stack.tail_probe = random.chance(60);
    stack.delays_acks = random.chance(80);
    stack.fin_with_data = random.chance(50);
    stack.ip_id = random.pick({IpIdPolicy::per_connection, IpIdPolicy::per_connection,
                               IpIdPolicy::per_host, IpIdPolicy::zero, IpIdPolicy::random});
    stack.ttl = random.pick<std::uint8_t>({64, 128, 255});
    stack.mss = random.pick<Position>({1460, 1460, 1448, 1220, 536});
    stack.initial_window_segments = random.pick<Position>({2, 4, 10, 10});
    stack.buffer_bytes = random.pick<Position>({16'384, 65'535, 262'144, 1'048'576});
    return stack;
}

void draw_steps(ConnectionPlan& connection, Random& random, Position bytes_about) {
    const std::uint32_t rounds = random.chance(50) ? 1 : random.between(2, 6);
    const bool upload = random.chance(25);
    for (std::uint32_t i = 0; i < rounds; ++i) {
        const Position large = std::max<Position>(1, bytes_about / rounds);
        Step request{.from = Side::client,
                     .bytes = random.between(40, 1200),
                     .delay = i == 0 ? 0 : between(random, 0, 120 * kMillisecond)};
        Step answer{
            .from = Side::server, .bytes = large, .delay = between(random, 0, 30 * kMillisecond)};
        if (upload) {
            std::swap(request.bytes, answer.bytes);
        }
        if (random.chance(25)) {
            Step& long_one = upload ? request : answer;
            long_one.chunk_bytes = random.between(200, 4000);
            long_one.gap = between(random, kMillisecond, 60 * kMillisecond);
        }
        connection.steps.push_back(request);
        connection.steps.push_back(answer);
    }
}

// The server's answer never reaches the tap; it sends nothing again and closes in the end.
void make_silent(ConnectionPlan& connection, Random& random) {
    StackOptions& server = connection.stack[index(Side::server)];
    server.silent = true;
    server.fin_with_data = false;
    const Position bytes = random.between(1, 4000);
    connection.steps = {{.from = Side::client, .bytes = random.between(40, 400)},
                        {.from = Side::server, .bytes = bytes}};
    connection.swallowed = {1, 1 + bytes};
    connection.server_gives_up = connection.start + between(random, 2 * kSecond, 20 * kSecond);
    connection.ending = Ending::stays_open;
}

void make_overshoot(ConnectionPlan& connection) {
    connection.stack[index(Side::server)].overshoots = true;
    connection.ending = Ending::server_closes;
}

ConnectionPlan draw_connection(const Plan& plan, Random& random, std::uint32_t number,
                               Position bytes_about) {
    ConnectionPlan connection;
    connection.v6 = random.chance(20);
    connection.client_host = static_cast<std::uint8_t>(random.below(2));
    connection.server_host = static_cast<std::uint8_t>(random.below(2));
    connection.client_port = static_cast<std::uint16_t>(40'000 + number * 7 + random.below(7));
    connection.server_port = random.pick<std::uint16_t>({80, 443, 5432});
    const StackOptions common = draw_stack(random);
    for (std::size_t side = 0; side < kSides; ++side) {
        connection.isn[side] = random.word();
        connection.timestamp_base[side] = random.word();
        connection.stack[side] = draw_stack(random);
        // Options count only when both ends have them; a pair of its own would mostly lack them.
        connection.stack[side].timestamps = common.timestamps;
        connection.stack[side].sack = common.sack;
        connection.stack[side].scaling = common.scaling;
        connection.stack[side].mss = common.mss;
        // Sends again without any fault, so not where nothing shall happen.
        connection.stack[side].eager_timer = plan.profile != Profile::none && random.chance(10);
        connection.delay[side] =
            random.pick({30 * kMicrosecond, 300 * kMicrosecond, 2 * kMillisecond, 8 * kMillisecond,
                         25 * kMillisecond, 60 * kMillisecond});
        connection.delay[side] += between(random, 0, connection.delay[side] / 2);
        connection.hops[side] = static_cast<std::uint8_t>(random.between(1, 14));
    }
    connection.start = number == 0 ? 0 : between(random, 0, 500 * kMillisecond);
    connection.ending =
        random.pick({Ending::client_closes, Ending::client_closes, Ending::server_closes,
                     Ending::server_closes, Ending::client_resets, Ending::stays_open});
    connection.ending_delay = between(random, 0, 50 * kMillisecond);
    draw_steps(connection, random, bytes_about);
    if (plan.profile == Profile::silent && number == 0) {
        make_silent(connection, random);
    } else if (plan.profile == Profile::overshoot && number == 0) {
        make_overshoot(connection);
    }
    return connection;
}

}  // namespace

std::string_view name(Profile profile) {
    return kNames[static_cast<std::size_t>(profile)];
}

std::optional<Profile> profile_named(std::string_view text) {
    for (std::size_t i = 0; i < kProfiles; ++i) {
        if (kNames[i] == text) {
            return static_cast<Profile>(i);
        }
    }
    return {};
}

Profile profile_of(std::uint64_t seed) {
    return kCycle[seed % kProfileCycle];
}

Plan draw_plan(std::uint64_t seed, std::optional<Profile> profile) {
    Random random(seed);
    Plan plan;
    plan.seed = seed;
    plan.profile = profile.value_or(profile_of(seed));
    draw_faults(plan, random);
    // A packet that is overtaken is late by this much at most.
    plan.reorder_delay_max = random.pick({400 * kMicrosecond, 2 * kMillisecond, 2 * kMillisecond,
                                          10 * kMillisecond, 40 * kMillisecond});
    plan.duplicate_delay_max =
        random.pick({200 * kMicrosecond, 5 * kMillisecond, 50 * kMillisecond});
    plan.skew_max = random.pick({100 * kMicrosecond, kMillisecond, 5 * kMillisecond});
    plan.jitter = random.pick({Nanos{0}, 20 * kMicrosecond, 500 * kMicrosecond});
    plan.spacing = random.pick({kMicrosecond, 12 * kMicrosecond, 120 * kMicrosecond});
    plan.start = 1'700'000'000 * kSecond + between(random, 0, 1000 * kSecond);
    // One in twenty captures ends in the middle of it all.
    const bool cut = random.chance(5);
    plan.until = cut ? between(random, 20 * kMillisecond, 2 * kSecond) : 75 * kSecond;
    const std::uint32_t connections = random.pick({1U, 2U, 3U, 4U});
    const Position bytes_about = random.pick<Position>({10'000, 60'000, 160'000, 300'000});
    for (std::uint32_t i = 0; i < connections; ++i) {
        plan.connections.push_back(
            draw_connection(plan, random, i, bytes_about / Position{connections}));
    }
    return plan;
}

}  // namespace tw::sim
