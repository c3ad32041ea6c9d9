// SPDX-License-Identifier: BSD-3-Clause
// What is said of bytes that were captured more than once.
#include <fmt/core.h>

#include "sinks/finding_clauses.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using event::Cause;
using event::Event;
using event::EventType;
using event::FrameRef;
using event::Resolution;
using event::Role;
using event::Rule;
using format::duration_text;

// From the first copy to the first repeat; the finding's lag where the first copy is not named. A
// handshake names the last repeat only: nothing if there were more.
[[nodiscard]] Nanos repeat_lag(const Event& event, const FindingWords& words) {
    const FrameRef* original = words.find(Role::original);
    if (original == nullptr) {
        return event.finding.lag;
    }
    if (event.type != EventType::handshake) {
        return format::elapsed(original->time, event.time);
    }
    const FrameRef* repeat = words.find(Role::repeat);
    return repeat == nullptr || event.repeats_count > 1
               ? 0
               : format::elapsed(original->time, repeat->time);
}

[[nodiscard]] std::string why_spurious(const Event& event, const FindingWords& words) {
    if (event.finding.rule == Rule::dsack) {
        return fmt::format("{} reports {} as received twice{}", words.the_receiver(), words.them(),
                           words.see(Role::dsack, "DSACK"));
    }
    if (event.finding.rule == Rule::sacked_before) {
        return fmt::format("{} had reported {} as received{}", words.the_receiver(), words.them(),
                           words.see(Role::sack, "SACK"));
    }
    if (event.finding.rule == Rule::ack_just_before) {
        if (words.find(Role::ack) == nullptr) {
            return fmt::format("{} had acknowledged {}, when is not known", words.the_receiver(),
                               words.them());
        }
        return fmt::format("the ACK{} was still on its way to {}", words.see(Role::ack),
                           words.the_sender());
    }
    if (event.finding.rule == Rule::echo_of_original) {
        return fmt::format("the ACK{} echoes the timestamp of the first copy{}",
                           words.see(Role::ack), words.see(Role::original));
    }
    if (event.finding.rule == Rule::passed_over) {
        return fmt::format(
            "the ACK{} passed over {} together with others below, {} never waited "
            "for {}",
            words.see(Role::ack), words.them(), words.the_receiver(), words.them());
    }
    if (event.finding.rule == Rule::answer_too_soon) {
        return fmt::format("the ACK{} came too soon to answer that", words.see(Role::ack));
    }
    return fmt::format("{} had acknowledged {}{}", words.the_receiver(), words.them(),
                       words.see(Role::ack));
}

// The ACK of a run of repeats is that of the first: later ones may have had later ACKs.
[[nodiscard]] std::string see_ack(const Event& event, const FindingWords& words) {
    const FrameRef* ack = words.find(Role::ack);
    if (ack == nullptr || event.type != EventType::repeat || event.repeats_count < 2) {
        return words.see(Role::ack);
    }
    return fmt::format(" (first {}{})", ack->frame != 0 ? "in " : "", FindingWords::at(*ack));
}

// "one frame", "12 frames"
[[nodiscard]] std::string copies(const Event& event, std::string_view noun) {
    return event.repeats_count > 1 ? format::count_of(event.repeats_count, noun)
                                   : fmt::format("one {}", noun);
}

// ", 9.00 us apart (frames 5 and 6)", ", the first 9.00 us apart (frames 5 and 6)"
[[nodiscard]] std::string copies_apart(const Event& event, const FindingWords& words) {
    const FrameRef* original = words.find(Role::original);
    const FrameRef* repeat = words.find(Role::repeat);
    const std::string frames = FindingWords::see_both(original, repeat);
    const Nanos lag = repeat_lag(event, words);
    return lag <= 0 ? frames
                    : fmt::format(", {}{} apart{}", event.repeats_count > 1 ? "the first " : "",
                                  duration_text(lag), frames);
}

}  // namespace

std::string lost_after_tap(const Event& event, const FindingWords& words) {
    const std::string asked = words.asked();
    const Nanos lag = repeat_lag(event, words);
    std::string answer;
    if (!asked.empty()) {
        answer = fmt::format("; {} {}", words.the_receiver(), asked);
    } else if (words.find(Role::syn) != nullptr) {
        answer = fmt::format("; {} repeated its SYN{}", words.the_receiver(), words.see(Role::syn));
    }
    std::string settled;
    if (event.resolution == Resolution::never) {
        settled = ", but never acknowledged";
    } else if (asked.empty()) {
        settled = " and only then acknowledged" + words.see(Role::ack);
    }
    return fmt::format("{} of {} passed the tap{}{}; sent again{}{}{}: {}lost{}{}", words.what(),
                       words.sender(), words.see(Role::original), answer,
                       lag > 0 ? fmt::format(" {} later", duration_text(lag)) : "",
                       words.see_repeats(), settled, words.probably(), words.where(),
                       words.cost(lag));
}

std::string ack_lost(const Event& event, const FindingWords& words) {
    const Nanos lag = event.finding.lag;
    return fmt::format(
        "{} acknowledged {} of {}{}, yet {} sent {} again{}{}: the ACK was {}lost"
        "{}{}",
        words.the_receiver(), words.what(), words.sender(), see_ack(event, words),
        words.the_sender(), words.them(),
        lag > 0 ? fmt::format(" {} later", duration_text(lag)) : "", words.see_repeats(),
        words.probably(), words.where(), words.cost(lag));
}

std::string spurious_retransmission(const Event& event, const FindingWords& words) {
    constexpr Phrase<Cause> kTails[] = {
        {Cause::early_timer, "; the timer fired too early"},
        {Cause::late_original, "; the first copy was only late"},
    };
    return fmt::format(
        "{} sent {} again{}, but {}: {}a spurious retransmission, nothing was "
        "lost{}",
        words.sender(), words.what(), words.see_repeats(), why_spurious(event, words),
        words.probably(), pick(kTails, event.finding.cause));
}

std::string duplicated_by_mirror(const Event& event, const FindingWords& words) {
    return fmt::format("{} of {} {} captured twice{}: {}duplicated by the mirror, sent once",
                       copies(event, "frame"), words.sender(),
                       event.repeats_count > 1 ? "were" : "was", copies_apart(event, words),
                       words.probably());
}

std::string duplicated_in_network(const Event& event, const FindingWords& words) {
    return fmt::format("{} of {} {} twice{}: {}duplicated in the network{}, nothing was lost",
                       copies(event, "segment"), words.sender(),
                       words.find(Role::original) != nullptr ? "passed the tap" : "arrived",
                       copies_apart(event, words), words.probably(), words.where());
}

}  // namespace tw::sinks
