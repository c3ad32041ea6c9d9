// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder_drawing.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "base/sequence.hpp"
#include "sinks/episode_text.hpp"
#include "sinks/finding_text.hpp"
#include "sinks/format/human.hpp"
#include "sinks/ladder_words.hpp"
#include "sinks/summary.hpp"

namespace tw::sinks {
namespace {

using event::Direction;
using event::Place;
using event::Resolution;
using event::Role;
using event::Verdict;
using format::Page;
using format::Tone;
using Kind = LadderItem::Kind;

// How many rows before a repeat its first copy is looked for.
constexpr std::ptrdiff_t kLookBack = 16'384;

// Seconds since the first segment, as one looks for them in a trace; to the microsecond.
[[nodiscard]] std::string seconds_text(Nanos time) {
    const bool negative = time < 0;
    const auto micros =
        (negative ? 0 - static_cast<std::uint64_t>(time) : static_cast<std::uint64_t>(time)) / 1000;
    return fmt::format("{}{}.{:06}", negative ? "-" : "", micros / 1'000'000, micros % 1'000'000);
}

[[nodiscard]] std::string probably(const event::Event& event) {
    return event.finding.confidence == event::Confidence::probable ? "probably " : "";
}

}  // namespace

LadderDrawing::LadderDrawing(const LadderLog& log, const LadderSubject& subject,
                             const LadderPlan& plan, const LadderStyle& style)
    : log_(log), subject_(subject), plan_(plan), ascii_(style.ascii) {
    time_columns_ = std::string_view("seconds").size();
    frame_columns_ = std::string_view("frame").size();
    // Captures need not be in order of time.
    Nanos least = 0;
    Nanos most = 0;
    for (const LadderRow& row : log.rows()) {
        const Nanos offset = format::elapsed(log.rows().front().time, row.time);
        least = std::min(least, offset);
        most = std::max(most, offset);
    }
    if (!log.rows().empty()) {
        frame_columns_ = std::max(frame_columns_, std::to_string(log.rows().back().frame).size());
    }
    for (const Nanos offset : {least, most}) {
        time_columns_ = std::max(time_columns_, seconds_text(offset).size());
    }
    const std::size_t margin = time_columns_ + 1 + frame_columns_ + 1;
    blank_.assign(margin, ' ');
    const std::size_t width = style.page.width == 0 ? kColumnsPlain : style.page.width;
    lane_columns_ = std::max(std::clamp(width, margin, kColumnsMost) - margin, Lane::kColumnsMin);
    for (std::size_t i = 0; i < plan.shown.size(); ++i) {
        tag_frames(i);
    }
}

void LadderDrawing::tag_frames(std::size_t index) {
    const event::Event& event = plan_.shown[index];
    const bool timestamps = rests_on_timestamps(event);
    const auto tag = [&](std::uint64_t frame, Role role) {
        if (frame != 0) {
            tags_.emplace(frame, Tag{index + 1, role});
            timestamps_[frame] |= timestamps;
        }
    };
    const std::size_t subjects = std::min<std::size_t>(event.subjects_count, event.subject.size());
    for (std::size_t i = 0; i < subjects; ++i) {
        if (i == 0 || event.subject[i].frame != event.subject[i - 1].frame) {
            tag(event.subject[i].frame, subject_role(event, i));
        }
    }
    const std::size_t count = std::min<std::size_t>(event.evidence_count, event.evidence.size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t frame = event.evidence[i].frame;
        const Role role = evidence_role(event, i);
        tag(frame, role);
        const bool lost_ack = event.finding.verdict == Verdict::ack_lost && role == Role::ack;
        const bool lost_data =
            event.finding.verdict == Verdict::lost_after_tap && role == Role::original;
        if (lost_ack || lost_data) {
            lost_.emplace(frame, index + 1);
        }
    }
    if (event.finding.verdict == Verdict::lost_after_tap) {
        tag_lost(index);
    }
}

// All first copies, of which the evidence names one: segments before the first repeat with at least
// half their bytes in the range.
void LadderDrawing::tag_lost(std::size_t index) {
    const event::Event& event = plan_.shown[index];
    const std::uint64_t repeat = event.subject[0].frame;
    const bool to_server = event.direction == Direction::c2s;
    const auto rows = log_.rows();
    const auto until = std::partition_point(
        rows.begin(), rows.end(), [&](const LadderRow& row) { return row.frame < repeat; });
    const auto from = until - std::min(until - rows.begin(), kLookBack);
    for (const LadderRow& row : std::span(from, until)) {
        const bool same_way = (row.side == subject_.client_side) == to_server && !row.quoted;
        const std::uint32_t end = row.seq + row.payload_bytes;
        if (!same_way || !after(end, event.seq_begin) || !after(event.seq_end, row.seq)) {
            continue;
        }
        const std::uint32_t begin = after(event.seq_begin, row.seq) ? event.seq_begin : row.seq;
        const std::uint32_t until_seq = after(end, event.seq_end) ? event.seq_end : end;
        if (distance(begin, until_seq) >= row.payload_bytes / 2 + 1) {
            lost_.emplace(row.frame, index + 1);
        }
    }
}

void LadderDrawing::draw(Page& page, const LadderItem& item) {
    switch (item.kind) {
        case Kind::segment:
            draw_segment(page, log_.rows()[item.index]);
            break;
        case Kind::fold:
            draw_between(page, fold_words(plan_.folds[item.index]), glyph::kFold);
            break;
        case Kind::idle:
            draw_between(page, format::offset_text(item.idle) + " idle", glyph::kRail);
            break;
        case Kind::missing:
            draw_missing(page, item.index);
            break;
        case Kind::verdict:
            draw_verdict(page, item.index);
            break;
    }
}

// On one line where they fit beside the tap.
void LadderDrawing::draw_ends(Page& page) const {
    const event::FlowName& flow = subject_.record.flow;
    const std::string_view guess = subject_.record.client_known ? "" : "?";
    const std::string client =
        fmt::format("client{} {}", guess, format::endpoint_text(flow.client));
    const std::string server =
        fmt::format("{} server{}", format::endpoint_text(flow.server), guess);
    const std::string head =
        fmt::format("{:>{}} {:>{}} ", "seconds", time_columns_, "frame", frame_columns_);
    const std::string_view tap = "tap";
    const std::size_t half = lane_columns_ / 2 - tap.size();
    if (client.size() <= half && server.size() <= half) {
        const std::size_t middle = lane_columns_ / 2 - 1;
        std::string line = fmt::format("{:<{}}{}", client, middle, tap);
        page.line(fmt::format("{}{}{:>{}}", head, line, server, lane_columns_ - line.size()),
                  Tone::strong);
        return;
    }
    page.line(head + client, Tone::strong);
    page.line(fmt::format("{}{:>{}}", blank_, server, lane_columns_), Tone::strong);
}

std::string LadderDrawing::margin(const LadderRow& row) const {
    const Nanos offset = format::elapsed(log_.rows().front().time, row.time);
    return fmt::format("{:>{}} {:>{}} ", seconds_text(offset), time_columns_, row.frame,
                       frame_columns_);
}

void LadderDrawing::draw_segment(Page& page, const LadderRow& row) {
    const bool to_right = from_client(row);
    const auto lost = lost_.find(row.frame);
    std::string text = segment_words(row);
    std::string more = ack_words(row);
    // Half the lane less rail, blanks and a bit of line.
    if (text.size() + 1 + more.size() + 5 <= lane_columns_ / 2) {
        text += (more.empty() ? "" : " ") + more;
        more.clear();
    }
    // Too long for the line, and no news: then not on a line of its own.
    auto& told = ack_told_[to_right ? 0 : 1];
    if (row.has(decode::tcp_flag::kAck)) {
        if (told == row.relative_ack) {
            more.clear();
        }
        told = row.relative_ack;
    }
    Lane lane(lane_columns_, glyph::kRail);
    draw_arrow(lane, text, to_right, lost == lost_.end() ? Fate::arrived : Fate::lost_after_tap);
    page.line(margin(row) + lane.text(ascii_), lost == lost_.end() ? Tone::plain : Tone::bad);
    draw_notes(page, row, to_right, more);
}

// "#1: shows the hole, acknowledges the bytes"; one for each episode that rests on the frame.
std::vector<std::string> LadderDrawing::tag_words(std::uint64_t frame) const {
    std::map<std::size_t, std::string> words;
    const auto [begin, end] = tags_.equal_range(frame);
    for (auto at = begin; at != end; ++at) {
        const auto [number, role] = at->second;
        std::string& text = words[number];
        const std::string_view word = role_words(role);
        if (text.find(word) == std::string::npos) {
            text += fmt::format("{}{}", text.empty() ? fmt::format("#{}: ", number) : ", ", word);
        }
    }
    if (const auto lost = lost_.find(frame); lost != lost_.end()) {
        const event::Event& event = plan_.shown[lost->second - 1];
        std::string& text = words[lost->second];
        text +=
            fmt::format("{}{}lost after the tap",
                        text.empty() ? fmt::format("#{}: ", lost->second) : ", ", probably(event));
    }
    std::vector<std::string> list;
    for (auto& [number, text] : words) {
        list.push_back(std::move(text));
    }
    return list;
}

// Below the segment, on its sender's side.
void LadderDrawing::draw_notes(Page& page, const LadderRow& row, bool from_client,
                               std::string_view first) const {
    const auto timestamps = timestamps_.find(row.frame);
    std::string text(first);
    const auto add = [&text](std::string_view note) {
        text.append(text.empty() ? "" : "; ").append(note);
    };
    for (const std::string& note :
         segment_notes(row, timestamps != timestamps_.end() && timestamps->second)) {
        add(note);
    }
    for (const std::string& words : tag_words(row.frame)) {
        add(words);
    }
    if (text.empty()) {
        return;
    }
    constexpr std::size_t kIndent = 4;
    const std::size_t room = lane_columns_ - 2 * kIndent;
    for (const std::string_view part : format::wrapped_lines(text, room, room)) {
        Lane lane(lane_columns_, glyph::kRail);
        const std::size_t at = from_client ? kIndent : kIndent + room - std::min(room, part.size());
        // The tap's rail gives way to a word that would touch it.
        if (at <= lane.middle() + 1 && at + part.size() + 1 > lane.middle()) {
            lane.put(lane.middle(), U' ');
        }
        lane.put(at, part);
        page.line(blank_ + lane.text(ascii_), Tone::faint);
    }
}

// `text` at its sender's rail, then a line to the other rail, or to where it ended.
void LadderDrawing::draw_arrow(Lane& lane, std::string_view text, bool from_client,
                               Fate fate) const {
    const std::size_t last = lane.last();
    // As if all went from left to right; put and fill mirror it.
    const auto column = [&](std::size_t at) { return from_client ? at : last - at; };
    const std::size_t middle = from_client ? lane.middle() : last - lane.middle();
    const std::size_t begin = 2 + text.size() + 1;
    std::size_t end = last - 1;  // of the line: the head of the arrow
    char32_t head = from_client ? U'>' : U'<';
    char32_t line = glyph::kDashes;
    switch (fate) {
        case Fate::arrived:
            line = glyph::kLine;
            break;
        case Fate::missed:
            break;
        case Fate::lost_after_tap:
            line = glyph::kLine;
            end = std::max(middle + (last - middle) / 2, begin + 1);
            head = glyph::kLost;
            break;
        case Fate::never_sent:
            end = begin;
            head = glyph::kLost;
            break;
        case Fate::never_came:
            end = std::max(middle - 2, begin + 1);
            head = glyph::kLost;
            break;
        case Fate::late:
            end = std::max(middle - 2, begin + 1);
            head = U'~';
            break;
        case Fate::unclear:
            end = std::max(middle - 2, begin + 1);
            head = U'?';
            break;
    }
    lane.put(from_client ? 2 : last - 1 - text.size(), text);
    for (std::size_t at = begin; at < end; ++at) {
        lane.put(column(at), line);
    }
    if (end > middle && begin <= middle) {
        lane.put(column(middle), fate == Fate::missed ? glyph::kLost : glyph::kCross);
    }
    lane.put(column(end), head);
}

LadderDrawing::Fate LadderDrawing::fate_of(const event::Event& event) {
    const event::Finding& finding = event.finding;
    if (finding.place == Place::at_tap || finding.verdict == Verdict::missed_by_capture) {
        return Fate::missed;
    }
    if (finding.verdict == Verdict::reordered_before_tap) {
        return Fate::late;
    }
    if (finding.place == Place::sender_to_tap) {
        return Fate::never_came;
    }
    if (finding.place == Place::inside_sender) {
        return Fate::never_sent;
    }
    if (finding.verdict != Verdict::none) {
        return Fate::unclear;
    }
    switch (event.resolution) {
        case Resolution::filled:
        case Resolution::filled_after_ack:
            return Fate::late;
        case Resolution::acknowledged_unseen:
            return Fate::missed;
        case Resolution::never:
        case Resolution::acknowledged:
        case Resolution::acknowledged_before:
        case Resolution::unknown_limit:
            break;
    }
    return Fate::unclear;
}

void LadderDrawing::draw_missing(Page& page, std::size_t index) const {
    const event::Event& event = plan_.shown[index];
    const Fate fate = fate_of(event);
    std::string what = "not captured here";
    if (fate == Fate::never_came) {
        what = "never reached the tap here";
    } else if (fate == Fate::never_sent) {
        what = "never sent";
    } else if (fate == Fate::missed) {
        what = "passed, and the capture missed them";
    } else if (fate == Fate::late) {
        what = "came later";
    }
    if (fate != Fate::unclear) {
        what = probably(event) + what;
    }
    const std::string bytes = format::bytes_text(event.bytes);
    std::string text = fmt::format("{} {}", bytes, range_words(event));
    std::string note = fmt::format("#{}: {}", index + 1, what);
    if (text.size() + 6 > lane_columns_ / 2) {
        text = range_words(event);
        note = fmt::format("{}; {}", bytes, note);
    }
    const bool to_right = event.direction == Direction::c2s;
    const Tone tone = fate == Fate::late ? Tone::plain : Tone::bad;
    Lane lane(lane_columns_, glyph::kRail);
    draw_arrow(lane, text, to_right, fate);
    page.line(blank_ + lane.text(ascii_), tone);
    Lane below(lane_columns_, glyph::kRail);
    below.put(to_right ? 4 : lane_columns_ - 4 - std::min(note.size(), lane_columns_ - 4), note);
    page.line(blank_ + below.text(ascii_), tone);
}

void LadderDrawing::draw_verdict(Page& page, std::size_t index) {
    const event::Event& event = plan_.shown[index];
    const event::VerdictInfo& verdict =
        event::verdict_table()[static_cast<std::size_t>(event.finding.verdict)];
    const Tone tone =
        verdict.network_loss || (verdict.id == Verdict::none && still_missing(event.resolution))
            ? Tone::bad
            : Tone::strong;
    const auto edge = [&](std::string_view title) {
        Lane lane(lane_columns_, glyph::kBoxLine);
        lane.fill(0, lane_columns_, glyph::kBoxLine);
        lane.put(0, glyph::kBoxLeft);
        lane.put(lane.last(), glyph::kBoxRight);
        lane.put(2, title);
        page.line(blank_ + lane.text(ascii_), tone);
    };
    edge(fmt::format(" #{} {} ", index + 1, episode_title(event)));
    const std::string sentence = finding_text(event);
    draw_box_text(page, sentence.empty() ? episode_text(event) : sentence);
    const event::Finding& finding = event.finding;
    if (finding.rule != event::Rule::none) {
        const auto& rule = event::rule_table()[static_cast<std::size_t>(finding.rule)];
        const auto [first, fresh] = rules_told_.try_emplace(rule.id, index + 1);
        draw_box_text(page, fresh ? fmt::format("Rule {}: {}.", rule.name, rule.help)
                                  : fmt::format("Rule {}, as in #{}.", rule.name, first->second));
    }
    draw_box_text(page, evidence(event));
    edge("");
}

// "Evidence: frame 6 shows the hole, frame 7 asks for the bytes. Excluded: …. Cost 20.0 s."
std::string LadderDrawing::evidence(const event::Event& event) const {
    std::vector<std::pair<std::uint64_t, Role>> refs;
    if (event.subjects_count != 0) {
        refs.emplace_back(event.subject[0].frame, subject_role(event, 0));
    }
    const std::size_t count = std::min<std::size_t>(event.evidence_count, event.evidence.size());
    for (std::size_t i = 0; i < count; ++i) {
        refs.emplace_back(event.evidence[i].frame, evidence_role(event, i));
    }
    std::stable_sort(refs.begin(), refs.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string frames;
    std::uint64_t latest = 0;
    for (const auto& [frame, role] : refs) {
        if (frame == 0) {
            continue;
        }
        frames += frame == latest
                      ? " and"
                      : fmt::format("{}frame {}", frames.empty() ? "Evidence: " : ", ", frame);
        frames.append(" ").append(role_words(role));
        latest = frame;
    }
    std::string text = frames.empty() ? "" : frames + ".";
    const auto list = [&text](std::string_view title, const event::VerdictSet& set) {
        std::string names;
        for (const event::VerdictInfo& verdict : event::verdict_table()) {
            if (set.has(verdict.id)) {
                names.append(names.empty() ? "" : ", ").append(verdict.name);
            }
        }
        if (!names.empty()) {
            text += fmt::format("{}{}: {}.", text.empty() ? "" : " ", title, names);
        }
    };
    list("Excluded", event.finding.excluded);
    list("Not excluded", event.finding.possible);
    if (event.finding.cost > 0) {
        text += fmt::format("{}Cost: {}.", text.empty() ? "" : " ",
                            format::duration_text(event.finding.cost));
    }
    return text;
}

void LadderDrawing::draw_box_text(Page& page, std::string_view text) const {
    if (text.empty()) {
        return;
    }
    const std::size_t room = lane_columns_ - 4;
    for (const std::string_view part : format::wrapped_lines(text, room, room)) {
        Lane lane(lane_columns_, glyph::kRail);
        lane.put(lane.middle(), U' ');
        lane.put(2, part);
        page.line(blank_ + lane.text(ascii_));
    }
}

// A line of the ladder that is no segment: text in the middle.
void LadderDrawing::draw_between(Page& page, std::string_view text, char32_t rail) const {
    const std::size_t room = lane_columns_ - 4;
    for (const std::string_view part : format::wrapped_lines(text, room, room)) {
        Lane lane(lane_columns_, rail);
        const std::size_t at = (lane_columns_ - std::min(part.size(), room)) / 2;
        lane.fill(at - 1, at + part.size() + 1, U' ');
        lane.put(0, rail);
        lane.put(lane.last(), rail);
        lane.put(at, part);
        page.line(blank_ + lane.text(ascii_), Tone::faint);
    }
}

}  // namespace tw::sinks
