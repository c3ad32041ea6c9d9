// SPDX-License-Identifier: BSD-3-Clause
// What a worker tells of single packets: each fact is about one packet (or one pair) of one
// conversation and says only what the captured packets show. What it means for the firewall, and
// how far it is proven among its neighbours, is the business of src/firewall.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

enum class FactKind : std::uint8_t {
    // --- one packet entered and was not seen to leave
    lost_between,    // the receiver lacks it: lost between the taps
    missed_at_exit,  // the receiver has it: the capture lacks it at the exit tap
    suppressed,      // a repeat of what had left before, not sent on
    unproven,        // nothing tells
    late_lost,       // lost after the close: last ACKs, repeated FINs, resets. Benign
    // --- one packet left and was not seen to enter
    missed_at_entry,  // the capture lacks it at the entry tap
    duplicated,       // a second copy left, one entered
    injected,         // a RST, SYN, SYN/ACK or ACK that nobody sent: see Packet::flags
    resegmented,      // its bytes entered in other packets
    // --- a pair
    altered,            // the payload differs
    length_changed,     // the payload's length differs
    reordered,          // it left after a packet that had entered later (RFC 4737)
    ecn_mark_lost,      // CE entered, no CE left
    sack_untranslated,  // SACK blocks left as they entered though the numbers are rewritten
    rewritten,          // header fields differ: an example of Passage's, no engine tells it
    // --- a conversation
    reset_origin,      // a RST that the firewall sent: the fact carries the RST as it left
    reset_blocked,     // a RST entered, did not leave, and its receiver went on sending
    icmp_error,        // an ICMP error about the conversation was seen; see entered / left
    fragment_lost,     // a fragment entered and did not leave, nor the datagram whole
    fragments_joined,  // fragments entered, the datagram left whole
    asymmetric,        // one direction is absent at both taps while its ACKs show that it flows
};
inline constexpr std::size_t kFactKinds = static_cast<std::size_t>(FactKind::asymmetric) + 1;

enum class Grade : std::uint8_t {
    unproven,  // seen on one side only, no evidence
    probable,  // consistent, another explanation is not excluded
    proven,    // a fact that no capture error can explain (under rule S where single_fault is set)
};
inline constexpr std::size_t kGrades = 3;

// Which row of the decision table concluded.
enum class Proof : std::uint8_t {
    none,
    receiver_covers,        // the receiver's ACK or SACK covers bytes not yet seen to leave
    left_later,             // a later copy entered and left: the first was lost
    receiver_asks,          // duplicate ACKs or SACK holes at the exit tap ask for them
    no_copy_leaves,         // entered again and again, and none ever left
    copy_left_before,       // a copy had left before it entered
    sender_continues,       // left contiguously; the sender went on without repeating it
    same_ip_id,             // second copy with the same non-zero identification and timestamp
    same_segment,           // equal segments without an identification that counts
    same_bytes,             // the bytes entered under other boundaries
    claimed_sender_speaks,  // reset: the host it names went on sending afterwards
    resets_both_ways,       // reset: left at both taps, entered at none
    foreign_pattern,        // TTL, identification, window or options not of the host it names
    answered_alone,         // a SYN/ACK or ACK left before its sender could have sent it
    receiver_reacts,        // reordering: duplicate ACK, SACK or DSACK of the receiver
    receiver_in_order,      // reordering: the receiver had them in order: a mirror swapped them
    times_only,             // reordering: nothing but the times of two taps
    payload_differs,
    ack_rewritten,
    seen_at_both,
    sender_not_told,  // ICMP error: its addressee went on as if it had not got it
    own_address,      // sent from an address that the operator names as the firewall's own
    nothing_decides,
    limit_reached,
};
inline constexpr std::size_t kProofs = static_cast<std::size_t>(Proof::limit_reached) + 1;

// What a packet has to do with a fact.
enum class Part : std::uint8_t {
    none,
    subject,    // the packet itself, where it entered
    left,       // its twin, or the copy that left
    repeat,     // it entered again
    ack,        // covers the bytes
    asks,       // duplicate ACK or SACK that leaves them out
    overtaker,  // left before though it entered later
    genuine,    // surely of the host a reset names
    quote,      // the ICMP error
};
[[nodiscard]] std::string_view name(FactKind kind);
[[nodiscard]] std::string_view name(Grade grade);
[[nodiscard]] std::string_view name(Proof proof);
[[nodiscard]] std::string_view help(Proof proof);
[[nodiscard]] std::string_view name(Part part);

struct Cite {
    std::uint64_t frame = 0;  // 0 = not numbered (live)
    Nanos time = 0;
    Side tap = Side::outside;
    Part part = Part::none;
    std::uint32_t entered_in_slot = 0;  // of a repeat: as in Circumstances
};

// What is known of a packet at the moment it entered: what the drops may have in common.
struct Circumstances {
    Nanos idle = 0;           // since the last packet of the conversation that left, either way
    Nanos idle_same_way = 0;  // since the last of this way that left
    Nanos age = 0;            // since the conversation's first packet
    // Since the previous conversation of the same tuple ended; 0 = there was none.
    Nanos since_previous = 0;
    // Bytes of IP that had entered this way before it, of all conversations, in its slot of
    // Passage.
    std::uint32_t entered_in_slot = 0;
    std::uint32_t window_left = 0;  // bytes the receiver's window had room for beyond its end
    bool in_window = true;          // within what the receiver had offered, as the exit tap saw it
    bool window_known = false;
    bool scale_mismatch = false;  // inside the window only with a scale that was taken off the SYN
    bool acks_unseen = false;     // its ACK lies beyond what the other side was seen to send
    bool bad_flags = false;       // SYN+FIN, no flags, …
    bool out_of_order = false;    // not the next number at the entry tap
    bool after_close = false;     // both FINs acknowledged, or a RST passed
    bool after_fin = false;       // the sender's or receiver's FIN had passed
};

struct Fact {
    static constexpr std::size_t kCitesMax = 8;

    std::uint64_t id = 0;  // from 1, unique within the run
    std::uint64_t conversation = 0;
    FactKind kind = FactKind::unproven;
    Grade grade = Grade::unproven;
    Proof proof = Proof::none;
    Way way = Way::inward;
    // One loss alone: the exit tap missing it, and its being lost beyond, looks the same (rule S).
    // Proven only while the exit tap shows no miss within 10 s.
    bool single_fault = false;
    bool in_handshake = false;  // the conversation was not yet established
    std::uint8_t attempts = 1;  // copies that entered, saturating
    std::uint8_t cites_count = 0;
    Nanos time = 0;     // entered (or left, where it was not seen to enter)
    Nanos decided = 0;  // time of the wire at which it was concluded
    Nanos cost = 0;     // until the bytes left in another copy; 0 = never or nothing lost
    Packet packet;      // as it entered, else as it left
    Packet twin;        // pairs: as it left; icmp_error and resets: what it is about, if kept
    bool twin_known = false;
    Circumstances circumstances;
    std::array<Cite, kCitesMax> cites{};
    // Enough of the conversation to name it before its record comes.
    std::array<flow::Endpoint, kSides> client{};
    std::array<flow::Endpoint, kSides> server{};
    Side client_side = Side::outside;
    bool client_known = false;
};

// Packets of both taps around a fact, for ladders and people, in order of time.
struct Excerpt {
    static constexpr std::size_t kPacketsMax = 24;

    std::uint64_t fact = 0;  // Fact::id
    std::uint64_t conversation = 0;
    std::uint8_t count = 0;
    bool more_before = false;  // others of the conversation came before, after
    bool more_after = false;
    std::array<Packet, kPacketsMax> packets{};
    // Index into packets of its twin at the other tap, or its own index: none in the excerpt.
    std::array<std::uint8_t, kPacketsMax> twin{};
    std::array<Way, kPacketsMax> way{};
};

}  // namespace tw::taps
