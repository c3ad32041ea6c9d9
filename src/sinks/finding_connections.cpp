// SPDX-License-Identifier: BSD-3-Clause
// What is said of whole connections, and where nothing can be said.
#include <fmt/core.h>

#include "sinks/finding_clauses.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using event::Cause;
using event::Event;
using event::EventType;
using event::Resolution;
using event::Role;
using event::Rule;

// "possible: lost before the tap, reordered before the tap"
[[nodiscard]] std::string possible_text(const event::VerdictSet& possible) {
    std::string text;
    for (const event::VerdictInfo& info : event::verdict_table()) {
        if (possible.has(info.id)) {
            text += text.empty() ? "possible: " : ", ";
            text += info.words;
        }
    }
    return text;
}

[[nodiscard]] std::string why_unknown(const Event& event) {
    constexpr Phrase<Cause> kReasons[] = {
        {Cause::limit, "a limit was reached and it was not followed to its end"},
        {Cause::capture_loss_interval, "the capture itself lost packets at that time"},
        {Cause::waiting, "the wait for evidence was cut short"},
    };
    if (const auto reason = pick(kReasons, event.finding.cause); !reason.empty()) {
        return std::string(reason);
    }
    const std::string possible = possible_text(event.finding.possible);
    return possible.empty() ? "nothing captured decides it" : possible;
}

}  // namespace

// The direction is the one that was never captured.
std::string one_sided(const FindingWords& words) {
    return fmt::format(
        "of the connection between {} and {} only what {} sent was captured: "
        "one-sided; an asymmetric path, or a mirror of one direction",
        words.sender(), words.receiver(), words.the_receiver());
}

std::string syn_unanswered(const Event& event, const FindingWords& words) {
    const std::string times =
        event.repeats_count == 0
            ? std::string()
            : fmt::format(", {} in {}", format::count_of(event.repeats_count + 1U, "time"),
                          words.duration());
    return fmt::format(
        "{} asked {} for a connection{}{}, and nothing came back: unanswered; a "
        "filter dropped it, or nobody is there",
        words.sender(), words.receiver(), times, words.see_subject());
}

std::string rst_by_third_party(const Event& event, const FindingWords& words) {
    constexpr Phrase<Rule> kReasons[] = {
        {Rule::foreign_ttl, "has another TTL than its segments"},
        {Rule::foreign_ip_id, "has an IP identification foreign to its segments"},
        {Rule::sender_went_on, "was contradicted by its sender, which went on"},
    };
    return fmt::format(
        "the reset in the name of {}{} {}: {}sent by a third party; suspect a "
        "firewall, IPS or load balancer on the path",
        words.sender(), words.see_subject(),
        pick(kReasons, event.finding.rule, "differs from its segments"), words.probably());
}

std::string receiver_limited(const Event& event, const FindingWords& words) {
    const bool full = event.finding.rule == Rule::window_full;
    return fmt::format(
        "{} for {}{}: receiver limited, the application on {} does not read "
        "fast enough; nothing was lost",
        full ? fmt::format("the window of {} was full and held the data up", words.receiver())
             : fmt::format("{} kept its window closed", words.receiver()),
        words.duration(), words.see_subject(), words.receiver_address());
}

std::string unknown(const Event& event, const FindingWords& words) {
    std::string fact;
    if (event.type != EventType::hole) {
        fact = fmt::format("sent again{}", words.see_repeats());
    } else if (event.resolution == Resolution::filled ||
               event.resolution == Resolution::filled_after_ack) {
        fact = fmt::format("captured {} late{}", words.duration(), words.see(Role::filler));
    } else {
        fact = fmt::format("not captured{}", words.see_subject());
    }
    return fmt::format("{} of {} {} {}: what happened is not known; {}", words.what(),
                       words.sender(), words.were(), fact, why_unknown(event));
}

}  // namespace tw::sinks
