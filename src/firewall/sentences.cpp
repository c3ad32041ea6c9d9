// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/sentences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <set>
#include <string_view>

#include "core/taps/packet.hpp"
#include "firewall/whom.hpp"
#include "sinks/format/human.hpp"

namespace tw::firewall {
namespace {

using enum Behaviour;
using sinks::format::bytes_text;
using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::date_text;
using sinks::format::endpoint_text;
using sinks::format::percent_text;
using taps::Fact;
using taps::Grade;
using taps::Side;
using taps::Way;

// Nearly all packets lose exactly one hop: one router stands between the taps, and nothing else
// that would count as one. Per cent.
constexpr std::uint64_t kOneHop = 99;
constexpr std::uint64_t kOneHopMin = 3;  // packets of both ways

[[nodiscard]] bool one_router(const taps::TapHealth& health) {
    std::uint64_t packets = 0;
    for (std::size_t way = 0; way < taps::kWays; ++way) {
        std::uint64_t all = 0;
        for (const std::uint64_t count : health.ttl_fall[way]) {
            all += count;
        }
        const std::uint64_t one = health.ttl_fall[way][1 - taps::TapHealth::kTtlFallMin];
        if (all != 0 && one * 100 < all * kOneHop) {
            return false;
        }
        packets += all;
    }
    return packets >= kOneHopMin;
}

// "2026-11-22 19:34:38 UTC", or from one to the other.
[[nodiscard]] std::string when_text(Nanos first, Nanos last) {
    const std::string from = date_text(first);
    const std::string until = date_text(last);
    if (from == until) {
        return fmt::format("at {}", from);
    }
    constexpr std::size_t kDate = 11;  // "2026-11-22 "
    constexpr std::size_t kZone = 4;   // " UTC"
    const bool same_day = from.substr(0, kDate) == until.substr(0, kDate);
    return fmt::format("between {} and {}", from.substr(0, from.size() - kZone),
                       same_day ? until.substr(kDate) : until);
}

// What is counted in a finding, by hand of its cases.
struct Counted {
    std::uint64_t offered = 0;  // packets that entered, of the ways concerned
    std::array<bool, taps::kWays> ways{};
    std::array<bool, taps::kSides> told{};  // sides that a reset of the firewall went to
    std::set<std::string> codes;            // of ICMP errors
};

[[nodiscard]] std::string icmp_text(const taps::Packet& icmp) {
    if (icmp.v6) {
        constexpr std::array<std::string_view, 7> kCodes{
            "no route",         "administratively prohibited",
            "beyond scope",     "address unreachable",
            "port unreachable", "source address failed policy",
            "reject route"};
        return icmp.icmp_code < kCodes.size() ? std::string(kCodes[icmp.icmp_code])
                                              : fmt::format("code {}", icmp.icmp_code);
    }
    switch (icmp.icmp_code) {
        case 0:
            return "net unreachable";
        case 1:
            return "host unreachable";
        case 3:
            return "port unreachable";
        case 9:
            return "net administratively prohibited";
        case 10:
            return "host administratively prohibited";
        case 13:
            return "administratively prohibited";
        default:
            return fmt::format("code {}", icmp.icmp_code);
    }
}

[[nodiscard]] Counted counted(const Group& group, const FindingsInput& input) {
    Counted sums;
    for (const std::uint32_t at : group.cases) {
        const Fact& fact = *input.cases.cases[at].fact;
        sums.ways[taps::index(fact.way)] = true;
        if (fact.kind == taps::FactKind::reset_origin) {
            const bool client = taps::exit(fact.way) == fact.client_side;
            sums.told[client ? 0 : 1] = true;
        }
        if (fact.kind == taps::FactKind::icmp_error && sums.codes.size() < 3) {
            sums.codes.insert(icmp_text(fact.packet));
        }
    }
    for (std::size_t way = 0; way < taps::kWays; ++way) {
        sums.offered += sums.ways[way] ? input.totals.ways[way].entered : 0;
    }
    return sums;
}

[[nodiscard]] std::string_view towards_text(const Counted& sums) {
    if (sums.told[0] && sums.told[1]) {
        return ", towards client and server";
    }
    return sums.told[0] ? ", towards the client" : sums.told[1] ? ", towards the server" : "";
}

[[nodiscard]] std::string codes_text(const Counted& sums) {
    return sums.codes.empty() ? "" : fmt::format(" ({})", fmt::join(sums.codes, ", "));
}

[[nodiscard]] std::string rewrites_text(const Group& group) {
    std::string text;
    for (const RewriteRow* row : group.rewrites) {
        text += fmt::format("{}{} on {} of {} {}", text.empty() ? "" : "; ",
                            sinks::format::spoken(taps::name(row->rewrite)),
                            count_text(row->count.changed), count_of(row->count.of, "packet"),
                            taps::name(row->way));
    }
    return text;
}

// "200 proven, 12 probable", where there are both.
[[nodiscard]] std::string grades_text(const Finding& finding) {
    if (finding.proven == 0 || finding.probable == 0) {
        return "";
    }
    return fmt::format("; {} proven, {} probable", count_text(finding.proven),
                       count_text(finding.probable));
}

// What was done to what. Words in braces are filled in by deed_text().
struct Deed {
    Behaviour id;
    std::string_view did;
    std::string_view what;
};
constexpr Deed kDeeds[] = {
    {syn_dropped, "did not pass", "the SYNs of {connections}"},
    {syn_ack_dropped, "did not pass", "the SYN/ACKs of {connections}"},
    {reset_by_firewall, "reset", "{connections}{towards}"},
    {reset_blocked, "did not pass", "{resets}{of}"},
    {rejected_by_icmp, "refused", "{connections} with an ICMP error{codes}"},
    {idle_timeout, "stopped passing", "{connections} after a silence"},
    {connection_limit, "did not accept", "{connections} while too many others were open"},
    {out_of_window_dropped, "did not pass", "{offered} outside the window"},
    {window_scale_mismatch, "did not pass",
     "{offered} that lay inside the window, and beyond it without its scale"},
    {isn_rewritten, "rewrote", "the sequence numbers of {connections}"},
    {sack_not_translated, "left",
     "the SACK blocks of {acks} as they were, though it rewrites the numbers they hold"},
    {mss_clamped, "lowered", "the MSS of {connections}"},
    {mss_raised, "raised", "the MSS of {connections}"},
    {options_stripped, "removed TCP options:", "{rewrites}"},
    {options_stripped_one_way, "removed",
     "TCP options of {connections} so that the two ends do not agree on what is in use"},
    {header_rewritten, "changed header fields:", "{rewrites}"},
    {congestion_mark_cleared, "cleared", "the congestion mark of {packets}{of}"},
    {payload_altered, "altered", "the payload of {packets}{bytes}{of}"},
    {payload_length_changed, "changed", "the length of the payload of {packets}{of}"},
    {syn_proxy, "answered", "the SYNs of {connections} itself"},
    {tcp_proxy, "ended", "{connections} and began others in their place"},
    {acknowledged_not_delivered, "acknowledged",
     "bytes of {connections} that the receiver never got"},
    {asymmetric_path, "sees", "one direction of {connections} only: the other goes another way"},
    {fragment_dropped, "did not pass", "{fragments}{of}"},
    {fragments_reassembled, "joined", "the fragments of {datagrams}"},
    {first_fragment_only, "passed",
     "the first fragment of datagrams and not the others: {fragments}"},
    {pmtud_black_hole, "did not pass", "{offered}, all above one size, and told nobody"},
    {icmp_needed_dropped, "did not pass", "{errors} that path MTU discovery needs{of}"},
    {too_big_told, "refused", "{packets} as too big, and told the sender{of}"},
    {rate_limited, "did not pass", "{offered} above a rate"},
    {shaped, "held back", "packets in a queue that a rate empties"},
    {reordered, "put out of order", "{offered}"},
    {duplicated, "sent twice", "{offered}"},
    {latency_spike, "delayed", "{packets} far longer than usual"},
    {closed_one_sided, "closed", "{connections} on one side only"},
    {half_close_cut, "stopped passing", "{connections} after one side had finished"},
    {late_after_close, "did not pass", "{packets} after the end of the connection{of}"},
    {tuple_reuse_dropped, "did not pass",
     "the SYNs of {connections} whose port had been in use shortly before"},
    {state_lost_at_once, "broke", "{connections} at one moment"},
    {packet_dropped, "did not pass", "{offered}"},
    {retransmission_suppressed, "held back", "{repeats} of what had left before{of}"},
    {resegmented, "cut anew", "{packets}{of}"},
    {packet_injected, "sent", "{packets} that nobody had sent{of}"},
};
consteval bool in_order() {
    for (std::size_t i = 0; i < kBehaviours; ++i) {
        if (static_cast<std::size_t>(kDeeds[i].id) != i) {
            return false;
        }
    }
    return true;
}
static_assert(std::size(kDeeds) == kBehaviours && in_order());

[[nodiscard]] std::string what_text(const Finding& finding, const Group& group,
                                    const FindingsInput& input) {
    const Counted sums = counted(group, input);
    const std::string connections = count_of(finding.conversations, "connection");
    const std::string of = finding.conversations == 0 ? "" : fmt::format(" of {}", connections);
    const std::string bytes =
        finding.bytes == 0 ? "" : fmt::format(" ({})", bytes_text(finding.bytes));
    const std::string offered =
        fmt::format("{} of the {} that entered ({}{}){}", count_text(finding.cases),
                    count_of(sums.offered, "packet"), percent_text(finding.cases, sums.offered),
                    finding.bytes == 0 ? "" : fmt::format("; {}", bytes_text(finding.bytes)), of);
    const auto cases = [&](std::string_view noun) { return count_of(finding.cases, noun); };
    return fmt::format(
        fmt::runtime(kDeeds[static_cast<std::size_t>(finding.behaviour)].what),
        fmt::arg("connections", connections), fmt::arg("of", of), fmt::arg("bytes", bytes),
        fmt::arg("offered", offered), fmt::arg("packets", cases("packet")),
        fmt::arg("acks", cases("ACK")), fmt::arg("resets", cases("reset")),
        fmt::arg("fragments", cases("fragment")), fmt::arg("errors", cases("ICMP error")),
        fmt::arg("datagrams", cases("datagram")), fmt::arg("repeats", cases("repeat")),
        fmt::arg("towards", towards_text(sums)), fmt::arg("codes", codes_text(sums)),
        fmt::arg("rewrites", rewrites_text(group)));
}

// --- one case

[[nodiscard]] std::string packet_text(const taps::Packet& packet) {
    namespace flag = decode::tcp_flag;
    if (packet.kind == taps::PacketKind::icmp_error) {
        return fmt::format("ICMP {}/{} about seq {}", packet.icmp_type, packet.icmp_code,
                           packet.seq);
    }
    if (packet.kind == taps::PacketKind::later_fragment) {
        return fmt::format("fragment at byte {}", packet.fragment_offset);
    }
    std::string kind;
    constexpr std::array<std::pair<std::uint8_t, std::string_view>, 3> kNames{
        {{flag::kSyn, "SYN"}, {flag::kFin, "FIN"}, {flag::kRst, "RST"}}};
    for (const auto& [bit, name] : kNames) {
        if (packet.has(bit)) {
            kind += kind.empty() ? "" : "/";
            kind += name;
        }
    }
    if (packet.has(flag::kSyn) && packet.has(flag::kAck)) {
        kind += "/ACK";
    }
    if (kind.empty()) {
        kind = packet.payload_bytes != 0 ? "data" : "ACK";
    }
    const std::string bytes =
        packet.payload_bytes == 0 ? "" : fmt::format(", {}", bytes_text(packet.payload_bytes));
    return fmt::format("{} seq {}{}", kind, packet.seq, bytes);
}

[[nodiscard]] std::string place_text(const taps::Cite& cite, const Words& words) {
    return cite.frame != 0
               ? fmt::format("frame {} at the {} tap", count_text(cite.frame), words.tap(cite.tap))
               : fmt::format("{} at the {} tap", sinks::format::clock_text(cite.time),
                             words.tap(cite.tap));
}

[[nodiscard]] bool is_loss(taps::FactKind kind) {
    return kind == taps::FactKind::lost_between || kind == taps::FactKind::fragment_lost ||
           kind == taps::FactKind::reset_blocked || kind == taps::FactKind::suppressed ||
           kind == taps::FactKind::late_lost;
}

}  // namespace

Words::Words(const Confidence& confidence, const Policy& policy) {
    for (std::size_t side = 0; side < taps::kSides; ++side) {
        const std::string& given = confidence.taps[side].name;
        taps_[side] = given.empty() ? std::string(taps::name(static_cast<Side>(side))) : given;
    }
    const bool named = policy.mode == Mode::routed && one_router(confidence.health);
    subject_ = fmt::format("{} between the {} and {} taps",
                           !named                ? "what stands"
                           : policy.name.empty() ? "the firewall"
                                                 : fmt::format("the firewall {}", policy.name),
                           taps_[0], taps_[1]);
}

std::string sentence_of(const Finding& finding, const Group& group, const FindingsInput& input,
                        const Words& words) {
    std::string text = fmt::format(
        "{} {}{} {}", words.subject(), finding.grade == Grade::proven ? "" : "probably ",
        kDeeds[static_cast<std::size_t>(finding.behaviour)].did, what_text(finding, group, input));
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    if (!finding.scope.empty() && finding.scope != "all traffic") {
        text += fmt::format(", {},", finding.scope);
    }
    text += fmt::format(" {}", when_text(finding.first, finding.last));
    if (group.lesson != nullptr && !group.lesson->sentence.empty()) {
        text += fmt::format("; {}", group.lesson->sentence);
    }
    text += grades_text(finding);
    if (finding.has_chance) {
        text += fmt::format(
            "; a miss of the capture and a loss beyond it would look the same as a "
            "probable one: chance {:.2g} for each",
            finding.chance_of_error);
    }
    if (finding.expected) {
        text += "; as the policy wants";
    }
    return text;
}

std::string sentence_of(const Fact& fact, Grade grade, const Words& words) {
    const Ends ends = ends_of(fact);
    const bool of_client = taps::entry(fact.way) == fact.client_side;
    std::string text =
        fmt::format("{} {} -> {}: {}", of_client ? "client" : "server",
                    endpoint_text(of_client ? ends.client : ends.server),
                    endpoint_text(of_client ? ends.server : ends.client), packet_text(fact.packet));
    std::string places;
    for (std::size_t i = 0; i < fact.cites_count; ++i) {
        const taps::Cite& cite = fact.cites[i];
        if (cite.part == taps::Part::subject || cite.part == taps::Part::left ||
            cite.part == taps::Part::quote) {
            places += fmt::format("{}{}", places.empty() ? ", " : " and ", place_text(cite, words));
        }
    }
    text += places;
    if (is_loss(fact.kind)) {
        text += fmt::format(": not seen to leave at the {} tap", words.tap(taps::exit(fact.way)));
    }
    if (fact.attempts > 1) {
        text += fmt::format("; sent {} times", fact.attempts);
    }
    if (!taps::help(fact.proof).empty()) {
        text += fmt::format("; {}", taps::help(fact.proof));
    }
    return text + (grade == Grade::probable ? " (probable)" : "");
}

std::vector<std::string> excluded_of(const Group& group, const FindingsInput& input,
                                     const Words& words) {
    std::set<std::string> reasons;
    for (const std::uint32_t at : group.cases) {
        const Fact& fact = *input.cases.cases[at].fact;
        const std::string& exit = words.tap(taps::exit(fact.way));
        if (input.told[at].grade != Grade::proven || !is_loss(fact.kind) || reasons.size() > 4) {
            continue;
        }
        reasons.insert(fmt::format("lost before the {} tap: it was seen there",
                                   words.tap(taps::entry(fact.way))));
        reasons.insert(
            fmt::format("missed by the capture at the {} tap: {}", exit, taps::help(fact.proof)));
        reasons.insert(
            fact.single_fault
                ? fmt::format("missed at the {} tap and then lost beyond it: that tap misses "
                              "nothing within 10 s",
                              exit)
                : fmt::format("missed at the {} tap and then lost beyond it: that would have had "
                              "to happen to each copy",
                              exit));
    }
    std::vector<std::string> excluded(reasons.begin(), reasons.end());
    if (group.lesson != nullptr) {
        excluded.insert(excluded.end(), group.lesson->excluded.begin(),
                        group.lesson->excluded.end());
    }
    return excluded;
}

}  // namespace tw::firewall
