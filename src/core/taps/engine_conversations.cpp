// SPDX-License-Identifier: BSD-3-Clause
// From a tuple to its conversation, and the life of that: begun, held back, opened, left, ended.
#include <algorithm>

#include "core/taps/engine_state.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;
using decode::Decoded;
using stats::Counter;

// Steps for one round of ageing through the table.
constexpr std::uint32_t kSweepSteps = 1024;

}  // namespace

// True for a SYN that cannot be another copy of the one this conversation began with.
bool Engine::State::begins_anew(const Live& live, const Packet& packet) const {
    if (!is_bare_syn(packet)) {
        return false;
    }
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    const Side far = other(packet.tap);
    if (live.at(packet.tap) && party == kServer) {
        return live.closed() || !live.client_known;
    }
    if (live.has_isn(packet.tap, kClient)) {
        return packet.seq != live.isn[index(packet.tap)][kClient];
    }
    if (live.stage == Stage::held && live.has_isn(far, kClient)) {
        return false;  // its first sight at this tap
    }
    return !live.client_known || live.closed() ||
           (live.has_next(packet.tap, kClient) && live.has_isn(far, kClient) &&
            live.knows_shift(kClient) && live.shift[kClient] == 0 &&
            packet.seq != live.isn[index(far)][kClient]);
}

std::uint32_t Engine::State::conversation_of(std::uint32_t i) {
    const Packet& packet = packets[i];
    const std::uint32_t slot = known(i);
    if (slot != kNone) {
        const Live& live = conversations.live(slot);
        if (!begins_anew(live, packet)) {
            return slot;
        }
        const Nanos since = std::max<Nanos>(1, packet.time - live.last);
        if (live.joint) {
            take_shared(packet.time);  // what came before it
        }
        leave(slot);
        return begin(i, since);
    }
    if (!options.nat_hints.empty()) {
        const auto found = pairing.find_by_hint(decoded[i], packet.tap);
        if (found.slot != kNone && conversations.live(found.slot).stage != Stage::away) {
            return join(i, found);
        }
    }
    return begin(i, 0);
}

std::uint32_t Engine::State::begin(std::uint32_t i, Nanos since_previous) {
    const Packet& packet = packets[i];
    std::uint32_t slot = conversations.add(decoded[i], hashes[i], packet.tap);
    if (slot == kNone) {
        const std::uint32_t victim = conversations.victim(is_bare_syn(packet));
        if (victim == kNone) {
            return kNone;
        }
        counters.add(Counter::taps_evicted);
        conversations.record(victim).complete = false;
        end(victim, false);
        slot = conversations.add(decoded[i], hashes[i], packet.tap);
        if (slot == kNone) {
            return kNone;
        }
    }
    changed = true;
    counters.add(Counter::taps_conversations);
    Live& live = conversations.live(slot);
    tuples[i] = live.tuple[index(packet.tap)] - 1;
    live.first = packet.time;
    live.last = packet.time;
    live.opening = packet.has(flag::kSyn);
    live.client_known = packet.has(flag::kSyn);
    live.client_sender[index(packet.tap)] = client_sender_of(decoded[i], packet);
    live.leg = live.client_known ? legs.begin(slot, packet.tap) : 0;
    name(slot, packet.tap, packet.frame);
    matcher.begin(slot, since_previous);
    return slot;
}

// What the record says of the conversation at this tap.
void Engine::State::name(std::uint32_t slot, Side tap, std::uint64_t frame) {
    const Live& live = conversations.live(slot);
    Conversation& record = conversations.record(slot);
    const std::size_t at = index(tap);
    record.client[at] = conversations.endpoint(live.tuple[at] - 1, live.client_sender[at]);
    record.server[at] = conversations.endpoint(live.tuple[at] - 1, live.client_sender[at] ^ 1);
    record.seen[at] = true;
    record.first_frame[at] = frame;
    if (record.seen[0] && record.seen[1] && record.pairing == Pairing::unpaired) {
        record.pairing = Pairing::same_tuple;
    }
}

// As long as one tap alone has seen it, it may yet turn out to be what the other tap knows under
// another name.
std::optional<Oriented> Engine::State::told_now(const Live& live) const {
    const bool waits = options.learn_nat && !live.at_both();
    return waits ? std::nullopt : orientation.told(live, conversations);
}

void Engine::State::hold(std::uint32_t slot, const Packet& packet, bool copy) {
    Live& live = conversations.live(slot);
    const bool first = live.holding == 0;
    if (first) {
        // An address that is known needs no waiting.
        if (const auto told = told_now(live)) {
            open(slot, *told);
            release(slot, {packet, 0, copy});
            return;
        }
    }
    const bool asking = shared && (alone(live) || live.joint);
    if (!orientation.hold(live, packet, copy, asking ? kHeldWhileAsking : kHeldOfOne)) {
        if (pair_forwarded(slot)) {
            hand_on(slot, packet, copy);
            return;
        }
        counters.add(Counter::taps_hurried);
        open(slot, orientation.decide(live, conversations));
        release(slot, {packet, 0, copy});
        return;
    }
    if (const auto told = told_now(live)) {
        open(slot, *told);
        return;
    }
    if (first && !holders.push({slot, live.id})) {
        counters.add(Counter::taps_hurried);
        open(slot, orientation.decide(live, conversations));
    }
}

void Engine::State::release(std::uint32_t slot, const HeldPacket& held) {
    if (held.packet.kind == PacketKind::icmp_error) {
        matcher.icmp_error(slot, held.packet);
    } else {
        matcher.observe(slot, held.packet, held.copy);
    }
}

void Engine::State::open(std::uint32_t slot, const Oriented& oriented) {
    Live& live = conversations.live(slot);
    live.client_side = oriented.client_side;
    const bool doubtful = live.doubtful && !live.at_both();
    live.side_known = oriented.known && !doubtful;
    live.stage = Stage::open;
    if (oriented.known && live.at_both()) {
        orientation.learn(live, conversations);
    }
    orientation.take_all(live, released);
    if (live.joint) {  // they came from two workers
        std::stable_sort(released.packets.begin(), released.packets.begin() + released.count,
                         [](const HeldPacket& one, const HeldPacket& other) {
                             return one.packet.time < other.packet.time;
                         });
    }
    for (std::uint32_t i = 0; i < released.count; ++i) {
        release(slot, released.packets[i]);
    }
}

// Nothing more can come, or there is no room to wait for it.
void Engine::State::open_at_last(std::uint32_t slot) {
    Live& live = conversations.live(slot);
    if (!pair_forwarded(slot) || live.stage == Stage::held) {
        open(slot, orientation.decide(live, conversations));
    }
}

// Those of which nothing more can come, as the taps' clocks say.
void Engine::State::open_overdue(Nanos reach) {
    for (;;) {
        if (!next_holder) {
            Holder holder;
            if (!holders.pop(holder)) {
                return;
            }
            next_holder = holder;
        }
        Live& live = conversations.live(next_holder->slot);
        if (live.id == next_holder->id && live.stage == Stage::held) {
            const Holding* const holding = orientation.holding(live);
            if (holding != nullptr && holding->since + matcher.wait() >= reach) {
                return;
            }
            open_at_last(next_holder->slot);
        }
        next_holder.reset();
    }
}

// Its tuple goes to another connection, or it ends: it stays until its last packets are judged.
void Engine::State::leave(std::uint32_t slot) {
    Live& live = conversations.live(slot);
    if (live.stage == Stage::away) {
        end(slot, true);
        return;
    }
    if (live.stage == Stage::held) {
        open_at_last(slot);
    }
    conversations.detach(slot);
    changed = true;
    if (live.waiting == 0 || !leaving.push({slot, live.id})) {
        end(slot, true);
    }
}

void Engine::State::end_leaving() {
    for (;;) {
        if (!next_leaving) {
            Holder holder;
            if (!leaving.pop(holder)) {
                return;
            }
            next_leaving = holder;
        }
        const Live& live = conversations.live(next_leaving->slot);
        if (live.id == next_leaving->id && live.stage == Stage::detached) {
            if (live.waiting != 0) {
                return;
            }
            end(next_leaving->slot, true);
        }
        next_leaving.reset();
    }
}

void Engine::State::end(std::uint32_t slot, bool ended) {
    Live& live = conversations.live(slot);
    if (live.stage == Stage::away) {  // its record is another worker's
        part(slot);
        conversations.remove(slot);
        changed = true;
        return;
    }
    if (live.stage == Stage::held) {
        open_at_last(slot);
    }
    if (live.joint) {
        part(slot);
        --shared->joint;
    }
    matcher.end(slot, ended);
    join_proxied(slot);
    if (!live.told) {
        matcher.hand_out(slot);
    }
    conversations.remove(slot);
    changed = true;
}

void Engine::State::sweep(Nanos now) {
    const std::uint32_t used = conversations.slots_used();
    const std::uint32_t slice = std::min(used, std::max(64U, used / kSweepSteps + 1));
    for (std::uint32_t i = 0; i < slice; ++i) {
        const std::uint32_t slot = sweep_at;
        sweep_at = sweep_at + 1 >= used ? 0 : sweep_at + 1;
        const Live& live = conversations.live(slot);
        // One that is away ends with its other half, or when that has long been gone.
        if (live.stage == Stage::away && now - live.last > 2 * options.idle_max) {
            end(slot, true);
            continue;
        }
        if (live.stage != Stage::open || live.waiting != 0) {
            continue;
        }
        const bool closed = live.closed() || live.opening;
        if (now - live.last > (closed ? options.closed_max : options.idle_max)) {
            end(slot, live.closed());
        }
    }
}

}  // namespace tw::taps
