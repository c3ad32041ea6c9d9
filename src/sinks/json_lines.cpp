// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/json_lines.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "sinks/finding_text.hpp"
#include "sinks/format/human.hpp"
#include "sinks/format/json_writer.hpp"
#include "sinks/version.hpp"

namespace tw::sinks {
namespace {

using event::Direction;
using format::JsonWriter;

constexpr std::array kDirections{Direction::c2s, Direction::s2c};

[[nodiscard]] std::size_t index_of(Direction direction) {
    return static_cast<std::size_t>(direction);
}

[[nodiscard]] std::string_view tap_name(std::span<const std::string> taps, std::uint8_t tap) {
    return tap < taps.size() ? std::string_view(taps[tap]) : std::string_view("?");
}

void write_tap(JsonWriter& json, std::span<const std::string> taps, std::uint8_t tap) {
    json.key("tap");
    json.string(tap_name(taps, tap));
}

[[nodiscard]] std::string_view schema_of(const event::Event&) {
    return kEventsSchema;
}

[[nodiscard]] std::string_view schema_of(const event::FlowRecord&) {
    return kFlowsSchema;
}

void write_schema(OutputFile& file, std::string_view schema, std::span<const std::string> taps) {
    std::string line;
    JsonWriter json(line);
    json.begin_object();
    json.key("schema");
    json.plain_string(schema);
    json.key("version");
    json.plain_string(version());
    json.begin_array("taps");
    for (const std::string& tap : taps) {
        json.string(tap);
    }
    json.end_array();
    json.end_object();
    line += '\n';
    file.append(line);
}

void write_endpoint(std::string& line, JsonWriter& json, std::string_view address_key,
                    std::string_view port_key, const flow::Endpoint& endpoint) {
    json.key(address_key);
    line += '"';
    format::append_address(line, endpoint);
    line += '"';
    json.key(port_key);
    json.number(endpoint.port);
}

void write_frame_refs(JsonWriter& json, std::string_view name,
                      std::span<const event::FrameRef> frames, std::span<const std::string> taps) {
    json.begin_array(name);
    for (const event::FrameRef& ref : frames) {
        json.begin_object();
        if (ref.role != event::Role::none) {
            json.key("role");
            json.plain_string(event::name(ref.role));
        }
        write_tap(json, taps, ref.tap);
        json.key("frame");
        if (ref.frame == 0) {
            json.null();
        } else {
            json.number(ref.frame);
        }
        json.key("time");
        json.time(ref.time);
        json.end_object();
    }
    json.end_array();
}

void write_verdicts(JsonWriter& json, std::string_view name, event::VerdictSet verdicts) {
    if (verdicts.empty()) {
        return;
    }
    json.begin_array(name);
    for (const event::VerdictInfo& info : event::verdict_table()) {
        if (verdicts.has(info.id)) {
            json.plain_string(info.name);
        }
    }
    json.end_array();
}

void write_finding(JsonWriter& json, const event::Event& event) {
    const event::Finding& finding = event.finding;
    if (finding.verdict == event::Verdict::none) {
        return;
    }
    json.key("verdict");
    json.plain_string(event::name(finding.verdict));
    if (finding.cause != event::Cause::none) {
        json.key("cause");
        json.plain_string(event::name(finding.cause));
    }
    if (finding.confidence != event::Confidence::none) {
        json.key("confidence");
        json.plain_string(event::name(finding.confidence));
    }
    if (finding.place != event::Place::none) {
        json.key("place");
        json.plain_string(event::name(finding.place));
        json.key("side");
        json.plain_string(side_text(event));
    }
    if (finding.rule != event::Rule::none) {
        json.key("rule");
        json.plain_string(event::name(finding.rule));
    }
    write_verdicts(json, "excluded", finding.excluded);
    write_verdicts(json, "possible", finding.possible);
    if (finding.asked != 0) {
        json.key("asked");
        json.number(finding.asked);
    }
    if (finding.lag > 0) {
        json.key("lag");
        json.seconds(finding.lag);
    }
    if (finding.cost != 0) {
        json.key("cost");
        json.seconds(finding.cost);
    }
    json.key("sentence");
    json.plain_string(finding_text(event));
}

[[nodiscard]] bool has_sequence(event::EventType type) {
    switch (type) {
        case event::EventType::hole:
        case event::EventType::repeat:
            return true;
        case event::EventType::handshake:
        case event::EventType::reset:
        case event::EventType::stall:
        case event::EventType::path:
            return false;
    }
    return false;
}

void write_record(std::string& line, const event::Event& event, std::span<const std::string> taps) {
    JsonWriter json(line);
    json.begin_object();
    json.key("id");
    json.number(event.id);
    json.key("type");
    json.plain_string(event::name(event.type));
    json.key("time");
    json.time(event.time);
    json.key("time_end");
    json.time(event.time_end);
    write_tap(json, taps, event.tap);
    json.begin_object("flow");
    write_endpoint(line, json, "src", "sport", event.flow.client);
    write_endpoint(line, json, "dst", "dport", event.flow.server);
    json.end_object();
    json.key("stream");
    json.number(event.flow.stream);
    json.key("direction");
    json.plain_string(event::name(event.direction));
    if (has_sequence(event.type)) {
        json.key("seq_begin");
        json.number(event.seq_begin);
        json.key("seq_end");
        json.number(event.seq_end);
        json.key("bytes");
        json.number(event.bytes);
        json.key("resolution");
        json.plain_string(event::name(event.resolution));
    }
    if (event.fin_possible) {
        // The last number of the range may be a FIN and no byte.
        json.key("fin_possible");
        json.boolean(true);
    }
    if (event.capture_known) {
        json.begin_array("capture");
        for (const event::CaptureFaultInfo& fault : event::capture_fault_table()) {
            if (event.capture.has(fault.id)) {
                json.plain_string(fault.name);
            }
        }
        json.end_array();
    }
    if (event.type == event::EventType::repeat) {
        json.key("repeats");
        json.number(event.repeats_count);
    }
    write_finding(json, event);
    write_frame_refs(json, "subject",
                     std::span(event.subject)
                         .first(std::min<std::size_t>(event.subjects_count, event.subject.size())),
                     taps);
    write_frame_refs(json, "evidence",
                     std::span(event.evidence)
                         .first(std::min<std::size_t>(event.evidence_count, event.evidence.size())),
                     taps);
    json.end_object();
    line += '\n';
}

void write_per_direction(JsonWriter& json, std::string_view name,
                         const std::array<std::uint64_t, 2>& values) {
    json.begin_object(name);
    for (const Direction direction : kDirections) {
        json.key(event::name(direction));
        json.number(values[index_of(direction)]);
    }
    json.end_object();
}

void write_flags(JsonWriter& json, const std::array<tcp::FlagCounts, 2>& flags) {
    json.begin_object("flags");
    for (const Direction direction : kDirections) {
        json.begin_object(event::name(direction));
        for (const tcp::FlagInfo& flag : tcp::flag_table()) {
            const std::uint32_t count =
                flags[index_of(direction)][static_cast<std::size_t>(flag.id)];
            if (count != 0) {
                json.key(flag.name);
                json.number(count);
            }
        }
        json.end_object();
    }
    json.end_object();
}

[[nodiscard]] bool any(const event::OutcomeSums& sums) {
    return std::any_of(sums.begin(), sums.end(),
                       [](const event::OutcomeSum& sum) { return sum.episodes != 0; });
}

// What became of the bytes, by the verdicts of the connection's episodes.
void write_outcomes(JsonWriter& json, const event::FlowRecord& record) {
    if (any(record.outcomes[0]) || any(record.outcomes[1])) {
        json.begin_object("verdicts");
        for (const Direction direction : kDirections) {
            json.begin_object(event::name(direction));
            for (std::size_t i = 0; i < event::kOutcomes; ++i) {
                const event::OutcomeSum& sum = record.outcomes[index_of(direction)][i];
                if (sum.episodes == 0) {
                    continue;
                }
                json.begin_object(event::name(static_cast<event::Outcome>(i)));
                json.key("episodes");
                json.number(sum.episodes);
                json.key("bytes");
                json.number(sum.bytes);
                json.end_object();
            }
            json.end_object();
        }
        json.end_object();
    }
    if (!record.outcomes_complete) {
        json.key("verdicts_complete");
        json.boolean(false);
    }
}

void write_record(std::string& line, const event::FlowRecord& record,
                  std::span<const std::string> taps) {
    JsonWriter json(line);
    json.begin_object();
    json.key("stream");
    json.number(record.flow.stream);
    write_endpoint(line, json, "src", "sport", record.flow.client);
    write_endpoint(line, json, "dst", "dport", record.flow.server);
    if (!record.client_known) {
        // No SYN told who the client is: src is a guess.
        json.key("client_known");
        json.boolean(false);
    }
    if (taps.size() > 1) {
        write_tap(json, taps, record.tap);
    }
    json.key("first");
    json.time(record.first);
    json.key("last");
    json.time(record.last);
    write_per_direction(json, "packets", record.packets);
    write_per_direction(json, "bytes", record.bytes);
    write_per_direction(json, "missing_bytes", record.missing_bytes);
    if (record.details_lost) {
        // A stated limit was reached: missing_bytes and flags are lower bounds.
        json.key("details_lost");
        json.boolean(true);
    }
    json.key("completeness");
    json.number(record.completeness);
    if (record.initial_rtt != 0) {
        json.key("initial_rtt");
        json.seconds(record.initial_rtt);
    }
    write_flags(json, record.flags);
    write_outcomes(json, record);
    json.end_object();
    line += '\n';
}

}  // namespace

template <typename Record>
std::expected<void, Error> JsonLines<Record>::open(const std::string& path) {
    auto opened = file_.open(path);
    if (opened) {
        write_schema(file_, schema_of(Record{}), taps_);
    }
    return opened;
}

template <typename Record>
void JsonLines<Record>::switch_to(OpenFile file) {
    file_.switch_to(std::move(file));
    write_schema(file_, schema_of(Record{}), taps_);
}

template <typename Record>
void JsonLines<Record>::write(const Record& record) {
    line_.clear();
    write_record(line_, record, taps_);
    file_.append(line_);
}

template class JsonLines<event::Event>;
template class JsonLines<event::FlowRecord>;

}  // namespace tw::sinks
