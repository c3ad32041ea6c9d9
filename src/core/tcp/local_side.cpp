// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/local_side.hpp"

#include <array>

#include "core/tcp/checksum.hpp"

namespace tw::tcp {
namespace {

namespace flag = decode::tcp_flag;
using event::Place;

constexpr std::uint32_t kLookBack = 64;
// One finished checksum in 2^15 looks unfinished by accident.
constexpr std::uint32_t kUnfinishedMin = 2;

// SYNs and SACKs have options of many lengths, and kernels finish the checksums of their RSTs.
bool has_known_length(const Sighting& s) {
    return s.payload_known != 0 && s.has_sack == 0 && !s.has(flag::kSyn | flag::kRst) &&
           s.checksum != 0;
}

bool is_unfinished(const Sighting& s, std::uint16_t addresses) {
    const std::uint32_t tcp_bytes = 20U + (s.has_timestamps != 0 ? 12U : 0U) + s.payload_bytes;
    return tcp::is_unfinished(s.checksum, addresses, tcp_bytes);
}

}  // namespace

std::optional<std::uint8_t> local_side(const History& history, const Sighting& latest,
                                       const flow::FlowTable& table, std::uint32_t slot) {
    const std::uint16_t addresses =
        table.v6() ? sum_of_addresses(table.key_v6(slot)) : sum_of_addresses(table.key_v4(slot));
    std::array<std::uint32_t, 2> seen{};
    std::array<std::uint32_t, 2> unfinished{};
    const Sighting* s = &latest;
    for (std::uint32_t i = 0; s != nullptr && i < kLookBack; ++i, s = history.before(*s)) {
        if (has_known_length(*s)) {
            ++seen[s->sender];
            unfinished[s->sender] += is_unfinished(*s, addresses) ? 1U : 0U;
        }
    }
    for (std::uint8_t side = 0; side < 2; ++side) {
        // A segment with options of another length is not recognised.
        if (unfinished[side] >= kUnfinishedMin && unfinished[side] * 4 >= seen[side] * 3 &&
            unfinished[side ^ 1] == 0) {
            return side;
        }
    }
    return std::nullopt;
}

Place place_with_local_side(Place place, std::uint8_t sender, std::optional<std::uint8_t> local) {
    if (!local) {
        return place;
    }
    switch (place) {
        case Place::sender_to_tap:
        case Place::tap_to_sender:
            return *local == sender ? Place::inside_sender : place;
        case Place::tap_to_receiver:
        case Place::receiver_to_tap:
            return *local != sender ? Place::inside_receiver : place;
        case Place::none:
        case Place::at_tap:
        case Place::inside_sender:
        case Place::inside_receiver:
        case Place::beyond_tap:
            break;
    }
    return place;
}

}  // namespace tw::tcp
