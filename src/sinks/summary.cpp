// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/summary.hpp"

#include <algorithm>

namespace tw::sinks {
namespace {

using event::EventType;
using event::Resolution;

// Wireshark's completeness bits.
constexpr std::uint8_t kSynSeen = 1;
constexpr std::uint8_t kSynAckSeen = 2;

[[nodiscard]] std::uint64_t sum(const std::array<std::uint64_t, 2>& values) {
    return values[0] + values[1];
}

[[nodiscard]] std::uint64_t flag_count(const event::FlowRecord& record, tcp::Flag flag) {
    const auto index = static_cast<std::size_t>(flag);
    return std::uint64_t{record.flags[0][index]} + record.flags[1][index];
}

// Any byte still missing outweighs all bytes that came later, and those any repeat.
[[nodiscard]] std::uint64_t weight_of(const event::Event& event) {
    constexpr std::uint64_t kMissing = std::uint64_t{1} << 63;
    constexpr std::uint64_t kFilled = std::uint64_t{1} << 62;
    constexpr std::uint64_t kBytesMax = kFilled - 1;
    const std::uint64_t bytes = std::min(event.bytes, kBytesMax);
    if (event.type != EventType::hole) {
        return bytes;
    }
    return bytes | (still_missing(event.resolution) ? kMissing : kFilled);
}

// Order for a heap with the smallest in front; of equals the later one counts as smaller.
constexpr auto kEpisodeOrder = [](const auto& a, const auto& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.event.id < b.event.id;
};
constexpr auto kConnectionOrder = [](const WorstConnection& a, const WorstConnection& b) {
    if (a.missing_bytes != b.missing_bytes) {
        return a.missing_bytes > b.missing_bytes;
    }
    if (a.repeats != b.repeats) {
        return a.repeats > b.repeats;
    }
    return a.record.flow.stream < b.record.flow.stream;
};

// Keeps the `count_max` greatest of all that were offered.
template <typename T, typename Order>
void offer(std::vector<T>& heap, std::size_t count_max, const T& value, Order order) {
    if (heap.size() < count_max) {
        heap.push_back(value);
        std::push_heap(heap.begin(), heap.end(), order);
    } else if (order(value, heap.front())) {
        std::pop_heap(heap.begin(), heap.end(), order);
        heap.back() = value;
        std::push_heap(heap.begin(), heap.end(), order);
    }
}

}  // namespace

bool still_missing(Resolution resolution) {
    switch (resolution) {
        case Resolution::acknowledged_unseen:
        case Resolution::never:
        case Resolution::unknown_limit:
            return true;
        case Resolution::filled:
        case Resolution::filled_after_ack:
        case Resolution::acknowledged:
        case Resolution::acknowledged_before:
            return false;
    }
    return false;
}

void Summary::add(tcp::FlagSet flags) {
    for (std::size_t i = 0; i < tcp::kFlags; ++i) {
        flags_[i] += flags.has(static_cast<tcp::Flag>(i)) ? 1U : 0U;
    }
}

void Summary::add(const event::Event& event) {
    ++episodes_;
    fins_possible_ += event.fin_possible ? 1U : 0U;
    if (event.type == EventType::hole || event.type == EventType::repeat) {
        EpisodeTotals& totals = event.type == EventType::hole ? holes_ : repeats_;
        EpisodeTotal& total = totals[static_cast<std::size_t>(event.resolution)];
        ++total.episodes;
        total.bytes += event.bytes;
        total.segments += event.repeats_count;
    }
    if (event.type == EventType::hole) {
        add_to_mix(event);
    }
    offer(ranked_, kEpisodesMax, RankedEpisode{weight_of(event), event}, kEpisodeOrder);
}

void Summary::add_to_mix(const event::Event& event) {
    const std::uint32_t stream = event.flow.stream;
    auto found = mixes_.find(stream);
    if (found == mixes_.end()) {
        if (mixes_.size() == kMixesMax) {
            const auto least = by_weight_.begin();
            mixes_.erase(least->second);
            by_weight_.erase(least);
            mixes_overflowed_ = true;
        }
        found = mixes_.try_emplace(stream).first;
        found->second.mix.first_hole = event.time;
        found->second.mix.complete = !mixes_overflowed_;
    } else {
        by_weight_.erase({found->second.weight, stream});
    }
    TrackedMix& tracked = found->second;
    HoleMix& mix = tracked.mix;
    ++mix.holes;
    mix.first_hole = std::min(mix.first_hole, event.time);
    if (still_missing(event.resolution)) {
        mix.missing_bytes += event.bytes;
    } else {
        mix.filled_bytes += event.bytes;
    }
    if (event.resolution == Resolution::acknowledged_unseen) {
        mix.acked_bytes += event.bytes;
    }
    tracked.weight = mix.missing_bytes;
    by_weight_.emplace(tracked.weight, stream);
}

HoleMix Summary::take_mix(std::uint32_t stream) {
    const auto found = mixes_.find(stream);
    if (found == mixes_.end()) {
        return {.complete = !mixes_overflowed_};
    }
    const HoleMix mix = found->second.mix;
    by_weight_.erase({found->second.weight, stream});
    mixes_.erase(found);
    return mix;
}

void Summary::add(const event::FlowRecord& record) {
    const std::uint64_t missing = sum(record.missing_bytes);
    const std::uint64_t repeats = flag_count(record, tcp::Flag::retransmission);
    const bool both = record.packets[0] != 0 && record.packets[1] != 0;
    const bool unanswered = !both && record.completeness == kSynSeen;
    ++connections_.connections;
    connections_.with_missing += missing != 0 ? 1U : 0U;
    connections_.with_repeats += repeats != 0 ? 1U : 0U;
    connections_.missing_bytes += missing;
    connections_.payload_bytes += sum(record.bytes);
    connections_.midstream += (record.completeness & (kSynSeen | kSynAckSeen)) == 0 ? 1U : 0U;
    connections_.unanswered += unanswered ? 1U : 0U;
    connections_.one_sided += !both && !unanswered ? 1U : 0U;
    connections_.details_lost += record.details_lost ? 1U : 0U;

    const HoleMix mix = take_mix(record.flow.stream);
    if (missing != 0 || repeats != 0) {
        offer(worst_, kWorstMax, WorstConnection{record, missing, repeats, mix}, kConnectionOrder);
    }
}

std::vector<WorstConnection> Summary::worst() const {
    std::vector<WorstConnection> sorted = worst_;
    std::sort(sorted.begin(), sorted.end(), kConnectionOrder);
    return sorted;
}

std::vector<event::Event> Summary::largest(std::size_t count_max) const {
    std::vector<RankedEpisode> sorted = ranked_;
    std::sort(sorted.begin(), sorted.end(), kEpisodeOrder);
    if (episodes_ > kEpisodesMax) {
        sorted.resize(std::min(count_max, sorted.size()));
    }
    std::sort(sorted.begin(), sorted.end(), [](const RankedEpisode& a, const RankedEpisode& b) {
        return a.event.time != b.event.time ? a.event.time < b.event.time : a.event.id < b.event.id;
    });
    std::vector<event::Event> events;
    for (const RankedEpisode& ranked : sorted) {
        events.push_back(ranked.event);
    }
    return events;
}

}  // namespace tw::sinks
