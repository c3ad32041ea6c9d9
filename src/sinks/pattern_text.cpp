// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/pattern_text.hpp"

#include <fmt/format.h>

#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using event::Direction;
using event::Outcome;
using format::bytes_text;
using format::count_of;
using format::count_text;
using format::duration_text;
using format::endpoint_text;
using verdict::Pattern;
using verdict::PatternId;

[[nodiscard]] std::string address_text(const flow::Endpoint& host) {
    std::string text;
    format::append_address(text, host);
    return text;
}

// "all 212 losses", "190 of 200 losses"
[[nodiscard]] std::string part_text(std::uint64_t part, std::uint64_t whole,
                                    std::string_view nouns) {
    return part == whole ? fmt::format("all {} {}", count_text(whole), nouns)
                         : fmt::format("{} of {} {}", count_text(part), count_text(whole), nouns);
}

// "4 %", "under 1 %"
[[nodiscard]] std::string share_text(std::uint32_t per_mille) {
    return per_mille < 10 ? "under 1 %" : fmt::format("{} %", (per_mille + 5) / 10);
}

[[nodiscard]] std::string_view towards(Direction direction) {
    return direction == Direction::c2s ? "to" : "from";
}

[[nodiscard]] std::string concentration_text(const Pattern& pattern, std::string_view where) {
    return fmt::format("{} lie between {} and the tap, which carries {} of the bytes",
                       part_text(pattern.matching, pattern.of, "losses"), where,
                       share_text(pattern.share));
}

[[nodiscard]] std::string numbers_text(const Pattern& pattern) {
    switch (pattern.id) {
        case PatternId::pmtu_black_hole:
            return fmt::format(
                "{} {} {} and no delivered segment were longer than {}; the shortest of them had "
                "{}",
                part_text(pattern.matching, pattern.of, "losses"), towards(pattern.direction),
                endpoint_text(pattern.subject), count_of(pattern.delivered_bytes, "byte"),
                count_text(pattern.lost_bytes));
        case PatternId::policing:
            return fmt::format(
                "{} of one connection {} {} fit a limit of {} a second after a burst of {}",
                part_text(pattern.matching, pattern.of, "losses"), towards(pattern.direction),
                endpoint_text(pattern.flow.server), bytes_text(pattern.rate),
                bytes_text(pattern.burst));
        case PatternId::burst_loss:
            return fmt::format("{} of these 10 s, of {} connections or more, came within {} at {}",
                               part_text(pattern.matching, pattern.of, "losses"),
                               count_text(pattern.connections), duration_text(pattern.time),
                               format::clock_text(pattern.from));
        case PatternId::periodic_loss:
            return fmt::format("{} come every {}, within {}",
                               part_text(pattern.matching, pattern.of, "moments of loss"),
                               duration_text(pattern.time), duration_text(pattern.spread));
        case PatternId::one_host:
            return concentration_text(pattern, address_text(pattern.subject));
        case PatternId::one_prefix:
            return concentration_text(
                pattern, fmt::format("{}/{}", address_text(pattern.subject), pattern.prefix_bits));
        case PatternId::idle_then_reset:
            return fmt::format("{} of {} came after {} of silence or more ({} at most)",
                               part_text(pattern.matching, pattern.of, "resets"),
                               endpoint_text(pattern.subject), duration_text(pattern.time),
                               duration_text(pattern.time + pattern.spread));
        case PatternId::mirror_overload:
            return fmt::format(
                "{} of these 10 s, {}, are put down to the mirror{}",
                part_text(pattern.matching, pattern.of, "misses"), bytes_text(pattern.bytes),
                pattern.share == 0
                    ? ""
                    : fmt::format("; the load was {} % of that around them", pattern.share));
    }
    return "";
}

// "lost bytes of the server before the tap"
[[nodiscard]] std::string trait_text(const verdict::Trait& trait) {
    const std::string_view sender = trait.direction == Direction::c2s ? "client" : "server";
    switch (trait.outcome) {
        case Outcome::lost_before_tap:
            return fmt::format("lost bytes of the {} before the tap", sender);
        case Outcome::lost_after_tap:
            return fmt::format("lost bytes of the {} after the tap", sender);
        case Outcome::never_recovered:
            return fmt::format("lack bytes of the {} to the end", sender);
        case Outcome::ack_lost:
            return fmt::format("lost ACKs on their way to the {}", sender);
        case Outcome::missed_by_capture:
            return fmt::format("have bytes of the {} that the capture missed", sender);
        case Outcome::repeated_needlessly:
            return fmt::format("have bytes that the {} sent again needlessly", sender);
        case Outcome::unknown:
            return fmt::format("have something of the {} that cannot be told", sender);
    }
    return "";
}

}  // namespace

std::string pattern_text(const Pattern& pattern) {
    const verdict::PatternInfo& info =
        verdict::pattern_table()[static_cast<std::size_t>(pattern.id)];
    return fmt::format("{}: {}", info.sentence, numbers_text(pattern));
}

std::string service_text(const verdict::Service& service) {
    std::string text;
    const auto say = [&](std::uint64_t count, std::string_view what) {
        if (count != 0) {
            text += text.empty() ? fmt::format("{} of {} with {} {}", count_text(count),
                                               count_of(service.conversations, "conversation"),
                                               endpoint_text(service.server), what)
                                 : fmt::format(", {} {}", count_text(count), what);
        }
    };
    say(service.hung, "hung");
    say(service.suffered, "lost something and recovered");
    say(service.unanswered, "got no answer");
    if (const verdict::Trait trait = service.common(); trait.known) {
        const auto others = service.good + service.unclear;
        text += fmt::format(
            "; {} {}{}",
            trait.bad == service.bad()
                ? fmt::format("all {}", count_text(trait.bad))
                : fmt::format("{} of these {}", count_text(trait.bad), count_text(service.bad())),
            trait_text(trait),
            others == 0 ? std::string()
                        : fmt::format(", and {} of the {} others", count_text(trait.good),
                                      count_text(others)));
    }
    return text;
}

}  // namespace tw::sinks
