// SPDX-License-Identifier: BSD-3-Clause
#include "core/flow/table.hpp"

#include <algorithm>
#include <cstring>

#include "core/flow/hash.hpp"
#include "core/tcp/completeness.hpp"

namespace tw::flow {

Age age_of(const Flow& flow) {
    const bool both_fins = (flow.half[0].bits & flow.half[1].bits & half_bit::kFin) != 0;
    if (both_fins || (flow.completeness & tcp::completeness::kRst) != 0) {
        return Age::closing;
    }
    constexpr std::uint8_t kOpening = tcp::completeness::kSyn | tcp::completeness::kSynAck;
    if (flow.completeness != 0 && (flow.completeness & ~kOpening) == 0) {
        return Age::embryonic;
    }
    const std::uint32_t packets = flow.half[0].packets + flow.half[1].packets;
    const bool one_side = flow.half[0].packets == 0 || flow.half[1].packets == 0;
    return one_side && packets < 4 ? Age::embryonic : Age::established;
}

FlowTable::FlowTable(FlowIndex& index, std::uint32_t flows_max, bool v6, Backing backing)
    : index_(&index),
      flows_max_(flows_max),
      v6_(v6),
      flows_(flows_max, backing),
      cold_(flows_max, backing),
      keys_v6_(v6 ? flows_max : 0, backing) {}

const void* FlowTable::key(std::uint32_t slot) const {
    if (v6_) {
        return &keys_v6_[slot];
    }
    return &flows_[slot].key_v4;
}

std::uint32_t FlowTable::add(const void* key, std::uint32_t hash) {
    const bool reuse = free_head_ != kNoSlot;
    if (!reuse && fresh_ == flows_max_) {
        return kNoSlot;
    }
    const std::uint32_t slot = reuse ? free_head_ : fresh_;
    if (!index_->insert(key, hash, slot)) {
        return kNoSlot;
    }
    if (reuse) {
        free_head_ = cold_[slot].stream;
    } else {
        ++fresh_;
    }
    ++live_;
    flows_[slot] = Flow{};
    cold_[slot] = ColdFlow{};
    flows_[slot].bits = flow_bit::kOccupied;
    flows_[slot].half[0].scale = kScaleUnknown;
    flows_[slot].half[1].scale = kScaleUnknown;
    if (v6_) {
        std::memcpy(&keys_v6_[slot], key, sizeof(KeyV6));
    } else {
        std::memcpy(&flows_[slot].key_v4, key, sizeof(KeyV4));
    }
    return slot;
}

std::uint32_t FlowTable::victim(bool newcomer_is_bare_syn) {
    std::uint32_t embryonic = kNoSlot;
    std::uint32_t oldest = kNoSlot;
    const std::uint32_t looks = std::min(kVictimsMax, fresh_);
    for (std::uint32_t i = 0; i < looks; ++i) {
        const std::uint32_t slot = hand_;
        hand_ = hand_ + 1 == fresh_ ? 0 : hand_ + 1;
        const Flow& flow = flows_[slot];
        if ((flow.bits & flow_bit::kOccupied) == 0) {
            continue;
        }
        const auto older_than = [&](std::uint32_t other) {
            return other == kNoSlot || coarse_since(flows_[other].last_seen, flow.last_seen) < 0;
        };
        switch (age_of(flow)) {
            case Age::closing:
                return slot;
            case Age::embryonic:
                embryonic = older_than(embryonic) ? slot : embryonic;
                break;
            case Age::established:
                oldest = older_than(oldest) ? slot : oldest;
                break;
        }
    }
    if (embryonic != kNoSlot) {
        return embryonic;
    }
    return newcomer_is_bare_syn ? kNoSlot : oldest;
}

void FlowTable::remove(std::uint32_t slot, std::uint64_t hash_seed) {
    const std::uint32_t hash =
        v6_ ? hash_key(keys_v6_[slot], hash_seed) : hash_key(flows_[slot].key_v4, hash_seed);
    index_->erase(key(slot), hash, slot);
    flows_[slot].bits = 0;
    cold_[slot].stream = free_head_;
    free_head_ = slot;
    --live_;
}

std::size_t FlowTable::bytes_per_flow(bool v6) {
    return sizeof(Flow) + sizeof(ColdFlow) + (v6 ? sizeof(KeyV6) : 0);
}

}  // namespace tw::flow
