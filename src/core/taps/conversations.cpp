// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/conversations.hpp"

#include <algorithm>
#include <cstring>

#include "core/flow/hash.hpp"

namespace tw::taps {

Conversations::Conversations(const Options& options)
    : options_(options),
      index_v4_(sizeof(flow::KeyV4), options.conversations_max * 2, options.backing),
      index_v6_(sizeof(flow::KeyV6), options.conversations_max * 2, options.backing),
      tuples_(std::size_t{options.conversations_max} * 2, options.backing),
      live_(options.conversations_max, options.backing),
      records_(options.conversations_max, options.backing),
      next_id_(options.first_id) {}

std::uint32_t Conversations::hash_of(const decode::Decoded& found) const {
    return found.v6 ? flow::hash_key(found.key.v6_key, options_.hash_seed)
                    : flow::hash_key(found.key.v4, options_.hash_seed);
}

void Conversations::find_burst(const decode::Decoded* const* found, const std::uint32_t* hashes,
                               std::uint32_t count, std::uint32_t* tuples) {
    for (const bool v6 : {false, true}) {
        std::array<const void*, kBurstMax> keys;
        std::array<std::uint32_t, kBurstMax> wanted_hashes;
        std::array<std::uint32_t, kBurstMax> origin;
        std::array<std::uint32_t, kBurstMax> slots;
        std::uint32_t wanted = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            if (found[i] != nullptr && found[i]->v6 == v6) {
                keys[wanted] = &found[i]->key;
                wanted_hashes[wanted] = hashes[i];
                origin[wanted++] = i;
            }
        }
        if (wanted != 0) {
            flow::PlainIndex& index = v6 ? index_v6_ : index_v4_;
            index.find_burst(keys.data(), wanted_hashes.data(), wanted, slots.data());
        }
        for (std::uint32_t i = 0; i < wanted; ++i) {
            tuples[origin[i]] = slots[i];
        }
    }
}

std::uint32_t Conversations::find(const void* key, std::uint32_t hash, bool v6) {
    std::uint32_t slot = kNone;
    (v6 ? index_v6_ : index_v4_).find_burst(&key, &hash, 1, &slot);
    return slot;
}

std::uint32_t Conversations::find_endpoints(const flow::Endpoint& one, std::uint16_t port,
                                            const flow::Endpoint& other) {
    std::uint32_t tuple = kNone;
    if (one.v6) {
        flow::KeyV6 key{};
        flow::canonical_key(one.address, port, other.address, other.port, 0, key);
        tuple = find(&key, flow::hash_key(key, options_.hash_seed), true);
    } else {
        flow::AddressV4 first;
        flow::AddressV4 second;
        std::copy_n(one.address.begin(), first.size(), first.begin());
        std::copy_n(other.address.begin(), second.size(), second.begin());
        flow::KeyV4 key{};
        flow::canonical_key(first, port, second, other.port, 0, key);
        tuple = find(&key, flow::hash_key(key, options_.hash_seed), false);
    }
    return tuple == kNone ? kNone : tuples_[tuple].conversation;
}

std::uint32_t Conversations::new_tuple(const decode::Decoded& found, std::uint32_t hash,
                                       std::uint32_t conversation) {
    const bool reuse = tuples_free_ != kNone;
    if (!reuse && tuples_fresh_ == tuples_.size()) {
        return kNone;
    }
    const std::uint32_t slot = reuse ? tuples_free_ : tuples_fresh_;
    flow::PlainIndex& index = found.v6 ? index_v6_ : index_v4_;
    if (!index.insert(&found.key, hash, slot)) {
        return kNone;
    }
    Tuple& tuple = tuples_[slot];
    if (reuse) {
        tuples_free_ = tuple.conversation;
    } else {
        ++tuples_fresh_;
    }
    if (found.v6) {
        tuple.v6_key = found.key.v6_key;
    } else {
        tuple.v4 = found.key.v4;
    }
    tuple.hash = hash;
    tuple.conversation = conversation;
    tuple.v6 = found.v6;
    return slot;
}

void Conversations::free_tuple(std::uint32_t slot) {
    Tuple& tuple = tuples_[slot];
    if (tuple.v6) {
        index_v6_.erase(&tuple.v6_key, tuple.hash, slot);
    } else {
        index_v4_.erase(&tuple.v4, tuple.hash, slot);
    }
    tuple.conversation = tuples_free_;
    tuples_free_ = slot;
}

std::uint32_t Conversations::add(const decode::Decoded& found, std::uint32_t hash, Side tap) {
    const bool reuse = free_ != kNone;
    if (!reuse && fresh_ == live_.size()) {
        return kNone;
    }
    const std::uint32_t slot = reuse ? free_ : fresh_;
    const std::uint32_t tuple = new_tuple(found, hash, slot);
    if (tuple == kNone) {
        return kNone;
    }
    if (reuse) {
        free_ = live_[slot].packets;
    } else {
        ++fresh_;
    }
    ++count_;
    live_[slot] = Live{};
    records_[slot] = Conversation{};
    Live& live = live_[slot];
    live.id = next_id_;
    next_id_ += options_.id_step;
    live.v6 = found.v6;
    live.stage = Stage::held;
    live.tuple[index(tap)] = tuple + 1;
    return slot;
}

bool Conversations::attach(std::uint32_t slot, const decode::Decoded& found, std::uint32_t hash,
                           Side tap) {
    const std::uint32_t tuple = new_tuple(found, hash, slot);
    if (tuple == kNone) {
        return false;
    }
    live_[slot].tuple[index(tap)] = tuple + 1;
    return true;
}

void Conversations::share(std::uint32_t slot, Side tap) {
    Live& live = live_[slot];
    live.tuple[index(tap)] = live.tuple[index(other(tap))];
    live.client_sender[index(tap)] = live.client_sender[index(other(tap))];
}

void Conversations::merge(std::uint32_t from, std::uint32_t into, Side tap) {
    Live& source = live_[from];
    Live& target = live_[into];
    TW_DCHECK(source.at(tap) && !source.at(other(tap)) && !target.at(tap));
    target.tuple[index(tap)] = source.tuple[index(tap)];
    tuples_[target.tuple[index(tap)] - 1].conversation = into;
    source.tuple[index(tap)] = 0;
    remove(from);
}

void Conversations::detach(std::uint32_t slot) {
    Live& live = live_[slot];
    if (live.stage == Stage::detached) {
        return;
    }
    for (const Side tap : {Side::outside, Side::inside}) {
        const bool shared = tap == Side::inside && live.tuple[0] == live.tuple[1];
        if (live.at(tap) && !shared) {
            free_tuple(live.tuple[index(tap)] - 1);
        }
    }
    live.stage = Stage::detached;
}

void Conversations::remove(std::uint32_t slot) {
    detach(slot);
    live_[slot].stage = Stage::unused;
    live_[slot].packets = free_;
    free_ = slot;
    --count_;
}

// A closed conversation, else an unfinished handshake, else the longest idle of those looked at: a
// bare SYN is refused instead, so that a flood cannot push out what is established.
std::uint32_t Conversations::victim(bool newcomer_is_bare_syn) {
    std::uint32_t embryonic = kNone;
    std::uint32_t oldest = kNone;
    const std::uint32_t looks = std::min(kVictimsMax, fresh_);
    for (std::uint32_t i = 0; i < looks; ++i) {
        const std::uint32_t slot = hand_;
        hand_ = hand_ + 1 == fresh_ ? 0 : hand_ + 1;
        const Live& live = live_[slot];
        if (live.stage == Stage::unused) {
            continue;
        }
        if (live.stage == Stage::detached || live.closed()) {
            return slot;
        }
        std::uint32_t& best = live.opening ? embryonic : oldest;
        if (best == kNone || live.last < live_[best].last) {
            best = slot;
        }
    }
    if (embryonic != kNone) {
        return embryonic;
    }
    return newcomer_is_bare_syn ? kNone : oldest;
}

void Conversations::prefetch(std::uint32_t slot) const {
    const char* const record = static_cast<const char*>(static_cast<const void*>(&live_[slot]));
    for (std::size_t line = 0; line < sizeof(Live); line += 64) {
        __builtin_prefetch(record + line, 1);
    }
}

flow::Endpoint Conversations::endpoint(std::uint32_t slot, std::uint8_t side) const {
    const Tuple& tuple = tuples_[slot];
    return tuple.v6 ? flow::endpoint_of(tuple.v6_key, side) : flow::endpoint_of(tuple.v4, side);
}

std::size_t Conversations::memory_bytes() const {
    return index_v4_.memory_bytes() + index_v6_.memory_bytes() + tuples_.bytes() + live_.bytes() +
           records_.bytes();
}

}  // namespace tw::taps
