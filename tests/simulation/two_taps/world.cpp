// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/world.hpp"

#include <algorithm>
#include <memory>
#include <queue>

#include "simulation/conversation_script.hpp"
#include "simulation/network.hpp"
#include "simulation/two_taps/firewall.hpp"
#include "simulation/two_taps/mirror.hpp"

namespace tw::sim::two_taps {
namespace {

constexpr std::size_t kHosts = 4;       // two clients, two servers
constexpr std::uint8_t kMarked = 0xBA;  // DSCP 46, ECT(0)
constexpr std::size_t kTowards = 0;     // the firewall
constexpr std::size_t kAway = 1;

enum class Kind : std::uint8_t { wake, firewall, enter, leave, arrive };

struct Happening {
    Nanos time = 0;
    std::uint64_t order = 0;
    Kind kind = Kind::wake;
    std::uint32_t which = 0;  // connection; sighting
};
struct Later {
    bool operator()(const Happening& a, const Happening& b) const {
        return a.time != b.time ? a.time > b.time : a.order > b.order;
    }
};

struct Connection {
    const ConnectionPlan* plan = nullptr;
    Addresses addresses;
    std::array<std::unique_ptr<Endpoint>, kSides> end;
    std::array<Numbering, kSides> numbers;
    std::unique_ptr<Script> script;
    // Between a host and the tap on its side, by the side of the host.
    std::array<Link, kSides> to_tap;
    std::array<Link, kSides> from_tap;
    Nanos wake = INT64_MAX;
};

struct Faults {
    std::array<Dice, 2> loss;  // kTowards, kAway
    std::array<Dice, 2> reorder;
    std::array<Dice, 2> duplicate;
};

class World {
  public:
    explicit World(const Plan& plan);
    Record run();

  private:
    void make_connection(std::uint32_t number);
    void schedule(Nanos time, Kind kind, std::uint32_t which);
    void schedule_wake(std::uint32_t number, Nanos now);
    void schedule_firewall(Nanos now);
    void wake(std::uint32_t number, Nanos now);
    void send(Packet& packet);
    void add_entry(std::uint32_t passing, const Wire& wire, Nanos time);
    std::uint32_t add_exit(std::uint32_t passing, const Firewall::Exit& exit);
    void made_by_firewall(const Firewall::Exit& exit);
    void enter(std::uint32_t sighting, Nanos now);
    void leave(std::uint32_t sighting, Nanos now);
    void arrive(std::uint32_t sighting, Nanos now);
    void handle(const Happening& happening);
    [[nodiscard]] TapSide tap_of(Side host) const {
        return host == Side::client ? plan_.client_side : taps::other(plan_.client_side);
    }
    [[nodiscard]] Side host_at(TapSide tap) const {
        return tap == plan_.client_side ? Side::client : Side::server;
    }

    const Plan& plan_;
    test::Random random_;
    std::array<Host, kHosts> hosts_;
    std::vector<Connection> connections_;
    Firewall firewall_;
    Nanos firewall_wake_ = INT64_MAX;
    std::array<Faults, taps::kSides> faults_;  // index: TapSide
    std::array<std::unique_ptr<Mirror>, taps::kSides> mirrors_;
    std::priority_queue<Happening, std::vector<Happening>, Later> queue_;
    std::uint64_t order_ = 0;
    Record record_;
};

World::World(const Plan& plan)
    : plan_(plan),
      random_(plan.hosts.seed ^ 0x2A95'E0F5'1EED'0001ULL),
      firewall_(plan, [this](const Firewall::Exit& exit) { made_by_firewall(exit); }) {
    for (Host& host : hosts_) {
        host.random = test::Random(random_.next());
        host.ip_id = static_cast<std::uint16_t>(random_.word());
    }
    for (std::size_t side = 0; side < taps::kSides; ++side) {
        const OutsidePlan& network = plan.networks[side];
        for (const std::size_t i : {kTowards, kAway}) {
            faults_[side].loss[i] = Dice(network.loss[i]);
            faults_[side].reorder[i] = Dice(network.reorder[i]);
            faults_[side].duplicate[i] = Dice(network.duplicate[i]);
        }
        mirrors_[side] = std::make_unique<Mirror>(plan.mirrors[side], random_.next());
    }
    connections_.resize(plan.hosts.connections.size());
    for (std::uint32_t i = 0; i < connections_.size(); ++i) {
        make_connection(i);
    }
}

void World::make_connection(std::uint32_t number) {
    const ConnectionPlan& plan = plan_.hosts.connections[number];
    Connection& connection = connections_[number];
    connection.plan = &plan;
    connection.addresses = addresses_of(plan_, number, 0);
    for (const Side side : {Side::client, Side::server}) {
        const std::size_t i = index(side);
        Host& host = hosts_[side == Side::client ? plan.client_host : 2U + plan.server_host];
        const Endpoint::Identity identity{.connection = number,
                                          .side = side,
                                          .timestamp_base = plan.timestamp_base[i],
                                          .v6 = plan.v6};
        connection.end[i] = std::make_unique<Endpoint>(plan.stack[i], identity, host,
                                                       [this](Packet& packet) { send(packet); });
        connection.numbers[i].own_isn = plan.isn[i];
        const Link::Options link{plan.delay[i], plan_.hosts.jitter, plan_.hosts.spacing};
        connection.to_tap[i] = Link(link);
        connection.from_tap[i] = Link(link);
    }
    connection.script = std::make_unique<Script>(plan, *connection.end[0], *connection.end[1]);
    schedule_wake(number, 0);
}

void World::schedule(Nanos time, Kind kind, std::uint32_t which) {
    queue_.push({time, order_++, kind, which});
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

void World::schedule_firewall(Nanos now) {
    const Nanos due = std::max(now, firewall_.deadline());
    if (due < firewall_wake_ && due != INT64_MAX) {
        firewall_wake_ = due;
        schedule(due, Kind::firewall, 0);
    }
}

void World::wake(std::uint32_t number, Nanos now) {
    Connection& connection = connections_[number];
    if (connection.wake != now) {
        return;
    }
    connection.wake = INT64_MAX;
    connection.end[0]->on_time(now);
    connection.end[1]->on_time(now);
    connection.script->advance(now);
    schedule_wake(number, now);
}

void World::send(Packet& packet) {
    Connection& connection = connections_[packet.connection];
    const std::size_t from = index(packet.from);
    packet.ttl = static_cast<std::uint8_t>(packet.ttl - connection.plan->hops[from]);
    const auto number = static_cast<std::uint32_t>(record_.transmissions.size());
    record_.transmissions.push_back(packet);
    Wire wire = to_wire(packet, connection.numbers[from]);
    const Addresses& all = connection.addresses;
    const bool client = packet.from == Side::client;
    wire.source = client ? all.client_near : all.server_far;
    wire.destination = client ? all.server_near : all.client_far;
    if (plan_.marked[packet.connection]) {
        wire.tos = kMarked;
    }
    const TapSide tap = tap_of(packet.from);
    Faults& faults = faults_[taps::index(tap)];
    const auto passing = static_cast<std::uint32_t>(record_.passings.size());
    record_.passings.push_back({.transmission = number, .way = taps::way_into(tap)});
    if (faults.loss[kTowards].strikes(random_)) {
        record_.passings[passing].fate = Fate::lost_outside;
        return;
    }
    const bool late = faults.reorder[kTowards].strikes(random_);
    const Nanos held = late ? some_delay(plan_.hosts.reorder_delay_max, random_) : 0;
    const Nanos time = connection.to_tap[from].arrival(packet.sent, held, random_);
    add_entry(passing, wire, time);
    if (faults.duplicate[kTowards].strikes(random_)) {
        record_.passings.push_back(
            {.transmission = number, .way = taps::way_into(tap), .network_copy = true});
        add_entry(passing + 1, wire, time + some_delay(plan_.hosts.duplicate_delay_max, random_));
    }
}

void World::add_entry(std::uint32_t passing, const Wire& wire, Nanos time) {
    const auto number = static_cast<std::uint32_t>(record_.sightings.size());
    Passing& of = record_.passings[passing];
    of.entry = number;
    record_.sightings.push_back({.tap = taps::entry(of.way),
                                 .way = of.way,
                                 .passing = passing,
                                 .wire = time,
                                 .packet = wire});
    schedule(time, Kind::enter, number);
}

std::uint32_t World::add_exit(std::uint32_t passing, const Firewall::Exit& exit) {
    const auto number = static_cast<std::uint32_t>(record_.sightings.size());
    record_.passings[passing].exits.push_back(number);
    record_.sightings.push_back({.tap = exit.tap,
                                 .way = taps::back(taps::way_into(exit.tap)),
                                 .passing = passing,
                                 .wire = exit.time,
                                 .packet = exit.packet});
    schedule(exit.time, Kind::leave, number);
    return number;
}

void World::made_by_firewall(const Firewall::Exit& exit) {
    const auto passing = static_cast<std::uint32_t>(record_.passings.size());
    record_.passings.push_back({.way = taps::back(taps::way_into(exit.tap)), .fate = Fate::passed});
    (void)add_exit(passing, exit);
}

void World::enter(std::uint32_t number, Nanos now) {
    const Sighting entry = record_.sightings[number];
    mirrors_[taps::index(entry.tap)]->see(number, record_.sightings[number]);
    const Firewall::Treatment treatment = firewall_.take(entry.packet, entry.tap, now);
    Passing& passing = record_.passings[entry.passing];
    passing.fate = treatment.fate;
    passing.drop = treatment.drop;
    passing.held_back = treatment.held_back;
    for (const Firewall::Exit& exit : treatment.exits) {
        (void)add_exit(entry.passing, exit);
    }
    schedule_firewall(now);
}

void World::leave(std::uint32_t number, Nanos now) {
    Sighting& sighting = record_.sightings[number];
    mirrors_[taps::index(sighting.tap)]->see(number, sighting);
    Faults& faults = faults_[taps::index(sighting.tap)];
    if (faults.loss[kAway].strikes(random_)) {
        sighting.lost_beyond = true;
        return;
    }
    Connection& connection = connections_[sighting.packet.connection];
    const bool late = faults.reorder[kAway].strikes(random_);
    const Nanos held = late ? some_delay(plan_.hosts.reorder_delay_max, random_) : 0;
    Link& link = connection.from_tap[index(host_at(sighting.tap))];
    const Nanos time = link.arrival(now, held, random_);
    schedule(time, Kind::arrive, number);
    if (faults.duplicate[kAway].strikes(random_)) {
        schedule(time + some_delay(plan_.hosts.duplicate_delay_max, random_), Kind::arrive, number);
    }
}

void World::arrive(std::uint32_t number, Nanos now) {
    record_.sightings[number].arrivals.push_back(now);
    const Wire wire = record_.sightings[number].packet;
    Connection& connection = connections_[wire.connection];
    const std::size_t at = index(host_at(record_.sightings[number].tap));
    Endpoint& end = *connection.end[at];
    if (wire.kind == WireKind::icmp_error) {
        // RFC 1122 section 4.2.3.9: such an error ends an attempt to connect.
        if (!end.established()) {
            end.fail();
        }
    } else {
        if (wire.syn() && at == index(Side::server)) {
            connection.addresses.client_far = wire.source;
        }
        const auto packet =
            from_wire(wire, connection.numbers[at], end.expected(), end.sender().next_position());
        if (packet) {
            end.receive(*packet, now);
        }
    }
    connection.script->advance(now);
    schedule_wake(wire.connection, now);
}

void World::handle(const Happening& happening) {
    switch (happening.kind) {
        case Kind::wake:
            wake(happening.which, happening.time);
            break;
        case Kind::firewall:
            if (firewall_wake_ == happening.time) {
                firewall_wake_ = INT64_MAX;
                firewall_.on_time(happening.time);
                schedule_firewall(happening.time);
            }
            break;
        case Kind::enter:
            enter(happening.which, happening.time);
            break;
        case Kind::leave:
            leave(happening.which, happening.time);
            break;
        case Kind::arrive:
            arrive(happening.which, happening.time);
            break;
    }
}

Record World::run() {
    while (!queue_.empty() && queue_.top().time <= plan_.hosts.until) {
        const Happening happening = queue_.top();
        queue_.pop();
        record_.end = happening.time;
        handle(happening);
    }
    for (const TapSide side : {TapSide::outside, TapSide::inside}) {
        const std::size_t i = taps::index(side);
        record_.captures[i] = mirrors_[i]->finish(record_.sightings);
    }
    return std::move(record_);
}

}  // namespace

Record run(const Plan& plan) {
    return World(plan).run();
}

}  // namespace tw::sim::two_taps
