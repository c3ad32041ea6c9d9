// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder_head.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "core/tcp/completeness.hpp"
#include "sinks/format/human.hpp"
#include "sinks/ladder_words.hpp"
#include "sinks/summary.hpp"

namespace tw::sinks {
namespace {

namespace bit = tcp::completeness;
namespace tcp_flag = decode::tcp_flag;
using event::Direction;
using event::EventType;
using event::Verdict;
using format::bytes_text;
using format::count_of;
using format::count_text;
using format::duration_text;
using format::Page;
using format::Table;
using format::Tone;

// Frames named in the display filter for the evidence.
constexpr std::size_t kFramesInFilter = 40;

// The three segments that open a connection, as far as they were captured.
struct Handshake {
    const LadderRow* syn = nullptr;  // the latest before the answer
    const LadderRow* syn_ack = nullptr;
    const LadderRow* ack = nullptr;
    std::uint64_t syns = 0;
    std::uint64_t syn_acks = 0;
};

[[nodiscard]] Handshake find_handshake(const LadderLog& log, std::uint8_t client) {
    Handshake found;
    for (const LadderRow& row : log.rows()) {
        if (row.quoted) {
            continue;
        }
        const bool syn = row.has(tcp_flag::kSyn);
        const bool ack = row.has(tcp_flag::kAck);
        if (syn && !ack && row.side == client) {
            found.syn = found.syn_ack == nullptr ? &row : found.syn;
            ++found.syns;
        } else if (syn && ack && row.side != client) {
            found.syn_ack = found.syn_ack == nullptr ? &row : found.syn_ack;
            ++found.syn_acks;
        } else if (!syn && ack && row.side == client && found.syn_ack != nullptr) {
            found.ack = &row;
            break;
        }
        if (row.ordinal() > 1000) {
            break;
        }
    }
    return found;
}

[[nodiscard]] std::string span_between(const LadderRow& from, const LadderRow& to) {
    return duration_text(format::elapsed(from.time, to.time));
}

[[nodiscard]] std::string handshake_words(const Handshake& shake) {
    if (shake.syn == nullptr && shake.syn_ack == nullptr) {
        return "not captured: the connection is older than the capture";
    }
    std::string text;
    const bool whole = shake.syn != nullptr && shake.syn_ack != nullptr && shake.ack != nullptr;
    if (whole && (shake.syn_ack->time < shake.syn->time || shake.ack->time < shake.syn_ack->time)) {
        text = "its times run backwards: no round trip can be told";
    } else if (whole) {
        text = fmt::format("{} round trip = {} client side of the tap + {} server side",
                           span_between(*shake.syn, *shake.ack),
                           span_between(*shake.syn_ack, *shake.ack),
                           span_between(*shake.syn, *shake.syn_ack));
    } else if (shake.syn_ack == nullptr) {
        text = "no answer to the SYN was captured";
    } else {
        text = shake.ack == nullptr ? "never completed: no ACK of the SYN/ACK was captured"
                                    : "the SYN was not captured";
    }
    if (shake.syns > 1) {
        text += fmt::format("; {} SYNs", count_text(shake.syns));
    }
    if (shake.syn_acks > 1) {
        text += fmt::format("; {} SYN/ACKs", count_text(shake.syn_acks));
    }
    return text;
}

// "client MSS 1460, WS 7; server MSS 1400; in use: SACK"
[[nodiscard]] std::string negotiated_words(const Handshake& shake) {
    std::string text;
    if (shake.syn != nullptr) {
        text = "client " + syn_options_words(*shake.syn);
    }
    if (shake.syn_ack != nullptr) {
        text += (text.empty() ? "server " : "; server ") + syn_options_words(*shake.syn_ack);
    }
    if (shake.syn == nullptr || shake.syn_ack == nullptr) {
        return text;
    }
    std::vector<std::string_view> both;
    const LadderRow& a = *shake.syn;
    const LadderRow& b = *shake.syn_ack;
    if (a.window_shift >= 0 && b.window_shift >= 0) {
        both.emplace_back("window scaling");
    }
    if (a.sack_permitted && b.sack_permitted) {
        both.emplace_back("SACK");
    }
    if (a.timestamps && b.timestamps) {
        both.emplace_back("timestamps");
    }
    return text +
           (both.empty() ? "; in use: none" : fmt::format("; in use: {}", fmt::join(both, ", ")));
}

[[nodiscard]] std::string captured_words(std::uint8_t completeness) {
    struct Part {
        std::uint8_t bit;
        std::string_view name;
    };
    constexpr Part kParts[] = {{bit::kSyn, "SYN"},   {bit::kSynAck, "SYN/ACK"}, {bit::kAck, "ACK"},
                               {bit::kData, "data"}, {bit::kFin, "FIN"},        {bit::kRst, "RST"}};
    std::vector<std::string_view> seen;
    std::vector<std::string_view> absent;
    for (const Part& part : kParts) {
        ((completeness & part.bit) != 0 ? seen : absent).push_back(part.name);
    }
    return fmt::format("{}; not seen: {} (tcp.completeness {})", fmt::join(seen, ", "),
                       absent.empty() ? "nothing" : fmt::format("{}", fmt::join(absent, ", ")),
                       completeness);
}

[[nodiscard]] std::string side_words(const event::FlowRecord& record, Direction direction) {
    const auto index = static_cast<std::size_t>(direction);
    std::string text = fmt::format("{}, {}", count_of(record.packets[index], "segment"),
                                   count_of(record.bytes[index], "byte"));
    if (record.missing_bytes[index] != 0) {
        text += fmt::format(", {}{} missing", record.details_lost ? "at least " : "",
                            count_of(record.missing_bytes[index], "byte"));
    }
    const auto again = record.flags[index][static_cast<std::size_t>(tcp::Flag::retransmission)];
    if (again != 0) {
        text += fmt::format(", {} sent again", count_of(again, "segment"));
    }
    return text;
}

[[nodiscard]] std::string files_words(const std::vector<std::string>& files) {
    if (files.empty()) {
        return {};
    }
    const std::string first = format::printable(files[0]);
    return files.size() == 1
               ? first
               : fmt::format("{} and {} more", first, count_of(files.size() - 1, "file"));
}

// "2 holes", "1 run of repeats"
[[nodiscard]] std::string episodes_words(EventType type, std::uint64_t count) {
    if (type == EventType::repeat) {
        return count_of(count, "run of repeats", "runs of repeats");
    }
    return count_of(count, event::name(type));
}

[[nodiscard]] std::string kind_words(const EpisodeKind& kind) {
    if (kind.verdict == Verdict::none) {
        return fmt::format("{} (not judged)", event::name(kind.resolution));
    }
    return kind.cause == event::Cause::none
               ? std::string(event::name(kind.verdict))
               : fmt::format("{} ({})", event::name(kind.verdict), event::name(kind.cause));
}

struct Row {
    EpisodeKind kind;
    EpisodeSum sum;
};

[[nodiscard]] std::vector<Row> gravest_first(const LadderLog& log) {
    std::vector<Row> rows;
    for (const auto& [kind, sum] : log.sums()) {
        rows.push_back({kind, sum});
    }
    std::sort(rows.begin(), rows.end(),
              [](const Row& a, const Row& b) { return graver(a.sum.example, b.sum.example); });
    return rows;
}

[[nodiscard]] std::string confidence_words(const Row& row) {
    if (row.kind.verdict == Verdict::none || row.kind.verdict == Verdict::unknown) {
        return "";
    }
    if (row.sum.proven == row.sum.episodes) {
        return "proven";
    }
    return row.sum.proven == 0 ? "probable"
                               : fmt::format("{} of {} proven", count_text(row.sum.proven),
                                             count_text(row.sum.episodes));
}

// "1 hole, 1,010 bytes, probable"
[[nodiscard]] std::string sum_words(const Row& row) {
    std::string text = episodes_words(row.kind.type, row.sum.episodes);
    if (row.sum.bytes != 0) {
        text += ", " + bytes_text(row.sum.bytes);
    }
    const std::string confidence = confidence_words(row);
    return confidence.empty() ? text : fmt::format("{}, {}", text, confidence);
}

[[nodiscard]] bool is_bad(const Row& row) {
    return row.kind.verdict == Verdict::none
               ? row.kind.type == EventType::hole && still_missing(row.kind.resolution)
               : event::verdict_table()[static_cast<std::size_t>(row.kind.verdict)].network_loss;
}

// In one paragraph: what happened, the gravest first.
void write_answer(Page& page, const LadderLog& log, const LadderSubject& subject) {
    if (subject.interrupted) {
        page.paragraph("Stopped by the operator: this is the connection so far.", 0, 0, Tone::bad);
    }
    const std::vector<Row> rows = gravest_first(log);
    if (rows.empty()) {
        page.paragraph(subject.record.details_lost
                           ? "No episode was recorded, but a limit was reached: not everything "
                             "could be followed."
                           : "Nothing is missing, and nothing was sent again.",
                       0, 0, subject.record.details_lost ? Tone::strong : Tone::good);
        return;
    }
    std::string text;
    bool bad = false;
    for (const Row& row : rows) {
        text +=
            fmt::format("{}{}: {}, from the {}", text.empty() ? "" : "; ", kind_words(row.kind),
                        sum_words(row), row.kind.direction == Direction::c2s ? "client" : "server");
        bad = bad || is_bad(row);
    }
    page.paragraph(text + ".", 0, 0, bad ? Tone::bad : Tone::strong);
}

void write_places(Page& page, const LadderLog& log) {
    Table table("<<");
    for (const Row& row : gravest_first(log)) {
        const std::string place = place_words(row.kind.place, row.kind.direction);
        table.row({place.empty() ? "place not known" : place,
                   fmt::format("{}: {}", kind_words(row.kind), sum_words(row))});
    }
    if (!table.empty()) {
        page.heading("What happened where");
        page.table(table, false);
    }
}

// The connection by its ends, for when stream numbers are not Wireshark's.
[[nodiscard]] std::string ends_filter(const event::FlowName& flow) {
    const auto end = [](const flow::Endpoint& endpoint) {
        std::string address;
        format::append_address(address, endpoint);
        return fmt::format("{}.addr == {} && tcp.port == {}", endpoint.v6 ? "ipv6" : "ip", address,
                           endpoint.port);
    };
    return end(flow.client) + " && " + end(flow.server);
}

void write_filters(Page& page, const LadderSubject& subject, const LadderPlan& plan) {
    std::set<std::uint64_t> frames;
    for (const event::Event& event : plan.shown) {
        for (const event::FrameRef& ref : event.subject) {
            frames.insert(ref.frame);
        }
        for (const event::FrameRef& ref : event.evidence) {
            frames.insert(ref.frame);
        }
    }
    frames.erase(0);
    page.heading(subject.files.size() > 1 ? "In Wireshark, the files merged in this order"
                                          : "In Wireshark");
    page.line("  " + (subject.streams_differ
                          ? ends_filter(subject.record.flow)
                          : fmt::format("tcp.stream eq {}", subject.record.flow.stream)));
    if (!frames.empty() && frames.size() <= kFramesInFilter) {
        page.paragraph(fmt::format("frame.number in {{{}}}", fmt::join(frames, ", ")), 2, 4);
    }
}

// What is not shown, and whether it could be.
void write_left_out(Page& page, const LadderLog& log, const LadderPlan& plan, bool all) {
    std::uint64_t folded = 0;
    for (const LadderFold& fold : plan.folds) {
        folded += fold.count();
    }
    const std::uint64_t segments = log.rows().empty() ? 0 : log.rows().back().ordinal();
    const std::uint64_t dropped = segments - log.rows().size();
    std::vector<std::string> left_out;
    if (folded > dropped) {
        left_out.push_back(count_of(folded - dropped, "segment") + " folded");
    }
    if (plan.hidden != 0) {
        left_out.push_back(count_of(plan.hidden, "episode") + " without lines of their own");
    }
    std::string text;
    if (!left_out.empty()) {
        text = fmt::format("{}{}.", fmt::join(left_out, ", "), all ? "" : ": --all shows them");
    }
    const auto add = [&text](const std::string& sentence) {
        text += (text.empty() ? "" : " ") + sentence;
    };
    if (dropped != 0) {
        add(fmt::format("Kept of a connection: {} segments ({}) at most; {} of the middle {} not.",
                        count_text(log.options().rows_max),
                        bytes_text(log.options().rows_max * sizeof(LadderRow)), count_text(dropped),
                        dropped == 1 ? "is" : "are"));
    }
    if (log.episodes() > LadderLog::kEventsMax) {
        add(fmt::format("Kept of its episodes: the {} gravest; all {} are counted above.",
                        count_text(LadderLog::kEventsMax), count_text(log.episodes())));
    }
    if (!text.empty()) {
        page.blank();
        page.paragraph(text, 0, 0, Tone::faint);
    }
}

}  // namespace

void write_ladder_head(Page& page, const LadderLog& log, const LadderSubject& subject) {
    const event::FlowRecord& record = subject.record;
    page.line(
        fmt::format("{} {} {}", format::endpoint_text(record.flow.client),
                    record.client_known ? "->" : "--", format::endpoint_text(record.flow.server)),
        Tone::strong);
    page.blank();
    write_answer(page, log, subject);
    page.blank();
    const Handshake shake = find_handshake(log, subject.client_side);
    Table table("<<");
    table.row({"capture", files_words(subject.files)});
    table.row({"begins", fmt::format("{}, lasts {}; stream {}", format::date_text(record.first),
                                     duration_text(format::elapsed(record.first, record.last)),
                                     record.flow.stream)});
    table.row({"seen", captured_words(record.completeness)});
    table.row({"handshake", handshake_words(shake)});
    if (const std::string options = negotiated_words(shake); !options.empty()) {
        table.row({"options", options});
    }
    table.row({"client", side_words(record, Direction::c2s)});
    table.row({"server", side_words(record, Direction::s2c)});
    if (!record.client_known) {
        table.row({"", "Which side is the client is a guess: no SYN was captured."});
    }
    page.table(table, false);
    page.blank();
}

void write_ladder_foot(Page& page, const LadderLog& log, const LadderSubject& subject,
                       const LadderPlan& plan, const LadderView& view) {
    write_places(page, log);
    write_filters(page, subject, plan);
    write_left_out(page, log, plan, view.all);
}

}  // namespace tw::sinks
