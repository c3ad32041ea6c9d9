// SPDX-License-Identifier: BSD-3-Clause
// Traffic made to be expensive to judge, frame by frame, of any length; and calm traffic of the
// same number of connections to compare it with. Tests hold its memory, benchmarks its time.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "support/packet_builder.hpp"

namespace tw::test {

struct FrameMaker {
    std::string_view name;
    Bytes pattern;  // of each frame
    // Makes frame `number` of a copy of the pattern.
    std::function<void(Bytes& frame, std::uint32_t number)> prepare;
};

// Connections that take turns, but where new ones come all the time.
inline constexpr std::uint32_t kAttackClients = 1024;

[[nodiscard]] FrameMaker calm_traffic();         // in order, every byte new
[[nodiscard]] FrameMaker holes_only();           // every second byte missing
[[nodiscard]] FrameMaker one_byte_overlaps();    // every segment repeats one byte
[[nodiscard]] FrameMaker sack_garbage();         // four random blocks in every answer
[[nodiscard]] FrameMaker syns_again();           // from ever new clients, twice each
[[nodiscard]] FrameMaker contradicted_resets();  // from elsewhere, and the sender goes on
[[nodiscard]] FrameMaker shut_windows();         // every fourth segment

}  // namespace tw::test
