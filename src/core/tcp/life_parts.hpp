// SPDX-License-Identifier: BSD-3-Clause
// What the files of Life share: bits of its records, and how an event of a connection begins.
// Nobody else includes this.
#pragma once

#include "core/event/event.hpp"
#include "core/tcp/episodes.hpp"
#include "core/tcp/history.hpp"
#include "core/tcp/life.hpp"

namespace tw::tcp {

namespace reset_bit {
inline constexpr std::uint8_t kForeignTtl = 1U << 0;
inline constexpr std::uint8_t kForeignIpId = 1U << 1;
inline constexpr std::uint8_t kReported = 1U << 2;
}  // namespace reset_bit

namespace stall_bit {
inline constexpr std::uint8_t kShut = 1U << 0;    // a stall is open; else only `count` counts
inline constexpr std::uint8_t kZero = 1U << 1;    // a window of zero was announced
inline constexpr std::uint8_t kFull = 1U << 2;    // the sender filled the window
inline constexpr std::uint8_t kProbed = 1U << 3;  // the sender asked whether it is open
inline constexpr std::uint8_t kOpened = 1U << 4;  // open again; does the sender have data?
inline constexpr std::uint8_t kHeld = 1U << 5;    // data was acknowledged, the window did not move
inline constexpr std::uint8_t kRepaired = 1U << 6;  // bytes were sent again meanwhile
}  // namespace stall_bit

[[nodiscard]] inline std::uint32_t owner_of(const Scene& scene) {
    return History::owner_of(scene.slot, scene.table->v6());
}

[[nodiscard]] inline Moment moment_of(const Scene& scene) {
    return {scene.now, scene.frame};
}

[[nodiscard]] inline event::FrameRef ref_of(const Scene& scene, const Moment& moment,
                                            event::Role role) {
    return {moment.frame, moment.time, static_cast<std::uint8_t>(scene.flow->tap), role};
}

// `side` sends in the direction the event is about.
[[nodiscard]] event::Event start_event(const Scene& scene, std::uint8_t side,
                                       event::EventType type);

// Times of files may be anything: unsigned, and a capture that runs backwards gives 0.
[[nodiscard]] inline Nanos elapsed(Nanos from, Nanos to) {
    if (to <= from) {
        return 0;
    }
    const auto apart = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    return apart > static_cast<std::uint64_t>(INT64_MAX) ? INT64_MAX : static_cast<Nanos>(apart);
}

}  // namespace tw::tcp
