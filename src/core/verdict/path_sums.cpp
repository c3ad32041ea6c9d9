// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/path_sums.hpp"

#include <algorithm>
#include <cstring>

#include "core/flow/hash.hpp"
#include "core/verdict/worst.hpp"

namespace tw::verdict {
namespace {

using event::Direction;
using event::FlowRecord;
using event::Outcome;
using event::OutcomeSum;

constexpr std::uint32_t kBuckets = 2 * PathSums::kHostsMax;
// Hosts looked at to find one that may be forgotten.
constexpr std::uint32_t kLooksMax = 64;

const OutcomeSum& sum_of(const FlowRecord& record, Direction direction, Outcome outcome) {
    return record.outcomes[static_cast<std::size_t>(direction)][static_cast<std::size_t>(outcome)];
}

std::uint64_t captured(const FlowRecord& record, Direction direction) {
    return record.bytes[static_cast<std::size_t>(direction)];
}

void add_lost(Stretch& stretch, const OutcomeSum& sum) {
    stretch.bytes_lost += sum.bytes;
    stretch.segments_lost += sum.segments;
    stretch.episodes += sum.episodes;
}

// The stretch between the tap and the end that sends `outwards` and receives the other direction.
Stretch stretch_of(const FlowRecord& record, Direction outwards) {
    const Direction inwards = outwards == Direction::c2s ? Direction::s2c : Direction::c2s;
    const OutcomeSum& before = sum_of(record, outwards, Outcome::lost_before_tap);
    const OutcomeSum& never = sum_of(record, outwards, Outcome::never_recovered);
    const OutcomeSum& acks = sum_of(record, outwards, Outcome::ack_lost);
    Stretch stretch;
    add_lost(stretch, before);
    add_lost(stretch, never);
    add_lost(stretch, sum_of(record, inwards, Outcome::lost_after_tap));
    stretch.acks_lost = acks.episodes;
    stretch.episodes += acks.episodes;
    stretch.bytes_offered = captured(record, outwards) + captured(record, inwards) + before.bytes +
                            never.bytes +
                            sum_of(record, outwards, Outcome::missed_by_capture).bytes +
                            sum_of(record, inwards, Outcome::missed_by_capture).bytes;
    return stretch;
}

CaptureSum capture_of(const FlowRecord& record) {
    CaptureSum sum;
    for (const Direction direction : {Direction::c2s, Direction::s2c}) {
        const OutcomeSum& missed = sum_of(record, direction, Outcome::missed_by_capture);
        sum.bytes_missed += missed.bytes;
        sum.segments_missed += missed.segments;
        sum.episodes += missed.episodes;
        sum.bytes_delivered += captured(record, direction) + missed.bytes;
    }
    return sum;
}

std::uint64_t hash_of(const flow::Endpoint& host, std::uint8_t tap) {
    std::uint64_t words[2];
    std::memcpy(words, host.address.data(), sizeof words);
    return flow::fold(words[0] ^ flow::kMixA ^ tap, words[1] ^ flow::kMixB);
}

bool is_host(const HostSum& sum, const flow::Endpoint& host, std::uint8_t tap) {
    return flow::same_host(sum.host, host) && sum.tap == tap;
}

bool lost_nothing(const HostSum& sum) {
    return sum.stretch.episodes == 0 && sum.capture.episodes == 0;
}

bool worse(const HostSum& a, const HostSum& b) {
    if (a.stretch.bytes_lost != b.stretch.bytes_lost) {
        return a.stretch.bytes_lost > b.stretch.bytes_lost;
    }
    if (a.stretch.episodes != b.stretch.episodes) {
        return a.stretch.episodes > b.stretch.episodes;
    }
    return a.tap != b.tap ? a.tap < b.tap : a.host.address < b.host.address;
}

}  // namespace

void Stretch::add(const Stretch& more) {
    bytes_offered += more.bytes_offered;
    bytes_lost += more.bytes_lost;
    segments_lost += more.segments_lost;
    acks_lost += more.acks_lost;
    episodes += more.episodes;
}

void CaptureSum::add(const CaptureSum& more) {
    bytes_delivered += more.bytes_delivered;
    bytes_missed += more.bytes_missed;
    segments_missed += more.segments_missed;
    episodes += more.episodes;
}

PathSums::PathSums(stats::Counters& counters)
    : counters_(counters),
      hosts_(kHostsMax, Backing::lazy),
      next_(kHostsMax, Backing::lazy),
      buckets_(kBuckets, Backing::lazy) {}

void PathSums::add(const FlowRecord& record) {
    const Stretch client = stretch_of(record, Direction::c2s);
    const Stretch server = stretch_of(record, Direction::s2c);
    const CaptureSum capture = capture_of(record);
    total_.client_side.add(client);
    total_.server_side.add(server);
    total_.capture.add(capture);
    ++total_.connections;
    total_.incomplete += record.outcomes_complete ? 0 : 1;
    for (const Direction direction : {Direction::c2s, Direction::s2c}) {
        const OutcomeSum& unknown = sum_of(record, direction, Outcome::unknown);
        total_.unknown_episodes += unknown.episodes;
        total_.unknown_bytes += unknown.bytes;
    }
    add_host(record, false, client, capture);
    add_host(record, true, server, capture);
}

void PathSums::add_host(const FlowRecord& record, bool server, const Stretch& stretch,
                        const CaptureSum& capture) {
    HostSum* sum = host_at(server ? record.flow.server : record.flow.client, record.tap);
    if (sum == nullptr) {
        counters_.add(stats::Counter::verdict_hosts_lost);
        return;
    }
    sum->stretch.add(stretch);
    sum->capture.add(capture);
    ++sum->connections;
}

HostSum* PathSums::host_at(const flow::Endpoint& host, std::uint8_t tap) {
    std::uint32_t& bucket = buckets_[hash_of(host, tap) % kBuckets];
    for (std::uint32_t at = bucket; at != 0; at = next_[at - 1]) {
        if (is_host(hosts_[at - 1], host, tap)) {
            return &hosts_[at - 1];
        }
    }
    std::uint32_t index = hosts_count_;
    if (hosts_count_ < kHostsMax) {
        ++hosts_count_;
    } else {
        index = make_room();
        if (index == kHostsMax) {
            return nullptr;
        }
    }
    HostSum& sum = hosts_[index];
    sum = HostSum{};
    sum.host = host;
    sum.host.port = 0;
    sum.tap = tap;
    sum.complete = !forgot_;
    next_[index] = bucket;
    bucket = index + 1;
    return &sum;
}

// Forgets a host that lost nothing; kHostsMax if none is at hand.
std::uint32_t PathSums::make_room() {
    for (std::uint32_t looks = 0; looks < kLooksMax; ++looks) {
        const std::uint32_t index = hand_;
        hand_ = hand_ + 1 == kHostsMax ? 0 : hand_ + 1;
        const HostSum& sum = hosts_[index];
        if (!lost_nothing(sum)) {
            continue;
        }
        std::uint32_t* link = &buckets_[hash_of(sum.host, sum.tap) % kBuckets];
        while (*link != index + 1) {
            link = &next_[*link - 1];
        }
        *link = next_[index];
        forgot_ = true;
        return index;
    }
    return kHostsMax;
}

std::size_t PathSums::worst(std::span<const HostSum*> out) const {
    std::size_t count = 0;
    for (const HostSum& sum : hosts()) {
        if (sum.stretch.episodes != 0) {
            count = insert_worst(out, count, sum, worse);
        }
    }
    return count;
}

}  // namespace tw::verdict
