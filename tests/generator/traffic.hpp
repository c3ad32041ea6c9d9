// SPDX-License-Identifier: BSD-3-Clause
// Any number of TCP connections at one time, each following scripts, randomly interleaved, with
// random endpoints that never repeat. A connection takes one cache line, and the next ones are
// prefetched, so that a core makes millions of frames a second. It counts what it made: that is
// the truth a monitor is held against.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/time.hpp"
#include "generator/script.hpp"
#include "generator/segment_frame.hpp"
#include "support/random.hpp"

namespace tw::generator {

enum class SizeMix : std::uint8_t {
    small,     // 4 to 64 bytes of payload: the most frames for the bytes
    internet,  // short requests, answers of two to twelve full segments
    large,     // answers of 40 to 200 full segments
};

struct TrafficOptions {
    std::uint64_t seed = 1;
    std::uint32_t connections = 10'000;  // at one time, not counting the patient
    SizeMix mix = SizeMix::internet;
    std::uint32_t rounds_min = 1;  // requests in a connection
    std::uint32_t rounds_max = 8;
    std::uint32_t v6_per_mille = 100;                      // of connections
    std::uint32_t syn_flood_per_mille = 0;                 // of frames
    std::array<std::uint32_t, kFaults> fault_per_mille{};  // in the order of fault_table()
    std::uint16_t queues = 1;
    bool split_directions = false;  // to queues side by side, as an asymmetric RSS does
    // Connections that may reorder segments take this long for their handshake. A late segment is
    // "out of order" only if it comes within that round trip, so that a pause of the monitor
    // between the two segments does not turn it into a repeat. 0: as long as it happens to take.
    Nanos patience = 0;
};

struct MadeFrame {
    std::uint16_t bytes = 0;
    std::uint16_t queue = 0;  // the same for both directions, unless split_directions
};

struct TrafficCounts {
    std::array<std::uint64_t, tcp::kFlags> flags{};  // frames that must carry each
    std::array<std::uint64_t, kScripts> scripts{};   // begun
    std::uint64_t connections = 0;                   // tshark's streams: a reuse is a new one
    std::uint64_t v6_connections = 0;
    std::uint64_t missing_bytes = 0;
};

class Traffic {
  public:
    explicit Traffic(const TrafficOptions& options);

    // Makes the next frame at `at`; kHeaderRoom bytes are overwritten, zeros must follow.
    [[nodiscard]] MadeFrame next(std::uint8_t* at, Nanos now);

    // No script begins any more; those begun come to their end, and then next() must not be called.
    void finish();
    [[nodiscard]] bool finished() const { return finishing_ && active_count_ == 0; }

    [[nodiscard]] TrafficCounts counts() const;

  private:
    struct alignas(64) Connection {
        std::array<Endpoint, 2> ends{};
        std::array<std::uint32_t, 2> base{};        // where the script began
        std::array<std::uint16_t, 2> unit_bytes{};  // of the current script
        std::array<std::uint16_t, 2> ip_id{};
        std::uint16_t rounds_left = 0;
        std::uint16_t answers_left = 0;  // of this round
        std::uint16_t queue = 0;
        std::uint8_t step = 0;
        ScriptId script = ScriptId::handshake;
        bool v6 = false;
        bool patient = false;
    };
    static_assert(sizeof(Connection) == 64);
    struct Parked {
        Connection connection;
        Nanos until = 0;
    };

    [[nodiscard]] std::uint32_t pick();
    [[nodiscard]] bool chance(std::uint32_t per_mille) { return random_.below(1000) < per_mille; }
    [[nodiscard]] std::uint32_t fault_rate(ScriptId script) const;
    [[nodiscard]] ScriptId drawn(Per per, ScriptId otherwise, bool patient);
    void make_endpoints(Connection& connection);
    void open(Connection& connection);
    void replace(Connection& connection);
    void begin(Connection& connection, ScriptId script);
    void end_script(std::uint32_t index);
    void begin_next(Connection& connection);
    [[nodiscard]] std::uint16_t answers_of_round();
    void park(Connection& connection, Nanos now);
    void resume();
    void count(const Connection& connection);
    [[nodiscard]] MadeFrame emit(Connection& connection, std::uint8_t* at);
    [[nodiscard]] MadeFrame flood(std::uint8_t* at);

    // Frames made ahead of their turn so that their connection is in the cache by then.
    static constexpr std::uint32_t kAhead = 16;
    static constexpr std::uint32_t kNone = UINT32_MAX;
    static constexpr std::size_t kParkedMax = 1U << 16;
    static constexpr std::uint32_t kPatientPerMille = 125;

    TrafficOptions options_;
    test::Random random_;
    std::vector<Connection> connections_;
    std::uint32_t active_count_ = 0;
    std::deque<Parked> parked_;  // in the order of `until`
    std::array<std::uint32_t, kAhead> ahead_{};
    std::uint32_t ahead_position_ = 0;
    std::uint32_t joined_to_ = kNone;  // the connection whose next frame must follow at once
    std::uint64_t endpoints_made_ = 0;
    std::uint64_t floods_made_ = 0;
    bool finishing_ = false;
    TrafficCounts counts_;
    // Per script and step: how often it was made. Flags are added up from this at the end.
    static constexpr std::size_t kStepsMax = 8;
    std::array<std::array<std::uint64_t, kStepsMax>, kScripts> made_{};
};

}  // namespace tw::generator
