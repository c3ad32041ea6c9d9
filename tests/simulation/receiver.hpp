// SPDX-License-Identifier: BSD-3-Clause
// The receiving half of a simulated TCP: what arrived, what to acknowledge, selectively (RFC 2018)
// and as duplicate (RFC 2883), and whether an ACK may wait (RFC 9293 section 3.8.6.3).
#pragma once

#include <optional>
#include <vector>

#include "simulation/packet.hpp"

namespace tw::sim {

enum class Answer : std::uint8_t { none, later, now };

class Receiver {
  public:
    // A segment that takes sequence numbers has arrived. `duplicate` is then what of it had arrived
    // before, for a DSACK; it stays until taken.
    [[nodiscard]] Answer take(const Packet& packet);

    // An ACK has left, on its own or with data.
    void answered() { unanswered_ = 0; }

    [[nodiscard]] Position next() const { return next_; }
    [[nodiscard]] bool fin_taken() const { return fin_ && next_ > *fin_; }
    // SACK blocks, the latest first.
    [[nodiscard]] std::vector<Span> blocks() const;
    [[nodiscard]] std::optional<Span> take_duplicate();

  private:
    struct Held {
        Span span;
        std::uint64_t touched = 0;
    };
    [[nodiscard]] bool hold(Span span);

    Position next_ = 0;
    std::optional<Position> fin_;
    std::optional<Span> duplicate_;
    std::vector<Held> held_;  // beyond a hole, in order
    std::uint64_t touches_ = 0;
    std::uint32_t unanswered_ = 0;
};

}  // namespace tw::sim
