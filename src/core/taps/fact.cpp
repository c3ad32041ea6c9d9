// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/fact.hpp"

namespace tw::taps {
namespace {

struct ProofRow {
    std::string_view name;
    std::string_view help;
};

// Rows in the order of the enumerators.
constexpr std::array<std::string_view, kFactKinds> kKinds{
    "lost_between",    "missed_at_exit", "suppressed",    "unproven",          "late_lost",
    "missed_at_entry", "duplicated",     "injected",      "resegmented",       "altered",
    "length_changed",  "reordered",      "ecn_mark_lost", "sack_untranslated", "rewritten",
    "reset_origin",    "reset_blocked",  "icmp_error",    "fragment_lost",     "fragments_joined",
    "asymmetric",
};
constexpr std::array<std::string_view, kGrades> kGradeNames{"unproven", "probable", "proven"};
constexpr std::array<ProofRow, kProofs> kProofRows{{
    {"none", ""},
    {"receiver_covers",
     "the receiver acknowledged the bytes before any copy of them was seen to leave"},
    {"left_later", "a later copy entered and left: the first one did not"},
    {"receiver_asks", "the receiver asked for the bytes: duplicate ACKs, or a hole in its SACK"},
    {"no_copy_leaves", "the sender sent them again and again, and no copy left"},
    {"copy_left_before", "another copy had left before this one entered"},
    {"sender_continues", "the sender went on behind it without sending it again"},
    {"same_ip_id", "two left and one entered, with the same IP identification and timestamp"},
    {"same_segment", "equal segments, without an identification that tells them apart"},
    {"same_bytes", "the same bytes entered under other boundaries"},
    {"claimed_sender_speaks", "the host that the reset names went on sending afterwards"},
    {"resets_both_ways", "resets left at both taps, and none entered"},
    {"foreign_pattern",
     "TTL, identification, window or options are not those of the host the packet names"},
    {"answered_alone", "it left before the host it names could have sent it"},
    {"receiver_reacts", "the receiver answered as to a packet out of order"},
    {"receiver_in_order", "the receiver had them in order: a mirror swapped them"},
    {"times_only", "nothing but the times at two taps"},
    {"payload_differs", "the payload's sum differs between the taps"},
    {"ack_rewritten", "the numbers differ between the taps, the SACK blocks do not"},
    {"seen_at_both", "seen at both taps"},
    {"sender_not_told", "the error's addressee went on sending what it says is too long"},
    {"own_address", "its source is an address of the firewall itself"},
    {"nothing_decides", "nothing that was captured decides"},
    {"limit_reached", "a limit was reached: the evidence was not kept"},
}};
constexpr std::array<std::string_view, static_cast<std::size_t>(Part::quote) + 1> kParts{
    "none", "subject", "left", "repeat", "ack", "asks", "overtaker", "genuine", "quote",
};

}  // namespace

std::string_view name(FactKind kind) {
    return kKinds[static_cast<std::size_t>(kind)];
}
std::string_view name(Grade grade) {
    return kGradeNames[static_cast<std::size_t>(grade)];
}
std::string_view name(Proof proof) {
    return kProofRows[static_cast<std::size_t>(proof)].name;
}
std::string_view help(Proof proof) {
    return kProofRows[static_cast<std::size_t>(proof)].help;
}
std::string_view name(Part part) {
    return kParts[static_cast<std::size_t>(part)];
}

}  // namespace tw::taps
