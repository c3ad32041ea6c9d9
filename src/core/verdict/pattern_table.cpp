// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/pattern.hpp"

namespace tw::verdict {
namespace {

constexpr PatternInfo kRows[] = {
    {PatternId::pmtu_black_hole, "pmtu_black_hole", "only large segments die",
     "at least 10 losses of 2 connections of a service, of which 95 % were longer than any segment "
     "that was delivered: a link with a smaller MTU whose ICMP messages do not arrive. Lower the "
     "MSS, or let ICMP 'fragmentation needed' pass"},
    {PatternId::policing, "policing", "a rate limit throws away what is above it",
     "at least 10 losses of a connection at which the bytes sent so far lie on one line over time, "
     "after a burst that passed unharmed: a token bucket, or a full queue before a slower link"},
    {PatternId::burst_loss, "burst_loss", "many connections lost something at the same moment",
     "at least 8 connections within 200 ms, 5 times as dense as the rest of 10 s and no fewer than "
     "in the second before and after: a queue that overflowed, a link or a path that changed"},
    {PatternId::periodic_loss, "periodic_loss", "losses come at even intervals",
     "at least 8 moments of loss of 3 connections, of which 80 % lie within 5 % of one pace: "
     "something that runs by the clock"},
    {PatternId::one_host, "one_host", "the losses are those of one host",
     "at least 20 losses, 80 % of them between one host and the tap, which carries 40 % of the "
     "bytes at most: its cable, port, network card or driver"},
    {PatternId::one_prefix, "one_prefix", "the losses are those of one network",
     "at least 20 losses, 80 % of them between the tap and 3 or more hosts of one /24 or /64, "
     "none of which has more than half, with 40 % of the bytes at most: the way to that network"},
    {PatternId::idle_then_reset, "idle_then_reset", "idle connections are cut off",
     "at least 5 resets of 3 connections of a service after 10 s of silence, 80 % of its resets: "
     "a firewall, NAT or load balancer forgets connections. Send keep-alives sooner"},
    {PatternId::mirror_overload, "mirror_overload", "the mirror could not copy everything",
     "at least 20 misses of 5 connections within 10 s, 80 % of all, put down to the mirror: more "
     "traffic than the mirror port carries. Nothing of it was lost on the network"},
};

consteval bool in_order() {
    for (std::size_t i = 0; i < kPatterns; ++i) {
        if (static_cast<std::size_t>(kRows[i].id) != i) {
            return false;
        }
    }
    return true;
}
static_assert(in_order());

}  // namespace

std::span<const PatternInfo, kPatterns> pattern_table() {
    return kRows;
}

std::string_view name(PatternId id) {
    return kRows[static_cast<std::size_t>(id)].name;
}

}  // namespace tw::verdict
