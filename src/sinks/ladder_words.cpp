// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder_words.hpp"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "base/sequence.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

namespace tcp_flag = decode::tcp_flag;
using event::Direction;
using event::EventType;
using event::Place;
using event::Resolution;
using event::Role;
using event::Rule;
using format::count_of;

// ACK is told by its number, PSH by nothing else.
constexpr std::array<std::pair<std::uint8_t, std::string_view>, 7> kFlagWords{{
    {tcp_flag::kSyn, "SYN"},
    {tcp_flag::kFin, "FIN"},
    {tcp_flag::kRst, "RST"},
    {tcp_flag::kPsh, "PSH"},
    {0x20, "URG"},
    {0x40, "ECE"},
    {0x80, "CWR"},
}};

[[nodiscard]] bool is_pure_ack(const LadderRow& row) {
    constexpr std::uint8_t kMore = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
    return row.payload_bytes == 0 && (row.tcp_flags & kMore) == 0 && row.has(tcp_flag::kAck);
}

[[nodiscard]] bool shows_window(const LadderRow& row) {
    using tcp::Flag;
    constexpr std::array kWindowFlags{Flag::window_update, Flag::window_full, Flag::zero_window,
                                      Flag::zero_window_probe, Flag::zero_window_probe_ack};
    bool shown = row.has(tcp_flag::kSyn);
    for (const Flag flag : kWindowFlags) {
        shown = shown || row.flags.has(flag);
    }
    return shown;
}

// The first block reports a duplicate if the ACK or the second block covers it (RFC 2883 4).
[[nodiscard]] bool is_dsack(const LadderRow& row) {
    const auto& first = row.sack[0];
    const auto& second = row.sack[1];
    return at_or_before(first[1], row.relative_ack) ||
           (row.sack_count > 1 && at_or_before(second[0], first[0]) &&
            at_or_before(first[1], second[1]));
}

[[nodiscard]] std::string sack_words(const LadderRow& row) {
    std::string text;
    for (std::size_t i = 0; i < row.sack_count; ++i) {
        const std::string_view word = i == 0 && is_dsack(row)                       ? "DSACK"
                                      : i == 0 || (i == 1 && text.starts_with("D")) ? "SACK"
                                                                                    : "";
        text += fmt::format("{}{}{}[{}..{})", text.empty() ? "" : " ", word,
                            word.empty() ? "" : " ", row.sack[i][0], row.sack[i][1]);
    }
    return text;
}

}  // namespace

std::string segment_words(const LadderRow& row) {
    std::string text = row.quoted ? "ICMP error about " : "";
    if (!row.length_known) {
        return text + fmt::format("fragment seq {}", row.relative_seq);
    }
    for (const auto& [bit, word] : kFlagWords) {
        if (row.has(bit)) {
            text.append(word).append(" ");
        }
    }
    if (is_pure_ack(row) && !row.flags.has(tcp::Flag::keep_alive) && !row.quoted) {
        return text + fmt::format("ack {}", row.relative_ack);
    }
    text += fmt::format("seq {}", row.relative_seq);
    if (row.payload_bytes != 0) {
        text += fmt::format(" len {}", row.payload_bytes);
    }
    return text;
}

std::string ack_words(const LadderRow& row) {
    const bool told = is_pure_ack(row) && !row.flags.has(tcp::Flag::keep_alive);
    if (!row.has(tcp_flag::kAck) || told || row.quoted || !row.length_known) {
        return {};
    }
    return fmt::format("ack {}", row.relative_ack);
}

std::string syn_options_words(const LadderRow& row) {
    std::string text;
    const auto add = [&text](const std::string& word) {
        text += (text.empty() ? "" : ", ") + word;
    };
    if (row.mss != 0) {
        add(fmt::format("MSS {}", row.mss));
    }
    if (row.window_shift >= 0) {
        add(fmt::format("WS {}", row.window_shift));
    }
    if (row.sack_permitted) {
        add("SACK");
    }
    if (row.timestamps) {
        add("TS");
    }
    return text.empty() ? "no options" : text;
}

std::vector<std::string> segment_notes(const LadderRow& row, bool timestamps) {
    std::vector<std::string> notes;
    if (row.has(tcp_flag::kSyn) && !row.quoted) {
        notes.push_back(syn_options_words(row));
    }
    if (shows_window(row)) {
        const bool exact = row.window_scaled || row.has(tcp_flag::kSyn);
        notes.push_back(fmt::format("win {}{}", row.window, exact ? "" : " (scale unknown)"));
    }
    if (row.sack_count != 0) {
        notes.push_back(sack_words(row));
    }
    if (timestamps && row.timestamps) {
        notes.push_back(fmt::format("TSval {} TSecr {}", row.ts_value, row.ts_echo));
    }
    std::string flags;
    for (const tcp::FlagInfo& flag : tcp::flag_table()) {
        if (row.flags.has(flag.id)) {
            flags.append(flags.empty() ? "[" : ", ").append(flag.name);
        }
    }
    if (!flags.empty()) {
        notes.push_back(flags + "]");
    }
    return notes;
}

std::string_view role_words(Role role) {
    switch (role) {
        case Role::none:
            return "is part of it";
        case Role::opener:
            return "shows the hole";
        case Role::filler:
            return "brings the bytes";
        case Role::original:
            return "is the first copy";
        case Role::repeat:
            return "sends again";
        case Role::ack:
            return "acknowledges the bytes";
        case Role::dup_ack:
            return "asks for the bytes";
        case Role::sack:
            return "tells by SACK what it has";
        case Role::dsack:
            return "reports a duplicate";
        case Role::fin:
            return "is the FIN";
        case Role::rst:
            return "is the reset";
        case Role::syn:
            return "is the SYN";
        case Role::probe:
            return "is a probe";
        case Role::window:
            return "tells the window";
        case Role::genuine:
            return "is surely of the host it names";
    }
    return "";
}

Role subject_role(const event::Event& event, std::size_t index) {
    if (event.subject[index].role != Role::none) {
        return event.subject[index].role;
    }
    switch (event.type) {
        case EventType::hole:
            return Role::opener;
        case EventType::repeat:
            return Role::repeat;
        case EventType::handshake:
            return Role::syn;
        case EventType::reset:
            return Role::rst;
        case EventType::stall:
            return Role::window;
        case EventType::path:
            break;
    }
    return Role::none;
}

Role evidence_role(const event::Event& event, std::size_t index) {
    const Role role = event.evidence[index].role;
    if (role != Role::none || index != 0) {
        return role;
    }
    const bool filled =
        event.resolution == Resolution::filled || event.resolution == Resolution::filled_after_ack;
    return event.type == EventType::hole && filled ? Role::filler : Role::ack;
}

bool rests_on_timestamps(const event::Event& event) {
    const Rule rule = event.finding.rule;
    return rule == Rule::newer_timestamp || rule == Rule::older_timestamp ||
           rule == Rule::echo_of_repeat;
}

std::string episode_title(const event::Event& event) {
    const event::Finding& finding = event.finding;
    if (finding.verdict == event::Verdict::none) {
        const bool ends = event.type == EventType::hole || event.type == EventType::repeat;
        return fmt::format("{}{}{}, not judged", event::name(event.type), ends ? ", " : "",
                           ends ? event::name(event.resolution) : "");
    }
    std::string text(event::name(finding.verdict));
    if (finding.cause != event::Cause::none) {
        text += fmt::format(" ({})", event::name(finding.cause));
    }
    if (finding.confidence != event::Confidence::none) {
        text += fmt::format(", {}", event::name(finding.confidence));
    }
    return text;
}

std::string place_words(Place place, Direction direction) {
    const bool from_client = direction == Direction::c2s;
    const std::string_view sender = from_client ? "client" : "server";
    const std::string_view receiver = from_client ? "server" : "client";
    switch (place) {
        case Place::none:
            return {};
        case Place::sender_to_tap:
        case Place::tap_to_sender:
            return fmt::format("between the {} and the tap", sender);
        case Place::tap_to_receiver:
        case Place::receiver_to_tap:
            return fmt::format("between the tap and the {}", receiver);
        case Place::at_tap:
            return "at the tap: the capture itself";
        case Place::inside_sender:
            return fmt::format("inside the {}", sender);
        case Place::inside_receiver:
            return fmt::format("inside the {}", receiver);
        case Place::beyond_tap:
            return "on one side of the tap, which is not known";
    }
    return {};
}

std::string fold_words(const LadderFold& fold) {
    std::string text = fmt::format("{}, {}, {}", count_of(fold.count(), "segment"),
                                   count_of(fold.bytes[0] + fold.bytes[1], "byte"),
                                   format::duration_text(fold.span));
    if (fold.flagged == 0 && fold.episodes == 0) {
        return text + ", in order";
    }
    std::uint64_t named = 0;
    std::string flags;
    for (const tcp::FlagInfo& flag : tcp::flag_table()) {
        const std::uint32_t count = fold.flags[static_cast<std::size_t>(flag.id)];
        if (count != 0) {
            flags += fmt::format(", {} {}", format::count_text(count), flag.name);
            named += count;
        }
    }
    text += flags;
    if (named < fold.flagged) {
        text += fmt::format(", {} {}with flags", format::count_text(fold.flagged - named),
                            named == 0 ? "" : "more ");
    }
    if (fold.episodes != 0) {
        text += ", " + count_of(fold.episodes, "more episode");
    }
    return text;
}

std::string range_words(const event::Event& event) {
    const std::uint32_t base = event.seq_base_known ? event.seq_base : 0;
    return fmt::format("[{}..{})", event.seq_begin - base, event.seq_end - base);
}

}  // namespace tw::sinks
