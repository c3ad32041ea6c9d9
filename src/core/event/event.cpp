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

std::string_view name(Direction direction) {
    return direction == Direction::c2s ? "c2s" : "s2c";
}

}  // namespace tw::event
