// SPDX-License-Identifier: BSD-3-Clause
// The engine among those of other workers: introduces what one tap alone has seen, gives away what
// belongs elsewhere, and takes what others give it, in the order of time.
#include <algorithm>

#include "core/taps/engine_state.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;
using stats::Counter;
using Kind = HandedOver::Kind;

// So long the other tap may take to show the same addresses, and then nobody is asked.
constexpr Nanos kAloneFor = 10 * kMillisecond;
// Introductions that the desk takes between two bursts: it has traffic of its own.
constexpr std::uint32_t kIntroductionsMax = 32;
// Between two words to the others on how far this worker has come.
constexpr Nanos kPublishStep = 100 * kMicrosecond;

TupleKey key_of(const Tuple& tuple) {
    TupleKey key;
    key.v6 = tuple.v6;
    if (tuple.v6) {
        key.v6_key = tuple.v6_key;
    } else {
        key.v4 = tuple.v4;
    }
    return key;
}

HandedOver word_of(Kind kind, const Place& to, const Place& from) {
    HandedOver word;
    word.kind = kind;
    word.to = to;
    word.from = from;
    return word;
}

}  // namespace

Engine::State::Shared::Shared(const EngineOptions& options, stats::Counters& counters)
    : hand_over(*options.hand_over),
      partners(options.conversations_max, options.backing),
      asks_at_once(!options.nat_hints.empty()) {
    if (options.worker == 0) {
        desk = std::make_unique<PairingDesk>(options, counters);
    }
}

std::size_t Engine::State::Shared::memory_bytes() const {
    return partners.bytes() + kOwnMax * sizeof(Own) + kHeldMax * sizeof(Holder) +
           (desk ? desk->memory_bytes() + hand_over.memory_bytes() : 0);
}

bool Engine::State::alone(const Live& live) const {
    return !(live.at(Side::outside) && live.at(Side::inside));
}

Place Engine::State::place(std::uint32_t slot) const {
    return {.id = conversations.live(slot).id, .slot = slot, .worker = options.worker};
}

void Engine::State::send(std::uint32_t worker, const HandedOver& message) {
    if (!shared->hand_over.ring(options.worker, worker).push(message)) {
        counters.add(Counter::taps_hand_over_full);
    }
}

// --- introduced

void Engine::State::introduce(std::uint32_t slot, const Packet& packet) {
    const Live& live = conversations.live(slot);
    const Introduction introduction{
        .packet = packet,
        .key = key_of(conversations.tuple(live.tuple[index(packet.tap)] - 1)),
        .from = place(slot)};
    if (shared->hand_over.introductions(options.worker).push(introduction)) {
        counters.add(Counter::taps_introduced);
        return;
    }
    counters.add(Counter::taps_introductions_full, live.doubtful ? 0 : 1);
    conversations.live(slot).doubtful = true;
    conversations.live(slot).side_known = false;
}

void Engine::State::introduce_held(std::uint32_t slot) {
    Live& live = conversations.live(slot);
    live.introduced = true;
    const Holding* const holding = orientation.holding(live);
    std::uint32_t at = holding == nullptr ? 0 : holding->first;
    for (std::uint32_t i = 0; holding != nullptr && i < holding->count; ++i) {
        introduce(slot, orientation.packet(at).packet);
        at = orientation.packet(at).next;
    }
}

// What it was introduced for has been found here; `tap`: where it was seen alone.
void Engine::State::withdraw(std::uint32_t slot, Side tap) {
    Introduction withdrawal;
    withdrawal.packet.tap = tap;
    withdrawal.key = key_of(conversations.tuple(conversations.live(slot).tuple[index(tap)] - 1));
    withdrawal.from = place(slot);
    withdrawal.withdrawn = true;
    // Without room it stays on offer for the 2 s that two SYNs may be apart.
    (void)shared->hand_over.introductions(options.worker).push(withdrawal);
    conversations.live(slot).introduced = false;
}

// An early packet, which one tap alone has shown so far. Where nothing is translated, the other tap
// shows it before there is a second one.
void Engine::State::introduce_early(std::uint32_t slot, const Packet& packet) {
    const Live& live = conversations.live(slot);
    if (!alone(live) || live.stage == Stage::away) {
        return;
    }
    if (live.introduced || live.stage != Stage::held) {
        introduce(slot, packet);
    } else if (shared->asks_at_once || live.packets > 1) {
        introduce_held(slot);
    } else if (!shared->lonely.push({slot, live.id})) {
        introduce_held(slot);
    }
}

void Engine::State::introduce_lonely(Nanos now) {
    while (const Holder* const holder = shared->lonely.front()) {
        const Live& live = conversations.live(holder->slot);
        const bool waits =
            live.id == holder->id && live.stage == Stage::held && alone(live) && !live.introduced;
        const Holding* const holding = waits ? orientation.holding(live) : nullptr;
        if (holding != nullptr && holding->since > now - kAloneFor) {
            return;
        }
        if (waits) {
            introduce_held(holder->slot);
        }
        shared->lonely.drop();
    }
}

// --- the desk

bool Engine::State::keep_desk(std::uint32_t most) {
    bool worked = false;
    HandOver& hand_over = shared->hand_over;
    for (std::uint32_t from = 0; from < hand_over.workers(); ++from) {
        Introduction introduction;
        for (std::uint32_t i = 0; i < most && hand_over.introductions(from).pop(introduction);
             ++i) {
            worked = true;
            const auto match = shared->desk->introduce(introduction);
            if (match) {
                HandedOver move = word_of(Kind::move, match->inside, match->outside);
                move.how = match->how;
                move.aligned = match->aligned;
                send(match->inside.worker, move);
            }
            while (const auto doubted = shared->desk->next_doubted()) {
                send(doubted->worker, word_of(Kind::doubt, *doubted, {}));
            }
        }
    }
    return worked;
}

// --- given away

// The packets held so far go first; those that follow go as they come.
void Engine::State::move_away(std::uint32_t slot, const HandedOver& move) {
    Live& live = conversations.live(slot);
    const bool open = live.stage != Stage::held;
    if (!alone(live) || live.stage == Stage::away || (open && move.asked_back)) {
        return;  // paired meanwhile, or both have been judged alone already
    }
    if (open) {
        HandedOver back = move;
        std::swap(back.to, back.from);
        back.asked_back = true;
        send(back.to.worker, back);
        return;
    }
    shared->asks_at_once = true;
    counters.add(Counter::taps_moved);
    drop_leg(live);
    orientation.take_all(live, taken);
    live.stage = Stage::away;
    shared->partners[slot] = {.place = move.from, .how = move.how, .aligned = move.aligned};
    for (std::uint32_t i = 0; i < taken.count; ++i) {
        give(slot, taken.packets[i].packet, taken.packets[i].copy);
    }
}

void Engine::State::give(std::uint32_t slot, const Packet& packet, bool copy) {
    Live& live = conversations.live(slot);
    const Shared::Partner& partner = shared->partners[slot];
    if (is_bare_syn(packet)) {
        live.set_isn(packet.tap, live.party_of(packet.tap, packet.sender), packet.seq);
    }
    HandedOver message = word_of(Kind::packet, partner.place, place(slot));
    message.how = partner.how;
    message.aligned = partner.aligned;
    message.copy = copy;
    message.client_known = live.client_known;
    message.client_sender = live.client_sender[index(packet.tap)];
    message.first = live.first;
    message.key = key_of(conversations.tuple(live.tuple[index(packet.tap)] - 1));
    message.packet = packet;
    counters.add(Counter::taps_handed_over);
    send(partner.place.worker, message);
}

// `slot` is given up, or was given away: whoever has its other half must know.
void Engine::State::part(std::uint32_t slot) {
    const Place& partner = shared->partners[slot].place;
    send(partner.worker, word_of(Kind::gone, partner, place(slot)));
}

// --- taken over

bool Engine::State::join_given(const HandedOver& given) {
    const Side tap = given.packet.tap;
    const std::uint32_t slot = given.to.slot;
    decode::Decoded named;
    named.v6 = given.key.v6;
    if (named.v6) {
        named.key.v6_key = given.key.v6_key;
    } else {
        named.key.v4 = given.key.v4;
    }
    if (conversations.live(slot).stage == Stage::detached || conversations.live(slot).at(tap) ||
        !conversations.attach(slot, named, conversations.hash_of(named), tap)) {
        return false;
    }
    changed = true;
    Live& live = conversations.live(slot);
    drop_leg(live);
    const Side far = other(tap);
    const std::uint8_t turn = given.aligned ? 0 : 1;
    if (given.how == Pairing::nat_hint) {
        live.client_sender[index(tap)] = given.client_sender;
    } else if (live.client_known || !given.client_known) {
        live.client_sender[index(tap)] = live.client_sender[index(far)] ^ turn;
    } else {
        live.client_sender[index(tap)] = given.client_sender;
        live.client_sender[index(far)] = given.client_sender ^ turn;
    }
    live.client_known = live.client_known || given.client_known;
    live.first = std::min(live.first, given.first);
    live.joint = true;
    ++shared->joint;
    shared->partners[slot] = {.place = given.from, .how = given.how, .aligned = given.aligned};
    Conversation& record = conversations.record(slot);
    record.translated = true;
    record.pairing = given.how;
    name(slot, tap, given.packet.frame);
    name(slot, far, record.first_frame[index(far)]);
    return true;
}

void Engine::State::take_given(const HandedOver& given) {
    const std::uint32_t slot = given.to.slot;
    const Live& live = conversations.live(slot);
    const bool here =
        live.id == given.to.id && live.stage != Stage::unused && live.stage != Stage::away;
    const bool known =
        here && live.joint ? shared->partners[slot].place == given.from : here && join_given(given);
    if (!known) {
        counters.add(Counter::taps_strays);
        send(given.from.worker, word_of(Kind::gone, given.from, given.to));
        return;
    }
    if (given.packet.kind == PacketKind::segment) {
        update(conversations.live(slot), given.packet);
    }
    hand_on(slot, given.packet, given.copy);
}

void Engine::State::take_word(const HandedOver& word) {
    const std::uint32_t slot = word.to.slot;
    Live& live = conversations.live(slot);
    if (live.id != word.to.id || live.stage == Stage::unused) {
        return;
    }
    switch (word.kind) {
        case Kind::move:
            shared->asks_at_once = true;
            move_away(slot, word);
            return;
        case Kind::gone:
            if ((live.stage == Stage::away || live.joint) &&
                shared->partners[slot].place == word.from) {
                conversations.record(slot).complete = false;
                end(slot, false);
            }
            return;
        case Kind::doubt:
            if (alone(live)) {
                live.doubtful = true;
                live.side_known = false;
            }
            return;
        case Kind::packet:
            return;
    }
}

// What its own tap shows of a conversation that others share waits in line with what they give.
void Engine::State::keep_in_order(std::uint32_t slot, const Packet& packet, bool copy) {
    if (shared->own.free_space() == 0) {
        take_shared(packet.time);
    }
    if (!shared->own.push({packet, conversations.live(slot).id, slot, copy})) {
        hand_on(slot, packet, copy);
    }
}

// Up to a time which all workers have reached, the oldest first; a ring that is more than half full
// does not wait for that.
bool Engine::State::take_shared(Nanos reach) {
    bool worked = false;
    for (;;) {
        SpscRing<HandedOver>* from = nullptr;
        const HandedOver* given = nullptr;
        const Shared::Own* const own = shared->own.front();
        Nanos oldest = own != nullptr ? own->packet.time : INT64_MAX;
        bool pressed = shared->own.size() > Shared::kOwnMax / 2;
        for (std::uint32_t worker = 0; worker < shared->hand_over.workers(); ++worker) {
            SpscRing<HandedOver>& ring = shared->hand_over.ring(worker, options.worker);
            while (const HandedOver* const word = ring.front()) {
                if (word->kind == Kind::packet) {
                    break;
                }
                take_word(*word);
                ring.drop();
                worked = true;
            }
            const HandedOver* const first = ring.front();
            pressed = pressed || ring.size() > ring.capacity() / 2;
            if (first != nullptr && first->packet.time < oldest) {
                oldest = first->packet.time;
                from = &ring;
                given = first;
            }
        }
        if ((given == nullptr && own == nullptr) || (oldest > reach && !pressed)) {
            return worked;
        }
        worked = true;
        if (given != nullptr) {
            take_given(*given);
            from->drop();
        } else {
            const Shared::Own mine = *own;
            shared->own.drop();
            const Live& live = conversations.live(mine.slot);
            if (live.id == mine.id && live.stage != Stage::unused) {
                hand_on(mine.slot, mine.packet, mine.copy);
            }
        }
    }
}

// How far this worker's verdicts may go: no further than what others may still have to give.
Nanos Engine::State::meet_others(bool publish) {
    HandOver& hand_over = shared->hand_over;
    const Nanos now = clocks.both_started() ? clocks.reached() : INT64_MIN;
    if (now != INT64_MIN &&
        (publish || now < shared->published || now - shared->published >= kPublishStep)) {
        shared->published = now;
        hand_over.publish(options.worker, now);
    }
    const Nanos reach = std::min(now, hand_over.reached_by_others(options.worker));
    take_shared(reach);
    if (now != INT64_MIN) {
        introduce_lonely(now);
    }
    if (shared->desk) {
        keep_desk(kIntroductionsMax);
    }
    return reach;
}

void Engine::rest(bool complete) {
    State& state = *state_;
    if (!state.shared) {
        return;
    }
    if (complete) {
        state.shared->published = INT64_MAX;
        state.shared->hand_over.publish(state.options.worker, INT64_MAX);
    }
    const Nanos reached = state.shared->hand_over.reached_by_others(state.options.worker);
    state.take_shared(
        complete
            ? reached
            : std::min(reached, state.clocks.both_started() ? state.clocks.reached() : INT64_MIN));
    if (state.shared->desk) {
        state.keep_desk(kIntroductionsMax);
    }
}

bool Engine::settle_some() {
    State& state = *state_;
    if (!state.shared) {
        return false;
    }
    // Nobody waits any more: who is alone now is asked after now.
    const bool lonely = state.shared->lonely.size() != 0;
    state.introduce_lonely(INT64_MAX);
    const bool desk = state.shared->desk && state.keep_desk(kIntroductionsMax);
    return state.take_shared(INT64_MAX) || desk || lonely;
}

}  // namespace tw::taps
