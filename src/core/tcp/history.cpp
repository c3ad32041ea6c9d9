// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/history.hpp"

#include "base/sequence.hpp"

namespace tw::tcp {
namespace {

// RFC 2883 section 4: the first block lies below the ACK, or within the second.
bool reports_duplicate(const OptionFacts& options, std::uint32_t ack) {
    const SackBlock& first = options.sack[0];
    const SackBlock& second = options.sack[1];
    return at_or_before(first.right, ack) ||
           (options.sack_count > 1 && at_or_before(second.left, first.left) &&
            at_or_before(first.right, second.right));
}

}  // namespace

void History::add_options(Sighting& out, const decode::Segment& segment) {
    const OptionFacts options = read_options(segment, 0);
    out.tsval = options.tsval;
    out.tsecr = options.tsecr;
    out.has_timestamps = options.has_timestamps;
    out.sack = options.sack[0];
    out.has_sack = options.sack_count != 0;
    out.is_dsack = options.sack_count != 0 && reports_duplicate(options, segment.ack);
}

}  // namespace tw::tcp
