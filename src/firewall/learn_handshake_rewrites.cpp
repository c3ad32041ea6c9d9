// SPDX-License-Identifier: BSD-3-Clause
// What the firewall does to handshakes (catalogue 8 to 10), as parameters: the MSS it clamps to,
// initial sequence numbers it rewrites, SACK it takes off or leaves untranslated.
#include "firewall/learners.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using taps::Rewrite;
using taps::Way;

// Each side has a handshake of its own: nothing was rewritten.
[[nodiscard]] bool is_proxied(const taps::Conversation& conversation) {
    return conversation.pairing == taps::Pairing::byte_stream;
}

void learn_mss(const Study& study, Way way, Lessons& lessons) {
    std::map<std::uint16_t, std::uint64_t> left;  // by value: SYNs that left with it, changed
    std::uint16_t least_changed = UINT16_MAX;
    std::uint64_t changed = 0;
    std::uint64_t of = 0;
    for (const taps::Conversation& conversation : study.all().conversations) {
        const taps::WayCounts& counts = conversation.ways[taps::index(way)];
        if (counts.mss_entered == 0 || counts.mss_left == 0 || is_proxied(conversation)) {
            continue;
        }
        ++of;
        if (counts.mss_entered != counts.mss_left) {
            ++changed;
            ++left[counts.mss_left];
            least_changed = std::min(least_changed, counts.mss_entered);
        }
    }
    if (changed == 0) {
        return;
    }
    const auto common = std::max_element(
        left.begin(), left.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    lessons.parameters.push_back(
        {.name = "mss_clamp",
         .scope = fmt::format("all traffic, {}", taps::name(way)),
         .value = count_text(common->first),
         .low = common->first,
         .high = common->first,
         .unit = "B",
         .samples = of,
         .note =
             fmt::format("changed in {} of {}, {} of them to this; the least one changed was {}",
                         count_text(changed), count_of(of, "SYN"), count_text(common->second),
                         count_text(least_changed))});
}

void learn_isn(const Study& study, Lessons& lessons) {
    for (const Way way : {Way::inward, Way::outward}) {
        std::uint64_t of = 0;
        std::uint64_t changed = 0;
        for (const taps::Conversation& conversation : study.all().conversations) {
            const taps::WayCounts& counts = conversation.ways[taps::index(way)];
            const bool known = counts.isn_known && !is_proxied(conversation);
            of += known ? 1U : 0U;
            changed += known && counts.isn_entered != counts.isn_left ? 1U : 0U;
        }
        if (changed != 0) {
            lessons.parameters.push_back({.name = "isn",
                                          .scope = fmt::format("all traffic, {}", taps::name(way)),
                                          .value = "rewritten",
                                          .low = std::nullopt,
                                          .high = std::nullopt,
                                          .unit = "",
                                          .samples = of,
                                          .note = fmt::format("in {} of {}", count_text(changed),
                                                              count_of(of, "connection"))});
        }
    }
}

void learn_sack(const Study& study, Lessons& lessons) {
    const taps::Passage& passage = study.all().passage;
    for (const Way way : {Way::inward, Way::outward}) {
        const auto& sums = passage.way(way);
        const auto add = [&](Rewrite rewrite, const char* value) {
            const taps::RewriteCount count = sums.rewrite(rewrite);
            if (count.changed == 0) {
                return;
            }
            lessons.parameters.push_back(
                {.name = "sack",
                 .scope = fmt::format("all traffic, {}", taps::name(way)),
                 .value = value,
                 .low = std::nullopt,
                 .high = std::nullopt,
                 .unit = "",
                 .samples = count.of,
                 .note = fmt::format("in {} of {}", count_text(count.changed),
                                     count_of(count.of, "packet"))});
        };
        add(Rewrite::sack_permitted_removed, "taken off SYNs");
        add(Rewrite::sack_removed, "blocks taken off");
        add(Rewrite::sack_translated, "translated with the numbers");
        add(Rewrite::sack_untranslated, "not translated with the numbers");
    }
}

}  // namespace

void learn_handshake_rewrites(const Study& study, Lessons& lessons) {
    learn_mss(study, Way::inward, lessons);
    learn_mss(study, Way::outward, lessons);
    learn_isn(study, lessons);
    learn_sack(study, lessons);
}

}  // namespace tw::firewall
