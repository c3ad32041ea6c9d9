// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/stream_sums.hpp"

#include <algorithm>
#include <bit>

#include "core/flow/hash.hpp"

namespace tw::verdict {
namespace {

// How many segments an episode is about, at least.
std::uint64_t segments_of(const event::Event& event) {
    if (event.type == event::EventType::repeat) {
        return std::max(event.repeats_count, 1U);
    }
    const std::uint64_t segment = event.finding.segment_bytes;
    return segment == 0 ? 1 : std::max<std::uint64_t>((event.bytes + segment - 1) / segment, 1);
}

}  // namespace

StreamSums::StreamSums(std::uint32_t streams_max, stats::Counters& counters)
    : counters_(counters),
      entries_(streams_max, Backing::lazy),
      buckets_(std::bit_ceil(std::size_t{streams_max}) * 2, Backing::lazy) {}

std::uint32_t& StreamSums::bucket_of(std::uint32_t stream) {
    return buckets_[flow::fold(stream ^ flow::kMixA, flow::kMixB) & (buckets_.size() - 1)];
}

std::uint32_t StreamSums::find(std::uint32_t stream) const {
    std::uint32_t entry =
        buckets_[flow::fold(stream ^ flow::kMixA, flow::kMixB) & (buckets_.size() - 1)];
    while (entry != 0 && entries_[entry].stream != stream) {
        entry = entries_[entry].next;
    }
    return entry;
}

std::uint32_t StreamSums::find_or_add(std::uint32_t stream) {
    if (const std::uint32_t known = find(stream); known != 0) {
        return known;
    }
    std::uint32_t entry = entries_.take();
    if (entry == 0 && oldest_ != 0) {
        counters_.add(stats::Counter::verdict_sums_lost);
        given_up_until_ = std::max(given_up_until_, entries_[oldest_].last);
        remove(oldest_);
        entry = entries_.take();
    }
    if (entry == 0) {
        return 0;
    }
    StreamEntry& added = entries_[entry];
    added = StreamEntry{};
    added.stream = stream;
    added.last = INT64_MIN;
    added.given_up_until = given_up_until_;
    std::uint32_t& bucket = bucket_of(stream);
    added.next = bucket;
    bucket = entry;
    link_newest(entry);
    return entry;
}

void StreamSums::link_newest(std::uint32_t entry) {
    entries_[entry].older = newest_;
    entries_[entry].newer = 0;
    (newest_ == 0 ? oldest_ : entries_[newest_].newer) = entry;
    newest_ = entry;
}

void StreamSums::unlink(std::uint32_t entry) {
    const StreamEntry& leaving = entries_[entry];
    (leaving.older == 0 ? oldest_ : entries_[leaving.older].newer) = leaving.newer;
    (leaving.newer == 0 ? newest_ : entries_[leaving.newer].older) = leaving.older;
}

// Of an entry for which nothing waits.
void StreamSums::remove(std::uint32_t entry) {
    unlink(entry);
    std::uint32_t* link = &bucket_of(entries_[entry].stream);
    while (*link != entry) {
        link = &entries_[*link].next;
    }
    *link = entries_[entry].next;
    entries_.give_back(entry);
}

void StreamSums::begin_wait(std::uint32_t entry) {
    if (entries_[entry].waiting++ == 0) {
        unlink(entry);
    }
}

bool StreamSums::end_wait(std::uint32_t entry) {
    if (--entries_[entry].waiting != 0) {
        return false;
    }
    link_newest(entry);
    return true;
}

void StreamSums::add(std::uint32_t entry, const event::Event& settled) {
    StreamEntry& sums = entries_[entry];
    sums.last = std::max(sums.last, settled.time_end);
    const auto outcome = event::outcome_of(settled.finding.verdict);
    if (!outcome) {
        return;
    }
    event::OutcomeSum& sum = sums.outcomes[static_cast<std::size_t>(settled.direction)]
                                          [static_cast<std::size_t>(*outcome)];
    sum.bytes += settled.bytes;
    sum.segments += segments_of(settled);
    ++sum.episodes;
}

void StreamSums::finish(std::uint32_t entry, event::FlowRecord& record) {
    const Nanos given_up_until = entry == 0 ? given_up_until_ : entries_[entry].given_up_until;
    record.outcomes_complete = record.first > given_up_until;
    if (entry != 0) {
        record.outcomes = entries_[entry].outcomes;
        remove(entry);
    }
}

}  // namespace tw::verdict
