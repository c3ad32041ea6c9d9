// SPDX-License-Identifier: BSD-3-Clause
// Draws the items of a plan as lines of text: arrows from rail to rail, holes as arrows that end
// where the bytes were lost, verdicts as boxes between the rails.
//
//   12.345678      7  | <-------------------------+------ PSH seq 1 len 1010 |
//   time       frame  |lane: client             tap                   server |
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sinks/format/page.hpp"
#include "sinks/ladder.hpp"
#include "sinks/ladder_lane.hpp"
#include "sinks/ladder_plan.hpp"

namespace tw::sinks {

class LadderDrawing {
  public:
    LadderDrawing(const LadderLog& log, const LadderSubject& subject, const LadderPlan& plan,
                  const LadderStyle& style);

    // Who stands at which rail; then item by item.
    void draw_ends(format::Page& page) const;
    void draw(format::Page& page, const LadderItem& item);

  private:
    // What an episode says of a frame.
    struct Tag {
        std::size_t number = 0;
        event::Role role = event::Role::none;
    };
    // How a segment went on after the tap, or before it.
    enum class Fate : std::uint8_t {
        arrived,
        lost_after_tap,
        never_sent,
        never_came,
        missed,
        late,
        unclear,
    };

    void tag_frames(std::size_t index);
    void tag_lost(std::size_t index);
    void draw_segment(format::Page& page, const LadderRow& row);
    void draw_notes(format::Page& page, const LadderRow& row, bool from_client,
                    std::string_view first) const;
    void draw_missing(format::Page& page, std::size_t index) const;
    void draw_verdict(format::Page& page, std::size_t index);
    void draw_box_text(format::Page& page, std::string_view text) const;
    void draw_between(format::Page& page, std::string_view text, char32_t rail) const;
    void draw_arrow(Lane& lane, std::string_view text, bool from_client, Fate fate) const;
    [[nodiscard]] static Fate fate_of(const event::Event& event);
    [[nodiscard]] std::string margin(const LadderRow& row) const;
    [[nodiscard]] std::vector<std::string> tag_words(std::uint64_t frame) const;
    [[nodiscard]] std::string evidence(const event::Event& event) const;
    [[nodiscard]] bool from_client(const LadderRow& row) const {
        return (row.side == subject_.client_side) != row.quoted;
    }

    const LadderLog& log_;
    const LadderSubject& subject_;
    const LadderPlan& plan_;
    bool ascii_;
    std::size_t time_columns_ = 0;
    std::size_t frame_columns_ = 0;
    std::size_t lane_columns_ = 0;
    std::string blank_;                                     // in place of time and frame
    std::array<std::optional<std::uint32_t>, 2> ack_told_;  // by the client, by the server
    std::map<event::Rule, std::size_t> rules_told_;         // explained with this number
    std::unordered_multimap<std::uint64_t, Tag> tags_;      // by frame
    std::unordered_map<std::uint64_t, std::size_t> lost_;   // frame lost after the tap -> number
    std::unordered_map<std::uint64_t, bool> timestamps_;    // frames whose timestamps matter
};

}  // namespace tw::sinks
