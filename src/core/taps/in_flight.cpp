// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/in_flight.hpp"

#include <bit>
#include <cstdlib>
#include <optional>

#include "core/flow/hash.hpp"

namespace tw::taps {
namespace {

bool same_sack(const Packet& one, const Packet& other) {
    if (one.sack_count != other.sack_count) {
        return false;
    }
    for (std::size_t i = 0; i < one.sack.size() && i < one.sack_count; ++i) {
        if (one.sack[i].left != other.sack[i].left || one.sack[i].right != other.sack[i].right) {
            return false;
        }
    }
    return true;
}

bool has_times(const Packet& packet) {
    return packet.option(option_bit::kTimestamps);
}

// The rung on which two packets of one key are twins; nothing = they are not.
std::optional<KeyLevel> level_of(const Packet& seen, const Packet& expected, const Kept& kept) {
    namespace flag = decode::tcp_flag;
    const bool both_named = !seen.v6 && !expected.v6 && seen.ip_id != 0 && expected.ip_id != 0;
    const bool same_id = seen.v6 || expected.v6 || seen.ip_id == expected.ip_id;
    const bool both_timed = has_times(seen) && has_times(expected);
    const bool same_times = has_times(seen) == has_times(expected) &&
                            seen.tsval == expected.tsval && seen.tsecr == expected.tsecr;
    if ((kept.ip_id && both_named && !same_id) ||
        (kept.timestamps && both_timed && seen.tsval != expected.tsval)) {
        return std::nullopt;
    }
    if (seen.payload_bytes != expected.payload_bytes) {
        return std::nullopt;
    }
    if (seen.has(flag::kSyn) && kept.isn && seen.seq != expected.seq) {
        return std::nullopt;
    }
    // What one tap does not tell is not held against them.
    const bool same_digest =
        !seen.digest_known || !expected.digest_known || seen.digest == expected.digest;
    const bool same_ack = seen.ack == expected.ack;
    if (!same_ack) {
        return same_digest ? std::optional(KeyLevel::without_ack) : std::nullopt;
    }
    if (!same_digest) {
        return KeyLevel::without_digest;
    }
    if (!same_times || !same_sack(seen, expected)) {
        return KeyLevel::without_options;
    }
    return same_id ? KeyLevel::whole : KeyLevel::without_ip_id;
}

// One transmission by its identification or its timestamps, whose payload has another length.
bool has_other_length(const Packet& seen, const Packet& expected) {
    const bool named = !seen.v6 && !expected.v6 && seen.ip_id != 0;
    const bool timed = has_times(seen) && has_times(expected);
    return seen.payload_bytes != expected.payload_bytes && seen.payload_bytes != 0 &&
           expected.payload_bytes != 0 && seen.ack == expected.ack && (named || timed) &&
           (!named || seen.ip_id == expected.ip_id) &&
           (!timed || (seen.tsval == expected.tsval && seen.tsecr == expected.tsecr));
}

}  // namespace

InFlight::InFlight(std::uint32_t packets_max, Backing backing, std::uint64_t seed)
    : mask_(std::bit_ceil((std::uint64_t{packets_max} + 1) * kBucketsPerPacket) - 1),
      seed_(seed),
      buckets_(mask_ + 1, backing),
      records_(std::size_t{packets_max} + 1, backing) {}

std::uint64_t InFlight::key_of(const TwinKey& key, Side tap) const {
    const std::uint64_t numbers = key.seq | std::uint64_t{key.ack} << 32;
    const std::uint64_t rest = std::uint64_t{key.payload ? 1U : 0U} |
                               std::uint64_t{key.flags} << 32 | std::uint64_t{key.party} << 40 |
                               std::uint64_t{index(tap)} << 41;
    const std::uint64_t second = flow::second_seed(seed_);
    const std::uint64_t mixed = flow::fold(key.conversation ^ seed_ ^ flow::kMixB, rest ^ second);
    return flow::fold(mixed ^ flow::kMixA, numbers ^ second ^ flow::kMixB);
}

std::uint32_t InFlight::group_of(std::uint64_t key) const {
    // Keys are seeded, so that nobody can aim at one bucket, and the load is at most one.
    std::uint32_t at = buckets_[bucket(key)];
    while (at != kNone && records_[at].key != key) {
        at = records_[at].next_group;
    }
    return at;
}

void InFlight::prefetch_group(std::uint64_t key) const {
    if (const std::uint32_t at = buckets_[bucket(key)]; at != kNone) {
        const char* const record =
            static_cast<const char*>(static_cast<const void*>(&records_[at]));
        __builtin_prefetch(record, 1);
        __builtin_prefetch(record + 64, 1);
        __builtin_prefetch(record + 128, 1);
    }
}

InFlight::Answer InFlight::find(const Query& query) const {
    Answer best;
    Nanos nearest = 0;
    bool like = false;
    std::uint32_t candidates = 0;
    std::uint32_t at = group_of(query.key);
    for (std::uint32_t looks = 0; at != kNone && looks < kLooksMax; ++looks) {
        const Waiting& waiting = records_[at];
        if (waiting.packet.time >= query.earliest && waiting.packet.time <= query.latest) {
            if (const auto level = level_of(waiting.packet, *query.expected, query.kept)) {
                const Nanos off = std::abs(waiting.packet.time - query.likely);
                const bool alike = waiting.copy == query.copy;
                best.others_wait = candidates != 0 && (*level == best.level ||
                                                       (*level > best.level && best.others_wait));
                const bool better =
                    *level < best.level ||
                    (*level == best.level && (alike != like ? alike : off < nearest));
                if (candidates == 0 || better) {
                    best.index = at;
                    best.level = *level;
                    nearest = off;
                    like = alike;
                }
                ++candidates;
            } else if (best.of_other_length == kNone &&
                       has_other_length(waiting.packet, *query.expected)) {
                best.of_other_length = at;
            }
        }
        at = waiting.next_equal;
    }
    best.alone = candidates < 2 && !records_[best.index].contested;
    return best;
}

void InFlight::contest(std::uint64_t key) {
    std::uint32_t at = group_of(key);
    for (std::uint32_t looks = 0; at != kNone && looks < kLooksMax; ++looks) {
        records_[at].contested = true;
        at = records_[at].next_equal;
    }
}

std::uint32_t InFlight::add(std::uint64_t key, std::uint8_t queue) {
    std::uint32_t index = free_head_;
    if (index != kNone) {
        free_head_ = records_[index].next_group;
    } else if (std::size_t{fresh_} + 1 < records_.size()) {
        index = ++fresh_;
    } else {
        return kNone;
    }
    ++count_;
    Waiting& record = records_[index];
    record.key = key;
    record.queue = queue;
    record.contested = false;
    record.next_equal = kNone;
    record.last_equal = index;
    record.next_group = kNone;
    if (const std::uint32_t first = group_of(key); first != kNone) {
        records_[records_[first].last_equal].next_equal = index;
        records_[first].last_equal = index;
    } else {
        std::uint32_t& head = buckets_[bucket(key)];
        record.next_group = head;
        head = index;
    }
    Queue& ages = queues_[queue];
    record.older = ages.newest;
    record.newer = kNone;
    (ages.newest != kNone ? records_[ages.newest].newer : ages.oldest) = index;
    ages.newest = index;
    return index;
}

// Out of its group and bucket.
void InFlight::unchain(std::uint32_t index) {
    const Waiting& record = records_[index];
    std::uint32_t* link = &buckets_[bucket(record.key)];
    while (records_[*link].key != record.key) {
        link = &records_[*link].next_group;
    }
    const std::uint32_t first = *link;
    if (first == index) {
        const std::uint32_t second = record.next_equal;
        if (second != kNone) {
            records_[second].next_group = record.next_group;
            records_[second].last_equal = record.last_equal;
            *link = second;
        } else {
            *link = record.next_group;
        }
        return;
    }
    std::uint32_t before = first;
    while (records_[before].next_equal != index) {  // among those find() looked at
        before = records_[before].next_equal;
    }
    records_[before].next_equal = record.next_equal;
    if (records_[first].last_equal == index) {
        records_[first].last_equal = before;
    }
}

void InFlight::remove(std::uint32_t index) {
    unchain(index);
    Waiting& record = records_[index];
    Queue& ages = queues_[record.queue];
    (record.older != kNone ? records_[record.older].newer : ages.oldest) = record.newer;
    (record.newer != kNone ? records_[record.newer].older : ages.newest) = record.older;
    record.next_group = free_head_;
    free_head_ = index;
    --count_;
}

std::uint32_t InFlight::oldest() const {
    std::uint32_t found = kNone;
    for (const Queue& queue : queues_) {
        if (queue.oldest != kNone &&
            (found == kNone || records_[queue.oldest].packet.time < records_[found].packet.time)) {
            found = queue.oldest;
        }
    }
    return found;
}

}  // namespace tw::taps
