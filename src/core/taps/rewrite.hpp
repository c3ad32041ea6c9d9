// SPDX-License-Identifier: BSD-3-Clause
// What a firewall may change in a packet it lets through: the list, its words, and how often each
// was seen beside how often it could have been.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/taps/packet.hpp"

namespace tw::taps {

enum class Rewrite : std::uint8_t {
    ttl,
    dscp,
    ect_cleared,
    ce_cleared,
    ecn_other,
    tcp_ecn_flags,
    mss,
    window,
    window_scale_removed,
    sack_permitted_removed,
    timestamps_removed,
    timestamps_changed,
    fast_open_removed,
    mptcp_removed,
    sack_removed,
    sack_translated,
    sack_untranslated,
    other_option_removed,
    option_added,
    options_reordered,
    isn,
    ack_number,
    ip_id,
    dont_fragment,
    address,
    port,
    urgent_or_reserved,
    payload,
    payload_length,
};
inline constexpr std::size_t kRewrites = static_cast<std::size_t>(Rewrite::payload_length) + 1;
[[nodiscard]] std::string_view name(Rewrite rewrite);
[[nodiscard]] std::string_view help(Rewrite rewrite);

// A set of them, one bit each.
using RewriteSet = std::uint32_t;
static_assert(kRewrites <= 32);
[[nodiscard]] constexpr RewriteSet bit(Rewrite rewrite) {
    return RewriteSet{1} << static_cast<unsigned>(rewrite);
}

// Pairs on which a rewrite can happen at all: those that have the option, the mark, a payload.
enum class ShareClass : std::uint8_t {
    all,
    v4,
    payload,
    timestamps,
    options,
    sack,
    sack_shifted,  // where the numbers they acknowledge are rewritten
    ect,
    ce,
    syn,
    syn_mss,
    syn_scale,
    syn_sack_permitted,
    fast_open,
    mptcp,
    other_option,
};
inline constexpr std::size_t kShareClasses = static_cast<std::size_t>(ShareClass::other_option) + 1;
[[nodiscard]] ShareClass class_of(Rewrite rewrite);

// The commonest change: a candidate and its votes (Boyer and Moore), so that what more than half
// of the changes have in common is found in two words.
struct RewriteTally {
    std::uint64_t changed = 0;
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    std::uint64_t same_values = 0;  // with these two, since they became the candidate
    std::uint64_t votes = 0;
};

struct RewriteExample {
    Packet entered;
    Packet left;
};

struct RewriteCount {
    std::uint64_t of = 0;  // pairs on which it could have happened (those with the option, …)
    std::uint64_t changed = 0;
    // The commonest pair of values, before and after; of addresses and ports: 0.
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    std::uint64_t same_values = 0;  // changes with exactly these two values, at least
    Packet entered;                 // the first change seen
    Packet left;
};

// The field a rewrite is about, as a number.
[[nodiscard]] std::uint32_t value_of(Rewrite rewrite, const Packet& packet);

}  // namespace tw::taps
