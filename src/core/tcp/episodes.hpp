// SPDX-License-Identifier: BSD-3-Clause
// What happened, by bytes and causality instead of by tshark's rules: holes (ranges that should
// have been seen and were not) and runs of repeats (ranges seen before), each followed from its
// first sign to its resolution and reported once. Bounded: per direction and by pools; limits are
// counted.
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

struct Hole {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t origin;  // where the run of bytes filled from the left began; == begin if none
    std::uint32_t next;    // towards higher numbers; 0 = last
    Nanos opened_time;
    std::uint64_t opened_frame;
    Nanos touched_time;  // last filled or acknowledged
    std::uint64_t touched_frame;
    Lead since;         // opened_time back to the byte before it: its own were not sent earlier
    bool acknowledged;  // the receiver has these bytes; waits direction_skew for late capture
};
static_assert(sizeof(Hole) <= 56);

struct Range {
    std::uint32_t begin;
    std::uint32_t end;  // one past the last
};

struct RepeatRun {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint64_t bytes;
    std::uint32_t count : 31;  // segments; 0 = no run
    std::uint32_t acknowledged_before : 1;
    Lead since;  // first_time back to the receiver's last segment: an ACK may have been lost since
    Nanos first_time;
    Nanos last_time;
    std::uint64_t first_frame;
    std::uint64_t last_frame;
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
    RepeatRun run;

    [[nodiscard]] bool active() const { return holes_head != 0 || run.count != 0; }
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

    struct Options {
        std::uint32_t records_max;
        std::uint32_t holes_max;
        Backing backing;
        std::array<Nanos, kTapsMax> direction_skew;  // index: Frame::tap
    };
    Episodes(const Options& options, event::Outbox& outbox, stats::Counters& counters);
    // Holds for what waits already, too.
    void set_direction_skew(const std::array<Nanos, kTapsMax>& skew) { direction_skew_ = skew; }

    // Call after judge() for each segment of known length. In-order data and ACKs of captured data
    // on a connection without episodes end here.
    void observe(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                 FlagSet flags) {
        namespace bit = flow::half_bit;
        namespace flag = decode::tcp_flag;
        flow::Half& me = scene.flow->half[sender];
        const flow::Half& peer = scene.flow->half[sender ^ 1];
        const bool calm = (scene.flow->bits & flow::flow_bit::kEpisodes) == 0 &&
                          (me.bits & (bit::kSeen | bit::kProbeTail)) == bit::kSeen &&
                          (peer.bits & bit::kSeen) != 0 && segment.seq == me.seen_end &&
                          (segment.flags & (flag::kSyn | flag::kRst)) == 0 &&
                          !flags.has(Flag::zero_window_probe) && !after(segment.ack, peer.seen_end);
        if (calm) {
            me.seen_end += segment.payload_bytes + ((segment.flags & flag::kFin) != 0 ? 1 : 0);
            return;
        }
        observe_rest(scene, segment, sender, flags);
    }

    // The connection ends: whatever is open is reported and its records are freed. Returns the
    // missing bytes by side.
    std::array<std::uint64_t, 2> close(const Scene& scene);

    [[nodiscard]] static std::size_t memory_bytes(const Options& options);

  private:
    void observe_rest(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                      FlagSet flags);
    void observe_data(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                      FlagSet flags);
    void observe_behind(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                        FlagSet flags, Range range);
    void observe_ack(const Scene& scene, const decode::Segment& segment, std::uint8_t owner);

    [[nodiscard]] EpisodeRecord* record(const Scene& scene, bool create);
    void open_hole(const Scene& scene, std::uint8_t owner, Range range, bool acknowledged);
    [[nodiscard]] bool append(HalfEpisodes& half, const Hole& hole);
    void drop(HalfEpisodes& half, std::uint32_t* link);
    [[nodiscard]] static std::uint32_t missed_before(const HalfEpisodes& half, Range range);
    void give_up_lowest(const Scene& scene, std::uint8_t owner, HalfEpisodes& half);
    // Both return how many bytes of the range no copy had been captured of.
    [[nodiscard]] std::uint32_t captured_first(const Scene& scene, std::uint8_t owner, Range range);
    [[nodiscard]] std::uint32_t fill(const Scene& scene, std::uint8_t owner, HalfEpisodes& half,
                                     Range range);
    void fill_part(const Scene& scene, std::uint8_t owner, HalfEpisodes& half, Hole& hole,
                   Range part);
    [[nodiscard]] bool split(HalfEpisodes& half, Hole& hole, std::uint32_t at);
    void acknowledge(const Scene& scene, std::uint8_t owner, HalfEpisodes& half, Range range);
    void report_waited(const Scene& scene, std::uint8_t owner, HalfEpisodes& half);
    void flush_prefix(const Scene& scene, std::uint8_t owner, Hole& hole);
    void extend_run(const Scene& scene, std::uint8_t owner, Range range, std::uint32_t payload);
    void report_run(const Scene& scene, std::uint8_t owner, RepeatRun& run,
                    event::Resolution resolution, const event::FrameRef* evidence);
    void report_hole(const Scene& scene, std::uint8_t owner, const Hole& hole, Range range,
                     event::Resolution resolution);
    void close_half(const Scene& scene, std::uint8_t owner, HalfEpisodes& half);
    [[nodiscard]] event::Event event_of(const Scene& scene, std::uint8_t owner,
                                        event::EventType type) const;

    Pool<EpisodeRecord> records_;
    Pool<Hole> holes_;
    std::array<Nanos, kTapsMax> direction_skew_;
    event::Outbox& outbox_;
    stats::Counters& counters_;
};

// Who the connection is, for outputs.
[[nodiscard]] event::FlowName name_of(const flow::FlowTable& table, std::uint32_t slot,
                                      const flow::Flow& flow, const flow::ColdFlow& cold);
[[nodiscard]] event::Direction direction_of(const flow::Flow& flow, std::uint8_t side);

}  // namespace tw::tcp
