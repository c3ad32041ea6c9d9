// SPDX-License-Identifier: BSD-3-Clause
// Turns a few bytes of fuzzer input into frames that get past the decoder: TCP segments of a
// handful of connections whose sequence numbers are near what a receiver expects, so that mutations
// explore the analysis and not checks of header fields. Raw bytes and ICMP quotes come too.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/frame.hpp"
#include "fuzz/byte_feed.hpp"

namespace tw::fuzz {

struct MadeFrame {
    std::vector<std::uint8_t> bytes;
    std::uint32_t wire_bytes = 0;
    LinkType link = LinkType::raw_ip;
};

class SegmentMaker {
  public:
    // Takes 1 (raw: kind) or about 8 bytes from the feed.
    [[nodiscard]] MadeFrame next(ByteFeed& feed);

  private:
    static constexpr std::uint32_t kConversations = 32;

    struct Conversation {
        std::uint32_t next_seq[2];
    };

    [[nodiscard]] static MadeFrame raw(ByteFeed& feed);
    [[nodiscard]] MadeFrame segment(ByteFeed& feed, std::uint8_t kind);

    std::array<Conversation, kConversations> conversations_{};
};

}  // namespace tw::fuzz
