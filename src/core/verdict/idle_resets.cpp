// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/idle_resets.hpp"

#include <algorithm>

namespace tw::verdict {
namespace {

constexpr Nanos kIdleMin = 10 * kSecond;
constexpr std::uint32_t kResetsMin = 5;
constexpr std::uint32_t kStreamsMin = 3;
constexpr std::uint64_t kPerCentMin = 80;

}  // namespace

IdleResets::Row& IdleResets::row_of(const event::Event& reset) {
    const flow::Endpoint& server = reset.flow.server;
    std::uint32_t fewest = 0;
    for (std::uint32_t i = 0; i < rows_count_; ++i) {
        const Row& row = rows_[i];
        if (row.tap == reset.tap && row.server == server) {
            return rows_[i];
        }
        fewest = row.resets < rows_[fewest].resets ? i : fewest;
    }
    Row& row = rows_[rows_count_ < kRowsMax ? rows_count_++ : fewest];
    row = Row{};
    row.server = server;
    row.tap = reset.tap;
    row.first = row.last = reset.time;
    return row;
}

void IdleResets::add(const event::Event& reset) {
    Row& row = row_of(reset);
    ++row.resets;
    row.first = std::min(row.first, reset.time);
    row.last = std::max(row.last, reset.time);
    const Nanos silent = reset.finding.lag;
    if (silent < kIdleMin) {
        return;
    }
    row.shortest = row.idle == 0 ? silent : std::min(row.shortest, silent);
    row.longest = std::max(row.longest, silent);
    ++row.idle;
    const std::uint32_t* const end = row.stream + row.streams_count;
    if (row.streams_count < kStreamsMin &&
        std::find(std::cbegin(row.stream), end, reset.flow.stream) == end) {
        row.stream[row.streams_count++] = reset.flow.stream;
    }
}

void IdleResets::look(PatternList& found) const {
    for (std::uint32_t i = 0; i < rows_count_; ++i) {
        const Row& row = rows_[i];
        if (row.idle < kResetsMin || row.streams_count < kStreamsMin ||
            std::uint64_t{row.idle} * 100 < row.resets * kPerCentMin) {
            continue;
        }
        Pattern pattern;
        pattern.id = PatternId::idle_then_reset;
        pattern.tap = row.tap;
        pattern.subject = row.server;
        pattern.from = row.first;
        pattern.until = row.last;
        pattern.matching = row.idle;
        pattern.of = row.resets;
        pattern.connections = row.streams_count;
        pattern.time = row.shortest;
        pattern.spread = row.longest - row.shortest;
        found.add(pattern);
    }
}

}  // namespace tw::verdict
