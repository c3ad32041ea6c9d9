// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/pairing.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/flow/hash.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

// SYNs remembered: those of two seconds at 20,000 new connections a second, each by three prints.
constexpr std::uint64_t kRows = 1U << 17;

bool has_times(const Packet& packet) {
    return packet.option(option_bit::kTimestamps) && packet.tsval != 0;
}

// What an address and port that stayed count, at least.
constexpr int kSameEndpoint = 4;

int alike_endpoints(const flow::Endpoint& one, const flow::Endpoint& other) {
    const int port = one.port == other.port ? 1 : 0;
    return flow::same_host(one, other) ? 2 + (kSameEndpoint - 2) * port : port;
}

}  // namespace

bool NatPairing::tells(const Packet& packet, Kind kind) {
    const bool syn = packet.has(flag::kSyn);
    switch (kind) {
        case Kind::whole:
            return syn || packet.payload_bytes != 0 || packet.has(flag::kFin);
        case Kind::number:
            return syn;
        case Kind::times:
            return syn && has_times(packet);
        case Kind::shape:
            return syn && !has_times(packet) && !packet.v6 && packet.ip_id != 0;
        case Kind::content:
            return !syn && packet.payload_bytes != 0 && packet.digest_known && has_times(packet);
        case Kind::sender:
        case Kind::receiver:
            return false;
    }
    return false;
}

NatPairing::NatPairing(const EngineOptions& options, Conversations& conversations)
    : options_(options),
      conversations_(conversations),
      mask_(kRows / kInSet - 1),
      sets_(options.learn_nat ? mask_ + 1 : 0, options.backing) {}

// whole:  number, timestamp, window scale, order of the options, and what else a packet has
// number: number alone, where options are taken off; still 32 random bits
// times:  the same as whole without the number, where that is made anew
// shape:  neither number nor timestamp: IP identification, window and options
// content: of a connection that began before: payload, timestamp and IP identification, and no
//         number
std::uint64_t NatPairing::print_of(const Packet& syn, Kind kind) const {
    std::uint64_t first = 0;
    std::uint64_t second = std::uint64_t{static_cast<std::uint8_t>(kind)} << 56;
    const std::uint64_t options =
        static_cast<std::uint8_t>(syn.window_scale) | std::uint64_t{syn.options_order} << 8;
    switch (kind) {
        case Kind::whole:
            first = syn.seq | std::uint64_t{syn.tsval} << 32;
            second |= options | std::uint64_t{syn.flags} << 24;
            second ^= syn.has(flag::kSyn)
                          ? 0
                          : flow::fold(syn.ack | std::uint64_t{syn.payload_bytes} << 32,
                                       syn.digest | 1ULL << 40);
            break;
        case Kind::number:
            first = syn.seq;
            break;
        case Kind::times:
            first = syn.tsval;
            second |= options;
            break;
        case Kind::shape:
            first = syn.ip_id | std::uint64_t{syn.window} << 16;
            second |= options;
            break;
        case Kind::content:
            first = syn.tsval | std::uint64_t{syn.payload_bytes} << 32;
            second |= syn.ip_id | std::uint64_t{syn.digest} << 16;
            break;
        case Kind::sender:
        case Kind::receiver:
            break;  // by the endpoint, below
    }
    const std::uint64_t seed = options_.hash_seed;
    return flow::fold(first ^ seed ^ flow::kMixB, second ^ flow::second_seed(seed)) |
           1U;  // 0 marks an empty row
}

std::uint64_t NatPairing::print_of(const flow::Endpoint& endpoint, Kind kind) const {
    std::uint64_t words[2];
    std::memcpy(words, endpoint.address.data(), sizeof words);
    // A client is known by its address, a server by its port too.
    const std::uint64_t port = kind == Kind::receiver ? endpoint.port : 0;
    const std::uint64_t seed = options_.hash_seed;
    const std::uint64_t second = port | std::uint64_t{static_cast<std::uint8_t>(kind)} << 56;
    return flow::fold(words[0] ^ seed ^ flow::kMixB,
                      flow::fold(words[1] ^ flow::second_seed(seed), second ^ flow::kMixA)) |
           1U;
}

int NatPairing::alike(const Row& row, std::uint32_t slot, const Packet& packet) const {
    const std::uint32_t there = conversations_.live(row.slot).tuple[index(row.tap)] - 1;
    const std::uint32_t here = conversations_.live(slot).tuple[index(packet.tap)] - 1;
    return alike_endpoints(conversations_.endpoint(there, row.sender),
                           conversations_.endpoint(here, packet.sender)) +
           alike_endpoints(conversations_.endpoint(there, row.sender ^ 1),
                           conversations_.endpoint(here, packet.sender ^ 1));
}

bool NatPairing::is_candidate(const Row& row, std::uint64_t print, const Packet& syn) const {
    if (row.print != print || row.tap == syn.tap ||
        row.time > syn.time + options_.pairing_skew_max ||
        row.time < syn.time - options_.pairing_skew_max) {
        return false;
    }
    const Live& live = conversations_.live(row.slot);
    return live.id == row.conversation &&
           (live.stage == Stage::held || live.stage == Stage::open) && !live.at(syn.tap);
}

NatPairing::Found NatPairing::best(std::uint32_t slot, const Packet& syn, Kind kind) const {
    const std::uint64_t print = print_of(syn, kind);
    Found answer;
    std::uint64_t taken = 0;
    int most = -1;
    for (const Row& row : sets_[print >> 1 & mask_].rows) {
        if (!is_candidate(row, print, syn) || row.conversation == taken) {
            continue;
        }
        const int score = alike(row, slot, syn);
        answer.ambiguous = score == most || (answer.ambiguous && score < most);
        if (score > most) {
            answer.ambiguous = false;
            answer.slot = row.slot;
            answer.sender = row.sender;
            answer.seq = row.seq;
            answer.ack = row.ack;
            taken = row.conversation;
            most = score;
        }
    }
    // Nothing but 32 bits, a clock that many connections share, or 16 bits: addresses and ports
    // must agree the more.
    const int least =
        kind == Kind::shape ? kSameEndpoint
        : kind == Kind::times || kind == Kind::content || (kind == Kind::number && has_times(syn))
            ? 1
            : 0;
    if (answer.slot != Conversations::kNone && most < least) {
        answer = {.ambiguous = true};
    }
    return answer;
}

NatPairing::Found NatPairing::find(std::uint32_t slot, const Packet& syn) const {
    if (!options_.learn_nat || !syn.header_complete) {
        return {};
    }
    for (const Kind kind : kKinds) {
        if (!tells(syn, kind) || !usable(kind)) {
            continue;
        }
        Found answer = best(slot, syn, kind);
        if (answer.ambiguous) {
            return {.ambiguous = true};
        }
        if (answer.slot != Conversations::kNone) {
            answer.how = kind == Kind::times || kind == Kind::content ? Pairing::timestamps
                                                                      : Pairing::syn_fingerprint;
            return answer;
        }
    }
    return {};
}

NatPairing::Found NatPairing::find_by_hint(const decode::Decoded& found, Side tap) {
    for (const NatHint& hint : options_.nat_hints) {
        const flow::Endpoint& here = tap == Side::inside ? hint.inside : hint.outside;
        const flow::Endpoint& there = tap == Side::inside ? hint.outside : hint.inside;
        for (std::uint8_t side = 0; side < 2; ++side) {
            const flow::Endpoint endpoint = decode::endpoint_of(found, side);
            if (!flow::same_host(endpoint, here) ||
                (here.port != 0 && here.port != endpoint.port)) {
                continue;
            }
            const flow::Endpoint peer = decode::endpoint_of(found, side ^ 1);
            const std::uint16_t port = there.port != 0 ? there.port : endpoint.port;
            const std::uint32_t slot = conversations_.find_endpoints(there, port, peer);
            if (slot != Conversations::kNone && !conversations_.live(slot).at(tap)) {
                return {.slot = slot, .how = Pairing::nat_hint};
            }
        }
    }
    return {};
}

void NatPairing::insert(std::uint64_t print, const Packet& packet, std::uint32_t slot) {
    Set& set = sets_[print >> 1 & mask_];
    Row* oldest = &set.rows[0];
    for (Row& row : set.rows) {
        oldest = row.time < oldest->time ? &row : oldest;
    }
    *oldest = {.print = print,
               .conversation = conversations_.live(slot).id,
               .time = packet.time,
               .slot = slot,
               .seq = packet.seq,
               .ack = packet.ack,
               .tap = packet.tap,
               .sender = packet.sender};
}

void NatPairing::remember(const Packet& packet, std::uint32_t slot) {
    if (!options_.learn_nat || !packet.header_complete) {
        return;
    }
    for (const Kind kind : kKinds) {
        if (tells(packet, kind) && usable(kind)) {
            insert(print_of(packet, kind), packet, slot);
        }
    }
}

NatPairing::Doubted NatPairing::doubt(std::uint32_t slot, const Packet& syn) {
    Doubted doubted;
    if (!options_.learn_nat) {
        return doubted;
    }
    const std::uint32_t tuple = conversations_.live(slot).tuple[index(syn.tap)] - 1;
    for (const Kind kind : {Kind::sender, Kind::receiver}) {
        const std::uint8_t side = kind == Kind::sender ? syn.sender : syn.sender ^ 1;
        const std::uint64_t print = print_of(conversations_.endpoint(tuple, side), kind);
        for (const Row& row : sets_[print >> 1 & mask_].rows) {
            if (!is_candidate(row, print, syn)) {
                continue;
            }
            for (const std::uint32_t one : {slot, row.slot}) {
                conversations_.live(one).doubtful = true;
                conversations_.live(one).side_known = false;
                doubted.slots[doubted.count++] = one;
            }
        }
        insert(print, syn, slot);
    }
    return doubted;
}

}  // namespace tw::taps
