// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/behaviour.hpp"

#include <array>
#include <iterator>

namespace tw::firewall {
namespace {

using enum Behaviour;

// "I" is the tap where a packet enters, "E" the one where it leaves.
constexpr BehaviourInfo kRows[] = {
    {syn_dropped, 1, Weight::drop, "syn_dropped", "SYN dropped",
     "a connection was asked for, and the request was not passed on",
     "two or more SYNs of one connection enter, none leaves and nothing comes back: proven. One "
     "SYN "
     "alone: probable. Where the SYN left and nobody answered, the server is silent: no finding",
     "the rule base for this source, destination and port; a block list; the counters of the "
     "implicit deny; anti-spoofing on the interface the SYN came in by",
     "RFC 2979"},
    {syn_ack_dropped, 2, Weight::drop, "syn_ack_dropped", "SYN/ACK dropped",
     "the server answered, and its answer was not passed on",
     "the SYN is seen at both taps; two or more SYN/ACKs of the server enter and none leaves: "
     "proven. One alone: probable",
     "anti-spoofing and the route back to the client (asymmetric routing); state that the SYN did "
     "not create, as after it took another way",
     "RFC 2979"},
    {reset_by_firewall, 3, Weight::harm, "reset_by_firewall", "reset by the firewall",
     "a reset left that the host it names did not send",
     "a RST leaves, none entered, and the host it names goes on sending, or resets left at both "
     "taps and entered at neither: proven. TTL, identification, window or options that are not "
     "those of that host: probable",
     "rules that reject with a reset, time-outs that end in a reset, intrusion prevention",
     "RFC 3360, RFC 9411"},
    {reset_blocked, 3, Weight::harm, "reset_blocked", "reset not passed on",
     "a host reset the connection, and its peer was not told",
     "a RST enters and does not leave, and the peer goes on sending",
     "checks of a reset's sequence number (strict RST); state removed before the reset was sent on",
     "RFC 9293 3.5.3, RFC 5961"},
    {rejected_by_icmp, 4, Weight::drop, "rejected_by_icmp", "rejected by ICMP",
     "a packet was refused with an ICMP error that the firewall sent",
     "an ICMP destination-unreachable of a code that means prohibited (IPv4 9, 10, 13; IPv6 1, 5) "
     "or unreachable leaves towards the sender and entered nowhere; the packet it quotes did not "
     "leave. Proven where its source is one of firewall.addresses or the quoted packet was dropped",
     "rules that reject with ICMP; routes of the kinds prohibit, unreachable and blackhole",
     "RFC 1812 5.2.7.1, RFC 4443 3.1"},
    {idle_timeout, 5, Weight::drop, "idle_timeout", "idle time-out",
     "after a silence the connection was not passed on any more",
     "a packet after a silence of 1 s or more, and all repeats of it, enter and do not leave, or "
     "are answered by a reset of the firewall; no connection of the same scope passed after as "
     "long a silence. The time-out lies between the longest silence that passed and the shortest "
     "that did not; silence counts from the last packet that left, either way",
     "the idle (session, established) time-out of this service; shorten the keep-alive interval of "
     "the hosts below it",
     "RFC 5382 REQ-5"},
    {connection_limit, 6, Weight::drop, "connection_limit", "connection limit",
     "connections were refused while too many others were open",
     "SYNs are dropped only while at least N conversations are open, none below N, and "
     "established ones go on. Told per host where that fits better",
     "the size of the session table; connection limits per source, destination or rule",
     "RFC 9411, RFC 3511 5.2"},
    {out_of_window_dropped, 7, Weight::drop, "out_of_window_dropped", "out-of-window drop",
     "packets outside the window were not passed on",
     "a packet that was dropped lies outside what the receiver had offered as the exit tap saw it, "
     "or acknowledges what the other side was not seen to send, or has flags that no TCP sends",
     "TCP state checks (window tracking, \"invalid\" packets): their log, and how liberal they are",
     "RFC 9293 3.10.7.4, RFC 5961"},
    {window_scale_mismatch, 7, Weight::drop, "window_scale_mismatch", "window-scale mismatch",
     "packets inside the window were dropped as if the window were not scaled",
     "a packet that was dropped lies within the scaled window, but beyond it without the scale, "
     "and the firewall cannot know the scale: it took the option off the SYN, or no SYN was seen",
     "rules that strip TCP options; sessions picked up midway; window tracking", "RFC 7323 2.2"},
    {isn_rewritten, 8, Weight::notice, "isn_rewritten", "sequence numbers rewritten",
     "sequence numbers differ between the taps",
     "the initial sequence number of a SYN or SYN/ACK is not the same at E as at I, and packets "
     "pair with that constant difference",
     "randomisation of initial sequence numbers: rarely needed today, and it makes SACK, captures "
     "and logs harder to read",
     "RFC 6528"},
    {sack_not_translated, 8, Weight::harm, "sack_not_translated", "SACK not translated",
     "sequence numbers are rewritten and SACK blocks are not",
     "an ACK leaves with the very SACK blocks it entered with while its ACK number is rewritten: "
     "the sender gets blocks that mean nothing to it, and recovers by time-out",
     "turn sequence randomisation off for this traffic, or strip SACK-permitted consistently",
     "RFC 2018"},
    {mss_clamped, 9, Weight::notice, "mss_clamped", "MSS clamped",
     "the maximum segment size is lowered on its way through",
     "the MSS option of a SYN or SYN/ACK is smaller at E than at I",
     "MSS clamping of tunnels and PPPoE; expected where the path is narrower than its ends",
     "RFC 9293 3.7.1"},
    {mss_raised, 9, Weight::harm, "mss_raised", "MSS raised",
     "the maximum segment size is raised on its way through",
     "the MSS option of a SYN or SYN/ACK is larger at E than at I: hosts will send what the other "
     "said it cannot take",
     "MSS rewriting that sets a value instead of limiting it", "RFC 9293 3.7.1"},
    {options_stripped, 10, Weight::notice, "options_stripped", "TCP options removed",
     "TCP options are removed on their way through",
     "kinds of options of a SYN or SYN/ACK at I are missing at E, and both ends still agree on "
     "what is in use; or timestamps or SACK blocks are missing from later packets",
     "TCP normalisation; without window scaling and SACK fast or lossy paths become slow",
     "RFC 9293 3.1, RFC 7323, RFC 2018"},
    {options_stripped_one_way, 10, Weight::harm, "options_stripped_one_way",
     "TCP options removed one way",
     "options are removed so that the two ends disagree on what is in use",
     "the client has an option in use if its SYN had it where it entered and the SYN/ACK has it "
     "where it left; the server if the SYN had it where it left and its SYN/ACK where it entered. "
     "Window scale, SACK-permitted or timestamps for one and not for the other",
     "TCP normalisation that treats SYN and SYN/ACK differently: it must strip both or neither",
     "RFC 7323 2.2, RFC 2018 2"},
    {header_rewritten, 11, Weight::notice, "header_rewritten", "header rewritten",
     "header fields are changed on their way through",
     "DSCP, ECN (ECT cleared), TCP flags of ECN, don't-fragment, or a TTL that falls by something "
     "other than one constant of 0, 1 or 2, over pairs of packets; not those of expect_rewrites",
     "QoS marking, TCP and IP normalisation", "RFC 1812 5.3.1, RFC 2474, RFC 3168"},
    {congestion_mark_cleared, 11, Weight::harm, "congestion_mark_cleared",
     "congestion mark cleared", "a mark that says congestion was taken off",
     "a packet enters with CE in its ECN field and leaves without: the receiver cannot tell the "
     "sender to slow down",
     "QoS marking that writes the whole traffic class instead of DSCP alone", "RFC 3168 18"},
    {payload_altered, 12, Weight::harm, "payload_altered", "payload altered",
     "payload bytes were changed on their way through",
     "a packet pairs by all of its numbers and its length, and the one's complement sum of its "
     "payload differs (from the TCP checksum; 65,534 of 65,535 random changes are seen)",
     "inspection that rewrites content, application gateways (ALG); else a fault of memory or card",
     "RFC 2979"},
    {payload_length_changed, 12, Weight::harm, "payload_length_changed", "payload length changed",
     "payload bytes were added or removed on their way through",
     "a packet pairs by its first number with another length, and what follows is shifted by the "
     "difference",
     "application gateways (ALG) for FTP, SIP and the like; inspection that rewrites content",
     "RFC 2979"},
    {syn_proxy, 13, Weight::notice, "syn_proxy", "SYN proxy",
     "the firewall answers SYNs itself before it asks the server",
     "the SYN/ACK at the client's tap has no twin, and the initial number or the options of the "
     "server's differ from it, while the client's number goes through unchanged. Never by times "
     "alone",
     "SYN flood protection (SYN cookies, SYN proxy) that is on all the time or was set off",
     "RFC 4987 3.6"},
    {tcp_proxy, 14, Weight::notice, "tcp_proxy", "TCP proxy",
     "the connection ends at the firewall, and another begins behind it",
     "the initial numbers of both directions are rewritten and the options differ; or the sender "
     "is told of bytes that the receiver has not acknowledged at its own tap; or two connections "
     "carry the same bytes, and the client was answered before the server was asked",
     "proxies, content inspection, load balancers: each side is a connection of its own, with its "
     "own losses and time-outs",
     "RFC 3135 2.1.3"},
    {acknowledged_not_delivered, 14, Weight::harm, "acknowledged_not_delivered",
     "acknowledged and never delivered",
     "bytes were acknowledged to the sender that the receiver never got",
     "the sender was told by an ACK without a twin that its bytes arrived; no copy of them was "
     "seen to leave and the receiver never acknowledged them when the connection ended; or a proxy "
     "still sends them again, in vain, when all is over",
     "the proxy's buffers and time-outs; the application believes its data is safe and it is not",
     "RFC 9293 3.8, RFC 3135 4.1.3"},
    {asymmetric_path, 15, Weight::notice, "asymmetric_path", "asymmetric path",
     "one direction of the connection goes another way",
     "one direction is absent at both taps, while the ACKs of the other show that it flows. "
     "Absent at one tap only: the wiring of that tap",
     "routes in both directions; a firewall that sees half a connection cannot keep its state", ""},
    {fragment_dropped, 16, Weight::drop, "fragment_dropped", "fragment dropped",
     "IP fragments were not passed on",
     "fragments of one datagram (addresses, protocol, identification) enter; not all of them "
     "leave, nor does the datagram whole",
     "fragment rules and the reassembly queue; better: keep packets below the MTU", "RFC 8900"},
    {fragments_reassembled, 16, Weight::notice, "fragments_reassembled", "fragments reassembled",
     "fragments enter, the whole datagram leaves",
     "all fragments of a datagram enter, and a packet with its identification and all of its "
     "bytes leaves",
     "virtual reassembly: expected of stateful firewalls", "RFC 8900"},
    {first_fragment_only, 16, Weight::harm, "first_fragment_only", "only the first fragment passed",
     "the first fragment passed, the others did not",
     "the fragment with the TCP header leaves, the later ones of the same datagram enter and do "
     "not leave: they have no ports a rule could match",
     "rules by port without reassembly: fragments of permitted datagrams must pass as well",
     "RFC 1858, RFC 8900"},
    {pmtud_black_hole, 17, Weight::drop, "pmtud_black_hole", "path MTU black hole",
     "packets above a size are dropped and the sender is not told",
     "every dropped packet is longer than every passed one of its way (L between the two), with "
     "don't-fragment set, and no \"fragmentation needed\" or \"packet too big\" reaches the sender",
     "the MTU of the firewall's interfaces and tunnels; let ICMP 3/4 (IPv6: type 2) out, or clamp "
     "the MSS",
     "RFC 1191, RFC 8201, RFC 2923, RFC 8899"},
    {icmp_needed_dropped, 17, Weight::drop, "icmp_needed_dropped",
     "ICMP that path MTU discovery needs dropped",
     "a host was to be told that its packets are too big, and was not",
     "\"fragmentation needed\" (ICMP 3/4) or \"packet too big\" (ICMPv6 2) enters and does not "
     "leave "
     "towards the host whose packet it quotes",
     "let ICMP errors that belong to a session pass", "RFC 4890 4.3.1, RFC 5508"},
    {too_big_told, 17, Weight::benign, "too_big_told", "too big, and told",
     "packets were too big, and their sender was told the size that fits",
     "\"fragmentation needed\" (ICMP 3/4) or \"packet too big\" (ICMPv6 2) reaches the host whose "
     "packet "
     "it quotes, which entered and did not leave: path MTU discovery at work. In no sum of drops",
     "", "RFC 1191, RFC 8201"},
    {rate_limited, 18, Weight::drop, "rate_limited", "rate limit",
     "packets above a rate were dropped",
     "a token bucket (rate, burst) fitted to the bytes that passed explains the drops: they come "
     "when it is empty, and hardly any when it is not",
     "policers, QoS classes, licence limits of throughput; a shaper or a larger burst harms less",
     "RFC 2697"},
    {shaped, 18, Weight::notice, "shaped", "shaped", "packets wait in a queue that a rate empties",
     "transit grows to a bound while what passes stays at one rate, and drops, if any, come only "
     "at that bound",
     "shapers and QoS queues: their rate, and the length of the queue", "RFC 2475"},
    {reordered, 19, Weight::harm, "reordered", "reordered",
     "packets left in another order than they entered",
     "a packet leaves after one that entered later (RFC 4737). Proven where the receiver answers "
     "as to a packet out of order; by times alone it is probable, since mirrors reorder as well",
     "packets of one connection spread over cores or links of a bundle", "RFC 4737"},
    {duplicated, 20, Weight::harm, "duplicated", "duplicated",
     "packets entered once and left twice",
     "two copies leave, one entered, with the same non-zero IP identification and timestamp, and "
     "the sender changes its identification with every packet: proven; else probable. Copies of "
     "a mirror are left out before",
     "clusters and bundles where two members send on the same packet; bridge loops", "RFC 5560"},
    {latency_spike, 21, Weight::notice, "latency_spike", "latency spike",
     "packets took far longer than usual",
     "three or more packets at one time, of both ways together, above p50 + k x (p99 - p50) of the "
     "run and above four times the skew of the mirrors; the worst 1 ms above p50 at least",
     "load of the data plane at that time: policy installation, logging, inspection, failover",
     "RFC 7679, RFC 2544 26.2"},
    {closed_one_sided, 22, Weight::harm, "closed_one_sided", "closed on one side only",
     "one side was told that the connection is over, the other was not",
     "the firewall resets an established connection towards one host; nothing that ends it leaves "
     "towards the other, whose later packets are not passed on",
     "reset both sides at time-outs and blocks", "RFC 9293 3.10.7, RFC 3360"},
    {half_close_cut, 22, Weight::drop, "half_close_cut", "half-closed connection cut",
     "after one side had finished, the other's data was not passed on",
     "the FIN of one side has passed; later packets of the other, and all their repeats, enter "
     "and do not leave",
     "the half-closed (FIN wait) time-out, often far below the idle time-out",
     "RFC 9293 3.6, RFC 1122 4.2.2.13"},
    {late_after_close, 23, Weight::benign, "late_after_close", "late after the close",
     "packets after the end of a connection were not passed on",
     "last ACKs, repeated FINs and resets that enter after both FINs were acknowledged, or after a "
     "reset passed. Harmless: in no sum of drops",
     "", "RFC 9293 3.6"},
    {tuple_reuse_dropped, 24, Weight::drop, "tuple_reuse_dropped", "reused port refused",
     "a new connection from a port used shortly before was not passed on",
     "SYNs of a tuple whose last connection ended less than X ago are dropped, those after a "
     "longer pause and those of fresh tuples pass",
     "the TIME_WAIT (closed session) time-out; let a SYN with a higher number or timestamp begin "
     "a new session",
     "RFC 6191, RFC 9293 3.6.1"},
    {state_lost_at_once, 25, Weight::drop, "state_lost_at_once", "state lost at once",
     "many established connections broke at one moment",
     "five or more established connections that have nothing in common are dropped or reset from "
     "one moment on, within 2 s, while new ones pass",
     "failover without synchronised sessions, restart, policy installation, scale-in",
     "RFC 2544 26.6"},
    {packet_dropped, 0, Weight::drop, "packet_dropped", "packet dropped",
     "packets entered and did not leave",
     "the receiver lacks it: a later copy entered and left, the receiver asks for it (duplicate "
     "ACKs, SACK hole), or no copy ever leaves. Single losses are proven only while the exit tap "
     "shows no miss within 10 s. No other rule explains it",
     "interface and drop counters of the data plane, its load, inspection and intrusion prevention",
     "RFC 7680"},
    {retransmission_suppressed, 0, Weight::notice, "retransmission_suppressed",
     "retransmission held back", "a repeat of what had left before was not sent on",
     "bytes enter again after a copy of them has left, and this copy does not leave",
     "TCP normalisation and proxies that know what the receiver has", ""},
    {resegmented, 0, Weight::notice, "resegmented", "segments cut anew",
     "the same bytes left in other packets",
     "the bytes of a packet that leaves all entered, under other boundaries",
     "proxies; offloads (GRO, LRO) of the firewall's cards", ""},
    {packet_injected, 0, Weight::harm, "packet_injected", "packet injected",
     "a packet left that nobody had sent",
     "a segment leaves without a twin, its bytes did not enter before or after, and the tap where "
     "it should have entered misses nothing around it",
     "keep-alives, ACKs and block pages that the firewall makes", "RFC 2979"},
};

// Rows are looked up by their enumerator.
consteval bool in_order() {
    for (std::size_t i = 0; i < kBehaviours; ++i) {
        if (static_cast<std::size_t>(kRows[i].id) != i) {
            return false;
        }
    }
    return true;
}
static_assert(std::size(kRows) == kBehaviours && in_order());

}  // namespace

std::span<const BehaviourInfo, kBehaviours> behaviour_table() {
    return kRows;
}

const BehaviourInfo& info(Behaviour behaviour) {
    return kRows[static_cast<std::size_t>(behaviour)];
}

std::string_view name(Weight weight) {
    constexpr std::array<std::string_view, 4> kNames{"drop", "harm", "notice", "benign"};
    return kNames[static_cast<std::size_t>(weight)];
}

std::string_view name(Behaviour behaviour) {
    return info(behaviour).name;
}

}  // namespace tw::firewall
