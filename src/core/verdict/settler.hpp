// SPDX-License-Identifier: BSD-3-Clause
// The stage that sees all connections, between the workers' outboxes and the outputs. What one
// connection cannot know is decided here: whether the capture was clean around a verdict that
// depends on it, why the capture missed something, and what all episodes of a connection add up to.
// Bounded, pure, one thread; what it says does not depend on the order in which workers are
// drained.
//
//   add(), advance(now) -> events wait for their neighbours -> pop()
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/time.hpp"
#include "core/event/capture_marks.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"
#include "core/verdict/path_sums.hpp"
#include "core/verdict/patterns.hpp"

namespace tw::verdict {

struct SettlerOptions {
    std::uint32_t events_max = 65'536;   // that wait at one time
    std::uint32_t streams_max = 65'536;  // connections whose verdicts are added up at one time
    // How late after its time_end a worker may report a miss, so that it still counts: the wait for
    // evidence (1 s or a retransmission timeout), direction_skew, and the ledger's interval.
    Nanos lateness = 3 * kSecond;
    // Files: nobody waits for an answer, so everything stays until finish(), or until its room is
    // needed, and leaves by its time.
    bool hold = false;
    // Live: a connection's record may overtake its last episodes, which wait for the ledger.
    Nanos record_wait = 0;
};

class Settler {
  public:
    Settler(const SettlerOptions& options, stats::Counters& counters);
    ~Settler();
    Settler(const Settler&) = delete;
    Settler& operator=(const Settler&) = delete;

    // Whether add() has room; without, what it is given is dropped and counted. pop() makes room.
    [[nodiscard]] bool has_event_room() const;
    [[nodiscard]] bool has_record_room() const;
    // A connection's record comes after its episodes. `event.finding` as its worker judged it.
    void add(const event::Event& event);
    void add(const event::FlowRecord& record);
    // Live: the ledger's word, of each worker.
    void add(const event::CaptureMark& mark);
    // Files: what the capture says of its own losses, as far as it says anything.
    void set_capture_dropped(std::uint64_t frames);
    // The time of the wire: the newest frame's, or the clock's. `bytes_seen` so far on all taps
    // tells whether misses follow the load; 0 = not known.
    void advance(Nanos now, std::uint64_t bytes_seen = 0);
    // Live, at the stop: from here on no record overtakes its episodes any more.
    void end_record_wait();
    // The end: everything leaves.
    void finish();

    // False if nothing is settled. Episodes of a connection leave before its record.
    [[nodiscard]] bool pop(event::Event& event);
    [[nodiscard]] bool pop(event::FlowRecord& record);

    // Of what has been popped or waits to be: verdicts counted, index: Verdict.
    [[nodiscard]] std::uint64_t count(event::Verdict verdict) const;
    [[nodiscard]] const PathSums& paths() const;
    [[nodiscard]] const Patterns& patterns() const;
    // Events and records that wait, ready ones included.
    [[nodiscard]] std::size_t waiting() const;
    // Reserved at the most; taken from the host as it is used.
    [[nodiscard]] static std::size_t memory_bytes(const SettlerOptions& options);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tw::verdict
