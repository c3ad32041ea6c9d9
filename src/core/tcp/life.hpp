// SPDX-License-Identifier: BSD-3-Clause
// Episodes of the connection itself, where episodes.hpp has those of its bytes: handshakes that
// need more than one try, resets that may come from a third party, windows that stay shut, and
// connections of which one direction was never captured. A connection that has none of these costs
// one test of bits per segment; the others are watched in records of a bounded pool.
#pragma once

#include <array>
#include <cstdint>

#include "base/pool.hpp"
#include "core/decode/decoded.hpp"
#include "core/event/outbox.hpp"
#include "core/options.hpp"
#include "core/tcp/episodes.hpp"
#include "core/tcp/history.hpp"
#include "core/tcp/rate_limit.hpp"

namespace tw::tcp {

enum class Watch : std::uint8_t { syn, syn_ack, reset, stall };

// A SYN or SYN/ACK that was sent again.
struct SynWatch {
    Moment first;
    Moment again;  // its first repeat
    Moment last;
    Moment answer;  // the first one: SYN/ACK, or the client's ACK
};
// A reset, and who sent it.
struct ResetWatch {
    Moment at;
    Moment before;  // the claimed sender's segment before it
    Nanos idle;     // silence of the connection before it
    std::uint32_t seq;
};
// A window that is shut: the receiver's is zero, or the sender has filled it.
struct StallWatch {
    Moment since;
    Moment probe;        // the sender's first one
    Moment opened;       // the receiver's segment that opened it again
    std::uint32_t edge;  // right edge of the window
};

struct LifeRecord {
    std::uint32_t owner;  // History::owner_of
    std::uint32_t next;   // in its bucket
    Watch watch;
    std::uint8_t side;     // who sent the SYN or the RST, or was kept waiting
    std::uint8_t count;    // of repeats, resets, stalls reported; stays at 255
    std::uint8_t bits;     // meaning: see the file of the watch
    std::uint32_t number;  // syn: TSval of the last copy; stall: bytes that waited for an ACK
    union {
        SynWatch syn;
        ResetWatch reset;
        StallWatch stall;
    };
};
static_assert(sizeof(LifeRecord) == 80);

class Life {
  public:
    struct Options {
        std::uint32_t records_max;
        Backing backing;
        std::uint64_t hash_seed;
        std::array<Nanos, kTapsMax> direction_skew;  // index: Frame::tap
    };
    Life(const Options& options, const History& history, event::Outbox& outbox,
         stats::Counters& counters);
    void set_direction_skew(const std::array<Nanos, kTapsMax>& skew) { direction_skew_ = skew; }

    // Whether a segment says nothing about the connection itself.
    [[nodiscard]] static bool calm(const flow::Flow& flow, const decode::Segment& segment,
                                   FlagSet flags) {
        namespace flag = decode::tcp_flag;
        constexpr std::uint32_t kShut = 1U << static_cast<std::uint32_t>(Flag::zero_window) |
                                        1U << static_cast<std::uint32_t>(Flag::window_full);
        return (flow.bits & flow::flow_bit::kLife) == 0 &&
               (segment.flags & (flag::kSyn | flag::kRst)) == 0 && (flags.bits() & kShut) == 0;
    }
    // Call for each segment of known length that is not calm, when judge(), the history and the
    // episodes have had it. `spoke`: Half::ack_time of the sender as it was before this segment.
    void observe(const Scene& scene, const decode::Decoded& found, FlagSet flags, Nanos spoke);

    // The connection ends: what was watched is reported, and whether it was seen from one side
    // only.
    void close(const Scene& scene);

    [[nodiscard]] static std::size_t memory_bytes(std::uint32_t records_max);

  private:
    // life_handshake.cpp
    void observe_syn(const Scene& scene, const decode::Segment& segment, std::uint8_t sender);
    void repeat_syn(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                    Watch watch);
    void note_answered_before(const Scene& scene, const decode::Segment& segment,
                              LifeRecord& record);
    void note_answer(const Scene& scene, const decode::Segment& segment, LifeRecord& record);
    void follow_handshake(const Scene& scene, const decode::Segment& segment, std::uint8_t sender);
    void settle_handshake(const Scene& scene);
    void settle_syn(const Scene& scene, const LifeRecord& syn, const LifeRecord* syn_ack);
    void settle_syn_ack(const Scene& scene, const LifeRecord& syn_ack);
    void judge_answered_before(const Scene& scene, const LifeRecord& syn,
                               const LifeRecord* syn_ack);
    void judge_answered_after(const Scene& scene, const LifeRecord& syn, const LifeRecord* syn_ack);
    void judge_copies(const Scene& scene, const LifeRecord& record);
    [[nodiscard]] event::Event handshake_event(const Scene& scene, const LifeRecord& record) const;

    // life_reset.cpp
    void observe_reset(const Scene& scene, const decode::Decoded& found, Nanos spoke);
    void note_sender(const Scene& scene, const decode::Decoded& found, LifeRecord& record) const;
    void follow_reset(const Scene& scene, const decode::Segment& segment, std::uint8_t sender);
    void settle_reset(const Scene& scene, LifeRecord& record, bool went_on);

    // life_stall.cpp
    void observe_window(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                        FlagSet flags);
    void follow_stall(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                      FlagSet flags);
    void follow_waiting(const Scene& scene, const decode::Segment& segment, FlagSet flags,
                        LifeRecord& record);
    void end_stall(const Scene& scene, LifeRecord& record, const Moment* opened);
    void report_stall(const Scene& scene, LifeRecord& record, Nanos end);
    void forget_stall(LifeRecord& record);

    // life.cpp
    void close_watched(const Scene& scene);
    void judge_one_sided(const Scene& scene);
    void emit(event::Event& event, Nanos now);
    [[nodiscard]] LifeRecord* find(const Scene& scene, Watch watch, std::uint8_t side);
    [[nodiscard]] LifeRecord* watch(const Scene& scene, Watch watch, std::uint8_t side);
    void drop(const LifeRecord& record);
    void update_bit(const Scene& scene);
    [[nodiscard]] std::uint32_t bucket_of(std::uint32_t owner) const {
        return static_cast<std::uint32_t>((owner ^ seed_) * 0x9E37'79B9'7F4A'7C15ULL >> shift_);
    }

    Pool<LifeRecord> records_;
    LazyArray<std::uint32_t> buckets_;
    std::uint64_t seed_;
    std::uint32_t shift_;
    std::array<Nanos, kTapsMax> direction_skew_;
    const History& history_;
    event::Outbox& outbox_;
    stats::Counters& counters_;
    std::array<RateLimit, 4> limits_{};  // handshake, reset, stall, path
};

}  // namespace tw::tcp
