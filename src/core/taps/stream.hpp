// SPDX-License-Identifier: BSD-3-Clause
// The bytes of one way of a connection as one tap shows them: how far they go, what the receiver
// was seen to acknowledge, and the sum over all of them at the first places where a segment ends.
// Sums are those that checksums tell (digest.hpp), so that header-only captures have them too;
// they do not depend on how the bytes are cut into segments. Offsets count from the first byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "core/taps/packet.hpp"

namespace tw::taps {

struct Stream {
    // The first so many bytes, and their sum.
    struct Mark {
        std::uint32_t bytes;  // 0 = none
        std::uint16_t sum;
    };
    static constexpr std::size_t kMarks = 4;

    Nanos syn_at;   // the first SYN or SYN/ACK; 0 = not seen
    Nanos data_at;  // the first payload; 0 = none
    std::uint64_t payload_bytes;
    std::uint32_t packets;
    std::uint32_t first;   // number of the first byte, with `known`
    std::uint32_t sent;    // highest end
    std::uint32_t summed;  // bytes from the first one that are in the sum, without a gap
    std::uint32_t acked;   // a FIN is no byte
    std::uint32_t length;  // of the whole, with `fin`
    std::array<Mark, kMarks> marks;
    Mark turn;  // where it stood when the other way began
    std::uint16_t sum;
    std::uint16_t mss;      // of the SYN, as all that follows
    std::uint16_t options;  // option_bit
    std::uint16_t longest;  // IP packet
    std::int8_t scale;
    std::uint8_t syns;
    std::uint8_t fins;
    std::uint8_t resets;
    std::uint8_t repeats;  // of the first byte that is not acknowledged, since that moved
    bool known : 1;
    bool fin : 1;

    // What its sender sends; true if a mark came to it.
    bool send(const Packet& packet);
    // What its receiver says.
    void acknowledge(const Packet& packet);
    // The other way begins: true if that is a mark of its own.
    bool answered();
    [[nodiscard]] bool ended() const { return fin || resets != 0; }
};

// Places at which both sums are known.
struct Agreement {
    std::uint32_t equal = 0;
    bool contradicted = false;
};
[[nodiscard]] Agreement agreement_of(const Stream& one, const Stream& other);

}  // namespace tw::taps
