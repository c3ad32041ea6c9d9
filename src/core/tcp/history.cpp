// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/history.hpp"

#include <algorithm>

#include "base/sequence.hpp"

namespace tw::tcp {
namespace {

constexpr std::uint32_t kPayloadMax = (1U << 24) - 1;

// RFC 2883 section 4: the first block lies below the ACK, or within the second.
bool reports_duplicate(const OptionFacts& options, std::uint32_t ack) {
    const SackBlock& first = options.sack[0];
    const SackBlock& second = options.sack[1];
    return at_or_before(first.right, ack) ||
           (options.sack_count > 1 && at_or_before(second.left, first.left) &&
            at_or_before(first.right, second.right));
}

}  // namespace

void History::add(flow::Flow& flow, std::uint32_t owner, const Frame& frame,
                  const decode::Decoded& found) {
    const decode::Segment& segment = found.segment;
    last_ += (last_ + 1) % kSightings == 0 ? 2 : 1;
    Sighting& out = ring_[last_ % kSightings];
    __builtin_prefetch(&ring_[(last_ + 4) % kSightings], 1);
    OptionFacts options;
    if (segment.options_bytes != 0) {
        options = read_options(segment, 0);
    }
    const bool sack = options.sack_count != 0;
    out.time = frame.time;
    out.frame = frame.number;
    out.seq = segment.seq;
    out.ack = segment.ack;
    out.tsval = options.tsval;
    out.tsecr = options.tsecr;
    out.sack = options.sack[0];
    out.number = last_;
    out.previous = flow.recent;
    out.owner = owner;
    out.payload_bytes = std::min(segment.payload_bytes, kPayloadMax) & kPayloadMax;
    out.sender = found.sender & 1U;
    out.payload_known = segment.payload_known;
    out.has_timestamps = options.has_timestamps;
    out.has_sack = sack;
    out.is_dsack = sack && reports_duplicate(options, segment.ack);
    out.v6 = found.v6;
    out.spare = 0;
    out.window = segment.window;
    out.ip_id = found.ip_id;
    out.checksum = segment.checksum;
    out.flags = segment.flags;
    out.ttl = found.ttl;
    flow.recent = static_cast<std::uint16_t>(last_ % kSightings);
}

}  // namespace tw::tcp
