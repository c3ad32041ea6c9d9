// SPDX-License-Identifier: BSD-3-Clause
// The sequence numbers of one way that one tap has seen: everything from `begin` to `end` but the
// gaps. A gap the receiver acknowledges stays for a moment (a mirror may show the ACK before its
// data); then it is bytes that this tap missed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/pool.hpp"
#include "base/time.hpp"

namespace tw::taps {

struct Gap {
    std::uint32_t lo = 0;
    std::uint32_t hi = 0;
    Nanos covered_at = 0;  // with covered: when the receiver first acknowledged it
    std::uint32_t next = 0;
    bool covered = false;
    Nanos since = 0;
};

struct Span {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t gaps = 0;  // Pool<Gap>, ascending
    std::uint16_t gaps_count = 0;
    bool known = false;
    bool incomplete = false;  // a limit was reached: some bytes count as seen that were not
};

enum class Share : std::uint8_t { none, some, whole };

// What a packet added to a span.
struct Noted {
    Share before = Share::none;  // how much of it had been seen
    bool after_ack = false;      // the receiver had acknowledged some of it
    Nanos acknowledged_at = 0;
    bool fills = false;  // lies below what had been seen
    Nanos gap_since = 0;
};

class Spans {
  public:
    static constexpr std::uint16_t kGapsMax = 64;  // of one span
    // No window holds a jump this far (RFC 7323: 2^30): the span begins anew.
    static constexpr std::uint32_t kJumpMax = 1U << 30;

    Spans(std::uint32_t gaps_max, Backing backing) : gaps_(gaps_max, backing) {}

    Noted note(Span& span, std::uint32_t lo, std::uint32_t hi, Nanos at);
    [[nodiscard]] Share seen(const Span& span, std::uint32_t lo, std::uint32_t hi) const;
    // The receiver has [lo, hi).
    void cover(Span& span, std::uint32_t lo, std::uint32_t hi, Nanos at);
    // Takes one gap away that was acknowledged no later than `until`: false when there is none.
    bool take_covered(Span& span, Nanos until, Gap& taken);
    void release(Span& span);

    [[nodiscard]] std::uint64_t refused() const { return refused_; }
    [[nodiscard]] static constexpr std::size_t bytes_per_gap() {
        return Pool<Gap>::bytes_per_record();
    }

  private:
    void append(Span& span, std::uint32_t lo, std::uint32_t hi, Nanos at);
    // A new gap behind `before` (0 = first) that ends at `hi`; 0 = no room.
    std::uint32_t insert(Span& span, std::uint32_t before, const Gap& gap);
    void forget_below(Span& span, std::uint32_t begin);
    void remove(Span& span, std::uint32_t before, std::uint32_t index);

    Pool<Gap> gaps_;
    std::uint64_t refused_ = 0;
};

}  // namespace tw::taps
