// SPDX-License-Identifier: BSD-3-Clause
#include "support/altered_traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "core/event/verdict.hpp"
#include "support/pipeline_run.hpp"

namespace tw::test {
namespace {

constexpr std::size_t kEthernet = 14;

std::uint32_t get32(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint32_t>(bytes[at]) << 24 |
           static_cast<std::uint32_t>(bytes[at + 1]) << 16 |
           static_cast<std::uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

void add32(Bytes& bytes, std::size_t at, std::uint32_t more) {
    const std::uint32_t value = get32(bytes, at) + more;
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
}

// Where the headers of a plain frame are.
struct Places {
    std::size_t tcp;
    std::size_t end;  // of the TCP header
    std::uint8_t side;
};

std::optional<Places> places_of(const Bytes& bytes) {
    if (bytes.size() < kEthernet + 40 || bytes[12] != 8 || bytes[13] != 0 ||
        bytes[kEthernet + 9] != 6) {
        return std::nullopt;
    }
    const std::size_t tcp = kEthernet + (bytes[kEthernet] & 15U) * 4U;
    if (bytes.size() < tcp + 20) {
        return std::nullopt;
    }
    const std::size_t end = std::min(bytes.size(), tcp + (bytes[tcp + 12] >> 4) * 4U);
    const auto rank = [&](std::size_t address, std::size_t port) {
        return std::pair(get32(bytes, address), bytes[port] << 8 | bytes[port + 1]);
    };
    const bool second = rank(kEthernet + 12, tcp) > rank(kEthernet + 16, tcp + 2);
    return Places{tcp, end, static_cast<std::uint8_t>(second)};
}

void shift_sack(Bytes& bytes, const Places& places, std::uint32_t more) {
    std::size_t at = places.tcp + 20;
    while (at + 1 < places.end && bytes[at] != 0) {
        if (bytes[at] == 1) {
            ++at;
            continue;
        }
        const std::size_t length = bytes[at + 1];
        if (length < 2 || at + length > places.end) {
            return;
        }
        for (std::size_t edge = 2; bytes[at] == 5 && edge + 4 <= length; edge += 4) {
            add32(bytes, at + edge, more);
        }
        at += length;
    }
}

std::string names(event::VerdictSet set) {
    std::string text;
    for (const event::VerdictInfo& row : event::verdict_table()) {
        if (set.has(row.id)) {
            text.append(1, ',').append(row.name);
        }
    }
    return text;
}

std::string frames(std::span<const event::FrameRef> refs, Nanos zero) {
    std::string text;
    for (const event::FrameRef& ref : refs) {
        text += fmt::format(" {}:{}@{}", event::name(ref.role), ref.frame, ref.time - zero);
    }
    return text;
}

std::string line_of(const event::Event& event, const Shift& shift) {
    const bool from_client = event.direction == event::Direction::c2s;
    const flow::Endpoint& sender = from_client ? event.flow.client : event.flow.server;
    const flow::Endpoint& receiver = from_client ? event.flow.server : event.flow.client;
    const bool second =
        std::pair(sender.address, sender.port) > std::pair(receiver.address, receiver.port);
    const std::uint32_t base = shift.seq[second ? 1 : 0];
    const event::Finding& found = event.finding;
    const auto since = event.since == INT64_MIN ? event.since : event.since - shift.time;
    return fmt::format(
        "{} {} {} {}>{} {} {} {} {} {}{} asked {} segment {} delivered {} cost {} lag {} | "
        "[{},{}) {} {} x{} fin {} | {} {} {} |{} |{} | not{} | or{}",
        event.flow.stream, event::name(event.type), event::name(event.direction), sender.port,
        receiver.port, event::name(found.verdict), event::name(found.cause),
        event::name(found.rule), event::name(found.place), event::name(found.confidence),
        found.if_capture_clean ? "?" : "", found.asked, found.segment_bytes, found.delivered_bytes,
        found.cost, found.lag, event.seq_begin - base, event.seq_end - base, event.bytes,
        event::name(event.resolution), event.repeats_count, event.fin_possible, since,
        event.time - shift.time, event.time_end - shift.time,
        frames({event.subject.data(), event.subjects_count}, shift.time),
        frames({event.evidence.data(), event.evidence_count}, shift.time), names(found.excluded),
        names(found.possible));
}

}  // namespace

Traffic shift_time(Traffic traffic, Nanos time) {
    for (WireFrame& frame : traffic) {
        frame.time += time;
    }
    return traffic;
}

Traffic shift_numbers(Traffic traffic, const Shift& shift) {
    for (WireFrame& frame : traffic) {
        const auto places = places_of(frame.bytes);
        if (!places) {
            continue;
        }
        add32(frame.bytes, places->tcp + 4, shift.seq[places->side]);
        if ((frame.bytes[places->tcp + 13] & 0x10U) != 0) {
            add32(frame.bytes, places->tcp + 8, shift.seq[places->side ^ 1]);
        }
        shift_sack(frame.bytes, *places, shift.seq[places->side ^ 1]);
    }
    return traffic;
}

bool is_plain(const Traffic& traffic) {
    return std::ranges::all_of(
        traffic, [](const WireFrame& frame) { return places_of(frame.bytes).has_value(); });
}

Traffic swap_sides(Traffic traffic) {
    for (WireFrame& frame : traffic) {
        if (places_of(frame.bytes)) {
            for (std::size_t i = 12; i < 20; ++i) {
                frame.bytes[kEthernet + i] ^= 0xFFU;
            }
        }
    }
    return traffic;
}

Traffic in_vlan(Traffic traffic) {
    constexpr std::uint8_t kTag[] = {0x81, 0x00, 0x00, 0x2A};
    for (WireFrame& frame : traffic) {
        frame.bytes.insert(frame.bytes.begin() + 12, std::begin(kTag), std::end(kTag));
        frame.wire_bytes += sizeof kTag;
    }
    return traffic;
}

Traffic in_vxlan(const Traffic& traffic) {
    Traffic wrapped;
    for (const WireFrame& frame : traffic) {
        PacketBuilder builder;
        builder.ethernet().ipv4("10.1.1.1", "10.1.1.2").vxlan(42).payload(frame.bytes);
        const Bytes bytes = builder.build();
        wrapped.push_back({frame.time, bytes, static_cast<std::uint32_t>(bytes.size())});
    }
    return wrapped;
}

std::vector<std::string> lines_of(const Traffic& traffic, const Shift& shift,
                                  const std::vector<std::size_t>& portions) {
    PipelineRun run;
    std::vector<Frame> burst;
    std::size_t portion = 0;
    for (std::size_t i = 0; i < traffic.size(); ++i) {
        burst.push_back(frame_of(traffic[i].bytes, traffic[i].time, i + 1, LinkType::ethernet,
                                 traffic[i].wire_bytes));
        if (burst.size() == portions[portion % portions.size()] || i + 1 == traffic.size()) {
            run.feed(burst);
            burst.clear();
            ++portion;
        }
    }
    run.finish();
    std::vector<std::string> lines;
    for (const event::Event& event : run.events()) {
        lines.push_back(line_of(event, shift));
    }
    std::ranges::sort(lines);
    return lines;
}

}  // namespace tw::test
