// SPDX-License-Identifier: BSD-3-Clause
// Half-close time-out (catalogue 22): one FIN has passed, and what the other end still sends does
// not leave any more.
#include "firewall/learners.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace tw::firewall {

using sinks::format::count_of;
using sinks::format::duration_text;

void learn_half_close(const Study& study, Lessons& lessons) {
    Lesson lesson;
    lesson.behaviour = Behaviour::half_close_cut;
    lesson.scope = "all traffic";
    lesson.grade_max = taps::Grade::probable;
    Nanos shortest = INT64_MAX;
    Nanos longest_passed = 0;
    std::uint64_t conversations = 0;
    for (const auto& [id, indexes] : study.by_conversation()) {
        const auto cut = std::find_if(indexes.begin(), indexes.end(), [&](std::uint32_t index) {
            const taps::Circumstances& at = study.at(index).fact->circumstances;
            const taps::Fact& fact = *study.at(index).fact;
            // A FIN alone may be any packet that was lost last; one that is repeated is not.
            return is_final_drop(study.at(index)) && at.after_fin && !at.after_close &&
                   (fact.packet.payload_bytes != 0 || fact.attempts > 1);
        });
        const bool goes_on = std::any_of(cut, indexes.end(), [&](std::uint32_t index) {
            return is_drop(study.at(index)) && study.at(index).fact->cost != 0;
        });
        if (cut == indexes.end() || goes_on) {
            continue;
        }
        ++conversations;
        const taps::Fact& first = *study.at(*cut).fact;
        shortest = std::min(shortest, first.circumstances.idle);
        if (first.attempts > 1) {
            lesson.grade_max = taps::Grade::proven;
        }
        for (auto index = cut; index != indexes.end(); ++index) {
            const Case& one = study.at(*index);
            if (is_drop(one) || is_firewall_reset(one)) {
                lesson.explained.push_back(*index);
            }
        }
    }
    if (conversations == 0) {
        return;
    }
    for (const taps::Conversation& conversation : study.all().conversations) {
        if (conversation.ending == taps::Ending::half_closed) {
            longest_passed = std::max(longest_passed, conversation.idle_passed);
        }
    }
    std::sort(lesson.explained.begin(), lesson.explained.end());
    if (conversations > 1) {
        lesson.grade_max = taps::Grade::proven;
    }
    lesson.sentence =
        fmt::format("{} cut after one FIN had passed; the shortest silence before was {}",
                    count_of(conversations, "conversation"), duration_text(shortest));
    Parameter parameter{.name = "half_close_timeout",
                        .scope = lesson.scope,
                        .value = fmt::format("at most {}", duration_text(shortest)),
                        .low = std::nullopt,
                        .high = seconds(shortest),
                        .unit = "s",
                        .samples = conversations,
                        .note = "silence after the last packet that left, one FIN having passed"};
    if (longest_passed > 0 && longest_passed < shortest) {
        parameter.low = seconds(longest_passed);
        parameter.value = fmt::format("between {} and {}", duration_text(longest_passed),
                                      duration_text(shortest));
    }
    lessons.lessons.push_back(std::move(lesson));
    lessons.parameters.push_back(std::move(parameter));
}

}  // namespace tw::firewall
