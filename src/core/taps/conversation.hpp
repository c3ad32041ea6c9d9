// SPDX-License-Identifier: BSD-3-Clause
// One TCP connection as both taps saw it: what is known of it when it ends, or so far. A record
// that crosses a ring by value; the state that follows a live conversation is core/taps' own.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "core/flow/key.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

// How the connections of the two taps were found to be one (README, "Pairing").
enum class Pairing : std::uint8_t {
    unpaired,         // seen at one tap only
    same_tuple,       // same addresses and ports, same sequence space
    same_tuple_isn,   // same addresses and ports; sequence numbers are rewritten
    syn_fingerprint,  // NAT: ISN, TSval, window scale, MSS and option order of the SYN
    nat_hint,         // NAT: the operator's map said so
    timestamps,       // NAT and rewritten ISN: TSval, window scale, first payload
    byte_stream,      // a proxy: the first bytes of the streams are the same
};
inline constexpr std::size_t kPairings = static_cast<std::size_t>(Pairing::byte_stream) + 1;

// What became of the attempt to connect, and of the connection. Client and server as the SYN says.
enum class Outcome : std::uint8_t {
    established,      // handshake seen at both taps; what else happened is in the other fields
    midway,           // no SYN: it began before the capture
    syn_dropped,      // SYNs entered, none left, nothing came back
    syn_ack_dropped,  // the server's SYN/ACKs entered, none left
    rejected_rst,     // SYN entered, did not leave, and a RST not of the server came back
    rejected_icmp,
    refused_by_server,     // the server's RST passed
    server_silent,         // the SYN passed, the server did not answer
    answered_by_firewall,  // SYN proxy: SYN/ACK came back before or without the server's
    incomplete,            // a handshake that the capture or its end leaves open
};
inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::incomplete) + 1;

// How it ended.
enum class Ending : std::uint8_t {
    open,         // still open at the end of the capture, or forgotten by its idle time
    closed,       // FINs of both sides, acknowledged
    half_closed,  // one FIN, then silence
    reset_by_client,
    reset_by_server,
    reset_by_firewall,
    stalled,  // ended while packets between the taps were lost and not recovered
};
inline constexpr std::size_t kEndings = static_cast<std::size_t>(Ending::stalled) + 1;

[[nodiscard]] std::string_view name(Pairing pairing);
[[nodiscard]] std::string_view name(Outcome outcome);
[[nodiscard]] std::string_view name(Ending ending);

// Counts of one way.
struct WayCounts {
    std::uint64_t entered = 0;  // packets seen at the entry tap, copies of the mirror left out
    std::uint64_t entered_bytes = 0;  // their payload
    std::uint64_t passed = 0;         // those with a twin at the exit tap
    std::uint64_t passed_bytes = 0;
    std::uint32_t lost = 0;            // lost between the taps, proven or probable
    std::uint32_t missed_at_exit = 0;  // the capture lacks them at the exit tap
    std::uint32_t missed_at_entry = 0;
    std::uint32_t unproven = 0;        // entered, not seen to leave, and nothing tells why
    std::uint32_t pure_acks_lost = 0;  // entered, not seen to leave: a rate, never a proof
    std::uint32_t lost_before = 0;     // its repeat filled a gap of the entry tap: lost before it
    std::uint32_t lost_beyond = 0;     // left, entered again unacknowledged and left again
    std::uint32_t syns_entered = 0;    // SYN or SYN/ACK
    std::uint32_t syns_left = 0;
    std::uint32_t fins_entered = 0;
    std::uint32_t fins_left = 0;
    std::uint32_t resets_entered = 0;
    std::uint32_t resets_left = 0;
    std::uint16_t longest_entered = 0;  // IP packet
    std::uint16_t longest_passed = 0;
    std::uint16_t mss_entered = 0;  // of the SYN or SYN/ACK; 0 = none
    std::uint16_t mss_left = 0;
    std::uint16_t options_entered = 0;  // option_bit of the SYN or SYN/ACK
    std::uint16_t options_left = 0;
    std::uint32_t isn_entered = 0;
    std::uint32_t isn_left = 0;
    std::int8_t scale_entered = -1;  // window scale of the SYN or SYN/ACK
    std::int8_t scale_left = -1;
    bool isn_known = false;  // at both taps
};

struct Conversation {
    std::uint64_t id = 0;  // from 1, unique within the run
    // As each tap sees it; a tap that has not seen it has port 0. The client sent the SYN, or is a
    // guess (client_known).
    std::array<flow::Endpoint, kSides> client{};  // index: Side of the tap
    std::array<flow::Endpoint, kSides> server{};
    std::array<bool, kSides> seen{};
    std::array<std::uint64_t, kSides> first_frame{};  // at each tap; 0 = not seen, or not numbered
    Side client_side = Side::outside;  // where the client is: its packets enter there
    bool client_known = false;
    bool side_known = false;  // client_side is told by times, TTLs or addresses, no mere guess
    bool translated = false;  // addresses or ports differ between the taps
    bool ambiguous = false;   // proxied and unpaired: several at the other tap carry the same bytes
    bool complete = true;     // false: a limit was reached, counts are lower bounds
    bool ended = false;       // false: a record of the end of the run, or forgotten while idle
    Pairing pairing = Pairing::unpaired;
    Outcome outcome = Outcome::incomplete;
    Ending ending = Ending::open;
    Nanos first = 0;
    Nanos last = 0;
    Nanos established = 0;  // the handshake's third packet left; 0 = never seen
    Nanos setup_delay = 0;  // SYN entered to the handshake's last packet having left; 0 = unknown
    Nanos setup_server_delay = 0;  // the part of it beyond the exit tap
    // Largest gap of silence, in both directions at both taps, after which the next packet passed.
    Nanos idle_passed = 0;
    // The same for the silence of one way alone, whatever the other one did.
    std::array<Nanos, kWays> idle_passed_way{};
    // Highest number a receiver was told is acknowledged, that its own tap never saw it acknowledge
    // (a proxy's early ACKs): bytes at risk, by the way of the data.
    std::array<std::uint32_t, kWays> acknowledged_early{};
    // Of these, bytes that a proxy itself still sent again and again in vain, at the end.
    std::array<std::uint32_t, kWays> undelivered{};
    // By so much a proxy answered the client before it asked the server, as the taps' times show
    // once the way of the client's first byte is taken off; 0 = not shown.
    Nanos answered_ahead = 0;
    std::array<WayCounts, kWays> ways{};
};

}  // namespace tw::taps
