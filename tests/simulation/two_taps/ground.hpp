// SPDX-License-Identifier: BSD-3-Clause
// Questions about the truth between two taps: what a frame was, what became of it, what else looked
// the same, what the receiver was seen to have and the sender to send again.
#pragma once

#include <optional>
#include <vector>

#include "simulation/two_taps/record.hpp"

namespace tw::sim::two_taps {

// A captured frame.
struct Seen {
    const Captured* captured = nullptr;
    std::uint32_t number = 0;  // of the sighting
    const Sighting* sighting = nullptr;
    const Passing* passing = nullptr;
};

// One direction of one connection, by its sender.
struct Stream {
    std::uint32_t connection = 0;
    Side from = Side::client;
    [[nodiscard]] Stream back() const { return {connection, other(from)}; }
};

class Ground {
  public:
    Ground(const Plan& plan, const Record& record);

    [[nodiscard]] const Plan& plan() const { return plan_; }
    [[nodiscard]] const Record& record() const { return record_; }

    [[nodiscard]] std::optional<Seen> frame(TapSide tap, std::uint64_t number) const;
    // All packets of a direction, in the order in which the hosts sent them.
    [[nodiscard]] const std::vector<const Passing*>& passings(Stream stream) const;
    [[nodiscard]] const Sighting* entry(const Passing& passing) const;
    [[nodiscard]] const Sighting& sighting(std::uint32_t number) const {
        return record_.sightings[number];
    }
    // When it was captured; nothing if it was not.
    [[nodiscard]] std::optional<Nanos> captured_at(const Sighting& sighting) const;

    // Packets of the same direction that no header tells from this one, itself included.
    [[nodiscard]] std::vector<const Passing*> look_alikes(const Wire& wire) const;
    // Some packet with bytes of [span] left the firewall before this time.
    [[nodiscard]] bool copy_left_before(const Wire& wire, Nanos time) const;
    // Captures, by the tap where the bytes enter or leave, of other packets that carry them.
    [[nodiscard]] bool other_copy_entered(const Passing& passing, const Wire& wire) const;
    [[nodiscard]] std::optional<Nanos> first_copy_left(const Wire& wire) const;
    // The receiver's own word, as its tap captured it: it has the bytes; it lacks them and says so.
    [[nodiscard]] std::optional<Nanos> covered_at(const Wire& wire) const;
    [[nodiscard]] bool asked_for(const Wire& wire, Nanos after) const;
    [[nodiscard]] bool reported_twice(const Wire& wire) const;
    // The sender was seen to go on beyond the packet.
    [[nodiscard]] bool sender_went_on(const Wire& wire) const;
    // Both FINs or a RST had passed the firewall.
    [[nodiscard]] bool closed_before(std::uint32_t connection, Nanos time) const;
    // It left after a packet that had entered later (RFC 4737), all of them captured or not.
    [[nodiscard]] bool late(const Passing& passing) const;
    [[nodiscard]] bool proxied() const {
        return plan_.firewall.syn_proxy || plan_.firewall.tcp_proxy;
    }
    [[nodiscard]] Nanos first_capture(TapSide tap) const;
    // The last time at which a tap still captured anything.
    [[nodiscard]] Nanos last_capture(TapSide tap) const;

  private:
    [[nodiscard]] static Stream stream_of(const Wire& wire) { return {wire.connection, wire.from}; }
    [[nodiscard]] const Wire* wire_of(const Passing& passing) const;

    const Plan& plan_;
    const Record& record_;
    std::vector<std::vector<const Passing*>> streams_;
};

}  // namespace tw::sim::two_taps
