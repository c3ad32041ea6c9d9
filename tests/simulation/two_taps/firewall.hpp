// SPDX-License-Identifier: BSD-3-Clause
// The simulated firewall: takes a packet at one side and says what becomes of it, by the state it
// keeps of each connection. Rewriting is rewriter.hpp's, proxies are proxy.hpp's business.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "simulation/network.hpp"
#include "simulation/two_taps/proxy.hpp"
#include "simulation/two_taps/record.hpp"
#include "simulation/two_taps/rewriter.hpp"
#include "support/random.hpp"

namespace tw::sim::two_taps {

class Firewall {
  public:
    // A packet leaves, at this tap and time.
    struct Exit {
        TapSide tap = TapSide::outside;
        Nanos time = 0;
        Wire packet;
    };
    struct Treatment {
        Fate fate = Fate::passed;
        Drop drop = Drop::none;
        bool held_back = false;
        std::vector<Exit> exits;
    };
    // Called for each packet that the firewall makes itself.
    using Output = std::function<void(const Exit&)>;

    Firewall(const Plan& plan, Output output);

    [[nodiscard]] Treatment take(const Wire& packet, TapSide entered, Nanos now);
    [[nodiscard]] Nanos deadline() const;
    void on_time(Nanos now);

  private:
    // Index of arrays: the side that sends.
    struct Track {
        bool admitted = false;
        Nanos admitted_at = 0;
        Drop gone = Drop::none;  // its state is gone, by this
        bool closed = false;
        Nanos closed_at = 0;
        Nanos last = 0;  // forwarded, either way
        Nanos first_fin = 0;
        std::uint32_t packets = 0;
        std::array<bool, sim::kSides> fin{};
        std::array<bool, sim::kSides> spoke{};
        std::array<std::uint16_t, sim::kSides> window{};  // raw, as last offered
        std::array<std::uint32_t, sim::kSides> ack{};     // as last sent
        std::array<std::uint32_t, sim::kSides> next{};    // beyond what it sent
        std::unique_ptr<Proxy> proxy;
    };
    // Of a token bucket; of a queue: when it is empty.
    struct Level {
        Nanos time = 0;
        double bytes = 0;
    };

    [[nodiscard]] TapSide tap_towards(sim::Side host) const;
    [[nodiscard]] Drop judge(const Wire& packet, Track& track, TapSide out, Nanos now);
    [[nodiscard]] Drop judge_new(const Wire& packet, Track& track, Nanos now);
    [[nodiscard]] Drop judge_state(const Wire& packet, Track& track, Nanos now) const;
    [[nodiscard]] Drop judge_packet(const Wire& packet, const Track& track);
    [[nodiscard]] bool beyond_window(const Wire& packet, const Track& track) const;
    [[nodiscard]] bool conforms(const Wire& packet, TapSide out, Nanos now);
    [[nodiscard]] bool tuple_in_use(std::uint32_t connection, Nanos now) const;
    [[nodiscard]] std::uint32_t open_connections() const;
    [[nodiscard]] bool strikes(DropRule rule);
    void refuse(const Wire& packet, TapSide entered, Drop drop, Nanos now);
    void note(const Wire& packet, Track& track, Nanos now);
    void reset_connection(std::uint32_t connection, Track& track, Nanos now);
    void forward(Wire packet, TapSide out, Nanos now, Treatment& treatment);
    // Waiting in the shaper's queue; negative: it is full.
    [[nodiscard]] Nanos queueing(const Wire& packet, TapSide out, Nanos now);
    void emit(const Wire& packet, TapSide tap, Nanos now);
    [[nodiscard]] Nanos transit(Nanos now);

    const Plan& plan_;
    const FirewallPlan& rules_;
    Output output_;
    test::Random random_;
    Rewriter rewriter_;
    std::vector<Track> tracks_;
    std::array<Dice, kDropRules> dice_;
    Dice reorder_;
    Dice duplicate_;
    std::array<Level, taps::kSides> buckets_;  // index: exit
    std::array<Nanos, taps::kSides> queue_end_{};
    std::array<Nanos, taps::kSides> last_{};  // left, so that the order is kept
};

}  // namespace tw::sim::two_taps
