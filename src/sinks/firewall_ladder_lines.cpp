// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "sinks/firewall_ladder.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using taps::Packet;
using taps::Side;
using taps::Way;

constexpr std::size_t kWidthPlain = 100;  // where nobody asked for one
constexpr std::size_t kTimeColumns = 10;
constexpr std::size_t kTransitColumns = 8;  // "123 us", "3 min 20 s" is longer and rare
constexpr std::size_t kLaneMin = 24;
constexpr std::size_t kLaneMax = 48;
constexpr std::size_t kNeighbours = 1;  // steps shown on both sides of a telling one

class Lines {
  public:
    Lines(const firewall::Evidence& evidence, std::size_t width)
        : excerpt_(evidence.excerpt), ladder_(tap_ladder(evidence)) {
        for (std::size_t i = 0; i < excerpt_.count; ++i) {
            const std::uint64_t frame = excerpt_.packets[i].frame;
            frames_ = std::max(frames_, frame == 0 ? 0 : frame_text(excerpt_.packets[i]).size());
        }
        if (frames_ != 0) {
            frames_ = std::max(frames_, std::string_view("frame").size());
        }
        const std::size_t fixed = 2 + kTimeColumns + 2 * (frames_ + 1) + 2 + 1 + kTransitColumns;
        const std::size_t wanted = width == 0 ? kWidthPlain : width;
        lane_ = std::clamp(wanted > fixed ? wanted - fixed : 0, kLaneMin, kLaneMax);
    }

    std::vector<std::string> take() {
        if (ladder_.steps.empty()) {
            return {};
        }
        // Between the names of the taps, each of which stands over its rail.
        const std::size_t between =
            lane_ + 2 - name(Side::outside).size() - name(Side::inside).size();
        const std::string begin =
            fmt::format("0 s = {}", format::clock_text(excerpt_.packets[0].time));
        const std::string_view frame = frames_ == 0 ? "" : "frame";
        lines_.push_back(fmt::format("{:>{}} {:>{}} {}{:^{}}{} {}", "s", 2 + kTimeColumns, frame,
                                     frames_, name(Side::outside),
                                     begin.size() + 2 > between ? "" : begin, between,
                                     name(Side::inside), frame));
        std::size_t folded = 0;
        for (std::size_t i = 0; i < ladder_.steps.size(); ++i) {
            if (!is_shown(i)) {
                ++folded;
                continue;
            }
            fold(folded);
            folded = 0;
            draw(ladder_.steps[i]);
        }
        fold(folded);
        return std::move(lines_);
    }

  private:
    [[nodiscard]] static bool tells(const TapStep& step) {
        return step.subject || !step.part.empty();
    }
    [[nodiscard]] bool is_shown(std::size_t at) const {
        const std::size_t from = at < kNeighbours ? 0 : at - kNeighbours;
        const std::size_t until = std::min(ladder_.steps.size(), at + kNeighbours + 1);
        return std::any_of(ladder_.steps.begin() + static_cast<std::ptrdiff_t>(from),
                           ladder_.steps.begin() + static_cast<std::ptrdiff_t>(until), tells);
    }
    void fold(std::size_t steps) {
        if (steps != 0) {
            lines_.push_back(fmt::format("{:>{}} {:{}}  {}", "...", 2 + kTimeColumns, "", frames_,
                                         format::count_of(steps, "more packet")));
        }
    }

    [[nodiscard]] static std::string frame_text(const Packet& packet) {
        return packet.frame == 0 ? "" : fmt::format("{}", packet.frame);
    }

    void draw(const TapStep& step) {
        const Packet& entered = excerpt_.packets[step.entered];
        const Packet& left = excerpt_.packets[step.left];
        const std::size_t earlier = std::min(step.entered, step.left);
        const Nanos since =
            format::elapsed(excerpt_.packets[0].time, excerpt_.packets[earlier].time);
        const bool paired = step.entered != step.left;
        std::array<std::string, taps::kSides> frames;
        frames[index(entered.tap)] = frame_text(entered);
        frames[index(left.tap)] = frame_text(left);
        std::string line = fmt::format(
            "{} {:>{}.6f} {:>{}} |{}| {:<{}} {}", step.subject ? '*' : ' ',
            static_cast<double>(since) / 1e9, kTimeColumns, frames[index(Side::outside)], frames_,
            arrow(step), frames[index(Side::inside)], frames_,
            paired ? format::duration_text(format::elapsed(entered.time, left.time)) : "");
        line.erase(line.find_last_not_of(' ') + 1);
        lines_.push_back(std::move(line));
        for (const std::string& note : {step.part, step.changed}) {
            if (!note.empty()) {
                lines_.push_back(
                    fmt::format("{:{}}    ^ {}", "", 2 + kTimeColumns + 1 + frames_, note));
            }
        }
    }

    // Drawn as if it went to the right; turned round where it goes outward.
    [[nodiscard]] std::string arrow(const TapStep& step) const {
        const bool inward = step.way == Way::inward;
        const Side tap = excerpt_.packets[step.entered].tap;
        const std::size_t gap = step.crossing == Crossing::passed ? 0 : lane_ / 6;
        const bool stops = gap != 0 && tap == entry(step.way);
        const char end = step.crossing == Crossing::untold     ? '?'
                         : step.crossing == Crossing::not_left ? 'X'
                                                               : 'o';
        std::string words = step.words;
        if (!step.acknowledges.empty() &&
            words.size() + step.acknowledges.size() + 8 + gap <= lane_) {
            words += " " + step.acknowledges;
        }
        const std::size_t room = lane_ - gap - 6;
        words = words.substr(0, room);
        const std::string line(room - words.size(), '-');
        const std::string blank(gap == 0 ? 0 : gap - 1, ' ');
        const std::string lost = gap == 0 ? "" : stops ? end + blank : blank + end;
        const std::string before = stops ? "" : lost;
        const std::string behind = stops ? lost : "";
        return inward
                   ? fmt::format("{}-- {} {}->{}", before, words, line, behind)
                   : fmt::format("{}<-{} {} --{}", mirrored(behind), line, words, mirrored(before));
    }
    [[nodiscard]] static std::string mirrored(const std::string& text) {
        return {text.rbegin(), text.rend()};
    }

    const taps::Excerpt& excerpt_;
    TapLadder ladder_;
    std::size_t frames_ = 0;  // columns; 0 = without numbers
    std::size_t lane_ = 0;
    std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> ladder_lines(const firewall::Evidence& evidence, std::size_t width) {
    return Lines(evidence, width).take();
}

}  // namespace tw::sinks
