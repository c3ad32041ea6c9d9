// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/world.hpp"

#include <algorithm>
#include <memory>
#include <queue>

#include "simulation/conversation_script.hpp"
#include "simulation/network.hpp"

namespace tw::sim {
namespace {

constexpr std::size_t kHosts = 4;  // two clients, two servers
// The mirror holds a direction back for a stretch of this many of its packets.
constexpr std::uint32_t kSkewStretch = 24;

enum class Kind : std::uint8_t { wake, pass, arrive };

struct Happening {
    Nanos time = 0;
    std::uint64_t order = 0;
    Kind kind = Kind::wake;
    std::uint32_t which = 0;  // connection, or transmission
    std::uint32_t pass = 0;
};
struct Later {
    bool operator()(const Happening& a, const Happening& b) const {
        return a.time != b.time ? a.time > b.time : a.order > b.order;
    }
};

struct Connection {
    const ConnectionPlan* plan = nullptr;
    std::array<std::unique_ptr<Endpoint>, kSides> end;
    std::unique_ptr<Script> script;
    // Towards the tap and onwards; index: the side that sends.
    std::array<Link, kSides> before;
    std::array<Link, kSides> after;
    Nanos wake = INT64_MAX;
};

class World {
  public:
    explicit World(const Plan& plan);
    Record run();

  private:
    void make_connection(std::uint32_t number);
    void schedule(Nanos time, Kind kind, std::uint32_t which, std::uint32_t pass = 0);
    void schedule_wake(std::uint32_t number, Nanos now);
    void wake(std::uint32_t number, Nanos now);
    void send(Packet& packet);
    void pass_tap(std::uint32_t transmission, std::uint32_t pass, Nanos now);
    void capture(std::uint32_t transmission, std::uint32_t pass, Nanos now);
    void arrive(std::uint32_t transmission, Nanos now);
    [[nodiscard]] Nanos mirror_delay(Side from, Nanos now);
    [[nodiscard]] bool strikes(Fault fault) {
        return dice_[static_cast<std::size_t>(fault)].strikes(random_);
    }
    void number_frames();

    const Plan& plan_;
    test::Random random_;
    std::array<Host, kHosts> hosts_;
    std::vector<Connection> connections_;
    std::priority_queue<Happening, std::vector<Happening>, Later> queue_;
    std::uint64_t order_ = 0;
    std::array<Dice, kFaults> dice_;
    struct Skew {
        Nanos delay = 0;
        Nanos last = INT64_MIN / 2;
        std::uint32_t left = 0;  // packets until it changes
    };
    std::array<Skew, kSides> skew_;
    Record record_;
};

World::World(const Plan& plan) : plan_(plan), random_(plan.seed ^ 0x57A7'E0F5'1EED'0001ULL) {
    for (Host& host : hosts_) {
        host.random = test::Random(random_.next());
        host.ip_id = static_cast<std::uint16_t>(random_.word());
    }
    for (std::size_t i = 0; i < kFaults; ++i) {
        dice_[i] = Dice(plan.faults[i]);
    }
    connections_.resize(plan.connections.size());
    for (std::uint32_t i = 0; i < connections_.size(); ++i) {
        make_connection(i);
    }
}

void World::make_connection(std::uint32_t number) {
    const ConnectionPlan& plan = plan_.connections[number];
    Connection& connection = connections_[number];
    connection.plan = &plan;
    for (const Side side : {Side::client, Side::server}) {
        const std::size_t i = index(side);
        Host& host = hosts_[side == Side::client ? plan.client_host : 2U + plan.server_host];
        const Endpoint::Identity identity{.connection = number,
                                          .side = side,
                                          .timestamp_base = plan.timestamp_base[i],
                                          .v6 = plan.v6};
        connection.end[i] = std::make_unique<Endpoint>(plan.stack[i], identity, host,
                                                       [this](Packet& packet) { send(packet); });
        const Link::Options near{plan.delay[i], plan_.jitter, plan_.spacing};
        const Link::Options far{plan.delay[index(other(side))], plan_.jitter, plan_.spacing};
        connection.before[i] = Link(near);
        connection.after[i] = Link(far);
    }
    connection.script = std::make_unique<Script>(plan, *connection.end[0], *connection.end[1]);
    schedule_wake(number, 0);
}

void World::schedule(Nanos time, Kind kind, std::uint32_t which, std::uint32_t pass) {
    queue_.push({time, order_++, kind, which, pass});
}

// One wake-up is due at a time; an earlier one makes a later one idle.
void World::schedule_wake(std::uint32_t number, Nanos now) {
    Connection& connection = connections_[number];
    const Nanos due =
        std::max(now, std::min({connection.end[0]->deadline(), connection.end[1]->deadline(),
                                connection.script->deadline()}));
    if (due < connection.wake && due != INT64_MAX) {
        connection.wake = due;
        schedule(due, Kind::wake, number);
    }
}

void World::wake(std::uint32_t number, Nanos now) {
    Connection& connection = connections_[number];
    connection.wake = INT64_MAX;
    connection.end[0]->on_time(now);
    connection.end[1]->on_time(now);
    connection.script->advance(now);
}

void World::send(Packet& packet) {
    Connection& connection = connections_[packet.connection];
    const std::size_t from = index(packet.from);
    packet.ttl = static_cast<std::uint8_t>(packet.ttl - connection.plan->hops[from]);
    const auto number = static_cast<std::uint32_t>(record_.transmissions.size());
    Transmission& sent = record_.transmissions.emplace_back();
    sent.packet = packet;
    sent.due = packet.sent + connection.before[from].delay() + connection.after[from].delay();
    const bool swallowed =
        packet.from == Side::server && packet.span.overlaps(connection.plan->swallowed);
    if (swallowed || strikes(Fault::loss_before)) {
        sent.lost_before = true;
        return;
    }
    const bool late = strikes(Fault::reorder_before);
    const Nanos held = late ? some_delay(plan_.reorder_delay_max, random_) : 0;
    const Nanos time = connection.before[from].arrival(packet.sent, held, random_);
    sent.passes.push_back({.late = late});
    schedule(time, Kind::pass, number, 0);
    if (strikes(Fault::duplicate_before)) {
        sent.passes.push_back({.network_copy = true});
        schedule(time + some_delay(plan_.duplicate_delay_max, random_), Kind::pass, number, 1);
    }
}

void World::pass_tap(std::uint32_t transmission, std::uint32_t number, Nanos now) {
    capture(transmission, number, now);
    Transmission& sent = record_.transmissions[transmission];
    Pass& pass = sent.passes[number];
    Connection& connection = connections_[sent.packet.connection];
    if (strikes(Fault::loss_after)) {
        pass.lost_after = true;
        return;
    }
    pass.late_after = strikes(Fault::reorder_after);
    const Nanos held = pass.late_after ? some_delay(plan_.reorder_delay_max, random_) : 0;
    const Nanos time = connection.after[index(sent.packet.from)].arrival(now, held, random_);
    schedule(time, Kind::arrive, transmission, number);
    if (strikes(Fault::duplicate_after)) {
        const Nanos again = time + some_delay(plan_.duplicate_delay_max, random_);
        schedule(again, Kind::arrive, transmission, number);
    }
}

Nanos World::mirror_delay(Side from, Nanos now) {
    Skew& skew = skew_[index(from)];
    if (skew.left == 0) {
        const bool held = strikes(Fault::mirror_skew);
        skew.delay = held ? some_delay(plan_.skew_max, random_) : 0;
        skew.left = held ? 1 + random_.below(kSkewStretch) : 1;
    }
    --skew.left;
    // The mirror keeps the order within a direction.
    skew.last = std::max(skew.last + 1, now + skew.delay);
    return skew.last;
}

void World::capture(std::uint32_t transmission, std::uint32_t number, Nanos now) {
    Pass& pass = record_.transmissions[transmission].passes[number];
    pass.wire = now;
    const Nanos time = mirror_delay(record_.transmissions[transmission].packet.from, now);
    pass.missed_by_mirror = strikes(Fault::mirror_loss);
    if (strikes(Fault::monitor_loss)) {
        pass.missed_by_monitor = !pass.missed_by_mirror;
        if (pass.missed_by_monitor && time <= plan_.until) {
            record_.monitor_losses.push_back(time);
        }
    }
    const bool twice = strikes(Fault::mirror_duplicate);
    if (pass.missed()) {
        return;
    }
    record_.captures.push_back({.time = time, .transmission = transmission, .pass = number});
    if (twice) {
        const Nanos apart =
            some_delay(random_.chance(80) ? 50 * kMicrosecond : 5 * kMillisecond, random_);
        record_.captures.push_back({.time = time + apart,
                                    .transmission = transmission,
                                    .pass = number,
                                    .ttl_less = random_.chance(50),
                                    .mirror_copy = true});
    }
}

void World::arrive(std::uint32_t transmission, Nanos now) {
    const Packet packet = record_.transmissions[transmission].packet;
    Connection& connection = connections_[packet.connection];
    connection.end[index(other(packet.from))]->receive(packet, now);
    connection.script->advance(now);
    schedule_wake(packet.connection, now);
}

Record World::run() {
    while (!queue_.empty() && queue_.top().time <= plan_.until) {
        const Happening happening = queue_.top();
        queue_.pop();
        record_.end = happening.time;
        switch (happening.kind) {
            case Kind::wake:
                if (connections_[happening.which].wake == happening.time) {
                    wake(happening.which, happening.time);
                    schedule_wake(happening.which, happening.time);
                }
                break;
            case Kind::pass:
                pass_tap(happening.which, happening.pass, happening.time);
                break;
            case Kind::arrive:
                record_.transmissions[happening.which].passes[happening.pass].arrivals.push_back(
                    happening.time);
                arrive(happening.which, happening.time);
                break;
        }
    }
    number_frames();
    return std::move(record_);
}

void World::number_frames() {
    std::erase_if(record_.captures, [&](const Capture& one) { return one.time > plan_.until; });
    std::ranges::stable_sort(record_.captures, {}, &Capture::time);
    std::ranges::sort(record_.monitor_losses);
    std::uint32_t number = 0;
    for (const Capture& one : record_.captures) {
        record_.transmissions[one.transmission].passes[one.pass].frames.push_back(++number);
    }
}

}  // namespace

Record run(const Plan& plan) {
    return World(plan).run();
}

}  // namespace tw::sim
