// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/engine.hpp"

#include <algorithm>
#include <cstring>

#include "core/decode/decode.hpp"
#include "core/flow/hash.hpp"
#include "core/taps/engine_state.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;
using decode::Decoded;
using stats::Counter;

// Frames of both taps remembered for copies: those of 10 ms at ten million a second.
constexpr std::uint32_t kCopiesMax = 1U << 17;
// Between two steps of ageing.
constexpr Nanos kSweepTime = 10 * kMillisecond;

std::uint64_t hash_of_addresses(const Decoded& found, std::uint64_t seed) {
    // Ordered: the datagram's direction is part of it.
    flow::KeyV6 key{};
    if (found.v6) {
        key.address[0] = found.key.v6_key.address[found.sender];
        key.address[1] = found.key.v6_key.address[found.sender ^ 1];
    } else {
        std::memcpy(key.address[0].data(), found.key.v4.address[found.sender].data(), 4);
        std::memcpy(key.address[1].data(), found.key.v4.address[found.sender ^ 1].data(), 4);
    }
    return flow::hash_key(key, seed) | std::uint64_t{flow::hash_key(key, ~seed)} << 32;
}

}  // namespace

Engine::State::State(const EngineOptions& options_in, stats::Counters& counters_in)
    : options(options_in),
      counters(counters_in),
      conversations({.conversations_max = options.conversations_max,
                     .backing = options.backing,
                     .hash_seed = options.hash_seed,
                     .first_id = options.first_id,
                     .id_step = options.id_step}),
      copies(kCopiesMax, options.backing, options.hash_seed),
      orientation(kHeldMax, options.times_tell_sides, options.backing, options.hash_seed),
      pairing(options, conversations),
      legs(options),
      matcher(options, conversations, counters) {
    if (options.hand_over != nullptr && (options.learn_nat || !options.nat_hints.empty())) {
        shared = std::make_unique<Shared>(options, counters);
    }
}

Engine::Engine(const EngineOptions& options, stats::Counters& counters)
    : state_(new State(options, counters)) {}

Engine::~Engine() = default;

void Engine::process(std::span<const Frame> frames) {
    State& state = *state_;
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(frames.size(), kBurstMax));
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        state.read(frames[i], i);
        bytes += frames[i].wire_bytes;
    }
    state.counters.add(Counter::frames, count);
    state.counters.add(Counter::frame_bytes, bytes);
    state.find_tuples(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        state.look_ahead(i, count);
        state.take(i);
    }
    state.advance(false);
}

void Engine::State::read(const Frame& frame, std::uint32_t i) {
    const Side tap = options.side_of_tap[frame.tap < kTapsMax ? frame.tap : 0];
    Decoded& found = decoded[i];
    decode::decode(frame, options.decode, counters, found);
    clocks.saw(tap, frame.time);
    const bool segment = found.outcome == Counter::decoded_segments;
    const bool quoted = found.outcome == Counter::decode_tcp_cut && found.icmp.cut;
    constexpr std::uint8_t kTcp = 6;
    const bool fragment =
        found.outcome == Counter::decode_later_fragment && found.fragment_protocol == kTcp;
    wanted[i] = segment || quoted ? &found : nullptr;
    tuples[i] = kNone;
    if (!segment && !quoted && !fragment) {
        return;
    }
    read_packet(frame, found, tap, packets[i]);
    packets[i].ordinal = ++ordinals[index(tap)];
    if (wanted[i] != nullptr) {
        hashes[i] = conversations.hash_of(found);
        identities[i] = copies.identity(packets[i], hashes[i]);
        copies.prefetch(identities[i]);
    }
}

// Tuples first, then the conversations they belong to, then the places of the twins: each is on its
// way to the cache while the next are asked for.
void Engine::State::find_tuples(std::uint32_t count) {
    conversations.find_burst(wanted.data(), hashes.data(), count, tuples.data());
    for (std::uint32_t i = 0; i < count; ++i) {
        if (tuples[i] != kNone) {
            conversations.prefetch_tuple(tuples[i]);
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        if (tuples[i] != kNone) {
            conversations.prefetch(conversations.tuple(tuples[i]).conversation);
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        if (tuples[i] != kNone && packets[i].kind == PacketKind::segment) {
            matcher.prefetch_bucket(conversations.tuple(tuples[i]).conversation, packets[i]);
        }
    }
    changed = false;
}

void Engine::State::look_ahead(std::uint32_t i, std::uint32_t count) {
    constexpr std::uint32_t kLookAhead = 4;
    const std::uint32_t at = i + kLookAhead;
    if (!changed && at < count && tuples[at] != kNone && packets[at].kind == PacketKind::segment) {
        matcher.prefetch_group(conversations.tuple(tuples[at]).conversation, packets[at]);
    }
}

void Engine::State::take(std::uint32_t i) {
    const Decoded& found = decoded[i];
    if (wanted[i] != nullptr && packets[i].kind == PacketKind::segment) {
        take_segment(i);
    } else if (wanted[i] != nullptr || found.outcome == Counter::decode_later_fragment) {
        take_other(i);
    }
}

std::uint32_t Engine::State::known(std::uint32_t i) {
    if (changed) {
        tuples[i] = conversations.find(&decoded[i].key, hashes[i], decoded[i].v6);
    }
    return tuples[i] == kNone ? kNone : conversations.tuple(tuples[i]).conversation;
}

// ICMP errors and fragments touch a conversation that is known, and begin none.
void Engine::State::take_other(std::uint32_t i) {
    const Packet& packet = packets[i];
    const std::uint32_t slot = wanted[i] != nullptr ? known(i) : kNone;
    const bool here = slot != kNone && conversations.live(slot).at(packet.tap);
    if (packet.kind == PacketKind::icmp_error) {
        if (here) {
            pass_on(slot, packet, false);
        }
        return;
    }
    const Decoded& found = decoded[i];
    if (packet.kind == PacketKind::later_fragment &&
        (found.outcome != Counter::decode_later_fragment || found.fragment_protocol != 6)) {
        return;
    }
    const std::uint32_t header = found.v6 ? 40 : 20;
    const FragmentIds ids{.addresses = hash_of_addresses(found, options.hash_seed),
                          .datagram = found.v6 ? found.fragment_id : found.ip_id,
                          .bytes = packet.ip_bytes > header ? packet.ip_bytes - header : 0U,
                          .header = found.segment.data_words * 4U};
    // Of a conversation that workers share, one of them would see half the fragments.
    const bool open_here =
        here && conversations.live(slot).stage == Stage::open && !conversations.live(slot).joint;
    matcher.fragment(packet, ids, open_here ? slot : kNone);
}

void Engine::State::take_segment(std::uint32_t i) {
    const Packet& packet = packets[i];
    const bool copy = copies.saw(packet, identities[i]);
    counters.add(Counter::taps_copies, copy ? 1 : 0);
    const std::uint32_t slot = conversation_of(i);
    if (slot == kNone) {
        counters.add(Counter::taps_refused);
        return;
    }
    Live& live = conversations.live(slot);
    if (live.stage == Stage::away && live.at(packet.tap)) {
        update(live, packet);
        give(slot, packet, copy);
        return;
    }
    if (live.tuple[index(packet.tap)] == 0 && live.stage != Stage::away) {
        if (live.introduced) {
            withdraw(slot, other(packet.tap));
        }
        drop_leg(live);
        conversations.share(slot, packet.tap);
        name(slot, packet.tap, packet.frame);
    } else if (live.tuple[index(packet.tap)] != tuples[i] + 1) {
        counters.add(Counter::taps_strays);
        return;
    }
    matcher.health().checksum_unset += packet.header_complete && !packet.digest_known ? 1 : 0;
    update(live, packet);
    pass_on(slot, packet, copy);
}

void Engine::State::pass_on(std::uint32_t slot, const Packet& packet, bool copy) {
    const Live& live = conversations.live(slot);
    if (live.stage == Stage::away) {
        give(slot, packet, copy);
    } else if (live.joint) {
        keep_in_order(slot, packet, copy);
    } else {
        follow(slot, packet, copy);
    }
}

void Engine::State::update(Live& live, const Packet& packet) {
    live.last = std::max(live.last, packet.time);
    live.opening = live.opening && packet.has(flag::kSyn);
    live.reset = live.reset || packet.has(flag::kRst);
    if (!packet.has(flag::kRst)) {
        live.spoke = (live.spoke | 1U << live.party_of(packet.tap, packet.sender)) & 3U;
    }
    if (packet.has(flag::kFin)) {
        live.fins = (live.fins | 1U << live.party_of(packet.tap, packet.sender)) & 3U;
    }
    live.packets += live.packets != UINT32_MAX ? 1 : 0;
}

void Engine::State::follow(std::uint32_t slot, const Packet& packet, bool copy) {
    const Live& live = conversations.live(slot);
    const bool one_tap = packet.kind == PacketKind::segment && alone(live);
    if (one_tap && live.leg != 0 && !copy) {
        legs.observe(live.leg, packet, live.party_of(packet.tap, packet.sender));
    }
    const bool early = one_tap && live.packets <= NatPairing::kPacketsMost;
    if (early) {
        slot = pair_translated(slot, packet);
    }
    hand_on(slot, packet, copy);
    if (early && shared) {
        introduce_early(slot, packet);
    }
}

void Engine::State::hand_on(std::uint32_t slot, const Packet& packet, bool copy) {
    if (conversations.live(slot).stage == Stage::held) {
        hold(slot, packet, copy);
    } else if (packet.kind == PacketKind::icmp_error) {
        matcher.icmp_error(slot, packet);
    } else {
        matcher.observe(slot, packet, copy);
    }
}

void Engine::State::advance(bool publish) {
    const Nanos reach = shared ? meet_others(publish) : clocks.reached();
    if (!clocks.both_started()) {
        return;
    }
    open_overdue(reach);
    if (shared && shared->joint != 0) {
        Clocks limited = clocks;
        limited.limit(reach);
        matcher.advance(limited);
    } else {
        matcher.advance(clocks);
    }
    end_leaving();
    const Nanos now = clocks.reached();
    if (swept == INT64_MIN || now - swept >= kSweepTime || now < swept) {
        swept = now;
        sweep(now);
    }
}

void Engine::tick(Nanos now) {
    State& state = *state_;
    state.clocks.saw(Side::outside, now);
    state.clocks.saw(Side::inside, now);
    state.advance(true);
}

bool Engine::finish_some() {
    State& state = *state_;
    const auto has_room = [&] { return state.matcher.outbox().half_empty(); };
    if (!state.finishing) {
        state.finishing = true;
        state.sweep_at = 0;
        for (std::uint32_t slot = 0; slot < state.conversations.slots_used(); ++slot) {
            if (state.conversations.live(slot).stage == Stage::held) {
                state.open_at_last(slot);
            }
        }
    }
    if (!state.matcher.finish_some(state.clocks)) {
        return false;
    }
    for (; state.sweep_at < state.conversations.slots_used(); ++state.sweep_at) {
        const Live& live = state.conversations.live(state.sweep_at);
        if (live.stage == Stage::unused) {
            continue;
        }
        if (!has_room()) {
            return false;
        }
        state.end(state.sweep_at, live.closed() || live.stage == Stage::detached);
    }
    return true;
}

bool Engine::pop(Fact& fact) {
    return state_->matcher.outbox().pop(fact);
}
bool Engine::pop(Excerpt& excerpt) {
    return state_->matcher.outbox().pop(excerpt);
}
bool Engine::pop(Conversation& conversation) {
    return state_->matcher.outbox().pop(conversation);
}
bool Engine::half_empty() const {
    return state_->matcher.outbox().half_empty();
}
const Passage& Engine::passage() const {
    return state_->matcher.passage();
}
const TapHealth& Engine::health() const {
    return state_->matcher.health();
}
std::size_t Engine::memory_bytes() const {
    return state_->conversations.memory_bytes() + state_->copies.memory_bytes() +
           state_->orientation.memory_bytes() + state_->pairing.memory_bytes() +
           state_->legs.memory_bytes() + state_->matcher.memory_bytes() +
           (state_->shared ? state_->shared->memory_bytes() : 0) +
           2 * State::kHeldMax * sizeof(State::Holder) + sizeof(State);
}

}  // namespace tw::taps
