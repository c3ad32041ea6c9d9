// SPDX-License-Identifier: BSD-3-Clause
// Parts of finding_text: one clause per verdict, without its full stop. Not for use elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/event/event.hpp"
#include "sinks/finding_words.hpp"

namespace tw::sinks {

// What is said for one cause or rule.
template <typename Key>
struct Phrase {
    Key key;
    std::string_view text;
};

template <typename Key, std::size_t N>
[[nodiscard]] std::string_view pick(const Phrase<Key> (&phrases)[N], Key key,
                                    std::string_view otherwise = {}) {
    for (const Phrase<Key>& phrase : phrases) {
        if (phrase.key == key) {
            return phrase.text;
        }
    }
    return otherwise;
}

// finding_holes.cpp
[[nodiscard]] std::string missed_by_capture(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string lost_before_tap(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string reordered_before_tap(const event::Event& event,
                                               const FindingWords& words);
[[nodiscard]] std::string never_recovered(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string sequence_overshoot(const FindingWords& words);
[[nodiscard]] std::string reordered_in_capture(const FindingWords& words);

// finding_repeats.cpp
[[nodiscard]] std::string lost_after_tap(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string ack_lost(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string spurious_retransmission(const event::Event& event,
                                                  const FindingWords& words);
[[nodiscard]] std::string duplicated_by_mirror(const event::Event& event,
                                               const FindingWords& words);
[[nodiscard]] std::string duplicated_in_network(const event::Event& event,
                                                const FindingWords& words);

// finding_connections.cpp
[[nodiscard]] std::string one_sided(const FindingWords& words);
[[nodiscard]] std::string syn_unanswered(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string rst_by_third_party(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string receiver_limited(const event::Event& event, const FindingWords& words);
[[nodiscard]] std::string unknown(const event::Event& event, const FindingWords& words);

}  // namespace tw::sinks
