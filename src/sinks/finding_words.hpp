// SPDX-License-Identifier: BSD-3-Clause
// The vocabulary of sentences about an episode: who, where, which frame, how sure. Each word is
// taken from the event; a piece that has no meaning for it is empty.
#pragma once

#include <string>
#include <string_view>

#include "core/event/event.hpp"

namespace tw::sinks {

class FindingWords {
  public:
    explicit FindingWords(const event::Event& event) : event_(event) {}

    // "server 203.0.113.10:80"; later in the sentence "the server".
    [[nodiscard]] std::string sender() const;
    [[nodiscard]] std::string receiver() const;
    [[nodiscard]] std::string_view the_sender() const;
    [[nodiscard]] std::string_view the_receiver() const;
    [[nodiscard]] std::string sender_address() const;
    [[nodiscard]] std::string receiver_address() const;

    // What the episode is about: "1,010 bytes", "1 byte or the FIN", "the SYN", "the FIN".
    [[nodiscard]] std::string what() const;
    // "it" or "them", "was" or "were", "has" or "have": for what().
    [[nodiscard]] std::string_view them() const { return one() ? "it" : "them"; }
    [[nodiscard]] std::string_view were() const { return one() ? "was" : "were"; }
    [[nodiscard]] bool one() const;

    // The first segment with this role, subjects before evidence; null if there is none.
    [[nodiscard]] const event::FrameRef* find(event::Role role) const;
    // "frame 9", or "at 22:13:40.023140Z" where frames have no numbers.
    [[nodiscard]] static std::string at(const event::FrameRef& ref);
    // " (frame 9)", " (ACK, frame 9)", or nothing.
    [[nodiscard]] std::string see(event::Role role, std::string_view label = {}) const;
    [[nodiscard]] std::string see_subject() const;
    // The same without the first copy, which is among the subjects of a handshake.
    [[nodiscard]] std::string see_repeats() const;
    // " (frames 5 and 6)", where both are known.
    [[nodiscard]] static std::string see_both(const event::FrameRef* first,
                                              const event::FrameRef* second);

    // "asked for them 3 times (duplicate ACK 1, first in frame 9)"; empty if nobody asked. The
    // number is told where it is sure to be the one of the request.
    [[nodiscard]] std::string asked() const;
    // "probably " where that is all that can be said.
    [[nodiscard]] std::string_view probably() const {
        return event_.finding.confidence == event::Confidence::probable ? "probably " : "";
    }
    // "between 10.0.0.5 and the tap"; where() puts a space before it. Both empty if not known.
    [[nodiscard]] std::string side() const;
    [[nodiscard]] std::string where() const;
    // From the first sign to the end; from the last good moment to the first sign.
    [[nodiscard]] std::string duration() const;
    [[nodiscard]] Nanos idle() const;
    // "; it cost 1.02 s", where that is more than `said` tells already.
    [[nodiscard]] std::string cost(Nanos said) const;
    // A sequence number as people read it: relative where the base is known.
    [[nodiscard]] std::string number(std::uint32_t seq) const;

  private:
    [[nodiscard]] bool from_client() const { return event_.direction == event::Direction::c2s; }

    const event::Event& event_;
};

}  // namespace tw::sinks
