// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/pairing.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/flow/hash.hpp"

namespace tw::taps {
namespace {

// SYNs remembered: those of two seconds at 20,000 new connections a second, each by three prints.
constexpr std::uint64_t kRows = 1U << 17;

bool has_times(const Packet& packet) {
    return packet.option(option_bit::kTimestamps) && packet.tsval != 0;
}

flow::Endpoint endpoint_of(const decode::Decoded& found, std::uint8_t side) {
    flow::Endpoint endpoint;
    endpoint.v6 = found.v6;
    if (found.v6) {
        endpoint.address = found.key.v6_key.address[side];
        endpoint.port = found.key.v6_key.port[side];
    } else {
        std::copy(found.key.v4.address[side].begin(), found.key.v4.address[side].end(),
                  endpoint.address.begin());
        endpoint.port = found.key.v4.port[side];
    }
    return endpoint;
}

bool same_address(const flow::Endpoint& one, const flow::Endpoint& other) {
    return one.v6 == other.v6 && one.address == other.address;
}

int alike_endpoints(const flow::Endpoint& one, const flow::Endpoint& other) {
    const int port = one.port == other.port ? 1 : 0;
    return same_address(one, other) ? 2 + 2 * port : port;
}

}  // namespace

NatPairing::NatPairing(const EngineOptions& options, Conversations& conversations)
    : options_(options),
      conversations_(conversations),
      mask_(kRows / kInSet - 1),
      sets_(options.learn_nat ? mask_ + 1 : 0, options.backing) {}

// whole:  number, timestamp, window scale, order of the options
// number: number alone, where options are taken off; still 32 random bits
// times:  the same without the number, where that is made anew
std::uint64_t NatPairing::print_of(const Packet& syn, Kind kind) const {
    const std::uint64_t options = static_cast<std::uint8_t>(syn.window_scale) |
                                  std::uint64_t{syn.options_order} << 8 |
                                  std::uint64_t{static_cast<std::uint8_t>(kind)} << 32;
    const std::uint64_t seq = kind == Kind::times ? 0 : syn.seq;
    const std::uint64_t tsval = kind == Kind::number ? 0 : syn.tsval;
    const std::uint64_t rest =
        kind == Kind::number ? std::uint64_t{static_cast<std::uint8_t>(kind)} << 32 : options;
    const std::uint64_t seed = options_.hash_seed;
    return flow::fold((seq | tsval << 32) ^ seed ^ flow::kMixB,
                      rest ^ flow::second_seed(seed)) |
           1U;  // 0 marks an empty row
}

int NatPairing::alike(const Row& row, const decode::Decoded& found) const {
    const Live& live = conversations_.live(row.slot);
    const std::uint32_t tuple = live.tuple[index(row.tap)] - 1;
    const std::uint8_t client = live.client_sender[index(row.tap)];
    const flow::Endpoint sender = endpoint_of(found, found.sender);
    const flow::Endpoint receiver = endpoint_of(found, found.sender ^ 1);
    return alike_endpoints(conversations_.endpoint(tuple, client), sender) +
           alike_endpoints(conversations_.endpoint(tuple, client ^ 1), receiver);
}

bool NatPairing::is_candidate(const Row& row, std::uint64_t print, const Packet& syn) const {
    if (row.print != print || row.tap == syn.tap ||
        std::abs(row.time - syn.time) > options_.pairing_skew_max) {
        return false;
    }
    const Live& live = conversations_.live(row.slot);
    return live.id == row.conversation &&
           (live.stage == Stage::held || live.stage == Stage::open) && !live.at(syn.tap);
}

NatPairing::Found NatPairing::best(const decode::Decoded& found, const Packet& syn,
                                   Kind kind) const {
    const std::uint64_t print = print_of(syn, kind);
    Found answer;
    std::uint64_t taken = 0;
    int most = -1;
    for (const Row& row : sets_[print >> 1 & mask_].rows) {
        if (!is_candidate(row, print, syn) || row.conversation == taken) {
            continue;
        }
        const int score = alike(row, found);
        answer.ambiguous = score == most || (answer.ambiguous && score < most);
        if (score > most) {
            answer.ambiguous = false;
            answer.slot = row.slot;
            taken = row.conversation;
            most = score;
        }
    }
    // Nothing but 32 bits, or a clock that many connections share: something else must agree.
    const bool weak = kind == Kind::number ? has_times(syn) : kind == Kind::times && most == 0;
    if (answer.slot != Conversations::kNone && weak && most == 0) {
        answer.ambiguous = true;
    }
    return answer;
}

NatPairing::Found NatPairing::find(const decode::Decoded& found, const Packet& syn) const {
    if (!options_.learn_nat || !syn.header_complete) {
        return {};
    }
    for (const Kind kind : {Kind::whole, Kind::number, Kind::times}) {
        if (kind == Kind::times && !has_times(syn)) {
            continue;
        }
        Found answer = best(found, syn, kind);
        if (answer.ambiguous) {
            return {.ambiguous = true};
        }
        if (answer.slot != Conversations::kNone) {
            answer.how = kind == Kind::times ? Pairing::timestamps : Pairing::syn_fingerprint;
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
            const flow::Endpoint endpoint = endpoint_of(found, side);
            if (!same_address(endpoint, here) || (here.port != 0 && here.port != endpoint.port)) {
                continue;
            }
            const flow::Endpoint peer = endpoint_of(found, side ^ 1);
            const std::uint16_t port = there.port != 0 ? there.port : endpoint.port;
            const std::uint32_t slot = conversations_.find_endpoints(there, port, peer);
            if (slot != Conversations::kNone && !conversations_.live(slot).at(tap)) {
                return {.slot = slot, .how = Pairing::nat_hint};
            }
        }
    }
    return {};
}

void NatPairing::remember(const Packet& syn, std::uint32_t slot) {
    if (!options_.learn_nat || !syn.header_complete) {
        return;
    }
    for (const Kind kind : {Kind::whole, Kind::number, Kind::times}) {
        if (kind == Kind::times && !has_times(syn)) {
            continue;
        }
        const std::uint64_t print = print_of(syn, kind);
        Set& set = sets_[print >> 1 & mask_];
        Row* oldest = &set.rows[0];
        for (Row& row : set.rows) {
            oldest = row.time < oldest->time ? &row : oldest;
        }
        *oldest = {print, conversations_.live(slot).id, syn.time, slot, syn.tap};
    }
}

}  // namespace tw::taps
