// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/firewall.hpp"

#include <algorithm>
#include <utility>

namespace tw::sim::two_taps {
namespace {

constexpr std::uint8_t kOwnTtl = 64;
constexpr std::uint8_t kIcmpUnreachable = 3;    // RFC 792
constexpr std::uint8_t kIcmpProhibited = 13;    // RFC 1812 section 5.2.7.1
constexpr std::uint8_t kIcmpUnreachableV6 = 1;  // RFC 4443 section 3.1
constexpr std::uint8_t kIcmpProhibitedV6 = 1;

bool later(std::uint32_t one, std::uint32_t two) {
    return static_cast<std::int32_t>(one - two) > 0;
}

flow::Endpoint own_address(bool v6, TapSide side) {
    flow::Endpoint out{.v6 = v6};
    const std::uint8_t last = side == TapSide::outside ? 1 : 254;
    out.address = v6 ? flow::AddressV6{0x20, 1, 0x0D, 0xB8, 0, 0xF, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}
                     : flow::AddressV6{192, 0, 2, last};
    return out;
}

// Made by the firewall in the name of the host that `packet` was for, towards its sender.
Wire answer_to(const Wire& packet) {
    Wire out;
    out.connection = packet.connection;
    out.from = other(packet.from);
    out.source = packet.destination;
    out.destination = packet.source;
    out.ttl = kOwnTtl;
    return out;
}

}  // namespace

Firewall::Firewall(const Plan& plan, Output output)
    : plan_(plan),
      rules_(plan.firewall),
      output_(std::move(output)),
      random_(plan.hosts.seed ^ 0xF12E'3A11'0000'0001ULL),
      rewriter_(plan, random_),
      tracks_(plan.hosts.connections.size()),
      reorder_(plan.firewall.reorder),
      duplicate_(plan.firewall.duplicate) {
    for (std::size_t i = 0; i < kDropRules; ++i) {
        dice_[i] = Dice(rules_.drops[i]);
    }
    for (Level& bucket : buckets_) {
        bucket.bytes = static_cast<double>(rules_.policer.burst_bytes);
    }
    if (!rules_.syn_proxy && !rules_.tcp_proxy) {
        return;
    }
    for (std::uint32_t i = 0; i < tracks_.size(); ++i) {
        const ConnectionPlan& connection = plan.hosts.connections[i];
        const ProxyIdentity identity{.connection = i,
                                     .addresses = rewriter_.addresses(i),
                                     .isn = random_.word(),
                                     .isn_far = random_.word(),
                                     .v6 = connection.v6,
                                     .stack = connection.stack[index(Side::client)]};
        const auto send = [this](const Wire& packet, Side towards, Nanos now) {
            emit(packet, tap_towards(towards), now);
        };
        tracks_[i].proxy =
            rules_.syn_proxy ? make_syn_proxy(identity, send) : make_tcp_proxy(identity, send);
    }
}

TapSide Firewall::tap_towards(sim::Side host) const {
    return host == sim::Side::client ? plan_.client_side : taps::other(plan_.client_side);
}

bool Firewall::strikes(DropRule rule) {
    return dice_[static_cast<std::size_t>(rule)].strikes(random_);
}

Firewall::Treatment Firewall::take(const Wire& packet, TapSide entered, Nanos now) {
    Treatment out;
    const TapSide exit = taps::other(entered);
    Track& track = tracks_[packet.connection];
    out.drop = judge(packet, track, exit, now);
    if (out.drop != Drop::none) {
        out.fate = Fate::dropped;
        refuse(packet, entered, out.drop, now);
        return out;
    }
    note(packet, track, now);
    Wire passed = packet;
    if (track.proxy) {
        const Proxy::Answer answer = track.proxy->take(passed, now);
        if (answer != Proxy::Answer::pass) {
            const bool absorbed = answer == Proxy::Answer::absorbed;
            out.fate = absorbed ? Fate::absorbed : Fate::dropped;
            out.drop = absorbed ? Drop::none : Drop::not_ready;
            return out;
        }
    }
    forward(passed, exit, now, out);
    if (rules_.reset_after_packets != 0 && track.packets == rules_.reset_after_packets) {
        reset_connection(packet.connection, track, now);
    }
    return out;
}

Drop Firewall::judge(const Wire& packet, Track& track, TapSide out, Nanos now) {
    const bool opens = packet.syn() && !packet.has(flag::kAck);
    Drop drop = opens ? judge_new(packet, track, now) : judge_state(packet, track, now);
    if (drop == Drop::none) {
        drop = judge_packet(packet, track);
    } else if (!opens) {
        track.gone = drop;
    }
    if (drop == Drop::none && rules_.policer.bytes_per_second != 0 && !conforms(packet, out, now)) {
        drop = Drop::policer;
    }
    if (opens && drop == Drop::none && !track.admitted) {
        track.admitted = true;
        track.admitted_at = track.last = now;
    }
    return drop;
}

Drop Firewall::judge_new(const Wire& packet, Track& track, Nanos now) {
    if (rules_.refusal != Refusal::none && packet.destination.port == rules_.refused_port) {
        return Drop::refused;
    }
    if (track.admitted) {
        return track.gone;
    }
    if (rules_.reuse_refused_for != 0 && tuple_in_use(packet.connection, now)) {
        return Drop::reuse;
    }
    if (rules_.connections_max != 0 && open_connections() >= rules_.connections_max) {
        return Drop::limit;
    }
    return Drop::none;
}

Drop Firewall::judge_state(const Wire& packet, Track& track, Nanos now) const {
    if (track.gone != Drop::none) {
        return track.gone;
    }
    if (packet.rst() && rules_.blocks_reset) {
        return Drop::none;  // judge_packet's: it takes no state away
    }
    if (rules_.state_lost_at != 0 && track.admitted_at < rules_.state_lost_at &&
        now >= rules_.state_lost_at) {
        return Drop::lost_state;
    }
    if (rules_.idle_timeout != 0 && now - track.last > rules_.idle_timeout) {
        return Drop::idle;
    }
    if (rules_.half_close_timeout != 0 && track.first_fin != 0 && !track.closed &&
        now - track.first_fin > rules_.half_close_timeout) {
        return Drop::half_close;
    }
    return Drop::none;
}

Drop Firewall::judge_packet(const Wire& packet, const Track& track) {
    if (packet.rst() && rules_.blocks_reset) {
        return Drop::reset;
    }
    if (packet.syn() && strikes(packet.has(flag::kAck) ? DropRule::syn_ack : DropRule::syn)) {
        return packet.has(flag::kAck) ? Drop::syn_ack : Drop::syn;
    }
    if (rules_.longer_than != 0 && packet.ip_bytes() > rules_.longer_than) {
        return Drop::length;
    }
    if (packet.options.sack_count != 0 && strikes(DropRule::with_sack)) {
        return Drop::sack;
    }
    if (rules_.checks_raw_window && beyond_window(packet, track)) {
        return Drop::window;
    }
    return strikes(DropRule::any) ? Drop::chance : Drop::none;
}

bool Firewall::beyond_window(const Wire& packet, const Track& track) const {
    const std::size_t receiver = index(other(packet.from));
    if (packet.syn() || packet.payload_bytes() == 0 || !track.spoke[receiver]) {
        return false;
    }
    return later(packet.seq + packet.space(), track.ack[receiver] + track.window[receiver]);
}

bool Firewall::conforms(const Wire& packet, TapSide out, Nanos now) {
    Level& bucket = buckets_[taps::index(out)];
    const auto elapsed = static_cast<double>(now - bucket.time) / 1e9;
    bucket.time = now;
    bucket.bytes = std::min(bucket.bytes + elapsed * double(rules_.policer.bytes_per_second),
                            double(rules_.policer.burst_bytes));
    const auto bytes = static_cast<double>(packet.ip_bytes());
    if (bucket.bytes < bytes) {
        return false;
    }
    bucket.bytes -= bytes;
    return true;
}

bool Firewall::tuple_in_use(std::uint32_t connection, Nanos now) const {
    const ConnectionPlan& wanted = plan_.hosts.connections[connection];
    for (std::uint32_t i = 0; i < tracks_.size(); ++i) {
        const ConnectionPlan& one = plan_.hosts.connections[i];
        const bool same =
            i != connection && one.v6 == wanted.v6 && one.client_host == wanted.client_host &&
            one.server_host == wanted.server_host && one.client_port == wanted.client_port &&
            one.server_port == wanted.server_port;
        if (same && tracks_[i].closed && now - tracks_[i].closed_at < rules_.reuse_refused_for) {
            return true;
        }
    }
    return false;
}

std::uint32_t Firewall::open_connections() const {
    return static_cast<std::uint32_t>(std::ranges::count_if(tracks_, [](const Track& one) {
        return one.admitted && !one.closed && one.gone == Drop::none;
    }));
}

void Firewall::refuse(const Wire& packet, TapSide entered, Drop drop, Nanos now) {
    const bool by_policy = drop == Drop::refused;
    if (by_policy && rules_.refusal == Refusal::icmp) {
        Wire error = packet;
        error.kind = WireKind::icmp_error;
        error.icmp_source = own_address(packet.source.v6, entered);
        error.icmp_type = packet.source.v6 ? kIcmpUnreachableV6 : kIcmpUnreachable;
        error.icmp_code = packet.source.v6 ? kIcmpProhibitedV6 : kIcmpProhibited;
        emit(error, entered, now);
        return;
    }
    const bool resets = (by_policy && rules_.refusal == Refusal::reset) ||
                        ((drop == Drop::idle || drop == Drop::lost_state) && rules_.idle_resets);
    if (!resets || packet.rst()) {
        return;
    }
    Wire reset = answer_to(packet);
    reset.flags = flag::kRst;
    if (packet.has(flag::kAck)) {
        reset.seq = packet.ack;
    } else {
        reset.flags |= flag::kAck;
        reset.ack = packet.seq + packet.space();
    }
    emit(reset, entered, now);
}

void Firewall::note(const Wire& packet, Track& track, Nanos now) {
    const std::size_t from = index(packet.from);
    track.last = now;
    ++track.packets;
    track.window[from] = packet.window;
    if (packet.has(flag::kAck)) {
        track.spoke[from] = true;
        track.ack[from] = packet.ack;
    }
    const std::uint32_t end = packet.seq + packet.space();
    if (track.next[from] == 0 || later(end, track.next[from])) {
        track.next[from] = end;
    }
    if (packet.fin()) {
        track.fin[from] = true;
        track.first_fin = track.first_fin == 0 ? now : track.first_fin;
    }
    if (!track.closed && (packet.rst() || (track.fin[0] && track.fin[1]))) {
        track.closed = true;
        track.closed_at = now;
    }
}

void Firewall::reset_connection(std::uint32_t connection, Track& track, Nanos now) {
    const Addresses& all = rewriter_.addresses(connection);
    for (const Side towards : {Side::client, Side::server}) {
        const bool client = towards == Side::client;
        if (rules_.reset_towards == (client ? Towards::server : Towards::client)) {
            continue;
        }
        Wire reset;
        reset.connection = connection;
        reset.from = other(towards);
        reset.source = client ? all.server_near : all.client_far;
        reset.destination = client ? all.client_near : all.server_far;
        reset.flags = flag::kRst | flag::kAck;
        reset.seq = track.ack[index(towards)];
        reset.ack = track.next[index(towards)];
        reset.ttl = kOwnTtl;
        emit(reset, tap_towards(towards), now);
    }
    track.gone = rules_.reset_forgets ? Drop::after_reset : Drop::none;
}

Nanos Firewall::queueing(const Wire& packet, TapSide out, Nanos now) {
    const Bucket& shaper = rules_.shaper;
    if (shaper.bytes_per_second == 0) {
        return 0;
    }
    Nanos& end = queue_end_[taps::index(out)];
    const Nanos waits = std::max<Nanos>(end - now, 0);
    const Nanos takes = Nanos{packet.ip_bytes()} * kSecond / shaper.bytes_per_second;
    if (waits + takes > shaper.burst_bytes * kSecond / shaper.bytes_per_second) {
        return -1;
    }
    end = now + waits + takes;
    return waits + takes;
}

Nanos Firewall::transit(Nanos now) {
    Nanos time = rules_.transit;
    if (rules_.jitter != 0) {
        time += static_cast<Nanos>(random_.next() % static_cast<std::uint64_t>(rules_.jitter));
    }
    const bool in_spike = rules_.spike_length != 0 && now >= rules_.spike_at &&
                          now < rules_.spike_at + rules_.spike_length;
    return time + (in_spike ? rules_.spike_delay : 0);
}

void Firewall::forward(Wire packet, TapSide out, Nanos now, Treatment& treatment) {
    const Nanos waits = queueing(packet, out, now);
    if (waits < 0) {
        treatment.fate = Fate::dropped;
        treatment.drop = Drop::queue;
        return;
    }
    rewriter_.rewrite(packet);
    Nanos time = now + transit(now) + waits;
    treatment.held_back = reorder_.strikes(random_);
    if (treatment.held_back) {
        time += some_delay(rules_.reorder_delay_max, random_);
    } else {
        Nanos& last = last_[taps::index(out)];
        time = last = std::max(last + kMicrosecond, time);
    }
    treatment.exits.push_back({.tap = out, .time = time, .packet = packet});
    if (duplicate_.strikes(random_)) {
        treatment.exits.push_back({.tap = out,
                                   .time = time + some_delay(rules_.duplicate_delay_max, random_),
                                   .packet = packet});
    }
}

void Firewall::emit(const Wire& packet, TapSide tap, Nanos now) {
    output_({.tap = tap, .time = now + rules_.transit / 2, .packet = packet});
}

Nanos Firewall::deadline() const {
    Nanos due = INT64_MAX;
    for (const Track& track : tracks_) {
        due = track.proxy ? std::min(due, track.proxy->deadline()) : due;
    }
    return due;
}

void Firewall::on_time(Nanos now) {
    for (Track& track : tracks_) {
        if (track.proxy && track.proxy->deadline() <= now) {
            track.proxy->on_time(now);
        }
    }
}

}  // namespace tw::sim::two_taps
