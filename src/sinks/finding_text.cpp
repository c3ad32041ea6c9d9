// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/finding_text.hpp"

#include "sinks/finding_clauses.hpp"

namespace tw::sinks {
namespace {

using event::Event;
using event::Verdict;

[[nodiscard]] std::string clause(const Event& event, const FindingWords& words) {
    switch (event.finding.verdict) {
        case Verdict::none:
            return {};
        case Verdict::missed_by_capture:
            return missed_by_capture(event, words);
        case Verdict::lost_before_tap:
            return lost_before_tap(event, words);
        case Verdict::reordered_before_tap:
            return reordered_before_tap(event, words);
        case Verdict::lost_after_tap:
            return lost_after_tap(event, words);
        case Verdict::ack_lost:
            return ack_lost(event, words);
        case Verdict::spurious_retransmission:
            return spurious_retransmission(event, words);
        case Verdict::duplicated_by_mirror:
            return duplicated_by_mirror(event, words);
        case Verdict::duplicated_in_network:
            return duplicated_in_network(event, words);
        case Verdict::never_recovered:
            return never_recovered(event, words);
        case Verdict::sequence_overshoot:
            return sequence_overshoot(words);
        case Verdict::reordered_in_capture:
            return reordered_in_capture(words);
        case Verdict::one_sided:
            return one_sided(words);
        case Verdict::syn_unanswered:
            return syn_unanswered(event, words);
        case Verdict::rst_by_third_party:
            return rst_by_third_party(event, words);
        case Verdict::receiver_limited:
            return receiver_limited(event, words);
        case Verdict::unknown:
            return unknown(event, words);
    }
    return {};
}

}  // namespace

std::string finding_text(const Event& event) {
    const std::string text = clause(event, FindingWords(event));
    return text.empty() ? text : text + '.';
}

std::string side_text(const Event& event) {
    return FindingWords(event).side();
}

}  // namespace tw::sinks
