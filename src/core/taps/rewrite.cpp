// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/rewrite.hpp"

#include <array>

namespace tw::taps {
namespace {

struct RewriteRow {
    Rewrite id;
    ShareClass of;
    std::string_view name;
    std::string_view help;
};

// Rows in the order of the enumerators.
constexpr std::array<RewriteRow, kRewrites> kRows{{
    {Rewrite::ttl, ShareClass::all, "ttl",
     "TTL or hop limit; a router takes 1, a transparent firewall or a proxy does not"},
    {Rewrite::dscp, ShareClass::all, "dscp", "class of service (RFC 2474)"},
    {Rewrite::ect_cleared, ShareClass::ect, "ect_cleared",
     "ECN capability taken away: the path falls back to losses (RFC 3168)"},
    {Rewrite::ce_cleared, ShareClass::ce, "ce_cleared",
     "congestion mark taken away: an error, the sender is not told to slow down (RFC 3168)"},
    {Rewrite::ecn_other, ShareClass::all, "ecn_other",
     "other change of the ECN field, congestion marks set included"},
    {Rewrite::tcp_ecn_flags, ShareClass::all, "tcp_ecn_flags", "ECE or CWR of TCP (RFC 3168)"},
    {Rewrite::mss, ShareClass::syn_mss, "mss", "maximum segment size of a SYN"},
    {Rewrite::window, ShareClass::all, "window", "window field"},
    {Rewrite::window_scale_removed, ShareClass::syn_scale, "window_scale_removed",
     "window scaling taken off the SYN or changed (RFC 7323)"},
    {Rewrite::sack_permitted_removed, ShareClass::syn_sack_permitted, "sack_permitted_removed",
     "SACK taken off the SYN (RFC 2018)"},
    {Rewrite::timestamps_removed, ShareClass::timestamps, "timestamps_removed",
     "timestamps taken off (RFC 7323)"},
    {Rewrite::timestamps_changed, ShareClass::timestamps, "timestamps_changed",
     "values of the timestamps"},
    {Rewrite::fast_open_removed, ShareClass::fast_open, "fast_open_removed",
     "TCP Fast Open taken off (RFC 7413)"},
    {Rewrite::mptcp_removed, ShareClass::mptcp, "mptcp_removed",
     "Multipath TCP taken off (RFC 8684)"},
    {Rewrite::sack_removed, ShareClass::sack, "sack_removed", "SACK blocks taken off"},
    {Rewrite::sack_translated, ShareClass::sack_shifted, "sack_translated",
     "SACK blocks rewritten together with the numbers: as it should be"},
    {Rewrite::sack_untranslated, ShareClass::sack_shifted, "sack_untranslated",
     "SACK blocks left as they were though the numbers are rewritten: they point to nothing"},
    {Rewrite::other_option_removed, ShareClass::other_option, "other_option_removed",
     "an option of another kind taken off"},
    {Rewrite::option_added, ShareClass::all, "option_added", "an option that did not enter"},
    {Rewrite::options_reordered, ShareClass::options, "options_reordered",
     "the same options in another order"},
    {Rewrite::isn, ShareClass::syn, "isn", "initial sequence number"},
    {Rewrite::ack_number, ShareClass::all, "ack_number",
     "acknowledgment number, beyond what rewritten initial numbers ask for"},
    {Rewrite::ip_id, ShareClass::v4, "ip_id", "IP identification"},
    {Rewrite::dont_fragment, ShareClass::v4, "dont_fragment", "the don't-fragment bit"},
    {Rewrite::address, ShareClass::all, "address", "address of the client or the server"},
    {Rewrite::port, ShareClass::all, "port", "port of the client or the server"},
    {Rewrite::urgent_or_reserved, ShareClass::all, "urgent_or_reserved",
     "TCP flags other than those of ECN"},
    {Rewrite::payload, ShareClass::payload, "payload", "payload of the same length"},
    {Rewrite::payload_length, ShareClass::payload, "payload_length", "length of the payload"},
}};

constexpr bool rows_in_order() {
    for (std::size_t i = 0; i < kRewrites; ++i) {
        if (kRows[i].id != static_cast<Rewrite>(i)) {
            return false;
        }
    }
    return true;
}
static_assert(rows_in_order());

const RewriteRow& row(Rewrite rewrite) {
    return kRows[static_cast<std::size_t>(rewrite)];
}

constexpr std::uint32_t kEcnBits = 0x03;
constexpr std::uint32_t kTcpEcnBits = 0xC0;  // CWR and ECE

}  // namespace

std::string_view name(Rewrite rewrite) {
    return row(rewrite).name;
}
std::string_view help(Rewrite rewrite) {
    return row(rewrite).help;
}
ShareClass class_of(Rewrite rewrite) {
    return row(rewrite).of;
}

std::uint32_t value_of(Rewrite rewrite, const Packet& packet) {
    switch (rewrite) {
        case Rewrite::ttl:
            return packet.ttl;
        case Rewrite::dscp:
            return packet.tos >> 2U;
        case Rewrite::ect_cleared:
        case Rewrite::ce_cleared:
        case Rewrite::ecn_other:
            return packet.tos & kEcnBits;
        case Rewrite::tcp_ecn_flags:
            return packet.flags & kTcpEcnBits;
        case Rewrite::mss:
            return packet.mss;
        case Rewrite::window:
            return packet.window;
        case Rewrite::window_scale_removed:
            return static_cast<std::uint8_t>(packet.window_scale);
        case Rewrite::sack_permitted_removed:
        case Rewrite::timestamps_removed:
        case Rewrite::fast_open_removed:
        case Rewrite::mptcp_removed:
        case Rewrite::other_option_removed:
        case Rewrite::option_added:
            return packet.options;
        case Rewrite::timestamps_changed:
            return packet.tsval;
        case Rewrite::sack_removed:
        case Rewrite::sack_translated:
        case Rewrite::sack_untranslated:
            return packet.sack[0].left;
        case Rewrite::options_reordered:
            return packet.options_order;
        case Rewrite::isn:
            return packet.seq;
        case Rewrite::ack_number:
            return packet.ack;
        case Rewrite::ip_id:
            return packet.ip_id;
        case Rewrite::dont_fragment:
            return packet.dont_fragment ? 1 : 0;
        case Rewrite::address:
        case Rewrite::port:
            return 0;
        case Rewrite::urgent_or_reserved:
            return packet.flags & ~kTcpEcnBits;
        case Rewrite::payload:
            return packet.digest;
        case Rewrite::payload_length:
            return packet.payload_bytes;
    }
    return 0;
}

}  // namespace tw::taps
