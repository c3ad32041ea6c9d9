// SPDX-License-Identifier: BSD-3-Clause
// Whether the tap sits inside one of the two hosts. Segments captured on their way out of a host
// carry TCP checksums that its network card has not filled in yet: the sum of the pseudo header
// only, as the stack leaves it there. What such a capture shows and the host never acknowledges was
// lost inside that host: by a local filter, anti-virus software, a full socket buffer.
#pragma once

#include <cstdint>
#include <optional>

#include "core/event/verdict.hpp"
#include "core/flow/table.hpp"
#include "core/tcp/history.hpp"

namespace tw::tcp {

// The side of the key whose host holds the tap, judged by the segments before `latest`, at most
// 64; nothing if that cannot be told, or both are (a virtual switch between two of its guests).
[[nodiscard]] std::optional<std::uint8_t> local_side(const History& history, const Sighting& latest,
                                                     const flow::FlowTable& table,
                                                     std::uint32_t slot);

// `sender` sent the bytes. What is said of the path between tap and host becomes the host where the
// tap sits inside it.
[[nodiscard]] event::Place place_with_local_side(event::Place place, std::uint8_t sender,
                                                 std::optional<std::uint8_t> local);

}  // namespace tw::tcp
