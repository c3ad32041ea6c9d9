// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/packet.hpp"
#include "firewall/classify.hpp"

namespace tw::firewall {
namespace {

namespace option = taps::option_bit;
using taps::Conversation;
using taps::Pairing;
using taps::WayCounts;

[[nodiscard]] bool rewritten(const WayCounts& way) {
    return way.isn_known && way.isn_entered != way.isn_left;
}

// Seen at both taps with its options: every SYN has an MSS, a slice that cuts the header has none.
[[nodiscard]] bool comparable(const WayCounts& way) {
    return way.isn_known && way.mss_entered != 0 && way.mss_left != 0;
}

// What no rewriting does: a scale of its own, a larger MSS, an option that was not asked for. Who
// takes options off or lowers the MSS need not be an end of the connection.
[[nodiscard]] bool is_anothers(const WayCounts& way) {
    const bool scale =
        way.scale_entered >= 0 && way.scale_left >= 0 && way.scale_entered != way.scale_left;
    const bool added = (way.options_left & ~way.options_entered) != 0;
    return comparable(way) && (scale || added || way.mss_left > way.mss_entered);
}

// An end has an option in use if its own SYN carried it and the SYN it got did (RFC 7323 2.2,
// RFC 2018 2). The client's own is what entered of its way, and what it got is what left of the
// other.
[[nodiscard]] bool ends_disagree(const WayCounts& client, const WayCounts& server) {
    constexpr std::uint16_t kAgreed =
        option::kWindowScale | option::kSackPermitted | option::kTimestamps;
    const auto of_client = static_cast<std::uint16_t>(client.options_entered & server.options_left);
    const auto of_server = static_cast<std::uint16_t>(client.options_left & server.options_entered);
    return ((of_client ^ of_server) & kAgreed) != 0;
}

[[nodiscard]] bool removed(const WayCounts& way) {
    return (way.options_entered & ~way.options_left) != 0;
}

[[nodiscard]] bool ended_badly(const Conversation& conversation) {
    switch (conversation.ending) {
        case taps::Ending::stalled:
        case taps::Ending::reset_by_client:
        case taps::Ending::reset_by_server:
        case taps::Ending::reset_by_firewall:
            return true;
        case taps::Ending::open:
        case taps::Ending::closed:
        case taps::Ending::half_closed:
            return false;
    }
    return false;
}

// The connections were found to be one by the client's number: a later SYN of the same ports that
// did not leave has another.
[[nodiscard]] bool client_rewritten(const Conversation& conversation, const WayCounts& client) {
    return rewritten(client) && conversation.pairing != Pairing::same_tuple &&
           conversation.pairing != Pairing::syn_fingerprint;
}

// Two connections that carry the same bytes. Something in between that made every number anew would
// look the same, but for an end's own options, or an answer that came before the server was asked.
void find_terminated(const Conversation& conversation, const WayCounts& client,
                     const WayCounts& server, Nanos skew, Traits& traits) {
    traits.tcp_proxy = true;
    const bool shown = is_anothers(client) || is_anothers(server) ||
                       (conversation.answered_ahead > 0 && conversation.answered_ahead > 4 * skew);
    traits.grade = shown ? taps::Grade::proven : taps::Grade::probable;
    traits.undelivered = (conversation.undelivered[0] | conversation.undelivered[1]) != 0;
    traits.undelivered_grade = taps::Grade::proven;
}

void find_proxies(const Conversation& conversation, const WayCounts& client,
                  const WayCounts& server, Traits& traits) {
    const bool both = client_rewritten(conversation, client) && rewritten(server);
    const bool told_early =
        conversation.acknowledged_early[0] != 0 || conversation.acknowledged_early[1] != 0;
    if (both && told_early) {
        traits.tcp_proxy = true;
        return;
    }
    if (both && (is_anothers(client) || is_anothers(server))) {
        traits.tcp_proxy = true;
        traits.grade = is_anothers(client) && is_anothers(server) ? taps::Grade::proven
                                                                  : taps::Grade::probable;
        return;
    }
    traits.both_isn = both;
    const bool server_only =
        client.isn_known && !client_rewritten(conversation, client) && rewritten(server);
    // Seen at one tap only, it may be one that was translated beyond recognition.
    const bool answered = conversation.outcome == taps::Outcome::answered_by_firewall &&
                          conversation.pairing != Pairing::unpaired;
    const bool shown = server_only && is_anothers(server);
    traits.syn_proxy = answered || shown;
    // One SYN/ACK that the capture missed looks like an answer of its own.
    traits.grade = shown ? taps::Grade::proven : taps::Grade::probable;
    traits.server_isn_only = server_only;
}

}  // namespace

Traits traits_of(const Conversation& conversation, Nanos skew) {
    Traits traits;
    const taps::Way way = taps::way_into(conversation.client_side);
    const WayCounts& client = conversation.ways[taps::index(way)];
    const WayCounts& server = conversation.ways[taps::index(taps::back(way))];
    if (conversation.pairing == Pairing::byte_stream) {
        find_terminated(conversation, client, server, skew, traits);
        return traits;
    }
    if (!conversation.client_known) {
        traits.isn_rewritten = conversation.pairing == Pairing::same_tuple_isn;
        return traits;
    }
    find_proxies(conversation, client, server, traits);
    traits.undelivered =
        traits.tcp_proxy && ended_badly(conversation) &&
        (conversation.acknowledged_early[0] != 0 || conversation.acknowledged_early[1] != 0);
    if (traits.tcp_proxy || traits.syn_proxy) {
        return traits;  // each side is a handshake of its own: nothing was rewritten
    }
    traits.isn_rewritten = client_rewritten(conversation, client) || rewritten(server);
    for (const WayCounts* one : {&client, &server}) {
        if (comparable(*one)) {
            traits.mss_clamped = traits.mss_clamped || one->mss_left < one->mss_entered;
            traits.mss_raised = traits.mss_raised || one->mss_left > one->mss_entered;
        }
        traits.options_stripped = traits.options_stripped || (comparable(*one) && removed(*one));
    }
    if (comparable(client) && comparable(server) && ends_disagree(client, server)) {
        traits.options_disagree = true;
        traits.options_stripped = false;
    }
    return traits;
}

}  // namespace tw::firewall
