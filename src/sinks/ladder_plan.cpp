// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder_plan.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

namespace tcp_flag = decode::tcp_flag;
using Kind = LadderItem::Kind;

// A connection of this many segments is shown whole.
constexpr std::size_t kShownWhole = 50;
constexpr std::size_t kEpisodesShown = 10;
constexpr std::size_t kFirst = 5;
constexpr std::size_t kLast = 4;
// Around each episode: more room for few of them.
constexpr std::size_t kAroundOne = 4;
constexpr std::size_t kAroundFew = 2;
constexpr std::size_t kAroundMany = 1;
constexpr std::size_t kFew = 3;
// Segments that open, end or break a connection: so many of the first and of the last.
constexpr std::size_t kMilestones = 8;
constexpr std::size_t kSilences = 5;
// Folding fewer rows than this saves nothing.
constexpr std::size_t kFoldMin = 3;
// A silence is worth a line: 8 round trips, but never less than Linux' least RTO nor more than 1 s.
constexpr Nanos kIdleMin = 200 * kMillisecond;
constexpr Nanos kIdleMax = kSecond;

class Planner {
  public:
    Planner(const LadderLog& log, const LadderView& view) : rows_(log.rows()), view_(view) {
        std::vector<event::Event> events = log.events();
        plan_.hidden = log.episodes();
        for (const event::Event& event : events) {
            anchors_.push_back(position_of(event));
        }
        plan_.shown = std::move(events);
        choose_episodes();
        plan_.hidden -= plan_.shown.size();
        idle_min_ = view.initial_rtt > 0
                        ? std::clamp(std::min(view.initial_rtt, kSecond) * 8, kIdleMin, kIdleMax)
                        : kIdleMax;
    }

    [[nodiscard]] LadderPlan take() {
        mark();
        lay_out();
        return std::move(plan_);
    }

  private:
    // Where an episode stands among the rows: with a row, or before it.
    struct Position {
        std::size_t row = 0;
        bool exact = false;
    };

    [[nodiscard]] std::optional<std::size_t> row_of(std::uint64_t frame) const;
    [[nodiscard]] Position position_of(const event::Event& event) const;
    void choose_episodes();
    void mark();
    void keep_around(std::size_t row, std::size_t around);
    void keep_episode(const event::Event& event, std::size_t around);
    void keep_milestones();
    void keep_silences();
    void unfold_short();
    void lay_out();
    [[nodiscard]] bool lay_out_fold(std::size_t before, std::size_t row);
    void lay_out_silence(std::size_t row);
    [[nodiscard]] LadderFold fold(std::size_t before, std::size_t row) const;
    [[nodiscard]] Nanos silence_before(std::size_t row) const {
        return format::elapsed(rows_[row - 1].time, rows_[row].time);
    }

    std::span<const LadderRow> rows_;
    LadderView view_;
    Nanos idle_min_ = 0;
    LadderPlan plan_;
    std::vector<Position> anchors_;  // of plan_.shown
    std::vector<Position> hidden_;   // of kept events that are not shown
    std::vector<bool> keep_;
};

std::optional<std::size_t> Planner::row_of(std::uint64_t frame) const {
    const auto at = std::lower_bound(
        rows_.begin(), rows_.end(), frame,
        [](const LadderRow& row, std::uint64_t number) { return row.frame < number; });
    if (frame == 0 || at == rows_.end() || at->frame != frame) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(at - rows_.begin());
}

Planner::Position Planner::position_of(const event::Event& event) const {
    const std::uint64_t frame = event.subjects_count == 0 ? 0 : event.subject[0].frame;
    if (const auto row = row_of(frame)) {
        return {*row, true};
    }
    // Rows are in order of frames; in order of time only where the capture is.
    const auto at =
        frame != 0 ? std::partition_point(rows_.begin(), rows_.end(),
                                          [&](const LadderRow& row) { return row.frame < frame; })
                   : std::find_if(rows_.begin(), rows_.end(),
                                  [&](const LadderRow& row) { return row.time > event.time; });
    return {static_cast<std::size_t>(at - rows_.begin()), false};
}

// The one asked for, or the gravest; the others are only counted.
void Planner::choose_episodes() {
    std::vector<event::Event> chosen = plan_.shown;
    if (view_.episode != 0) {
        std::erase_if(chosen, [this](const auto& event) { return event.id != view_.episode; });
    } else if (!view_.all) {
        keep_gravest(chosen, 0, kEpisodesShown);
    }
    std::vector<std::uint64_t> ids;
    for (const event::Event& event : chosen) {
        ids.push_back(event.id);
    }
    std::sort(ids.begin(), ids.end());
    std::vector<event::Event> shown;
    std::vector<Position> anchors;
    for (std::size_t i = 0; i < plan_.shown.size(); ++i) {
        if (std::binary_search(ids.begin(), ids.end(), plan_.shown[i].id)) {
            shown.push_back(plan_.shown[i]);
            anchors.push_back(anchors_[i]);
        } else {
            hidden_.push_back(anchors_[i]);
        }
    }
    plan_.shown = std::move(shown);
    anchors_ = std::move(anchors);
}

void Planner::mark() {
    keep_.assign(rows_.size(), view_.all || rows_.size() <= kShownWhole);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (i < kFirst || i + kLast >= rows_.size()) {
            keep_[i] = true;
        }
    }
    keep_milestones();
    keep_silences();
    const std::size_t count = plan_.shown.size();
    const std::size_t around = count == 1 ? kAroundOne : count <= kFew ? kAroundFew : kAroundMany;
    for (std::size_t i = 0; i < plan_.shown.size(); ++i) {
        keep_around(anchors_[i].row, around);
        keep_episode(plan_.shown[i], around);
    }
    unfold_short();
}

void Planner::keep_around(std::size_t row, std::size_t around) {
    const std::size_t first = row - std::min(row, around);
    const std::size_t last = std::min(row + around + 1, rows_.size());
    for (std::size_t i = first; i < last; ++i) {
        keep_[i] = true;
    }
}

void Planner::keep_episode(const event::Event& event, std::size_t around) {
    for (const event::FrameRef& ref : event.subject) {
        if (const auto row = row_of(ref.frame)) {
            keep_around(*row, around);
        }
    }
    for (const event::FrameRef& ref : event.evidence) {
        if (const auto row = row_of(ref.frame)) {
            keep_around(*row, kAroundMany);
        }
    }
}

void Planner::keep_milestones() {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        constexpr std::uint8_t kAny = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
        if ((rows_[i].tcp_flags & kAny) != 0 || rows_[i].quoted) {
            found.push_back(i);
        }
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i < kMilestones || i + kMilestones >= found.size()) {
            keep_[found[i]] = true;
        }
    }
}

void Planner::keep_silences() {
    std::vector<std::size_t> found;
    for (std::size_t i = 1; i < rows_.size(); ++i) {
        if (silence_before(i) >= idle_min_) {
            found.push_back(i);
        }
    }
    const std::size_t count = std::min(kSilences, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count),
                      found.end(), [this](std::size_t a, std::size_t b) {
                          const Nanos x = silence_before(a);
                          const Nanos y = silence_before(b);
                          return x != y ? x > y : a < b;
                      });
    for (std::size_t i = 0; i < count; ++i) {
        keep_[found[i] - 1] = keep_[found[i]] = true;
    }
}

void Planner::unfold_short() {
    std::size_t run = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (!keep_[i]) {
            ++run;
            continue;
        }
        for (std::size_t back = 1; run < kFoldMin && back <= run; ++back) {
            keep_[i - back] = true;
        }
        run = 0;
    }
}

void Planner::lay_out() {
    // Episodes of equal position in the order of their numbers.
    std::vector<std::pair<std::size_t, std::size_t>> order;
    for (std::size_t i = 0; i < anchors_.size(); ++i) {
        order.emplace_back(anchors_[i].row, i);
    }
    std::sort(order.begin(), order.end());
    auto next = order.begin();
    std::size_t before = SIZE_MAX;
    for (std::size_t row = 0; row <= rows_.size(); ++row) {
        const bool shown = row < rows_.size() && keep_[row];
        const auto first = next;
        while (next != order.end() && next->first == row) {
            ++next;
        }
        if (!shown && first == next) {
            continue;
        }
        // Missing bytes should have come before a silence, but not before what is folded.
        const bool folded = shown && before != SIZE_MAX && lay_out_fold(before, row);
        for (auto at = first; at != next; ++at) {
            if (drawn_as_missing(plan_.shown[at->second])) {
                plan_.items.push_back({Kind::missing, at->second});
            }
        }
        if (shown && before != SIZE_MAX && !folded) {
            lay_out_silence(row);
        }
        for (auto at = first; at != next; ++at) {
            if (!anchors_[at->second].exact) {
                plan_.items.push_back({Kind::verdict, at->second});
            }
        }
        if (shown) {
            plan_.items.push_back({Kind::segment, row});
            before = row;
        }
        for (auto at = first; at != next; ++at) {
            if (anchors_[at->second].exact) {
                plan_.items.push_back({Kind::verdict, at->second});
            }
        }
    }
}

bool Planner::lay_out_fold(std::size_t before, std::size_t row) {
    const bool folded = rows_[row].ordinal() - rows_[before].ordinal() > 1;
    if (folded) {
        plan_.items.push_back({Kind::fold, plan_.folds.size()});
        plan_.folds.push_back(fold(before, row));
    }
    return folded;
}

void Planner::lay_out_silence(std::size_t row) {
    if (const Nanos idle = silence_before(row); idle >= idle_min_) {
        plan_.items.push_back({Kind::idle, 0, idle});
    }
}

LadderFold Planner::fold(std::size_t before, std::size_t row) const {
    const LadderRow& a = rows_[before];
    const LadderRow& b = rows_[row];
    LadderFold fold;
    for (std::size_t side = 0; side < 2; ++side) {
        const bool own = b.side == side;
        fold.segments[side] = b.segments[side] - a.segments[side] - (own ? 1 : 0);
        fold.bytes[side] = b.bytes[side] - a.bytes[side] - (own && !b.quoted ? b.payload_bytes : 0);
    }
    fold.span = format::elapsed(a.time, b.time);
    fold.flagged = b.flagged - a.flagged - (b.flags.empty() ? 0 : 1);
    fold.kept = row - before - 1;
    for (std::size_t i = before + 1; i < row; ++i) {
        for (std::size_t flag = 0; flag < tcp::kFlags; ++flag) {
            fold.flags[flag] += rows_[i].flags.has(static_cast<tcp::Flag>(flag)) ? 1U : 0U;
        }
    }
    fold.episodes = static_cast<std::uint64_t>(
        std::count_if(hidden_.begin(), hidden_.end(), [&](const Position& position) {
            return position.row > before && position.row < row + (position.exact ? 0 : 1);
        }));
    return fold;
}

}  // namespace

bool drawn_as_missing(const event::Event& event) {
    return event.type == event::EventType::hole &&
           event.finding.verdict != event::Verdict::reordered_in_capture;
}

LadderPlan plan_ladder(const LadderLog& log, const LadderView& view) {
    return Planner(log, view).take();
}

}  // namespace tw::sinks
