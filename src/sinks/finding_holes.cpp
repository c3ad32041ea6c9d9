// SPDX-License-Identifier: BSD-3-Clause
// What is said of bytes that should have been seen and were not.
#include <fmt/core.h>

#include "sinks/finding_clauses.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using event::Cause;
using event::Event;
using event::EventType;
using event::Place;
using event::Role;
using event::Rule;
using format::duration_text;

[[nodiscard]] Nanos length_of(const Event& event) {
    return format::elapsed(event.time, event.time_end);
}

[[nodiscard]] std::string how_known(const Event& event, const FindingWords& words) {
    if (event.finding.rule == Rule::sack_of_unseen) {
        return fmt::format("has {}{}", words.them(), words.see(Role::sack, "SACK"));
    }
    return fmt::format("has {}{}", words.them(), words.see(Role::ack, "ACK"));
}

// What the sender did about it, up to the colon.
[[nodiscard]] std::string sender_conduct(const Event& event, const FindingWords& words) {
    if (event.finding.cause == Cause::retransmissions_lost) {
        return fmt::format(", {} sent other bytes again but {} never came", words.the_sender(),
                           words.one() ? "this one" : "these");
    }
    if (event.finding.cause == Cause::capture_ended) {
        return fmt::format(", and the capture ends {} after the first sign{}", words.duration(),
                           words.see_subject());
    }
    std::string text = fmt::format(", {} did not send {} again", words.the_sender(), words.them());
    if (words.find(Role::fin) != nullptr) {
        text += words.idle() >= kSecond
                    ? fmt::format(" and closed after {} idle", duration_text(words.idle()))
                    : " and closed";
    } else if (words.find(Role::rst) != nullptr) {
        text += " and reset the connection";
    }
    return text;
}

}  // namespace

std::string missed_by_capture(const Event& event, const FindingWords& words) {
    constexpr Phrase<Cause> kTails[] = {
        {Cause::monitor, "; the monitor itself lost packets at that time"},
        {Cause::mirror, "; lost on the way to the monitor, suspect the mirror port or TAP"},
        {Cause::path, "; these packets pass the tap on another way"},
    };
    return fmt::format(
        "{} sent {} that {} not captured; {} {}: {}missed by the capture, not lost{}",
        words.sender(), words.what(), words.were(), words.the_receiver(), how_known(event, words),
        words.probably(), pick(kTails, event.finding.cause));
}

std::string lost_before_tap(const Event& event, const FindingWords& words) {
    if (event.type == EventType::handshake) {
        return fmt::format(
            "{} answered the first SYN{}, but its SYN/ACK did not reach the tap; sent again and "
            "captured {} after that SYN{}: {}lost{}",
            words.sender(), words.see(Role::syn), words.duration(), words.see(Role::repeat),
            words.probably(), words.where());
    }
    const std::string asked = words.asked();
    return fmt::format(
        "{} sent {} that did not reach the tap{}; sent again and captured {} "
        "later{}: {}lost{}{}",
        words.sender(), words.what(),
        asked.empty() ? "" : fmt::format("; {} {}", words.the_receiver(), asked), words.duration(),
        words.see(Role::filler), words.probably(), words.where(), words.cost(length_of(event)));
}

std::string reordered_before_tap(const Event& event, const FindingWords& words) {
    if (event.type == EventType::repeat) {
        return fmt::format(
            "{} of {} {} captured{} behind a copy that had been sent later{}: {}reordered{}, "
            "nothing was lost",
            words.what(), words.sender(), words.were(), words.see_subject(),
            words.see(Role::original), words.probably(), words.where());
    }
    const bool late = length_of(event) > 0;
    return fmt::format(
        "{} of {} {} overtaken by later ones{} and captured {}{}: {}reordered{}, "
        "nothing was lost",
        words.what(), words.sender(), words.were(), words.see_subject(),
        late ? words.duration() + " late" : "after them", words.see(Role::filler), words.probably(),
        words.where());
}

std::string never_recovered(const Event& event, const FindingWords& words) {
    constexpr Phrase<Cause> kVerdicts[] = {
        {Cause::sender_silent, ", sender silent"},
        {Cause::retransmissions_lost, ", retransmissions lost"},
        {Cause::capture_ended, " while captured, how it went on is not known"},
    };
    const std::string asked = words.asked();
    std::string suspect;
    if (event.finding.place == Place::sender_to_tap) {
        suspect =
            event.finding.confidence == event::Confidence::proven
                ? fmt::format("; suspect what lies between the tap and {}", words.the_sender())
                : fmt::format("; probably lost between the tap and {}", words.the_sender());
    }
    return fmt::format("{} sent {} that never reached the tap; {} {}{}: never recovered{}{}",
                       words.sender(), words.what(), words.the_receiver(),
                       asked.empty() ? fmt::format("never asked for {}", words.them()) : asked,
                       sender_conduct(event, words), pick(kVerdicts, event.finding.cause), suspect);
}

std::string sequence_overshoot(const FindingWords& words) {
    const std::string asked = words.asked();
    return fmt::format(
        "the FIN of {}{} carries a sequence number one byte beyond its data{}{}: the byte was "
        "{}never sent; sequence overshoot, a bug of that TCP stack, no packet is missing",
        words.sender(), words.see_subject(),
        asked.empty() ? "" : fmt::format("; {} {}", words.the_receiver(), asked),
        fmt::format("{} {} repeated only the FIN{}", asked.empty() ? ";" : ",", words.the_sender(),
                    words.see(Role::repeat)),
        words.probably());
}

std::string reordered_in_capture(const FindingWords& words) {
    return fmt::format(
        "{} of {} {} captured{} after the ACK that covers {}{}: {}reordered in the "
        "capture, nothing is missing",
        words.what(), words.sender(), words.were(), words.see(Role::filler), words.them(),
        words.see(Role::ack), words.probably());
}

}  // namespace tw::sinks
