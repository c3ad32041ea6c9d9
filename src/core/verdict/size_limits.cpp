// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/size_limits.hpp"

#include <algorithm>

namespace tw::verdict {
namespace {

constexpr std::uint32_t kLossesMin = 10;
constexpr std::uint32_t kStreamsMin = 2;
constexpr std::uint64_t kPerCentMin = 95;

}  // namespace

SizeLimits::Row& SizeLimits::row_of(const event::Event& loss) {
    const flow::Endpoint& server = loss.flow.server;
    std::uint32_t fewest = 0;
    for (std::uint32_t i = 0; i < rows_count_; ++i) {
        const Row& row = rows_[i];
        if (row.direction == loss.direction && row.tap == loss.tap && row.server == server) {
            return rows_[i];
        }
        fewest = row.losses < rows_[fewest].losses ? i : fewest;
    }
    Row& row = rows_[rows_count_ < kRowsMax ? rows_count_++ : fewest];
    row = Row{};
    row.server = server;
    row.direction = loss.direction;
    row.tap = loss.tap;
    row.first = row.last = loss.time;
    return row;
}

void SizeLimits::add(const event::Event& loss) {
    const event::Finding& finding = loss.finding;
    if (finding.segment_bytes == 0 || finding.delivered_bytes == 0) {
        return;
    }
    Row& row = row_of(loss);
    const std::uint32_t at = std::min(finding.segment_bytes / kClassBytes, kClasses - 1);
    row.shortest[at] = row.by_size[at] == 0 ? finding.segment_bytes
                                            : std::min(row.shortest[at], finding.segment_bytes);
    ++row.by_size[at];
    ++row.losses;
    row.delivered_most = std::max(row.delivered_most, finding.delivered_bytes);
    row.bytes += loss.bytes;
    row.first = std::min(row.first, loss.time);
    row.last = std::max(row.last, loss.time);
    if (row.streams_count == 0 || (row.streams_count == 1 && row.stream[0] != loss.flow.stream)) {
        row.stream[row.streams_count++] = loss.flow.stream;
    }
}

void SizeLimits::look(PatternList& found) const {
    for (std::uint32_t i = 0; i < rows_count_; ++i) {
        const Row& row = rows_[i];
        std::uint32_t longer = 0;
        std::uint32_t shortest = 0;
        for (std::uint32_t k = 0; k < kClasses; ++k) {
            // A class that holds both kinds counts as not longer.
            if (row.by_size[k] != 0 && row.shortest[k] > row.delivered_most) {
                longer += row.by_size[k];
                shortest = shortest == 0 ? row.shortest[k] : shortest;
            }
        }
        if (row.losses < kLossesMin || row.streams_count < kStreamsMin ||
            std::uint64_t{longer} * 100 < row.losses * kPerCentMin) {
            continue;
        }
        Pattern pattern;
        pattern.id = PatternId::pmtu_black_hole;
        pattern.tap = row.tap;
        pattern.direction = row.direction;
        pattern.subject = row.server;
        pattern.from = row.first;
        pattern.until = row.last;
        pattern.matching = longer;
        pattern.of = row.losses;
        pattern.connections = row.streams_count;
        pattern.bytes = row.bytes;
        pattern.delivered_bytes = row.delivered_most;
        pattern.lost_bytes = shortest;
        found.add(pattern);
    }
}

}  // namespace tw::verdict
