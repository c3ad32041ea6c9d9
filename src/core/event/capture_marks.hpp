// SPDX-License-Identifier: BSD-3-Clause
// When the capture itself was not to be trusted. The ledger of a live run tells each worker,
// interval by interval, what its ports may have lost; an episode whose bytes were on the wire in
// such an interval carries that mark and must not be blamed on the network.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/time.hpp"
#include "core/options.hpp"

namespace tw::event {

// What can be wrong with an interval; bits, because several can.
enum class CaptureFault : std::uint8_t {
    loss = 1U << 0,       // frames were lost between wire and analysis, and counted
    uncounted = 1U << 1,  // frames may have been lost: the driver does not count all of them
    link = 1U << 2,       // the link was down or changed
    stall = 1U << 3,      // the poller was away: frames carry times that are late
    forward = 1U << 4,    // inline: frames were seen but not sent on, by the monitor itself
    unknown = 1U << 5,    // the ledger's word did not arrive in time
};

// A set of these; empty = nothing is known against the capture.
class CaptureFaults {
  public:
    constexpr CaptureFaults() = default;
    // Implicit: a fault is a set of one.
    constexpr CaptureFaults(CaptureFault fault) : bits_(static_cast<std::uint8_t>(fault)) {}

    [[nodiscard]] constexpr bool has(CaptureFault fault) const {
        return (bits_ & static_cast<std::uint8_t>(fault)) != 0;
    }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    constexpr CaptureFaults& operator|=(CaptureFaults more) {
        bits_ = static_cast<std::uint8_t>(bits_ | more.bits_);
        return *this;
    }
    [[nodiscard]] friend constexpr CaptureFaults operator|(CaptureFaults a, CaptureFaults b) {
        return a |= b;
    }
    constexpr bool operator==(const CaptureFaults&) const = default;

  private:
    std::uint8_t bits_ = 0;
};

struct CaptureFaultInfo {
    CaptureFault id;
    std::string_view name;  // in events and logs
    std::string_view help;
};
[[nodiscard]] std::span<const CaptureFaultInfo> capture_fault_table();

// The ledger's word on one interval, for one worker. Intervals of a run follow each other without
// gaps.
struct CaptureMark {
    Nanos from = 0;
    Nanos until = 0;
    std::array<CaptureFaults, kTapsMax> faults{};  // index: tap
};

// The marks one worker has been told. Bounded: when it is full, the two neighbours with the least
// time between them become one, which marks too much rather than too little.
class CaptureMarks {
  public:
    static constexpr std::uint32_t kStretchesMax = 128;

    // Marks come in the order of time.
    void add(const CaptureMark& mark);
    // Everything up to this moment has been told.
    [[nodiscard]] Nanos told_until() const { return told_until_; }
    // Faults that touch [from, until] at a tap. Microseconds at worst, and only asked for episodes.
    [[nodiscard]] CaptureFaults between(Nanos from, Nanos until, std::uint8_t tap) const;

  private:
    void make_room();

    Nanos told_until_ = INT64_MIN;
    std::uint32_t count_ = 0;
    std::array<CaptureMark, kStretchesMax> stretches_{};  // with faults only, oldest first
};

}  // namespace tw::event
