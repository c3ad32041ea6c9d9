// SPDX-License-Identifier: BSD-3-Clause
// START READING HERE for two taps. Frames of both taps in, facts and conversations out: decode,
// find the conversation, find the packet's twin at the other tap, keep the evidence for those that
// have none, conclude once nothing more can come. One per worker; a function of frames and ticks
// like Pipeline: no clock, no I/O, no lock, no allocation after construction.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "core/frame.hpp"
#include "core/options.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/health.hpp"
#include "core/taps/passage.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

// A translation the operator tells of: what the inside knows as `inside`, the outside knows as
// `outside`. Port 0 = any.
struct NatHint {
    flow::Endpoint inside;
    flow::Endpoint outside;
};

class HandOver;

// Which conversations an operator asks the transit times of, by themselves.
class TimedClasses {
  public:
    virtual ~TimedClasses() = default;
    // 1 to Passage::kTimedClasses, or 0 = of none. Asked once for each, when both taps know it.
    [[nodiscard]] virtual std::uint8_t class_of(const Conversation& record) const = 0;
};

struct EngineOptions {
    DecodeOptions decode;
    std::array<Side, kTapsMax> side_of_tap{};  // index: Frame::tap
    Backing backing = Backing::populated;
    std::uint32_t conversations_max = 262'144;
    std::uint32_t in_flight_max = 1U << 20;  // packets of both ways that wait for their twin
    std::uint32_t open_losses_max = 1U << 16;
    // Longest time a packet takes between the taps; at least, and 20 x p99.9 where that is more.
    Nanos transit_max = kSecond;
    // How much earlier than it entered a packet may seem to leave: skew of mirrors and clocks.
    Nanos negative_skew_max = 50 * kMillisecond;
    // False where the clocks of the taps were fitted to the traffic: then times fit either side.
    bool times_tell_sides = true;
    // How far apart the two SYNs of one connection may begin.
    Nanos pairing_skew_max = 2 * kSecond;
    // A conversation is forgotten after so long a silence: long, so that idle timeouts are learnt.
    Nanos idle_max = 7500 * kSecond;
    Nanos closed_max = 130 * kSecond;  // after its close: late packets, reuse of the tuple
    std::span<const NatHint> nat_hints;
    const TimedClasses* timed_classes = nullptr;
    bool learn_nat = true;  // pair by SYN fingerprint what has no namesake
    std::uint64_t hash_seed = 0;
    std::uint64_t first_id = 1;  // ids of facts and conversations: first, first + step, …
    std::uint64_t id_step = 1;
    std::size_t facts_max = 16'384;  // rings to the reader
    std::size_t excerpts_max = 256;
    // Between the engines of a run with several workers; absent: there is one.
    HandOver* hand_over = nullptr;
    std::uint32_t worker = 0;
};

// Where addresses are translated, the two sides of a connection may hash to different workers, and
// neither of their engines sees the twin. So what one tap alone has shown for 10 ms, or by a second
// packet, is introduced to the desk at worker 0 by its first packets (at once, when something was
// found to be translated): nothing else has to be known of it to be paired as within one engine.
// The desk tells the worker of the inside side that its conversation is one of the outside side's
// worker; as long as it has judged nothing it sends the packets it has held back, and all that
// follow, as a Packet each through the ring between the two (hand_over.hpp), and keeps the tuple to
// know them by. The owner takes what it is given and what it sees itself of that conversation in
// the order of their times, up to the time that all workers have reached, and judges no further
// than that. Nothing waits for room: what finds none is counted, and then the capture has a gap.
// Fragments of such a conversation are not compared, and the legs of a proxy are paired within one
// worker only.
class Engine {
  public:
    Engine(const EngineOptions& options, stats::Counters& counters);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // At most kBurstMax frames in the order of their arrival, of both taps.
    void process(std::span<const Frame> frames);
    // Time of the wire. A tap that is silent has seen everything up to here as well: live, the
    // driver calls this only when its queues were seen empty; offline with the time both files
    // have reached.
    void tick(Nanos now);
    // With other workers: nothing has arrived, so what they have given is taken. `complete`:
    // nothing more comes of what has been, as when files are read.
    void rest(bool complete);
    // Before finish_some(), over all engines in turn as long as one of them does something.
    [[nodiscard]] bool settle_some();
    // The end of the capture: concludes what waits, without what might have come (gate L), and ends
    // every conversation, as far as the rings have room. True once nothing is left; drain the rings
    // between calls, and once more at the end.
    [[nodiscard]] bool finish_some();

    // reader: another thread may pop. False when empty. Facts of a conversation come before its
    // record.
    [[nodiscard]] bool pop(Fact& fact);
    [[nodiscard]] bool pop(Excerpt& excerpt);
    [[nodiscard]] bool pop(Conversation& conversation);
    // writer: worker. False when a driver that can wait (a file has time) had better wait.
    [[nodiscard]] bool half_empty() const;

    // After finish_some(), or between two calls of the thread that calls process().
    [[nodiscard]] const Passage& passage() const;
    [[nodiscard]] const TapHealth& health() const;
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tw::taps
