// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/gates.hpp"

#include <iterator>

namespace tw::firewall {
namespace {

using enum DoubtId;

constexpr DoubtInfo kRows[] = {
    {no_packets, Trust::unusable, "no_packets", "a tap has no TCP packet at all",
     "check the mirror session, the port and the capture filter of that tap"},
    {no_overlap, Trust::unusable, "no_overlap",
     "the two taps saw nothing during one and the same time",
     "capture at both taps at the same time; check the clocks, and that both files belong "
     "together"},
    {same_capture, Trust::unusable, "same_capture",
     "both taps hold the same frames, with the same times, TTL and addresses: one capture given "
     "twice, or two mirrors of one port",
     "give the capture of the other side of the firewall"},
    {no_pairs, Trust::unusable, "no_pairs",
     "no connection of one tap was found at the other, though both saw some",
     "check that both taps surround the same firewall; if it translates addresses in a way that "
     "hides every trait, tell them with firewall.nat"},
    {taps_swapped, Trust::unusable, "taps_swapped",
     "connections fit the rules of the policy only with the taps exchanged; or most packets seem "
     "to leave before they enter, in both ways",
     "exchange the two, or check the clocks"},
    {one_direction, Trust::unusable, "one_direction",
     "a tap lacks one direction of the traffic, while the other tap has both",
     "mirror both directions (receive and transmit) of the port, or connect the second leg of the "
     "TAP; nothing is said of that direction meanwhile"},
    {few_in_common, Trust::reduced, "few_in_common",
     "most connections were seen at one tap only, though the traffic is two-way there: other "
     "ways past the firewall, or a filter on one capture",
     "capture with the same filter at both taps, and tap every way through the firewall"},
    {ttl_falls_oddly, Trust::reduced, "ttl_falls_oddly",
     "the TTL falls between the taps by more than 2, or by no constant: more than the firewall "
     "stands between them, or packets take different ways",
     "place the taps right before and behind the firewall"},
    {clock_offset, Trust::reduced, "clock_offset",
     "the clocks of the two captures differ; the difference was estimated from the traffic and "
     "taken off. Times between the taps are as good as that estimate",
     "capture both taps with one device, or synchronise the clocks (PTP, NTP)"},
    {mirror_skew, Trust::reduced, "mirror_skew",
     "the mirrors or clocks move packets by more than the way through takes: times closer than "
     "four times that prove nothing, and no order in time is proof. Sequence numbers and ACKs "
     "prove "
     "as before",
     "use TAPs, or mirror ports with room to spare"},
    {capture_loss, Trust::reduced, "capture_loss",
     "receivers acknowledge packets that a tap never saw: that tap lost them. Single losses within "
     "10 s of such a miss are at best probable",
     "a mirror port with room to spare, a filter, a shorter slice, larger buffers"},
    {drops_counted, Trust::reduced, "drops_counted",
     "the capture says that it dropped frames itself, without saying when: nothing that rests on "
     "a packet's absence is proven",
     "larger buffers (tcpdump -B), a filter, a shorter slice (-s 128)"},
    {ledger_marks, Trust::reduced, "ledger_marks",
     "the monitor counted losses of its own ports in some intervals: single losses around them are "
     "at best probable",
     "see the ledger of the run; more workers, or a filter"},
    {mirror_copies, Trust::reduced, "mirror_copies",
     "a mirror sends packets twice (both ports of a path, or receive and transmit of one); copies "
     "within 10 ms are left out",
     "mirror one port, or one direction of each"},
    {no_digest, Trust::reduced, "no_digest",
     "TCP checksums were not filled in where packets were captured (offload on the host that "
     "captured them): altered payload cannot be seen",
     "capture outside the host that sends, or turn checksum offload off there"},
    {sides_guessed, Trust::reduced, "sides_guessed",
     "for connections that began before the capture the client's side is a guess by ports and TTL",
     "start the capture before the connections"},
    {limits_reached, Trust::reduced, "limits_reached",
     "a limit was reached and something was not followed: counts are lower bounds. The counters "
     "say which",
     "raise the limit, or filter"},
};

consteval bool in_order() {
    for (std::size_t i = 0; i < kDoubts; ++i) {
        if (static_cast<std::size_t>(kRows[i].id) != i) {
            return false;
        }
    }
    return true;
}
static_assert(std::size(kRows) == kDoubts && in_order());

}  // namespace

std::span<const DoubtInfo, kDoubts> doubt_table() {
    return kRows;
}

const DoubtInfo& info(DoubtId doubt) {
    return kRows[static_cast<std::size_t>(doubt)];
}

}  // namespace tw::firewall
