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
constexpr Nanos kSlot = taps::Passage::kSlotTime;
constexpr double kSlotSeconds = static_cast<double>(kSlot) / static_cast<double>(kSecond);
// What passed before the first drop fills the bucket: so far back.
constexpr std::int64_t kSlotsBefore = 6000;
// That losses of another cause look so: one in a thousand.
constexpr double kChanceProven = 1e-3;

struct Group {
    Way way = Way::inward;
    Scope scope = Scope::all;
    std::vector<std::uint32_t> drops;  // indexes of cases, in order of time
    flow::Endpoint client;
    flow::Endpoint server;
};

struct Timeline {
    std::int64_t first = 0;  // number of the first slot
    std::int64_t slots = 0;
    std::vector<BucketStep> steps;  // one per slot, and one more for each drop that is exact
    // Where each case of the group was dropped, copy by copy.
    std::map<std::uint32_t, std::vector<std::size_t>> steps_of;
    BucketBlur blur;

    [[nodiscard]] std::int64_t slot_of(Nanos time) const { return time / kSlot - first; }
    [[nodiscard]] bool has(std::int64_t slot) const { return slot >= 0 && slot < slots; }
};

bool is_data_drop(const Case& one, Way way) {
    return is_drop(one) && one.fact->way == way && one.fact->packet.payload_bytes != 0;
}

Timeline empty_timeline(const Study& study, const Group& group) {
    Timeline line;
    const Nanos begin = study.at(group.drops.front()).fact->time;
    const Nanos end = study.at(group.drops.back()).fact->time;
    const std::int64_t last = end / kSlot + 1;
    line.first = std::max(begin / kSlot - kSlotsBefore,
                          last - static_cast<std::int64_t>(taps::Passage::kSlots) + 1);
    line.slots = last - line.first + 1;
    for (const std::uint32_t index : group.drops) {
        line.blur.packet_bytes =
            std::max<double>(line.blur.packet_bytes, study.at(index).fact->packet.ip_bytes);
    }
    return line;
}

// A copy of a packet that entered and was not seen to leave.
struct Copy {
    Nanos time = 0;
    std::uint32_t entered = 0;  // before it in its slot
    std::uint32_t bytes = 0;
    std::uint32_t at = 0;  // of the case
};

// Of a way, in order of time.
std::vector<Copy> stopped(const Study& study, Way way) {
    std::vector<Copy> copies;
    for (std::uint32_t at = 0; at < study.all().cases.size(); ++at) {
        const taps::Fact& fact = *study.at(at).fact;
        const bool stayed =
            fact.kind == taps::FactKind::lost_between || fact.kind == taps::FactKind::late_lost ||
            fact.kind == taps::FactKind::suppressed || fact.kind == taps::FactKind::unproven;
        if (fact.way != way || !stayed) {
            continue;
        }
        const std::uint32_t bytes = fact.packet.ip_bytes;
        copies.push_back({fact.time, fact.circumstances.entered_in_slot, bytes, at});
        // The first of those that entered again stayed, too.
        int more = fact.attempts - 1;
        for (std::size_t i = 0; i < fact.cites_count && more > 0; ++i) {
            const taps::Cite& cite = fact.cites[i];
            if (cite.part == taps::Part::repeat) {
                copies.push_back({cite.time, cite.entered_in_slot, bytes, at});
                --more;
            }
        }
    }
    std::sort(copies.begin(), copies.end(), [](const Copy& a, const Copy& b) {
        return std::pair(a.time, a.entered) < std::pair(b.time, b.entered);
    });
    return copies;
}

// All traffic of a way: slots as the worker counted them, and within a slot what had passed when a
// packet was dropped: what had entered until then, without what stayed.
Timeline exact_line(const Study& study, const Group& group) {
    // How exactly the times at the tap are those at which the firewall counts.
    constexpr double kExact = 0.001;
    Timeline line = empty_timeline(study, group);
    line.blur.seconds = kExact;
    const std::vector<Copy> copies = stopped(study, group.way);
    auto copy = std::find_if(copies.begin(), copies.end(),
                             [&](const Copy& one) { return one.time >= line.first * kSlot; });
    for (std::int64_t slot = 0; slot < line.slots; ++slot) {
        Nanos at = (line.first + slot) * kSlot;
        const Nanos end = at + kSlot;
        double told = 0;     // bytes that passed in the slot so far
        double dropped = 0;  // bytes that stayed
        for (; copy != copies.end() && copy->time < end; ++copy) {
            const double passed = copy->entered - dropped;
            dropped += copy->bytes;
            if (!is_data_drop(study.at(copy->at), group.way)) {
                continue;
            }
            line.steps_of[copy->at].push_back(line.steps.size());
            line.steps.push_back({.seconds = seconds(std::max<Nanos>(copy->time - at, 0)),
                                  .passed = std::max(0.0, passed - told),
                                  .dropped = 1});
            told = std::max(told, passed);
            at = std::max(at, copy->time);
        }
        const taps::LoadSlot load = study.all().passage.slot(group.way, line.first + slot);
        line.steps.push_back({.seconds = seconds(end - at),
                              .passed = std::max(0.0, load.passed_bytes - told),
                              .dropped = 0});
    }
    return line;
}

// Spreads `bytes` evenly over a time.
void spread(Timeline& line, Nanos from, Nanos until, double bytes) {
    if (bytes <= 0) {
        return;
    }
    const std::int64_t begin = line.slot_of(from);
    const std::int64_t end = std::max(begin + 1, line.slot_of(until));
    const double share = bytes / static_cast<double>(end - begin);
    const std::int64_t last = std::min(end, static_cast<std::int64_t>(line.steps.size()));
    for (std::int64_t i = std::max<std::int64_t>(begin, 0); i < last; ++i) {
        line.steps[static_cast<std::size_t>(i)].passed += share;
    }
}

// One conversation, by slots: at each drop the sequence number tells how much had been sent.
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

// A part of the traffic.
Timeline rough_line(const Study& study, const Group& group) {
    Timeline line = empty_timeline(study, group);
    line.blur.seconds = kSlotSeconds;
    line.steps.resize(static_cast<std::size_t>(line.slots), {kSlotSeconds, 0, 0});
    for (const std::uint32_t index : group.drops) {
        const std::int64_t slot = line.slot_of(study.at(index).fact->time);
        if (line.has(slot)) {
            line.steps_of[index].push_back(static_cast<std::size_t>(slot));
            line.steps[static_cast<std::size_t>(slot)].dropped += 1;
        }
    }
    const ScopeKey key = scope_key(group.scope, group.client, group.server);
    for (const taps::Conversation& conversation : study.all().conversations) {
        if (scope_key(group.scope, client_of(conversation), server_of(conversation)) == key) {
            fill_from_drops(study, conversation, group.drops, group.way, line);
        }
    }
    return line;
}

Timeline timeline_of(const Study& study, const Group& group) {
    return group.scope == Scope::all ? exact_line(study, group) : rough_line(study, group);
}

std::vector<Group> groups_of(const Study& study, Scope scope, Way way) {
    std::map<ScopeKey, Group> groups;
    for (std::uint32_t i = 0; i < study.all().cases.size(); ++i) {
        const Case& one = study.at(i);
        if (!is_data_drop(one, way)) {
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

// A queue of so many bytes, served at that rate, holds packets for so long before it drops any; a
// policer does not hold them at all.
struct Held {
    bool queued = false;
    Nanos delay = 0;  // of the slowest that passed where others were dropped
};

Held held_at_drops(const Study& study, const Group& group, const BucketFit& fit) {
    std::vector<std::uint32_t> slowest;
    std::int64_t last = INT64_MIN;
    for (const std::uint32_t index : group.drops) {
        const std::int64_t number = study.at(index).fact->time / kSlot;
        const taps::LoadSlot slot = study.all().passage.slot(group.way, number);
        if (number != last && slot.passed_packets != 0) {
            slowest.push_back(slot.slowest_us);
        }
        last = number;
    }
    if (slowest.empty()) {
        return {};
    }
    const auto middle = slowest.begin() + static_cast<std::ptrdiff_t>(slowest.size() / 2);
    std::nth_element(slowest.begin(), middle, slowest.end());
    const Nanos delay = Nanos{*middle} * kMicrosecond;
    // Half of it: the first packets of a slot found less before them.
    const double full = fit.burst / fit.rate;
    return {.queued = seconds(delay) >= full / 2, .delay = delay};
}

struct Candidate {
    Group group;
    Timeline line;
    BucketFit fit;
};

void tell(const Study& study, const Candidate& found, Lessons& lessons) {
    const auto& [group, line, fit] = found;
    const Held held = held_at_drops(study, group, fit);
    const auto rate = static_cast<std::uint64_t>(std::llround(fit.rate));
    const auto burst = static_cast<std::uint64_t>(std::llround(fit.burst));
    Lesson lesson;
    lesson.behaviour = held.queued ? Behaviour::shaped : Behaviour::rate_limited;
    lesson.grade_max = fit.chance <= kChanceProven ? taps::Grade::proven : taps::Grade::probable;
    lesson.scope = fmt::format("{}, {}", scope_text(group.scope, group.client, group.server),
                               taps::name(group.way));
    const auto empty = empty_steps(line.steps, line.blur, fit);
    for (const auto& [index, steps] : line.steps_of) {
        if (std::any_of(steps.begin(), steps.end(),
                        [&](std::size_t step) { return empty[step]; })) {
            lesson.explained.push_back(index);
        }
    }
    lesson.sentence = fmt::format(
        "{} of {} fall where a bucket of {} filled at {}/s is empty{}", lesson.explained.size(),
        count_of(group.drops.size(), "drop"), bytes_text(burst), bytes_text(rate),
        held.queued ? fmt::format(", after packets were held for up to {}: a queue",
                                  duration_text(held.delay))
                    : "");
    lesson.excluded.push_back(held.queued
                                  ? "a policer, which does not delay packets before it drops them"
                                  : "a full queue, which delays packets before it drops them");
    const std::string note = fmt::format(
        "bucket empty at {:.0f} % of the drops; by chance so with a probability of {:.1g}",
        100 * fit.recall, fit.chance);
    const char* const kind = held.queued ? "shaper" : "policer";
    lessons.parameters.push_back({.name = fmt::format("{}_rate", kind),
                                  .scope = lesson.scope,
                                  .value = bytes_text(rate) + "/s",
                                  .low = fit.rate_low,
                                  .high = fit.rate_high,
                                  .unit = "B/s",
                                  .samples = group.drops.size(),
                                  .note = note});
    lessons.parameters.push_back({.name = fmt::format("{}_burst", kind),
                                  .scope = lesson.scope,
                                  .value = bytes_text(burst),
                                  .low = fit.burst,
                                  .high = fit.burst + line.blur.packet_bytes,
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
        double best_chance = 1;
        for (const Scope scope : kScopes) {
            std::vector<Candidate> fitting;
            double worst = 0;
            for (Group& group : groups_of(study, scope, way)) {
                Timeline line = timeline_of(study, group);
                const BucketFit fit = fit_bucket(line.steps, line.blur);
                if (fit.fits) {
                    worst = std::max(worst, fit.chance);
                    fitting.push_back({std::move(group), std::move(line), fit});
                }
            }
            constexpr double kClearly = 1e-3;
            if (!fitting.empty() && (best.empty() || worst < kClearly * best_chance)) {
                best = std::move(fitting);
                best_chance = worst;
            }
        }
        for (const Candidate& found : best) {
            tell(study, found, lessons);
        }
    }
}

}  // namespace tw::firewall
