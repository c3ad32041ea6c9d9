// SPDX-License-Identifier: BSD-3-Clause
// The catalogue: everything tapwitness can say of what stands between two taps. One table holds
// the name, the words, the exact rule for people and the standard it touches; every output and
// `tapwitness list behaviours` come from its rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tw::firewall {

enum class Behaviour : std::uint8_t {
    syn_dropped,
    syn_ack_dropped,
    reset_by_firewall,
    reset_blocked,
    rejected_by_icmp,
    idle_timeout,
    connection_limit,
    out_of_window_dropped,
    window_scale_mismatch,
    isn_rewritten,
    sack_not_translated,
    mss_clamped,
    mss_raised,
    options_stripped,
    options_stripped_one_way,
    header_rewritten,
    congestion_mark_cleared,
    payload_altered,
    payload_length_changed,
    syn_proxy,
    tcp_proxy,
    acknowledged_not_delivered,
    asymmetric_path,
    fragment_dropped,
    fragments_reassembled,
    first_fragment_only,
    pmtud_black_hole,
    icmp_needed_dropped,
    too_big_told,  // path MTU discovery at work
    rate_limited,
    shaped,
    reordered,
    duplicated,
    latency_spike,
    closed_one_sided,
    half_close_cut,
    late_after_close,
    tuple_reuse_dropped,
    state_lost_at_once,
    packet_dropped,  // lost between the taps, and no rule above says why
    retransmission_suppressed,
    resegmented,
    packet_injected,  // a segment nobody sent, other than a reset or an answer
};
inline constexpr std::size_t kBehaviours = static_cast<std::size_t>(Behaviour::packet_injected) + 1;

// What a finding of this behaviour weighs.
enum class Weight : std::uint8_t {
    drop,    // packets that were offered did not leave: report.fail_on proven_drop
    harm,    // damages or ends connections: altered payload, resets, lost marks
    notice,  // a property worth knowing: rewrites, clamps, limits
    benign,  // never in the headline
};
[[nodiscard]] std::string_view name(Weight weight);

struct BehaviourInfo {
    Behaviour id;
    std::uint8_t section;  // of the catalogue: 1 to 25; 0 = the decision of a single loss
    Weight weight;
    std::string_view name;      // in JSON
    std::string_view words;     // for people, within a sentence
    std::string_view sentence;  // what happened
    std::string_view help;      // the exact rule
    std::string_view advice;    // what to look at on the firewall; empty for benign ones
    std::string_view standard;  // RFC it touches, or empty
};
[[nodiscard]] std::span<const BehaviourInfo, kBehaviours> behaviour_table();
[[nodiscard]] const BehaviourInfo& info(Behaviour behaviour);
[[nodiscard]] std::string_view name(Behaviour behaviour);

}  // namespace tw::firewall
