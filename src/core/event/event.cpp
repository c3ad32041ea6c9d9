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
    }
    return "";
}

std::string_view name(Direction direction) {
    return direction == Direction::c2s ? "c2s" : "s2c";
}

}  // namespace tw::event
