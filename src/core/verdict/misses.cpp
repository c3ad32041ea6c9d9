// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/misses.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "core/flow/hash.hpp"
#include "core/verdict/marked_times.hpp"

namespace tw::verdict {
namespace {

using event::Cause;
using event::Event;

constexpr std::int64_t kReach = kCleanAround / kCell;
constexpr std::uint32_t kBuckets = 65'536;

// What can be said of chance: with an expectation of 5, none at all has a probability under 1 %.
constexpr double kExpectedMin = 5.0;
// Fewer misses than this show no rate.
constexpr std::uint32_t kSteadyMin = 8;
constexpr std::uint32_t kParts = 4;  // of the time from first to last; each must have its share
constexpr std::int64_t kSteadyCells = kSecond / kCell;

// A cluster: connections that have nothing to do with each other, at one time, many times as dense
// as around it.
constexpr std::uint32_t kClusterFlows = 3;
constexpr std::uint32_t kClusterEpisodes = 4;
constexpr std::uint32_t kClusterDensity = 4;
// Load while something was missed, over the mean, per cent.
constexpr std::uint32_t kHighLoad = 150;

constexpr std::uint64_t flow_of(const Event& event) {
    return std::uint64_t{event.flow.stream} << 1 | (event.direction == event::Direction::s2c);
}

constexpr std::size_t index_of(event::Direction direction) {
    return static_cast<std::size_t>(direction);
}

}  // namespace

std::int64_t cell_of(Nanos time) {
    return time >= 0 ? time / kCell : -((-(time + 1)) / kCell) - 1;
}

// ---- load -------------------------------------------------------------------------------------

void LoadHistory::advance(Nanos now, std::uint64_t bytes_seen) {
    const std::uint64_t more = bytes_seen > bytes_seen_ ? bytes_seen - bytes_seen_ : 0;
    bytes_seen_ = std::max(bytes_seen_, bytes_seen);
    if (bytes_seen == 0) {
        return;
    }
    const std::int64_t index = cell_of(now);
    if (!begun_) {
        begun_ = true;
        first_ = last_ = index;
    }
    last_ = std::max(last_, index);
    Cell& cell = cells_[static_cast<std::uint64_t>(index) % kCells];
    if (cell.index != index) {
        cell = {index, 0};
    }
    cell.bytes += more;
}

std::optional<std::uint64_t> LoadHistory::at(std::int64_t cell) const {
    if (!begun_ || cell < first_ || cell > last_ || last_ - cell >= std::int64_t{kCells}) {
        return std::nullopt;
    }
    const Cell& found = cells_[static_cast<std::uint64_t>(cell) % kCells];
    return found.index == cell ? found.bytes : 0;
}

std::uint32_t LoadHistory::relative(Nanos time) const {
    const std::int64_t here = cell_of(time);
    const std::optional<std::uint64_t> bytes = at(here);
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    for (std::int64_t i = here - kReach; i <= here + kReach; ++i) {
        if (const auto known = at(i)) {
            sum += *known;
            ++count;
        }
    }
    if (!bytes || sum == 0) {
        return 0;
    }
    const std::uint64_t per_cent = *bytes * 100 * count / sum;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(per_cent, 1, UINT32_MAX));
}

std::uint64_t LoadHistory::between(std::int64_t from, std::int64_t until) const {
    std::uint64_t sum = 0;
    for (std::int64_t i = from; i <= until; ++i) {
        sum += at(i).value_or(0);
    }
    return sum;
}

// ---- misses -----------------------------------------------------------------------------------

Misses::Misses() : cells_(kCellsMax, Backing::lazy), buckets_(kBuckets, Backing::lazy) {}

std::uint32_t* Misses::bucket_of(std::uint8_t tap, std::int64_t index) {
    const std::uint64_t mixed =
        flow::fold(static_cast<std::uint64_t>(index) ^ flow::kMixA, tap ^ flow::kMixB);
    return &buckets_[mixed % kBuckets];
}

const Misses::Cell* Misses::find(std::uint8_t tap, std::int64_t index) const {
    const std::uint64_t mixed =
        flow::fold(static_cast<std::uint64_t>(index) ^ flow::kMixA, tap ^ flow::kMixB);
    std::uint32_t at = buckets_[mixed % kBuckets];
    while (at != 0 && (cells_[at - 1].index != index || cells_[at - 1].tap != tap)) {
        at = cells_[at - 1].next;
    }
    return at == 0 ? nullptr : &cells_[at - 1];
}

void Misses::forget(std::uint32_t at) {
    std::uint32_t* link = bucket_of(cells_[at].tap, cells_[at].index);
    while (*link != at + 1) {
        link = &cells_[*link - 1].next;
    }
    *link = cells_[at].next;
}

Misses::Cell& Misses::cell_at(std::uint8_t tap, std::int64_t index) {
    if (const Cell* known = find(tap, index)) {
        return cells_[static_cast<std::size_t>(known - cells_.data())];
    }
    std::uint32_t at = cells_count_;
    if (cells_count_ < kCellsMax) {
        ++cells_count_;
    } else {
        at = oldest_;
        oldest_ = oldest_ + 1 == kCellsMax ? 0 : oldest_ + 1;
        forget(at);
    }
    std::uint32_t* const bucket = bucket_of(tap, index);
    Cell& cell = cells_[at];
    cell = Cell{};
    cell.index = index;
    cell.tap = tap;
    cell.next = *bucket;
    *bucket = at + 1;
    return cell;
}

void Misses::add(const Event& event) {
    Cell& cell = cell_at(event.tap, cell_of(event.time));
    ++episodes_;
    ++cell.episodes;
    ++cell.by_direction[index_of(event.direction)];
    const std::uint64_t flow = flow_of(event);
    const std::uint64_t* const end = cell.flow + cell.flows_count;
    const auto at =
        static_cast<std::size_t>(std::find(std::cbegin(cell.flow), end, flow) - cell.flow);
    if (at < cell.flows_count) {
        ++cell.flow_episodes[at];
    } else if (cell.flows_count < kFlowsMax) {
        cell.flow[cell.flows_count] = flow;
        cell.flow_episodes[cell.flows_count++] = 1;
    } else {
        ++cell.others;
    }
}

void Misses::add(const event::FlowRecord& record) {
    bytes_[0] += record.bytes[0];
    bytes_[1] += record.bytes[1];
    const std::uint64_t bytes = record.bytes[0] + record.bytes[1];
    constexpr auto kMissed = static_cast<std::size_t>(event::Outcome::missed_by_capture);
    const bool missed = record.outcomes[0][kMissed].episodes != 0 ||
                        record.outcomes[1][kMissed].episodes != 0 || record.details_lost;
    if (missed || bytes == 0) {
        return;
    }
    const Clean clean{record.first, record.last, bytes, record.tap};
    if (clean_count_ == kCleanMax) {
        if (!ends_later(clean, clean_.front())) {
            return;
        }
        std::pop_heap(clean_.begin(), clean_.end(), ends_later);
        --clean_count_;
    }
    clean_[clean_count_++] = clean;
    std::push_heap(clean_.begin(), clean_.begin() + clean_count_, ends_later);
}

// Total, so that it does not matter in which order connections end.
bool Misses::ends_later(const Clean& a, const Clean& b) {
    if (a.last != b.last) {
        return a.last > b.last;
    }
    return a.first != b.first ? a.first > b.first : a.bytes > b.bytes;
}

struct Misses::Around {
    std::int64_t from = INT64_MAX;  // cells with misses
    std::int64_t until = INT64_MIN;
    std::uint32_t episodes = 0;
    std::uint32_t own = 0;       // of the same direction of the same connection
    std::uint32_t same_way = 0;  // same direction, any connection
    // 100 ms before and after, this one included.
    std::uint32_t near = 0;
    std::uint32_t near_flows = 0;
    std::uint64_t load_sum = 0;          // bytes in all cells around
    std::uint64_t load_of_episodes = 0;  // bytes in the cell of each episode, added up
    std::uint32_t load_cells = 0;
    std::uint32_t load_episodes = 0;
    std::uint32_t flows = 0;  // at least so many directions of connections
    // By cell, to see whether the pace is steady.
    std::array<std::uint32_t, 2 * kReach + 1> own_by_cell{};
    std::array<std::uint32_t, 2 * kReach + 1> way_by_cell{};

    [[nodiscard]] bool clustered() const;
    [[nodiscard]] bool follows_load() const;
    // Whether what was counted by cell comes at an even pace from its first to its last.
    [[nodiscard]] static bool steady(std::span<const std::uint32_t> by_cell) {
        const auto any = [](std::uint32_t count) { return count != 0; };
        const auto first = std::find_if(by_cell.begin(), by_cell.end(), any);
        const auto last = std::find_if(by_cell.rbegin(), by_cell.rend(), any).base();
        const auto length = last - first;
        if (length < kSteadyCells) {
            return false;
        }
        std::array<std::uint32_t, kParts> parts{};
        std::uint32_t sum = 0;
        std::uint32_t most = 0;
        for (auto at = first; at != last; ++at) {
            parts[static_cast<std::size_t>((at - first) * kParts / length)] += *at;
            sum += *at;
            most = std::max(most, *at);
        }
        const auto [least, largest] = std::minmax_element(parts.begin(), parts.end());
        return sum >= kSteadyMin && *least > 0 && *largest * kParts <= 2 * sum && most * 4 <= sum;
    }
};

Misses::Around Misses::around(const Event& event, const LoadHistory& load) const {
    Around sums;
    const std::int64_t here = cell_of(event.time);
    const std::uint64_t mine = flow_of(event);
    std::array<std::uint64_t, 3 * kFlowsMax> near_flows{};
    std::array<std::uint64_t, 16> flows{};
    const auto note = [](auto& seen, std::uint32_t& count, std::uint64_t flow) {
        const auto end = seen.begin() + count;
        if (count < seen.size() && std::find(seen.begin(), end, flow) == end) {
            seen[count++] = flow;
        }
    };
    for (std::int64_t i = here - kReach; i <= here + kReach; ++i) {
        const Cell* cell = find(event.tap, i);
        if (const auto bytes = load.at(i)) {
            sums.load_sum += *bytes;
            ++sums.load_cells;
            sums.load_of_episodes += cell == nullptr ? 0 : *bytes * cell->episodes;
            sums.load_episodes += cell == nullptr ? 0 : cell->episodes;
        }
        if (cell == nullptr) {
            continue;
        }
        const auto at = static_cast<std::size_t>(i - (here - kReach));
        const bool is_near = i >= here - 1 && i <= here + 1;
        sums.from = std::min(sums.from, i);
        sums.until = std::max(sums.until, i);
        sums.episodes += cell->episodes;
        sums.same_way += cell->by_direction[index_of(event.direction)];
        sums.way_by_cell[at] = cell->by_direction[index_of(event.direction)];
        sums.near += is_near ? cell->episodes : 0;
        for (std::uint32_t k = 0; k < cell->flows_count; ++k) {
            note(flows, sums.flows, cell->flow[k]);
            if (is_near) {
                note(near_flows, sums.near_flows, cell->flow[k]);
            }
            if (cell->flow[k] == mine) {
                sums.own += cell->flow_episodes[k];
                sums.own_by_cell[at] = cell->flow_episodes[k];
            }
        }
    }
    return sums;
}

// Whether the others carried so much at that time that they would have been hit, too.
bool Misses::others_unharmed(const Around& sums, const Event& event,
                             const LoadHistory& load) const {
    const Nanos from = sums.from * kCell;
    const Nanos until = (sums.until + 1) * kCell;
    double clean = 0;
    for (std::uint32_t i = 0; i < clean_count_; ++i) {
        const Clean& other = clean_[i];
        const Nanos begin = std::max(other.first, from);
        const Nanos end = std::min(other.last, until);
        if (other.tap == event.tap && end > begin) {
            clean += static_cast<double>(other.bytes) * static_cast<double>(end - begin) /
                     static_cast<double>(other.last - other.first);
        }
    }
    const auto all = static_cast<double>(load.between(sums.from, sums.until));
    return all > clean && sums.own * clean >= kExpectedMin * (all - clean);
}

// Whether the other direction carried so much that it would have been hit, too.
bool Misses::other_way_unharmed(const Around& sums, const Event& event) const {
    const auto mine = static_cast<double>(bytes_[index_of(event.direction)]);
    const auto other = static_cast<double>(bytes_[1 - index_of(event.direction)]);
    return sums.same_way == sums.episodes && mine > 0 &&
           sums.episodes * other >= kExpectedMin * mine;
}

// Many connections at one moment, much more often than before and after it.
bool Misses::Around::clustered() const {
    const auto cells = static_cast<std::uint64_t>(until - from + 1);
    // 3 cells are near: their share of the episodes against their share of the time.
    return near_flows >= kClusterFlows && near >= kClusterEpisodes &&
           (cells <= 3 || near * cells >= std::uint64_t{3} * kClusterDensity * episodes);
}

bool Misses::Around::follows_load() const {
    return flows >= kClusterFlows && load_cells > kReach && load_episodes >= kSteadyMin &&
           load_sum != 0 &&
           load_of_episodes * load_cells * 100 >= load_sum * load_episodes * kHighLoad;
}

Cause Misses::cause_of(const Event& event, const LoadHistory& load) const {
    const Around sums = around(event, load);
    const bool alone = sums.own >= kSteadyMin && sums.own * 10 >= sums.episodes * 9;
    if (alone && Around::steady(sums.own_by_cell) && others_unharmed(sums, event, load)) {
        return Cause::path;
    }
    if (!alone && Around::steady(sums.way_by_cell) && other_way_unharmed(sums, event)) {
        return Cause::path;
    }
    // What the capture says it lost itself accounts for all that is missing.
    if (dropped_ != 0 && dropped_ >= episodes_) {
        return Cause::monitor;
    }
    return sums.clustered() || sums.follows_load() ? Cause::mirror : Cause::none;
}

}  // namespace tw::verdict
