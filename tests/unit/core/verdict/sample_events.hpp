// SPDX-License-Identifier: BSD-3-Clause
// Episodes as a worker judges them, for tests of what looks at all connections.
#pragma once

#include <algorithm>
#include <vector>

#include "core/event/event.hpp"
#include "core/verdict/settler.hpp"

namespace tw::test {

inline constexpr Nanos kT0 = 1'712'345'678 * kSecond;

inline flow::Endpoint host(std::uint8_t c, std::uint8_t d, std::uint16_t port = 0) {
    flow::Endpoint endpoint;
    endpoint.address = {10, 0, c, d};
    endpoint.port = port;
    return endpoint;
}

inline event::FlowName flow_named(std::uint32_t stream) {
    return {host(1, static_cast<std::uint8_t>(stream), static_cast<std::uint16_t>(40'000 + stream)),
            host(9, 9, 80), stream};
}

struct Said {
    std::uint64_t id = 0;
    std::uint32_t stream = 0;
    Nanos at = 0;  // after kT0
    event::Verdict verdict = event::Verdict::none;
    event::Rule rule = event::Rule::none;
    event::Confidence confidence = event::Confidence::proven;
    event::Direction direction = event::Direction::s2c;
    std::uint64_t bytes = 1000;
};

inline event::Event episode(const Said& said) {
    using event::Verdict;
    const bool repeat = said.verdict == Verdict::lost_after_tap ||
                        said.verdict == Verdict::ack_lost ||
                        said.verdict == Verdict::spurious_retransmission;
    event::Event event;
    event.id = said.id;
    event.type = repeat ? event::EventType::repeat : event::EventType::hole;
    event.repeats_count = repeat ? 1 : 0;
    event.direction = said.direction;
    event.flow = flow_named(said.stream);
    event.since = kT0 + said.at - 10 * kMillisecond;
    event.time = kT0 + said.at;
    event.time_end = kT0 + said.at + 200 * kMillisecond;
    event.bytes = said.bytes;
    event.seq_end = static_cast<std::uint32_t>(said.bytes);
    event.finding.verdict = said.verdict;
    event.finding.rule = said.rule;
    event.finding.confidence = said.confidence;
    event.finding.segment_bytes = 1000;
    event.finding.if_capture_clean = said.verdict == Verdict::lost_before_tap ||
                                     said.verdict == Verdict::reordered_before_tap ||
                                     said.verdict == Verdict::never_recovered;
    return event;
}

inline event::Event lost_before(std::uint64_t id, std::uint32_t stream, Nanos at) {
    return episode({id, stream, at, event::Verdict::lost_before_tap, event::Rule::newer_timestamp});
}

inline event::Event missed(std::uint64_t id, std::uint32_t stream, Nanos at) {
    return episode({id, stream, at, event::Verdict::missed_by_capture, event::Rule::ack_of_unseen});
}

inline event::FlowRecord record_of(std::uint32_t stream, Nanos first, Nanos last,
                                   std::uint64_t bytes = 100'000) {
    event::FlowRecord record;
    record.flow = flow_named(stream);
    record.first = kT0 + first;
    record.last = kT0 + last;
    record.completeness = 31;
    record.packets = {bytes / 1000, bytes / 1000};
    record.bytes = {bytes / 10, bytes};
    return record;
}

inline std::vector<event::Event> pop_events(verdict::Settler& settler) {
    std::vector<event::Event> events;
    event::Event event;
    while (settler.pop(event)) {
        events.push_back(event);
    }
    return events;
}

inline std::vector<event::FlowRecord> pop_records(verdict::Settler& settler) {
    std::vector<event::FlowRecord> records;
    event::FlowRecord record;
    while (settler.pop(record)) {
        records.push_back(record);
    }
    return records;
}

}  // namespace tw::test
