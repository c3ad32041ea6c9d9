// SPDX-License-Identifier: BSD-3-Clause
// The words of judgement: what an episode means, how sure that is, by which rule, and where it
// happened. One table each; outputs, `list verdicts` and tests read the names and sentences from
// there. Who finds which verdict: core/tcp/judge (one connection), core/verdict (its neighbours).
//
//   S --before--> T --after--> R      "before" and "after" the tap T, in the direction of the data
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/time.hpp"

namespace tw::event {

enum class Verdict : std::uint8_t {
    none,  // not judged
    missed_by_capture,
    lost_before_tap,
    reordered_before_tap,
    lost_after_tap,
    ack_lost,
    spurious_retransmission,
    duplicated_by_mirror,
    duplicated_in_network,
    never_recovered,
    sequence_overshoot,
    reordered_in_capture,
    one_sided,
    syn_unanswered,
    rst_by_third_party,
    receiver_limited,
    unknown,
};
inline constexpr std::size_t kVerdicts = static_cast<std::size_t>(Verdict::unknown) + 1;

// What is behind a verdict, where that is known.
enum class Cause : std::uint8_t {
    none,
    sender_silent,          // never_recovered: S was asked and did not send the bytes again
    retransmissions_lost,   // never_recovered: S tried
    capture_ended,          // never_recovered: nobody knows how it went on
    monitor,                // missed_by_capture: our own loss, counted by the ledger
    mirror,                 // missed_by_capture: lost before our port
    path,                   // missed_by_capture: these packets do not pass the tap
    late_original,          // spurious_retransmission: the first copy arrived after all
    early_timer,            // spurious_retransmission: sent before the ACK could arrive
    limit,                  // unknown: a stated limit was reached
    not_enough_evidence,    // unknown: several explanations fit
    capture_loss_interval,  // unknown: the capture was losing packets itself
    waiting,                // unknown: the wait for evidence was cut short
};
inline constexpr std::size_t kCauses = static_cast<std::size_t>(Cause::waiting) + 1;

enum class Confidence : std::uint8_t {
    none,      // nothing is claimed: verdict unknown
    probable,  // consistent, alternatives are not excluded
    proven,    // the captured bytes allow no other explanation
};
inline constexpr std::size_t kConfidences = static_cast<std::size_t>(Confidence::proven) + 1;

// How a verdict was concluded.
enum class Rule : std::uint8_t {
    none,
    // holes
    ack_of_unseen,
    sack_of_unseen,
    dsack_of_filler,
    newer_timestamp,
    higher_ack_field,
    later_ip_id,
    asked_and_waited,
    older_timestamp,
    lower_ack_field,
    earlier_ip_id,
    short_lag,
    original_came,
    data_after_its_ack,
    asked_in_vain,
    never_asked,
    fin_one_beyond,
    // repeats
    echo_of_repeat,
    echo_of_original,
    answer_too_soon,
    passed_over,
    receiver_lacked,
    ack_jump,
    dsack,
    sacked_before,
    ack_long_before,
    ack_just_before,
    same_frame,
    same_frame_later,
    no_time_to_repeat,
    // connections
    syn_without_answer,
    foreign_ttl,
    foreign_ip_id,
    sender_went_on,
    zero_window,
    window_full,
    one_direction,
    // no conclusion
    limit_reached,
    nothing_decides,
    capture_faults,
    cut_short,
};
inline constexpr std::size_t kRules = static_cast<std::size_t>(Rule::cut_short) + 1;

// Where it happened, in the direction of the data: S sent it, R was to receive it.
enum class Place : std::uint8_t {
    none,
    sender_to_tap,
    tap_to_receiver,
    receiver_to_tap,  // of the ACKs
    tap_to_sender,    // of the ACKs
    at_tap,           // mirror, monitor: the capture
    inside_sender,
    inside_receiver,
    beyond_tap,  // one side of the tap or the other, which is not known
};
inline constexpr std::size_t kPlaces = static_cast<std::size_t>(Place::beyond_tap) + 1;

class VerdictSet {
  public:
    constexpr VerdictSet() = default;
    constexpr void add(Verdict verdict) { bits_ |= bit(verdict); }
    constexpr void remove(Verdict verdict) { bits_ &= ~bit(verdict); }
    [[nodiscard]] constexpr bool has(Verdict verdict) const { return (bits_ & bit(verdict)) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    constexpr bool operator==(const VerdictSet&) const = default;

  private:
    static constexpr std::uint32_t bit(Verdict verdict) {
        return 1U << static_cast<std::uint32_t>(verdict);
    }
    std::uint32_t bits_ = 0;
};
static_assert(kVerdicts <= 32);

struct Finding {
    Verdict verdict = Verdict::none;
    Cause cause = Cause::none;
    Confidence confidence = Confidence::none;
    Rule rule = Rule::none;
    Place place = Place::none;
    // A double fault (missed by the capture, and lost beyond it) would look the same: proven only
    // while the tap shows no miss within kCleanAround (core/verdict/settler).
    bool if_capture_clean = false;
    VerdictSet excluded;              // considered, and ruled out by the evidence
    VerdictSet possible;              // not ruled out
    std::uint32_t asked = 0;          // times R asked for the bytes: duplicate ACKs, SACK holes
    std::uint32_t segment_bytes = 0;  // payload of the largest segment judged, 0 = unknown
    // Largest payload of that direction that is known to have been delivered without being sent
    // again, 0 = unknown. Where only larger ones are lost, the path has a size limit.
    std::uint32_t delivered_bytes = 0;
    Nanos cost = 0;  // what the flow was held up by it
    Nanos lag = 0;   // ACK to repeat, hole to filler, request to close: see rule
};

struct VerdictInfo {
    Verdict id;
    std::string_view name;
    std::string_view words;     // the name for people, in tables and within a sentence
    std::string_view sentence;  // what happened
    std::string_view help;      // what it rests on, and what to do
    bool network_loss;          // counts as a loss of the network, never of the capture
};
struct CauseInfo {
    Cause id;
    std::string_view name;
    std::string_view help;
};
struct RuleInfo {
    Rule id;
    std::string_view name;
    std::string_view help;
};
struct PlaceInfo {
    Place id;
    std::string_view name;
    std::string_view help;
};
struct ConfidenceInfo {
    Confidence id;
    std::string_view name;
    std::string_view help;
};

// Rows in the order of the enumerators.
[[nodiscard]] std::span<const VerdictInfo, kVerdicts> verdict_table();
[[nodiscard]] std::span<const CauseInfo, kCauses> cause_table();
[[nodiscard]] std::span<const RuleInfo, kRules> rule_table();
[[nodiscard]] std::span<const PlaceInfo, kPlaces> place_table();
[[nodiscard]] std::span<const ConfidenceInfo, kConfidences> confidence_table();

[[nodiscard]] std::string_view name(Verdict verdict);
// The name for people.
[[nodiscard]] std::string_view words(Verdict verdict);
[[nodiscard]] std::string_view name(Cause cause);
[[nodiscard]] std::string_view name(Confidence confidence);
[[nodiscard]] std::string_view name(Rule rule);
[[nodiscard]] std::string_view name(Place place);

}  // namespace tw::event
