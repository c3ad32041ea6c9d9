// SPDX-License-Identifier: BSD-3-Clause
// What evidence keeps: per conversation and way, per packet on its way between the taps, and per
// packet that stayed alone. Only evidence*.cpp include this.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/pool.hpp"
#include "base/sequence.hpp"
#include "core/taps/evidence.hpp"
#include "core/taps/evidence_spans.hpp"
#include "core/taps/evidence_table.hpp"

namespace tw::taps {

namespace flag = decode::tcp_flag;

// A packet with sequence numbers that entered and has not left yet; most live for a transit time.
struct Open {
    std::uint64_t serial = 0;
    std::uint64_t frame = 0;
    Nanos time = 0;
    std::uint32_t next = 0;  // of the same way
    std::uint32_t lo = 0;
    std::uint32_t hi = 0;
    std::uint32_t tsval = 0;
    std::uint16_t ip_id = 0;
    bool timestamps : 1 = false;
    bool syn : 1 = false;
    bool alone : 1 = false;   // its time is over
    bool passed : 1 = false;  // the mirror's second copy of it has the twin
    // At its entry
    bool repeat : 1 = false;
    bool left_before : 1 = false;
    bool covered_before : 1 = false;
    bool beyond_window : 1 = false;
    bool acknowledged_old : 1 = false;
    bool in_handshake : 1 = false;
    bool incomplete : 1 = false;  // spans or numbers were not complete
    // Afterwards
    bool repeated : 1 = false;  // a later copy entered
    bool left_any : 1 = false;  // a copy (its own twin left aside) was seen to leave
    bool left_paired : 1 = false;
    bool left_same_bounds : 1 = false;
    bool left_timestamps : 1 = false;
    bool covered : 1 = false;
    bool covered_unseen : 1 = false;
    bool covered_partly : 1 = false;
    bool covered_soon : 1 = false;
    bool only_copy : 1 = false;
    bool raced : 1 = false;
    bool echoes_it : 1 = false;
    bool echoes_later : 1 = false;
    bool echoes_before : 1 = false;
    bool too_soon : 1 = false;
    bool interchangeable : 1 = false;
    std::uint32_t suspect = 0;  // with alone
    std::uint8_t earlier = 0;   // copies told of before that had not left either
    std::uint8_t asks = 0;
    std::uint8_t duplicates_told = 0;
    std::uint8_t copies_left = 0;
    std::uint8_t copies_left_ever = 0;
    std::uint32_t left_upto = 0;  // bytes from lo that left in other copies
    std::uint32_t left_tsval = 0;
    std::uint64_t left_serial = 0;
    Nanos left_at = 0;
    Nanos covered_at = 0;
    Cite ack;
    Cite left;
    Cite entered_again;
    Cite ask;
    Circumstances circumstances;
};

// One that stayed alone, until it is concluded.
struct Suspect {
    Packet packet;
    Witnessed of;
    Way way = Way::inward;
    std::uint32_t open = 0;     // 0 = the conversation is gone, or it was concluded
    std::uint8_t attempts = 1;  // it, and later copies that stayed alone as well
    std::uint8_t repeats_count = 0;
    std::array<Cite, 4> repeats{};
    std::uint32_t next = 0;  // in the order of asking again
    Nanos due = 0;
    Nanos since = 0;
};

enum class StrayKind : std::uint8_t {
    reset_left,
    reset_entered,
    syn_left,
    data_left,
    copy_left,
    ack_left,
    icmp_entered,
    icmp_left,
};

// A packet that stayed alone and is not a question of open sequence numbers.
struct Stray {
    Packet packet;
    Witnessed of;
    std::uint32_t lo = 0;  // as its sender counts, with numbers_known
    std::uint32_t hi = 0;
    std::uint32_t ack = 0;
    std::uint32_t next = 0;          // in the order of asking again
    std::uint32_t next_of_slot = 0;  // of the same conversation
    Nanos due = 0;
    Nanos since = 0;
    StrayKind kind = StrayKind::reset_left;
    Way way = Way::inward;
    bool live = false;
    bool numbers_known = false;
    bool seen_before = false;  // the entry tap had seen its bytes when it left
    bool partly_before = false;
    bool same_packet = false;  // a packet of the same identification and timestamp had left
    bool identified = false;   // … and these tell packets of this sender apart
    bool late = false;         // after the close
    bool answers = false;      // resets: to a packet that is known not to have left
    std::uint8_t attempts = 1;
    Circumstances circumstances;
    Packet twin;  // ICMP: where it left
    bool twin_known = false;
};

// One way of a conversation: its data, and what the receiver said of them at the exit tap.
struct WayState {
    Span at_entry;
    Span at_exit;
    std::uint32_t opens = 0;  // Pool<Open>, in the order of arrival
    std::uint32_t opens_last = 0;
    std::uint32_t disturbed = 0;  // of them: repeats, repeated or alone
    // The receiver, at its own entry tap
    std::uint32_t acked = 0;
    std::uint32_t acked_before = 0;     // before it moved last
    std::uint32_t acked_raw_first = 0;  // as captured: counts without known numbers
    std::uint32_t acked_raw = 0;
    std::uint32_t window_edge = 0;
    std::uint32_t acked_told = 0;  // highest of its ACKs seen at the sender's tap
    std::uint32_t early = 0;
    std::uint16_t window = 0;
    std::uint16_t duplicate_acks = 0;
    Nanos told_at = 0;
    Nanos repeated_ack_at = 0;  // the receiver's last bare ACK of nothing new
    // What "too big" told this way's sender, and when that last sent something longer since.
    std::uint16_t told_mtu = 0;
    Nanos too_long_at = 0;
    // The last bytes that were told of as not left: later copies of them count on.
    std::uint32_t tried_lo = 0;
    std::uint32_t tried_hi = 0;
    std::uint8_t tried = 0;
    bool tried_late = false;  // after the close
    // A RST, or an ICMP error about these bytes, that left towards this way's sender and that
    // nobody was seen to send.
    Nanos reset_back_at = 0;
    std::uint32_t stray_data_lo = 0;
    Nanos stray_data_at = 0;  // when data last left that was not recognised
    std::uint32_t error_back_seq = 0;
    bool error_back = false;
    bool sack_permitted = false;  // by its SYN, as it left
    // Round trip exit tap to receiver and back
    std::uint32_t sample_end = 0;
    Nanos sample_at = 0;
    Cite raw_ack;             // the last that acknowledged more of it
    Nanos rtt_min = 0;        // 0 = none
    Nanos least_transit = 0;  // with pairs_timed
    Nanos last_entered = 0;
    Nanos last_left = 0;
    Nanos last_left_space = 0;     // of the packets that left: those with sequence numbers
    Nanos entered_after_idle = 0;  // silence before the packet that entered last
    Nanos gap = 0;                 // since the last one of this way that left, before …
    std::uint64_t gap_serial = 0;  // … this one
    Nanos idle_passed = 0;
    Nanos last_syn = 0;
    Nanos last_bare = 0;   // entered: an ACK and nothing else
    Nanos last_plain = 0;  // entered, neither SYN nor RST, near the other numbers
    std::uint32_t fin_end = 0;
    std::uint32_t isn_left = 0;
    std::uint16_t ip_id = 0;
    std::uint8_t ids_changed = 0;      // packets in a row with another identification than before
    std::uint64_t taken_for_twin = 0;  // serial: left as the packet that had entered first would
    std::uint32_t tsval_left = 0;
    std::uint16_t id_left = 0;
    std::uint8_t ids_counted = 0;  // packets in a row that left with one a small step ahead
    std::uint8_t ttl_left = 0;
    std::uint8_t syns_entered = 0;
    std::uint8_t syns_left = 0;
    std::uint8_t resets_entered = 0;
    std::uint8_t resets_left = 0;
    std::uint8_t resets_left_alone = 0;
    std::uint8_t pairs = 0;
    std::uint8_t pairs_timed = 0;  // those but SYNs
    std::int8_t scale_entered = -1;
    std::int8_t scale_left = -1;
    bool acked_known : 1 = false;
    bool acked_raw_known : 1 = false;
    bool window_known : 1 = false;
    bool told_known : 1 = false;
    bool sampling : 1 = false;
    bool fin_seen : 1 = false;
    bool fin_left : 1 = false;
    bool fin_acked : 1 = false;
    bool ttl_known : 1 = false;
    bool timestamps_left : 1 = false;
    bool rewritten : 1 = false;  // its numbers leave as others
    bool asymmetric_told : 1 = false;
    bool syn_passed : 1 = false;  // a SYN of this way was seen at both taps
    // Sums
    std::uint32_t lost = 0;
    std::uint32_t missed_at_exit = 0;
    std::uint32_t missed_at_entry = 0;
    std::uint32_t unproven = 0;
    std::uint32_t pure_acks_lost = 0;
    std::uint32_t lost_before = 0;
    std::uint32_t lost_beyond = 0;
};

struct ConversationEvidence {
    std::array<WayState, kWays> ways;
    Nanos first = 0;
    Nanos last_seen = 0;  // at any tap
    Nanos last_left = 0;
    Nanos since_previous = 0;
    Nanos idle_passed = 0;
    Nanos gap = 0;  // silence before the packet gap_serial
    std::uint64_t gap_serial = 0;
    Nanos closed_at = 0;
    Nanos syn_entered = 0;
    Nanos syn_left = 0;
    Nanos answer_entered = 0;  // the server's SYN/ACK
    Nanos established = 0;
    std::uint32_t strays = 0;
    std::array<bool, kSides> seen{};
    std::uint8_t icmp_told = 0;
    std::uint8_t forged_acks = 0;
    bool closed : 1 = false;
    bool reset_passed : 1 = false;
    Way reset_way = Way::inward;  // of the RST that passed first
    bool reset_by_firewall : 1 = false;
    bool icmp_by_firewall : 1 = false;
    bool resegmented : 1 = false;
    bool answered_by_firewall : 1 = false;
    bool unrecovered : 1 = false;  // bytes lost that never left
};

// The last packets that left, by their first number: a second one of the same kind is recognised.
// Direct-mapped: another packet may take the place.
struct RecentlyLeft {
    std::uint64_t conversation = 0;
    std::uint64_t serial = 0;
    Nanos time = 0;
    std::uint32_t lo = 0;
    std::uint32_t hi = 0;
    std::uint32_t tsval = 0;
    std::uint16_t ip_id = 0;
    Way way = Way::inward;
    Share before = Share::none;  // seen at the entry tap when it left
    bool same_before = false;    // the one whose place it took was the same packet
    std::uint8_t copies = 1;     // of the same bytes that left, one after the other
    std::uint16_t options = 0;
};

// What a receiver told of bytes that came twice (DSACK, RFC 2883; or a bare ACK repeated).
struct Reaction {
    std::uint64_t conversation = 0;
    Nanos time = 0;
    std::uint32_t lo = 0;
    Way way = Way::inward;
    bool dsack = false;
};

class Evidence::State {
  public:
    State(const EngineOptions& options, FactSink& sink, Passage& passage, TapHealth& health,
          stats::Counters& counters);

    void begin(const Witnessed& of, Nanos since_previous);
    void entered(const Seen& seen);
    void left(const Seen& seen);
    void paired(const Seen& entered, const Seen& left);
    void entered_alone(const Seen& seen);
    void left_alone(const Seen& seen);
    void fragmented(const Seen& seen);
    void icmp_error(const Witnessed& of, Way quoted_way, const Packet& quote);
    void advance(const std::array<Nanos, kSides>& clocks, Nanos wait);
    void end(const Witnessed& of, Nanos now, Conversation& record);
    void finish() { finished_ = true; }
    [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }

  private:
    static constexpr std::uint32_t kNone = 0;

    // --- evidence.cpp: packets as they come
    [[nodiscard]] ConversationEvidence& of_slot(const Witnessed& of) {
        return conversations_[of.slot];
    }
    void note_times(ConversationEvidence& it, const Seen& seen, bool is_entry);
    void note_load(const Seen& seen);
    void note_sender(ConversationEvidence& it, const Seen& seen);
    void note_sender_left(ConversationEvidence& it, const Seen& seen);
    void add_open(ConversationEvidence& it, const Seen& seen);
    void mark_left(WayState& way, const Seen& seen);
    void pass_original(WayState& way, const Seen& copy);
    void remember_left(const Seen& seen, Share before);
    void settle_earlier_copies(WayState& way, const Seen& entered, const Seen& left,
                               bool beyond_window);
    void note_handshake(ConversationEvidence& it, const Seen& entered, const Seen& left);
    void remove_open(WayState& way, std::uint32_t before, std::uint32_t index);

    // --- evidence_receiver.cpp: what a packet says of the other way's data
    void receiver(ConversationEvidence& it, const Seen& seen);
    void cover(WayState& data, const Seen& seen, std::uint8_t first_block);
    void cover_open(const WayState& data, Open& open, const Seen& seen, bool by_ack);
    void ask(const ConversationEvidence& it, WayState& data, const Seen& seen,
             std::uint8_t first_block);
    void told_twice(WayState& data, const Seen& seen, std::uint32_t lo, std::uint32_t hi);
    void remember_reaction(const Seen& seen, std::uint32_t lo, bool dsack);
    void note_window(ConversationEvidence& it, const Seen& seen);
    void note_close(ConversationEvidence& it, const Seen& seen);
    void settle_gaps(const Witnessed& of, WayState& data, Way data_way, Nanos now);
    [[nodiscard]] Nanos swap_margin(Side side) const;

    // --- evidence_losses.cpp: packets that stayed alone
    [[nodiscard]] Circumstances circumstances(const ConversationEvidence& it,
                                              const Seen& seen) const;
    void evaluate(std::uint32_t suspect, bool last_call, Nanos now);
    [[nodiscard]] LossFacts facts_of(const ConversationEvidence& it, const Open& open, Way way,
                                     bool last_call, Nanos now) const;
    [[nodiscard]] bool awaits_copies(const Open& open) const;
    bool join_case(WayState& way, const Open& open, const Seen& seen);
    void tell_loss(ConversationEvidence& it, const Suspect& suspect, const Open& open,
                   const Decision& decision, Nanos now);
    void tell_unkept(const Seen& seen);
    void count(WayState& way, FactKind kind);
    void close_losses(const Witnessed& of, Nanos now);

    // --- evidence_resets.cpp
    bool judge_reset_left(ConversationEvidence& it, Stray& stray, bool last_call, Fact& fact);
    bool judge_reset_entered(ConversationEvidence& it, Stray& stray, bool last_call, Fact& fact);
    [[nodiscard]] bool answers(const WayState& sender, const Stray& reset, Nanos entered) const;
    void answer_resets(ConversationEvidence& it, Way refused, Nanos entered);
    [[nodiscard]] Grade answers_what_stayed(const ConversationEvidence& it,
                                            const Stray& stray) const;
    [[nodiscard]] static bool is_foreign(const WayState& sender, const Packet& reset);

    // --- evidence_strays.cpp
    void ask_again(std::uint32_t stray);
    void add_stray(ConversationEvidence& it, const Stray& stray);
    // True once it is told, or not worth telling.
    bool judge(Stray& stray, bool last_call, Nanos now);
    bool judge_syn_left(ConversationEvidence& it, Stray& stray, bool last_call, Fact& fact);
    bool judge_data_left(ConversationEvidence& it, Stray& stray, bool last_call, Fact& fact);
    bool judge_copy_left(ConversationEvidence& it, Stray& stray, Fact& fact);
    bool judge_ack_left(ConversationEvidence& it, Stray& stray, Fact& fact);
    void tell_stray(const Stray& stray, Fact& fact, Nanos now);
    void close_strays(ConversationEvidence& it, Nanos now);
    [[nodiscard]] bool mirror_doubles(Side side) const;

    // --- evidence_icmp.cpp
    bool judge_icmp(ConversationEvidence& it, Stray& stray, Fact& fact);

    // --- evidence_outcome.cpp
    [[nodiscard]] Grade grade_of_absence(Way way, const ConversationEvidence& it) const;
    void tell_asymmetry(const Witnessed& of, ConversationEvidence& it, Nanos now);
    void describe(const Witnessed& of, const ConversationEvidence& it, Conversation& record) const;

    void take(Fact& fact, const Witnessed& of, Nanos now);
    [[nodiscard]] Grade best_grade(const Witnessed& of, FactKind kind) const;
    [[nodiscard]] static bool crossed_unrecognised(const ConversationEvidence& it);

    FactSink& sink_;
    Passage& passage_;
    TapHealth& health_;
    stats::Counters& counters_;
    Nanos skew_;  // how far the clocks and mirrors of the two taps may disagree
    Nanos wait_;
    Nanos now_ = 0;
    bool finished_ = false;
    std::size_t memory_bytes_ = 0;
    std::uint64_t gaps_refused_ = 0;  // of these, counted so far
    LazyArray<ConversationEvidence> conversations_;
    Spans spans_;
    Pool<Open> opens_;
    Pool<Suspect> suspects_;
    Pool<Stray> strays_;
    LazyArray<RecentlyLeft> recently_left_;
    LazyArray<Reaction> reactions_;
    std::uint32_t suspects_head_ = kNone;
    std::uint32_t suspects_tail_ = kNone;
    std::uint32_t strays_head_ = kNone;
    std::uint32_t strays_tail_ = kNone;
    // How far a tap has shown an ACK before the data it acknowledges.
    std::array<Nanos, kSides> swapped_{};
    // What entered each way so far in the slot of Passage that ends at `until`.
    struct Entering {
        Nanos until = INT64_MIN;
        std::uint32_t before = 0;  // of the packet that entered last
        std::uint32_t bytes = 0;
    };
    std::array<Entering, kWays> entering_{};
    // The packet that last filled an acknowledged gap at its exit tap.
    std::uint64_t filler_serial_ = 0;
    Nanos filler_lag_ = 0;
};

// Direct-mapped memories: entries. A lost entry makes a duplicate "probable" at most.
inline constexpr std::uint32_t kRecentlyLeft = 1U << 15;
inline constexpr std::uint32_t kReactions = 1U << 13;
// Where in them a packet is remembered, before the modulo.
[[nodiscard]] std::uint32_t place_of(std::uint64_t conversation, Way way, std::uint32_t lo);

// Packets in a row with changing identifications that show a sender to number them.
inline constexpr std::uint8_t kIdsCount = 3;

// How long a packet that stayed alone waits for what tells of it, and how often it is looked at.
inline constexpr Nanos kLossPatience = 30 * kSecond;
inline constexpr Nanos kStrayPatience = 5 * kSecond;
inline constexpr Nanos kLookAgain = 250 * kMillisecond;

inline void bump(std::uint8_t& count) {
    if (count != 0xFF) {
        ++count;
    }
}
inline void conclude(Fact& fact, FactKind kind, Grade grade, Proof proof, bool single_fault) {
    fact.kind = kind;
    fact.grade = grade;
    fact.proof = proof;
    fact.single_fault = single_fault;
}
[[nodiscard]] inline Cite cite(const Packet& packet, Part part) {
    return {.frame = packet.frame, .time = packet.time, .tap = packet.tap, .part = part};
}
[[nodiscard]] inline bool overlap(std::uint32_t a_lo, std::uint32_t a_hi, std::uint32_t b_lo,
                                  std::uint32_t b_hi) {
    return after(a_hi, b_lo) && after(b_hi, a_lo);
}
[[nodiscard]] inline bool holds(std::uint32_t lo, std::uint32_t hi, std::uint32_t inner_lo,
                                std::uint32_t inner_hi) {
    return at_or_before(lo, inner_lo) && at_or_before(inner_hi, hi);
}

}  // namespace tw::taps
