// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "sinks/firewall_fact_json.hpp"
#include "sinks/firewall_ladder.hpp"
#include "sinks/firewall_svg.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using format::Html;
using taps::Packet;
using taps::Side;
using taps::Way;

// Units of the drawing: pixels at its full width.
constexpr int kWidth = 880;
constexpr int kLeftRail = 150;
constexpr int kRightRail = kWidth - 150;
constexpr int kTop = 44;
constexpr int kRow = 22;
constexpr int kStub = 250;  // of an arrow that does not reach the other rail
constexpr int kFall = 8;    // how far it falls

[[nodiscard]] int rail(Side tap) {
    return tap == Side::outside ? kLeftRail : kRightRail;
}

class Drawing {
  public:
    Drawing(Html& html, const firewall::Evidence& evidence)
        : html_(html), excerpt_(evidence.excerpt), ladder_(tap_ladder(evidence)) {}

    void write() {
        const int bottom = y_of(excerpt_.count) + 6;
        html_.raw(fmt::format(
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Ladder: {}\">"
            "<svg class=\"ladder\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\">",
            format::count_of(ladder_.steps.size(), "packet"), kWidth, bottom, kWidth, bottom));
        write_frame(bottom);
        for (const TapStep& step : ladder_.steps) {
            write_band(step);
        }
        for (const TapStep& step : ladder_.steps) {
            write_step(step);
        }
        html_.raw("</svg></div>");
    }

  private:
    [[nodiscard]] static int y_of(std::size_t sighting) {
        return kTop + kRow / 2 + kRow * static_cast<int>(sighting);
    }
    void text(std::string_view kind, int x, int y, std::string_view anchor,
              std::string_view words) {
        html_.element(fmt::format("text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\"", kind, x,
                                  y, anchor),
                      words);
    }

    void write_frame(int bottom) {
        text("tap", kLeftRail, 14, "middle", name(Side::outside));
        text("tap", kRightRail, 14, "middle", name(Side::inside));
        const int middle = (kLeftRail + kRightRail) / 2;
        text("axis", middle, 14, "middle",
             fmt::format("0 s = {}", format::clock_text(excerpt_.packets[0].time)));
        for (const bool left : {true, false}) {
            const int outer = left ? kLeftRail - 10 : kRightRail + 10;
            text("axis", outer, 31, left ? "end" : "start",
                 left ? "s, or transit \u00b7 frame" : "frame \u00b7 s, or transit");
        }
        if (ladder_.more_before) {
            text("axis", middle, 31, "middle", "\u22ee earlier packets of the connection");
        }
        if (ladder_.more_after) {
            text("axis", middle, bottom - 3, "middle", "\u22ee later packets of the connection");
        }
        for (const int x : {kLeftRail, kRightRail}) {
            html_.raw(fmt::format(
                "<line class=\"rail\" x1=\"{0}\" x2=\"{0}\" y1=\"20\" y2=\"{1}\"/>", x, bottom));
        }
    }

    [[nodiscard]] static std::string_view class_of(const TapStep& step) {
        switch (step.crossing) {
            case Crossing::passed:
                return step.subject ? "step hot" : "step";
            case Crossing::not_left:
                return "step lost hot";
            case Crossing::not_entered:
                return "step born hot";
            case Crossing::untold:
                return step.subject ? "step untold hot" : "step untold";
        }
        return "step";
    }

    // Behind all arrows.
    void write_band(const TapStep& step) {
        if (step.subject) {
            html_.raw(
                fmt::format("<rect class=\"band\" x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\" "
                            "rx=\"3\"/>",
                            y_of(step.entered) - 14, kWidth, kRow));
        }
    }

    void write_step(const TapStep& step) {
        html_.raw(fmt::format("<g class=\"{}\">", class_of(step)));
        html_.element("title", raw_numbers(excerpt_.packets[step.entered]));
        if (step.crossing == Crossing::passed) {
            write_pair(step);
        } else {
            write_single(step);
        }
        html_.raw("</g>");
    }

    void write_pair(const TapStep& step) {
        const Packet& entered = excerpt_.packets[step.entered];
        const Packet& left = excerpt_.packets[step.left];
        arrow(rail(entered.tap), y_of(step.entered), rail(left.tap), y_of(step.left));
        sighting(entered, y_of(step.entered), since_begin(entered), false);
        const Nanos transit = format::elapsed(entered.time, left.time);
        sighting(left, y_of(step.left),
                 fmt::format("{}{}", transit < 0 ? "" : "+", format::duration_text(transit)), true);
        words(step, entered.tap, y_of(step.entered));
    }

    void write_single(const TapStep& step) {
        const Packet& packet = excerpt_.packets[step.entered];
        const int y = y_of(step.entered);
        const bool stops = packet.tap == entry(step.way);
        const int here = rail(packet.tap);
        const int there = here + (packet.tap == Side::outside ? kStub : -kStub);
        if (stops) {
            arrow(here, y, there, y + kFall);
            mark(step, there, y + kFall);
        } else {
            arrow(there, y - kFall, here, y);
            mark(step, there, y - kFall);
        }
        sighting(packet, y, since_begin(packet), false);
        words(step, packet.tap, y);
    }

    [[nodiscard]] std::string since_begin(const Packet& packet) const {
        const Nanos since = format::elapsed(excerpt_.packets[0].time, packet.time);
        return fmt::format("{:.6f}", static_cast<double>(since) / 1e9);
    }

    // With its head drawn by hand: markers do not take the colour of their line everywhere.
    void arrow(int x1, int y1, int x2, int y2) {
        const int back = x2 > x1 ? -8 : 8;
        html_.raw(
            fmt::format("<path class=\"arrow\" d=\"M{0} {1}L{2} {3}\"/>"
                        "<path class=\"head\" d=\"M{2} {3}l{4} -4v8z\"/>",
                        x1, y1, x2, y2, back));
    }

    void mark(const TapStep& step, int x, int y) {
        switch (step.crossing) {
            case Crossing::not_left:
                html_.raw(fmt::format(
                    "<path class=\"cross\" d=\"M{0} {1}m-6 -6l12 12m0 -12l-12 12\"/>", x, y));
                return;
            case Crossing::not_entered:
                html_.raw(
                    fmt::format("<circle class=\"ring\" cx=\"{}\" cy=\"{}\" r=\"6\"/>", x, y));
                return;
            case Crossing::passed:
            case Crossing::untold:
                // Beyond the end of the arrow, away from its rail.
                text("axis", x + (x < kWidth / 2 ? 8 : -8), y + 4, "middle", "?");
                return;
        }
    }

    void sighting(const Packet& packet, int y, std::string_view time, bool transit) {
        const bool left = packet.tap == Side::outside;
        const int outwards = left ? -1 : 1;
        html_.raw(fmt::format("<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"2.5\"/>",
                              rail(packet.tap), y));
        const std::string_view anchor = left ? "end" : "start";
        if (packet.frame != 0) {
            text("frame", rail(packet.tap) + outwards * 10, y + 4, anchor,
                 fmt::format("{}", packet.frame));
        }
        text(transit ? "transit" : "time",
             rail(packet.tap) + outwards * (packet.frame == 0 ? 10 : 70), y + 4, anchor, time);
    }

    // Over the arrow, at the end where it was seen first.
    void words(const TapStep& step, Side tap, int y) {
        const bool left = tap == Side::outside;
        html_.raw(fmt::format("<text class=\"words\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">",
                              rail(tap) + (left ? 10 : -10), y - 3, left ? "start" : "end"));
        html_.text(step.words);
        if (!step.acknowledges.empty()) {
            html_.text(fmt::format(" {}", step.acknowledges));
        }
        for (const std::string& note : {step.part, step.changed}) {
            if (!note.empty()) {
                html_.element("tspan class=\"note\"", fmt::format(" \u00b7 {}", note));
            }
        }
        html_.raw("</text>");
    }

    [[nodiscard]] static std::string raw_numbers(const Packet& packet) {
        return fmt::format("{} seq {} ack {} window {} TTL {} IP id {} TOS 0x{:02x} IP length {}",
                           flags_text(packet.flags), packet.seq, packet.ack, packet.window,
                           packet.ttl, packet.ip_id, packet.tos, packet.ip_bytes);
    }

    Html& html_;
    const taps::Excerpt& excerpt_;
    TapLadder ladder_;
};

}  // namespace

void write_ladder_svg(Html& html, const firewall::Evidence& evidence) {
    if (evidence.excerpt.count != 0) {
        Drawing(html, evidence).write();
    }
}

}  // namespace tw::sinks
