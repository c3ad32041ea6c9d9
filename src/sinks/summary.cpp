// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/summary.hpp"

#include <algorithm>
#include <tuple>

namespace tw::sinks {
namespace {

using event::EventType;
using event::Outcome;
using event::Resolution;
using event::Verdict;

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

// How bad an episode was for its connection, apart from its size.
enum class Harm : std::uint8_t { none, slight, capture, unknown, lost, fatal };

[[nodiscard]] Harm harm_of(const event::Event& event) {
    switch (event.finding.verdict) {
        case Verdict::never_recovered:
        case Verdict::sequence_overshoot:
        case Verdict::syn_unanswered:
        case Verdict::rst_by_third_party:
            return Harm::fatal;
        case Verdict::lost_before_tap:
        case Verdict::lost_after_tap:
        case Verdict::ack_lost:
            return Harm::lost;
        case Verdict::unknown:
            return still_missing(event.resolution) ? Harm::unknown : Harm::slight;
        case Verdict::missed_by_capture:
        case Verdict::one_sided:
            return Harm::capture;
        case Verdict::receiver_limited:
        case Verdict::spurious_retransmission:
        case Verdict::reordered_before_tap:
        case Verdict::duplicated_in_network:
            return Harm::slight;
        case Verdict::none:
            return event.type == EventType::hole && still_missing(event.resolution) ? Harm::unknown
                                                                                    : Harm::none;
        case Verdict::duplicated_by_mirror:
        case Verdict::reordered_in_capture:
            return Harm::none;
    }
    return Harm::none;
}

// Of equal harm, what cost the connection most time weighs most, then what had most bytes.
[[nodiscard]] std::uint64_t weight_of(const event::Event& event) {
    constexpr std::uint64_t kSizeMax = (std::uint64_t{1} << 60) - 1;
    const auto cost = static_cast<std::uint64_t>(std::max<Nanos>(event.finding.cost, 0));
    const std::uint64_t size = std::min(std::max(cost, event.bytes), kSizeMax);
    return (static_cast<std::uint64_t>(harm_of(event)) << 60) | size;
}

[[nodiscard]] std::uint64_t outcome_bytes(const event::FlowRecord& record, Outcome outcome) {
    const auto index = static_cast<std::size_t>(outcome);
    return record.outcomes[0][index].bytes + record.outcomes[1][index].bytes;
}

// Order for a heap with the smallest in front; of equals the later one counts as smaller.
constexpr auto kEpisodeOrder = [](const auto& a, const auto& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.event.id < b.event.id;
};
constexpr auto kConnectionOrder = [](const WorstConnection& a, const WorstConnection& b) {
    // Greater is worse, and earlier is worse among equals.
    const auto key = [](const WorstConnection& c) {
        return std::tuple(c.lost_bytes, c.unknown_bytes, c.missed_bytes, c.repeats,
                          UINT32_MAX - c.record.flow.stream);
    };
    return key(a) > key(b);
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
    const event::Finding& finding = event.finding;
    if (finding.verdict != Verdict::none) {
        VerdictTotal& total = verdicts_[static_cast<std::size_t>(finding.verdict)];
        ++total.episodes;
        total.bytes += event.bytes;
        total.proven += finding.confidence == event::Confidence::proven ? 1U : 0U;
        ++total.causes[static_cast<std::size_t>(finding.cause)];
    } else if (event.type == EventType::hole || event.type == EventType::repeat) {
        ++not_judged_;
    }
    offer(ranked_, kEpisodesMax, RankedEpisode{weight_of(event), event}, kEpisodeOrder);
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

    const WorstConnection bad{record,
                              outcome_bytes(record, Outcome::lost_before_tap) +
                                  outcome_bytes(record, Outcome::lost_after_tap) +
                                  outcome_bytes(record, Outcome::never_recovered),
                              outcome_bytes(record, Outcome::missed_by_capture),
                              outcome_bytes(record, Outcome::unknown), repeats};
    if (bad.lost_bytes + bad.missed_bytes + bad.unknown_bytes + bad.repeats != 0) {
        offer(worst_, kWorstMax, bad, kConnectionOrder);
    }
}

std::vector<WorstConnection> Summary::worst() const {
    std::vector<WorstConnection> sorted = worst_;
    std::sort(sorted.begin(), sorted.end(), kConnectionOrder);
    return sorted;
}

std::vector<event::Event> Summary::worst_episodes(std::size_t count_max) const {
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

std::optional<event::Event> Summary::worst_episode() const {
    const auto worst = std::min_element(ranked_.begin(), ranked_.end(), kEpisodeOrder);
    if (worst == ranked_.end() || harm_of(worst->event) < Harm::lost) {
        return std::nullopt;
    }
    return worst->event;
}

}  // namespace tw::sinks
