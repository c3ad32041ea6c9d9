// SPDX-License-Identifier: BSD-3-Clause
#include "core/event/event.hpp"

namespace tw::event {

std::string_view name(EventType type) {
    switch (type) {
        case EventType::hole:
            return "hole";
        case EventType::repeat:
            return "repeat";
        case EventType::handshake:
            return "handshake";
        case EventType::reset:
            return "reset";
        case EventType::stall:
            return "stall";
        case EventType::path:
            return "path";
    }
    return "";
}

std::string_view name(Resolution resolution) {
    switch (resolution) {
        case Resolution::filled:
            return "filled";
        case Resolution::filled_after_ack:
            return "filled_after_ack";
        case Resolution::acknowledged_unseen:
            return "acknowledged_unseen";
        case Resolution::never:
            return "never";
        case Resolution::acknowledged:
            return "acknowledged";
        case Resolution::acknowledged_before:
            return "acknowledged_before";
        case Resolution::unknown_limit:
            return "unknown_limit";
    }
    return "";
}

std::string_view name(Role role) {
    switch (role) {
        case Role::none:
            return "";
        case Role::opener:
            return "opener";
        case Role::filler:
            return "filler";
        case Role::original:
            return "original";
        case Role::repeat:
            return "repeat";
        case Role::ack:
            return "ack";
        case Role::dup_ack:
            return "dup_ack";
        case Role::sack:
            return "sack";
        case Role::dsack:
            return "dsack";
        case Role::fin:
            return "fin";
        case Role::rst:
            return "rst";
        case Role::syn:
            return "syn";
        case Role::probe:
            return "probe";
        case Role::window:
            return "window";
        case Role::genuine:
            return "genuine";
    }
    return "";
}

std::string_view name(Direction direction) {
    return direction == Direction::c2s ? "c2s" : "s2c";
}

std::string_view name(Outcome outcome) {
    switch (outcome) {
        case Outcome::lost_before_tap:
            return "lost_before_tap";
        case Outcome::lost_after_tap:
            return "lost_after_tap";
        case Outcome::never_recovered:
            return "never_recovered";
        case Outcome::ack_lost:
            return "ack_lost";
        case Outcome::missed_by_capture:
            return "missed_by_capture";
        case Outcome::repeated_needlessly:
            return "repeated_needlessly";
        case Outcome::unknown:
            return "unknown";
    }
    return "";
}

std::optional<Outcome> outcome_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::lost_before_tap:
            return Outcome::lost_before_tap;
        case Verdict::lost_after_tap:
            return Outcome::lost_after_tap;
        case Verdict::never_recovered:
            return Outcome::never_recovered;
        case Verdict::ack_lost:
            return Outcome::ack_lost;
        case Verdict::missed_by_capture:
            return Outcome::missed_by_capture;
        case Verdict::spurious_retransmission:
            return Outcome::repeated_needlessly;
        case Verdict::unknown:
            return Outcome::unknown;
        case Verdict::none:
        case Verdict::reordered_before_tap:
        case Verdict::duplicated_by_mirror:
        case Verdict::duplicated_in_network:
        case Verdict::sequence_overshoot:
        case Verdict::reordered_in_capture:
        case Verdict::one_sided:
        case Verdict::syn_unanswered:
        case Verdict::rst_by_third_party:
        case Verdict::receiver_limited:
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace tw::event
