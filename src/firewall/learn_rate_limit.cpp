// SPDX-License-Identifier: BSD-3-Clause
// Rate limits (catalogue 18): drops where a token bucket is empty, for all traffic of a way or for
// one server or host, whichever the bucket fits best. If packets were delayed up to a bound before
// they were dropped it is a queue: shaping.
#include "firewall/learners.hpp"

#include "firewall/token_bucket.hpp"
#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace tw::firewall {
namespace {

using sinks::format::bytes_text;
using sinks::format::count_of;
using sinks::format::duration_text;
using taps::Way;

constexpr std::size_t kDropsMin = 20;
constexpr std::size_t kGroupsMax = 8;  // of one kind, those with most drops
constexpr Nanos kStep = taps::Passage::kSlotTime;
constexpr double kStepSeconds = static_cast<double>(kStep) / static_cast<double>(kSecond);
// What passed before the first drop fills the bucket: so far back.
constexpr std::int64_t kStepsBefore = 6000;

struct Group {
    Way way = Way::inward;
    Scope scope = Scope::all;
    std::vector<std::uint32_t> drops;  // indexes of cases, in order of time
    flow::Endpoint client;
    flow::Endpoint server;
};

struct Timeline {
    std::int64_t first = 0;  // number of the first step
    std::vector<BucketStep> steps;
    double packet_bytes = 0;

    [[nodiscard]] std::int64_t step_of(Nanos time) const { return time / kStep - first; }
    [[nodiscard]] bool has(std::int64_t step) const {
        return step >= 0 && step < static_cast<std::int64_t>(steps.size());
    }
};

Timeline empty_timeline(const Study& study, const Group& group) {
    Timeline line;
    const Nanos begin = study.at(group.drops.front()).fact->time;
    const Nanos end = study.at(group.drops.back()).fact->time;
    const std::int64_t last = end / kStep + 1;
    line.first = std::max(begin / kStep - kStepsBefore,
                          last - static_cast<std::int64_t>(taps::Passage::kSlots) + 1);
    line.steps.resize(static_cast<std::size_t>(last - line.first + 1));
    for (const std::uint32_t index : group.drops) {
        const taps::Fact& fact = *study.at(index).fact;
        line.packet_bytes = std::max<double>(line.packet_bytes, fact.packet.ip_bytes);
        if (const std::int64_t step = line.step_of(fact.time); line.has(step)) {
            line.steps[static_cast<std::size_t>(step)].dropped += 1;
        }
    }
    return line;
}

// All traffic of a way: as the worker counted it.
void fill_from_load(const taps::Passage& passage, Way way, Timeline& line) {
    for (std::size_t i = 0; i < line.steps.size(); ++i) {
        line.steps[i].passed =
            passage.slot(way, line.first + static_cast<std::int64_t>(i)).passed_bytes;
    }
}

// Spreads `bytes` evenly over a time.
void spread(Timeline& line, Nanos from, Nanos until, double bytes) {
    if (bytes <= 0) {
        return;
    }
    const std::int64_t begin = line.step_of(from);
    const std::int64_t end = std::max(begin + 1, line.step_of(until));
    const double share = bytes / static_cast<double>(end - begin);
    const std::int64_t last = std::min(end, static_cast<std::int64_t>(line.steps.size()));
    for (std::int64_t i = std::max<std::int64_t>(begin, 0); i < last; ++i) {
        line.steps[static_cast<std::size_t>(i)].passed += share;
    }
}

// One conversation: at each drop the sequence number tells how much had been sent.
void fill_from_drops(const Study& study, const taps::Conversation& conversation,
                     std::span<const std::uint32_t> drops, Way way, Timeline& line) {
    const taps::WayCounts& counts = conversation.ways[taps::index(way)];
    Nanos time = conversation.first;
    std::uint32_t seq = counts.isn_entered + 1;
    bool known = counts.isn_entered != 0;
    double told = 0;
    for (const std::uint32_t index : drops) {
        const taps::Fact& fact = *study.at(index).fact;
        const auto sent = static_cast<std::int32_t>(fact.packet.seq - seq);
        if (fact.conversation != conversation.id || (known && sent <= 0)) {
            continue;
        }
        if (known) {
            spread(line, time, fact.time, sent);
            told += sent;
        }
        time = fact.time;
        seq = fact.packet.seq;
        known = true;
    }
    spread(line, time, conversation.last, static_cast<double>(counts.passed_bytes) - told);
}

Timeline timeline_of(const Study& study, const Group& group) {
    Timeline line = empty_timeline(study, group);
    if (group.scope == Scope::all) {
        fill_from_load(study.all().passage, group.way, line);
        return line;
    }
    const ScopeKey key = scope_key(group.scope, group.client, group.server);
    for (const taps::Conversation& conversation : study.all().conversations) {
        if (scope_key(group.scope, client_of(conversation), server_of(conversation)) == key) {
            fill_from_drops(study, conversation, group.drops, group.way, line);
        }
    }
    return line;
}

std::vector<Group> groups_of(const Study& study, Scope scope, Way way) {
    std::map<ScopeKey, Group> groups;
    for (std::uint32_t i = 0; i < study.all().cases.size(); ++i) {
        const Case& one = study.at(i);
        if (!is_drop(one) || one.fact->way != way || one.fact->packet.payload_bytes == 0) {
            continue;
        }
        const flow::Endpoint& client = client_of(*one.fact);
        const flow::Endpoint& server = server_of(*one.fact);
        Group& group = groups[scope_key(scope, client, server)];
        group.way = way;
        group.scope = scope;
        group.client = client;
        group.server = server;
        group.drops.push_back(i);
    }
    std::vector<Group> list;
    for (auto& [key, group] : groups) {
        if (group.drops.size() >= kDropsMin) {
            list.push_back(std::move(group));
        }
    }
    std::sort(list.begin(), list.end(),
              [](const Group& a, const Group& b) { return a.drops.size() > b.drops.size(); });
    list.resize(std::min(list.size(), kGroupsMax));
    return list;
}

// How long packets were held where others were dropped: a queue's bound, or nothing.
struct Held {
    bool bounded = false;
    Nanos delay = 0;
};

Held held_at_drops(const Study& study, const Group& group, const Timeline& line) {
    std::vector<double> slowest;
    for (std::size_t i = 0; i < line.steps.size(); ++i) {
        if (line.steps[i].dropped > 0) {
            slowest.push_back(
                study.all()
                    .passage.slot(group.way, line.first + static_cast<std::int64_t>(i))
                    .slowest_us);
        }
    }
    if (slowest.empty()) {
        return {};
    }
    std::sort(slowest.begin(), slowest.end());
    const double middle = slowest[slowest.size() / 2];
    const double low = slowest[slowest.size() / 10];
    const auto usual_us =
        static_cast<double>(study.all().passage.way(group.way).data.quantile(0.1) / kMicrosecond);
    constexpr double kGrowth = 5;
    constexpr double kLeastUs = 2000;
    return {.bounded = middle >= std::max(kGrowth * usual_us, kLeastUs) && low >= middle / 2,
            .delay = static_cast<Nanos>(middle) * kMicrosecond};
}

struct Candidate {
    Group group;
    Timeline line;
    BucketFit fit;
};

void tell(const Study& study, const Candidate& found, Lessons& lessons) {
    const auto& [group, line, fit] = found;
    const Held held = held_at_drops(study, group, line);
    const auto rate = static_cast<std::uint64_t>(std::llround(fit.rate));
    const auto burst = static_cast<std::uint64_t>(std::llround(fit.burst));
    Lesson lesson;
    lesson.behaviour = held.bounded ? Behaviour::shaped : Behaviour::rate_limited;
    lesson.scope = fmt::format("{}, {}", scope_text(group.scope, group.client, group.server),
                               taps::name(group.way));
    const auto empty = empty_steps(line.steps, kStepSeconds, line.packet_bytes, fit);
    for (const std::uint32_t index : group.drops) {
        const std::int64_t step = line.step_of(study.at(index).fact->time);
        if (line.has(step) && empty[static_cast<std::size_t>(step)]) {
            lesson.explained.push_back(index);
        }
    }
    lesson.sentence = fmt::format(
        "{} of {} fall where a bucket of {} filled at {}/s is empty{}", lesson.explained.size(),
        count_of(group.drops.size(), "drop"), bytes_text(burst), bytes_text(rate),
        held.bounded ? fmt::format(", after packets were held for up to {}: a queue",
                                   duration_text(held.delay))
                     : "");
    lesson.excluded.push_back(held.bounded
                                  ? "a policer, which does not delay packets before it drops them"
                                  : "a full queue, which delays packets before it drops them");
    const std::string note = fmt::format("bucket empty at {:.0f} % of the drops, stray {:.1f} %",
                                         100 * fit.recall, 100 * fit.stray);
    const char* const kind = held.bounded ? "shaper" : "policer";
    lessons.parameters.push_back({.name = fmt::format("{}_rate", kind),
                                  .scope = lesson.scope,
                                  .value = bytes_text(rate) + "/s",
                                  .low = fit.rate,
                                  .high = fit.rate,
                                  .unit = "B/s",
                                  .samples = group.drops.size(),
                                  .note = note});
    lessons.parameters.push_back({.name = fmt::format("{}_burst", kind),
                                  .scope = lesson.scope,
                                  .value = bytes_text(burst),
                                  .low = fit.burst,
                                  .high = fit.burst,
                                  .unit = "B",
                                  .samples = group.drops.size(),
                                  .note = note});
    lessons.lessons.push_back(std::move(lesson));
}

}  // namespace

void learn_rate_limit(const Study& study, Lessons& lessons) {
    for (const Way way : {Way::inward, Way::outward}) {
        // The whole is tried first, and kept unless a part fits clearly better.
        std::vector<Candidate> best;
        double best_stray = 1;
        for (const Scope scope : kScopes) {
            std::vector<Candidate> fitting;
            double worst = 0;
            for (Group& group : groups_of(study, scope, way)) {
                Timeline line = timeline_of(study, group);
                const BucketFit fit = fit_bucket(line.steps, kStepSeconds, line.packet_bytes);
                if (fit.fits) {
                    worst = std::max(worst, fit.stray);
                    fitting.push_back({std::move(group), std::move(line), fit});
                }
            }
            constexpr double kClearly = 0.5;
            if (!fitting.empty() && (best.empty() || worst < kClearly * best_stray)) {
                best = std::move(fitting);
                best_stray = worst;
            }
        }
        for (const Candidate& found : best) {
            tell(study, found, lessons);
        }
    }
}

}  // namespace tw::firewall
