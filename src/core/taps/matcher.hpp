// SPDX-License-Identifier: BSD-3-Clause
// What happens to a packet whose conversation and way are known: its twin at the other tap is
// looked for, or it waits for it; evidence and comparison are told of it, of pairs, and of those
// that stayed alone once both taps' clocks have passed every time at which a twin could come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/clocks.hpp"
#include "core/taps/conversations.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/evidence.hpp"
#include "core/taps/health.hpp"
#include "core/taps/in_flight.hpp"
#include "core/taps/packet_log.hpp"
#include "core/taps/pairs.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

class Matcher {
  public:
    Matcher(const EngineOptions& options, Conversations& conversations, stats::Counters& counters);

    void begin(std::uint32_t slot, Nanos since_previous);
    // In order of arrival within the conversation, which must be oriented.
    void observe(std::uint32_t slot, const Packet& packet, bool copy);
    void icmp_error(std::uint32_t slot, const Packet& quote);
    // The segment's bytes count as seen once all of them are. `slot`: of a first fragment's
    // conversation; Conversations::kNone otherwise.
    void fragment(const Packet& packet, const FragmentIds& ids, std::uint32_t slot);
    // Twins' places on their way to the cache.
    void prefetch_bucket(std::uint32_t slot, const Packet& packet) const;
    void prefetch_group(std::uint32_t slot, const Packet& packet) const;

    // After each burst and tick: concludes what can be.
    void advance(const Clocks& clocks);
    // Fills in the record.
    void end(std::uint32_t slot, bool ended);
    // After end(): the record goes to the reader. The slot may then be used again.
    void hand_out(std::uint32_t slot);
    // The end of the capture: concludes what waits as far as there is room for what it tells; true
    // once nothing is left, and end() of every conversation follows.
    [[nodiscard]] bool finish_some(const Clocks& clocks);

    [[nodiscard]] Nanos wait() const { return wait_.now(); }
    [[nodiscard]] TapsOutbox& outbox() { return outbox_; }
    [[nodiscard]] const TapsOutbox& outbox() const { return outbox_; }
    [[nodiscard]] const Passage& passage() const { return pairs_.passage(); }
    [[nodiscard]] const TapHealth& health() const { return health_; }
    [[nodiscard]] TapHealth& health() { return health_; }
    [[nodiscard]] std::size_t memory_bytes() const;
    [[nodiscard]] Witnessed witnessed(std::uint32_t slot) const;

  private:
    // Where the packet, or its twin, waits at that tap.
    [[nodiscard]] std::uint64_t key_at(const Live& live, const Packet& packet, std::uint8_t party,
                                       Side tap) const;
    [[nodiscard]] Kept kept_of(const Live& live, Way way, std::uint8_t party) const;
    [[nodiscard]] InFlight::Answer find(const Live& live, const Packet& packet, std::uint8_t party,
                                        bool copy) const;
    [[nodiscard]] InFlight::Answer find_as(const Live& live, const Packet& packet,
                                           const Packet& expected, std::uint8_t party,
                                           bool copy) const;
    // Where a payload's length was changed, the numbers behind it are shifted anew.
    [[nodiscard]] InFlight::Answer find_shifted(Live& live, const Packet& packet,
                                                std::uint8_t party, bool copy) const;
    // A packet that left and whose time is over: an unlikely twin is one if no better came.
    [[nodiscard]] bool pair_after_all(const Waiting& waiting);
    [[nodiscard]] bool pair_lengths(const Waiting& waiting);
    void learn_numbers(Live& live, const Packet& packet, std::uint8_t party);
    void count(Conversation& record, const Live& live, const Packet& packet, Way way,
               bool entering);
    void tell(const Seen& seen, bool entering, bool copy);
    void await(std::uint32_t slot, const Packet& packet, std::uint64_t serial, bool copy,
               bool entering, bool out_of_order, Nanos idle);
    void pair(std::uint32_t slot, const Waiting& waiting, const Packet& packet,
              std::uint64_t serial, bool copy, bool out_of_order, Nanos idle,
              const InFlight::Answer& answer);
    [[nodiscard]] Pair pair_of(std::uint32_t slot, const Packet& entered, const Packet& left,
                               std::uint8_t party, const InFlight::Answer& answer);
    [[nodiscard]] std::uint8_t timed_class_of(const Live& live, Conversation& record) const;
    void note_whole(const FragmentedSegment& segment);
    void remember(Live& live, Way way, const Packet& entered, const Packet& left);
    void expire(const Clocks& clocks, std::uint8_t queue);
    void conclude(std::uint32_t index, const Clocks& clocks);
    void give_up(std::uint32_t index);
    [[nodiscard]] bool judgeable(const Packet& packet, bool entering, const Clocks& clocks) const;

    const EngineOptions& options_;
    Conversations& conversations_;
    stats::Counters& counters_;
    TapHealth health_;
    InFlight in_flight_;
    PacketLog log_;
    TapsOutbox outbox_;
    Pairs pairs_;
    Evidence evidence_;
    LazyArray<PairState> pair_states_;  // by slot of the conversation
    Wait wait_;
    std::uint64_t serial_ = 0;  // its low half is the packet's number in the log
    bool finished_ = false;
    std::array<Nanos, kWays> usual_{};  // transit, a moving average; 0 = no pair yet
    // Pairs of each way whose identification or timestamps were kept, or not: what a conversation
    // does not tell by itself yet.
    std::array<Likeness, kWays> likeness_{};
};

}  // namespace tw::taps
