// SPDX-License-Identifier: BSD-3-Clause
// What happened, by bytes and causality instead of by tshark's rules: holes (ranges that should
// have been seen and were not) and repeats (ranges seen before), each followed from its first sign
// to its resolution, kept as a case while evidence may still come, judged and reported once.
// Bounded: per direction and by pools; limits are counted. Holes: holes.cpp, cases: cases.cpp and
// waiting.cpp.
//
//   seen_begin        hole            hole   seen_end
//       |-------------[....)----------[..)------|            one direction's sequence numbers
//        captured      missing captured       next expected
#pragma once

#include <algorithm>
#include <array>

#include "base/pool.hpp"
#include "base/sequence.hpp"
#include "core/decode/decoded.hpp"
#include "core/event/outbox.hpp"
#include "core/flow/table.hpp"
#include "core/options.hpp"
#include "core/tcp/flags.hpp"
#include "core/tcp/history.hpp"
#include "core/tcp/judge.hpp"

namespace tw::tcp {

// A moment before another in four bytes: steps of 2^14 ns (16 us), rounded so that it is never too
// late; the last value stands for anything beyond 19 hours.
class Lead {
  public:
    Lead() = default;
    Lead(Nanos earlier, Nanos moment) {
        // Unsigned: files may hold any times.
        const auto apart = static_cast<std::uint64_t>(moment) - static_cast<std::uint64_t>(earlier);
        if (moment > earlier) {
            steps_ = static_cast<std::uint32_t>(
                std::min<std::uint64_t>((apart >> kShift) + 1, kLongAgo));
        }
    }
    [[nodiscard]] Nanos before(Nanos moment) const {
        const Nanos apart = Nanos{steps_} << kShift;
        return steps_ == kLongAgo || moment < INT64_MIN + apart ? INT64_MIN : moment - apart;
    }

  private:
    static constexpr int kShift = 14;
    static constexpr std::uint32_t kLongAgo = UINT32_MAX;
    std::uint32_t steps_ = 0;
};

// A segment seen.
struct Moment {
    Nanos time;
    std::uint64_t frame;  // 0 = not numbered (live)
};

struct Hole {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t next;  // towards higher numbers; 0 = last
    Lead since;          // opened.time back to the byte before it: its own were not sent earlier
    Moment opened;
    Moment acked;  // with `acknowledged`: the ACK
    Moment ask;    // with `asked`: the receiver's first request
    // The segment that opened it, if it was data.
    std::uint32_t opener_tsval;
    std::uint32_t opener_ack;
    std::uint32_t ask_number;  // with `asked`: what the first request names
    std::uint16_t opener_ip_id;
    std::uint16_t asked;  // the receiver's requests, saturating
    bool by_data;         // else an ACK showed it
    bool opener_timed;    // opener_tsval is valid
    bool opener_fin;      // the opener is a FIN without data
    bool acknowledged;    // the receiver has these bytes; waits direction_skew for late capture
    bool by_sack;         // acknowledged so
};
static_assert(sizeof(Hole) <= 88);

struct Range {
    std::uint32_t begin;
    std::uint32_t end;  // one past the last
};

// A filled part of a hole, or bytes sent again, while the receiver may still say more about it.
struct Case {
    std::uint32_t next;  // of the same direction, in order of their first sign; 0 = last
    std::uint32_t due_next;
    std::uint32_t due_previous;
    std::uint32_t owner;  // the connection (History::owner_of)
    Range range;
    Lead since;           // hole: as its; repeat: first.time back to the receiver's last segment
    std::uint64_t bytes;  // sent again: payload; a hole's length otherwise
    Nanos due;            // when it is judged; 0 = not before it is resolved
    Moment first;         // hole: the opener; repeat: the first one
    Moment last;          // filler, repeat
    Moment original;      // repeat: the first copy, time 0 = not known
    Moment ack;
    Moment ask;
    Moment dsack;
    std::uint32_t segment_bytes;    // payload of the largest segment
    std::uint32_t delivered_bytes;  // of the largest that R acknowledged before
    std::uint32_t first_end;        // one past the first segment
    std::uint32_t first_tsval;      // of the first and the last repeat, and of the first copy
    std::uint32_t last_tsval;
    std::uint32_t original_tsval;
    bool timed;         // these are valid
    bool behind_hole;   // repeat: a FIN without data beyond an open hole
    bool stopped;       // repeat: R's ACK stood at its begin
    bool held_up;       // repeat: and could not, for bytes missing below
    bool timer;         // no case: wakes the half for holes that wait direction_skew
    std::uint8_t side;  // whose bytes they are
    event::EventType type;
    event::Resolution resolution;
    FillFacts fill;      // type hole
    RepeatFacts repeat;  // type repeat
};

struct HalfEpisodes {
    static constexpr std::uint32_t kMissedMax = 4;

    std::uint32_t holes_head;  // ordered by sequence number
    std::uint32_t holes_count;
    std::uint32_t waiting_count;  // of these, acknowledged ones that wait direction_skew
    std::uint32_t missed_count;   // ever put into missed[]
    std::uint64_t missing_bytes;  // of holes that ended acknowledged_unseen or never
    // The latest ranges reported acknowledged_unseen: a copy captured after all is no repeat.
    Range missed[kMissedMax];
    std::uint32_t cases_head;
    std::uint32_t cases_count;
    Nanos resent_time;          // of the last byte known to be sent again, no FIN alone
    std::uint32_t fin_repeats;  // FINs without data, sent again
    std::uint32_t timer;        // a case that only wakes the half for its waiting holes; 0 = none
    bool sacks;                 // the receiver of these bytes uses SACK
    bool reports;               // their receiver has reported a duplicate (DSACK)

    [[nodiscard]] bool active() const { return holes_head != 0 || cases_head != 0; }
    // Nothing has to be remembered of this direction.
    [[nodiscard]] bool blank() const {
        return !active() && missed_count == 0 && missing_bytes == 0 && fin_repeats == 0 &&
               timer == 0;
    }
};

struct EpisodeRecord {
    HalfEpisodes side[2];
};

// The connection and frame at hand.
struct Scene {
    flow::FlowTable* table;
    std::uint32_t slot;
    flow::Flow* flow;
    flow::ColdFlow* cold;
    Nanos now;
    std::uint64_t frame;
    Nanos raised;  // Half::nxt_time of the sender as it was before this segment
};

class Episodes {
  public:
    // Holes followed at once per direction: a whole 64 KiB window of single-segment losses. Beyond
    // it the lowest is given up as unknown_limit.
    static constexpr std::uint32_t kHolesPerHalf = 128;
    // No window reaches farther (RFC 7323 section 2.3), so such a jump is no hole.
    static constexpr std::uint32_t kJumpMax = 1U << 30;
    // Cases of one direction. Beyond it the oldest is judged at once.
    static constexpr std::uint32_t kCasesPerHalf = 64;
    // How long after its resolution a case waits for what the receiver says of it: a round trip is
    // shorter, and so is a retransmission timeout that is not backed off.
    static constexpr Nanos kEvidenceWait = kSecond;

    struct Options {
        std::uint32_t records_max;
        std::uint32_t holes_max;
        std::uint32_t cases_max;
        Backing backing;
        std::array<Nanos, kTapsMax> direction_skew;  // index: Frame::tap
    };
    // `history` holds the segment at hand whenever observe() is called.
    Episodes(const Options& options, const History& history, event::Outbox& outbox,
             stats::Counters& counters);
    // Holds for what waits already, too.
    void set_direction_skew(const std::array<Nanos, kTapsMax>& skew) { direction_skew_ = skew; }

    // True if the segment is in-order data or an ACK of captured data on a connection without
    // episodes: taken note of, and nothing else to do. Call after judge() for each segment of known
    // length, and observe() for the others.
    [[nodiscard]] static bool pass(flow::Flow& flow, const decode::Segment& segment,
                                   std::uint8_t sender, FlagSet flags) {
        namespace bit = flow::half_bit;
        namespace flag = decode::tcp_flag;
        flow::Half& me = flow.half[sender];
        const flow::Half& peer = flow.half[sender ^ 1];
        const bool calm = (flow.bits & flow::flow_bit::kEpisodes) == 0 &&
                          (me.bits & (bit::kSeen | bit::kProbeTail)) == bit::kSeen &&
                          (peer.bits & bit::kSeen) != 0 && segment.seq == me.seen_end &&
                          (segment.flags & (flag::kSyn | flag::kRst)) == 0 &&
                          !flags.has(Flag::zero_window_probe) && !after(segment.ack, peer.seen_end);
        if (calm) {
            me.seen_end += segment.payload_bytes + ((segment.flags & flag::kFin) != 0 ? 1 : 0);
        }
        return calm;
    }
    void observe(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                 FlagSet flags);

    // Judges what has waited long enough; `tables` are those of IPv4 and IPv6.
    void tick(flow::FlowTable* tables, Nanos now);

    // The connection ends: whatever is open is reported and its records are freed. Returns the
    // missing bytes by side.
    std::array<std::uint64_t, 2> close(const Scene& scene);

    [[nodiscard]] static std::size_t memory_bytes(const Options& options);

  private:
    void observe_data(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                      FlagSet flags);
    void observe_behind(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                        FlagSet flags, Range range);
    void observe_ack(const Scene& scene, const decode::Segment& segment, std::uint8_t owner,
                     FlagSet flags);
    void release_blank(const Scene& scene, const EpisodeRecord& episodes);

    [[nodiscard]] EpisodeRecord* record(const Scene& scene, bool create);
    void open_hole(const Scene& scene, std::uint8_t owner, Range range, bool acknowledged);
    [[nodiscard]] bool append(HalfEpisodes& half, const Hole& hole);
    void drop(HalfEpisodes& half, std::uint32_t* link);
    [[nodiscard]] static std::uint32_t take_missed(HalfEpisodes& half, Range range);
    void limit_reached(const Scene& scene, std::uint8_t owner, const Hole& hole);
    void give_up_lowest(const Scene& scene, std::uint8_t owner, HalfEpisodes& half);
    // Both return how many bytes of the range no copy had been captured of.
    [[nodiscard]] std::uint32_t captured_first(const Scene& scene, std::uint8_t owner, Range range);
    [[nodiscard]] std::uint32_t fill(const Scene& scene, std::uint8_t owner, HalfEpisodes& half,
                                     Range range);
    void fill_part(const Scene& scene, std::uint8_t owner, HalfEpisodes& half, Hole& hole,
                   Range part);
    void note_asks(const Scene& scene, HalfEpisodes& half, const decode::Segment& segment,
                   const OptionFacts& options, FlagSet flags);
    [[nodiscard]] bool split(HalfEpisodes& half, Hole& hole, std::uint32_t at);
    void acknowledge(const Scene& scene, HalfEpisodes& half, Range range, bool by_sack);
    void report_waited(const Scene& scene, std::uint8_t owner, HalfEpisodes& half);
    void report_hole(const Scene& scene, std::uint8_t owner, const Hole& hole,
                     event::Resolution resolution);
    [[nodiscard]] event::Finding judge_unfilled(const Scene& scene, std::uint8_t owner,
                                                const Hole& hole);

    // cases.cpp
    void add_fill(const Scene& scene, std::uint8_t owner, HalfEpisodes& half, const Hole& hole,
                  Range part);
    void add_repeat(const Scene& scene, std::uint8_t owner, Range range, std::uint32_t payload);
    [[nodiscard]] bool missing_below(const HalfEpisodes& half, std::uint32_t begin) const;
    void tell_fills(const HalfEpisodes& half, Range again, bool late);
    [[nodiscard]] bool tell_doubled(const HalfEpisodes& half, Range copy);
    [[nodiscard]] bool extend_repeat(const Scene& scene, HalfEpisodes& half, const Case& more);
    void append_case(const Scene& scene, std::uint8_t owner, HalfEpisodes& half, const Case& added);
    void answer_cases(const Scene& scene, HalfEpisodes& half, const decode::Segment& segment,
                      const OptionFacts& options);
    void note_duplicate(HalfEpisodes& half, Range reported, Moment dsack);
    [[nodiscard]] bool sent_before(const Sighting& one, const Sighting& other) const;
    // waiting.cpp
    void wake_for_waiting(const Scene& scene, std::uint8_t owner, HalfEpisodes& half);
    void wait_for_evidence(std::uint32_t index, Nanos due);
    void unlink_due(Case& waiting);
    void place_in_host(const Scene& scene, std::uint8_t owner, event::Finding& finding) const;
    void conclude_due(const Scene& scene, std::uint8_t owner, const HalfEpisodes& half);
    void conclude(const Scene& scene, std::uint8_t owner, std::uint32_t index, bool cut_short);
    void remove_case(const Scene& scene, std::uint8_t owner, std::uint32_t index);
    [[nodiscard]] std::uint32_t delivered_before(const Scene& scene, std::uint8_t owner) const;
    [[nodiscard]] PathTimes path_times(const Scene& scene, std::uint8_t owner) const;
    [[nodiscard]] const Sighting* sighting(const Scene& scene) const {
        return history_.latest(*scene.flow, History::owner_of(scene.slot, scene.table->v6()));
    }

    void close_half(const Scene& scene, std::uint8_t owner, HalfEpisodes& half);
    [[nodiscard]] event::Event event_of(const Scene& scene, std::uint8_t owner,
                                        event::EventType type) const;

    const History& history_;
    Pool<EpisodeRecord> records_;
    Pool<Hole> holes_;
    Pool<Case> cases_;
    std::uint32_t due_head_ = 0;  // in order of their resolution
    std::uint32_t due_tail_ = 0;
    std::array<Nanos, kTapsMax> direction_skew_;
    event::Outbox& outbox_;
    stats::Counters& counters_;
};

// Who the connection is, for outputs.
[[nodiscard]] event::FlowName name_of(const flow::FlowTable& table, std::uint32_t slot,
                                      const flow::Flow& flow, const flow::ColdFlow& cold);
[[nodiscard]] event::Direction direction_of(const flow::Flow& flow, std::uint8_t side);

}  // namespace tw::tcp
