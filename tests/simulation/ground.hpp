// SPDX-License-Identifier: BSD-3-Clause
// Questions about the truth of a simulation, asked by position: which packets carried these bytes,
// which of them were captured, which ACKs covered them, what R could be seen to ask for.
#pragma once

#include <optional>
#include <vector>

#include "simulation/record.hpp"

namespace tw::sim {

// One direction of one connection; the data flows from `side`.
struct Way {
    std::uint32_t connection = 0;
    Side side = Side::client;
    [[nodiscard]] Way back() const { return {connection, other(side)}; }
};

// A captured frame with everything about it.
struct Seen {
    std::uint32_t number = 0;  // from 1
    Nanos time = 0;
    const Capture* capture = nullptr;
    const Transmission* transmission = nullptr;
    const Pass* pass = nullptr;
    [[nodiscard]] const Packet& packet() const { return transmission->packet; }
};

class Ground {
  public:
    Ground(const Plan& plan, const Record& record);

    [[nodiscard]] const Plan& plan() const { return plan_; }
    [[nodiscard]] const Record& record() const { return record_; }
    [[nodiscard]] const ConnectionPlan& connection(Way way) const {
        return plan_.connections[way.connection];
    }
    [[nodiscard]] const StackOptions& stack(Way way) const {
        return connection(way).stack[index(way.side)];
    }
    [[nodiscard]] Seen seen(std::uint32_t number) const;

    // Everything sent that way, in the order of sending, and what of it was captured.
    [[nodiscard]] const std::vector<const Transmission*>& sent(Way way) const;
    [[nodiscard]] const std::vector<Seen>& captured(Way way) const;
    // `span` cut where packets begin or end: no packet covers a part only half.
    [[nodiscard]] std::vector<Span> parts(Way way, Span span) const;
    [[nodiscard]] std::vector<const Transmission*> carriers(Way way, Span part) const;
    // The first captured frame that carries the part.
    [[nodiscard]] std::optional<Seen> first_capture(Way way, Span part) const;
    // The first captured frame of R that says it has the part.
    [[nodiscard]] std::optional<Seen> first_ack(Way way, Span part) const;
    // R reports the part as duplicate in a captured frame after this one.
    [[nodiscard]] bool dsack_after(Way way, Span part, std::uint32_t number) const;
    // R was seen to lack the part before this frame: it sacked bytes beyond it, or still asked for
    // it when every copy captured so far should have arrived.
    [[nodiscard]] bool lacked_before(Way way, Span part, std::uint32_t number) const;
    // Where the product begins to follow this direction; nothing below is an episode.
    [[nodiscard]] Position first_position(Way way) const;

    [[nodiscard]] Nanos sender_round_trip(Way way) const {
        return 2 * connection(way).delay[index(way.side)];
    }
    [[nodiscard]] Nanos receiver_round_trip(Way way) const {
        return 2 * connection(way).delay[index(other(way.side))];
    }
    // Its frames tell the order of sending, by a counter in the IP header.
    [[nodiscard]] bool counts_ip_id(Way way) const;

    // Bytes of the part passed the tap unseen and R got them from such a copy, before any copy was
    // captured.
    struct Unseen {
        bool any = false;
        bool arrived = false;
        Nanos wire = 0;  // the first
    };
    [[nodiscard]] Unseen unseen(Way way, Span part) const;

  private:
    [[nodiscard]] static std::size_t at(Way way) {
        return std::size_t{way.connection} * kSides + index(way.side);
    }

    const Plan& plan_;
    const Record& record_;
    std::vector<std::vector<const Transmission*>> sent_;
    std::vector<std::vector<Seen>> captured_;
};

}  // namespace tw::sim
