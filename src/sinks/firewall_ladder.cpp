// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/sequence.hpp"
#include "sinks/firewall_fact_json.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

namespace flag = decode::tcp_flag;
using firewall::Evidence;
using taps::Excerpt;
using taps::Packet;
using taps::Part;
using taps::Side;
using taps::Way;

// The lowest number of each sender at each tap: with the SYN in the excerpt its ISN.
class Origins {
  public:
    explicit Origins(const Excerpt& excerpt) {
        for (std::size_t i = 0; i < excerpt.count; ++i) {
            const Packet& packet = excerpt.packets[i];
            if (packet.kind != taps::PacketKind::segment || packet.has(flag::kRst)) {
                continue;  // resets may hold any number
            }
            lower(at(packet.tap, excerpt.way[i]), packet.seq);
            if (packet.has(flag::kAck)) {
                lower(at(packet.tap, back(excerpt.way[i])), packet.ack);
            }
        }
    }
    // Relative where that makes it short, else as on the wire.
    [[nodiscard]] std::uint32_t relative(std::uint32_t number, Side tap, Way way) const {
        const auto& origin = origins_[index(tap)][index(way)];
        return !origin || after(*origin, number) ? number : distance(*origin, number);
    }

  private:
    [[nodiscard]] std::optional<std::uint32_t>& at(Side tap, Way way) {
        return origins_[index(tap)][index(way)];
    }
    static void lower(std::optional<std::uint32_t>& origin, std::uint32_t number) {
        if (!origin || after(*origin, number)) {
            origin = number;
        }
    }
    std::array<std::array<std::optional<std::uint32_t>, taps::kWays>, taps::kSides> origins_;
};

[[nodiscard]] std::string icmp_words(const Packet& packet) {
    std::string text = fmt::format("ICMP type {} code {}", packet.icmp_type, packet.icmp_code);
    if (packet.icmp_mtu != 0) {
        text += fmt::format(", MTU {}", packet.icmp_mtu);
    }
    return text;
}

[[nodiscard]] std::string words_of(const Packet& packet, Way way, const Origins& origins) {
    switch (packet.kind) {
        case taps::PacketKind::icmp_error:
            return icmp_words(packet);
        case taps::PacketKind::later_fragment:
            return fmt::format("fragment at {}, IP id {}", packet.fragment_offset, packet.ip_id);
        case taps::PacketKind::first_fragment:
        case taps::PacketKind::segment:
            break;
    }
    // PSH and ACK say nothing that the numbers do not.
    const auto telling = static_cast<std::uint8_t>(packet.flags & ~(flag::kPsh | flag::kAck));
    std::string text = flags_text(telling);
    if (packet.kind == taps::PacketKind::first_fragment) {
        text = text.empty() ? "first fragment" : "first fragment " + text;
    }
    if (telling != 0 || packet.payload_bytes != 0) {
        text += fmt::format("{}seq {}", text.empty() ? "" : " ",
                            origins.relative(packet.seq, packet.tap, way));
    }
    if (packet.payload_bytes != 0) {
        text += fmt::format(" len {}", packet.payload_bytes);
    }
    return text;
}

[[nodiscard]] std::string ack_of(const Packet& packet, Way way, const Origins& origins) {
    if (packet.kind != taps::PacketKind::segment || !packet.has(flag::kAck)) {
        return "";
    }
    std::string text = fmt::format("ack {}", origins.relative(packet.ack, packet.tap, back(way)));
    if (packet.option(taps::option_bit::kSack) && packet.sack_count > 0) {
        text +=
            fmt::format(" SACK {}-{}", origins.relative(packet.sack[0].left, packet.tap, back(way)),
                        origins.relative(packet.sack[0].right, packet.tap, back(way)));
    }
    return text;
}

[[nodiscard]] std::string changed_words(const Packet& entered, const Packet& left) {
    std::string text;
    const auto add = [&](std::string_view what) {
        text += text.empty() ? "left with " : ", ";
        text += what;
    };
    if (entered.payload_bytes != left.payload_bytes) {
        add(fmt::format("len {}", left.payload_bytes));
    } else if (entered.digest_known && left.digest_known && entered.digest != left.digest) {
        add("other payload");
    }
    if (entered.flags != left.flags) {
        add("flags " + flags_text(left.flags));
    }
    if (entered.mss != left.mss && entered.mss != 0 && left.mss != 0) {
        add(fmt::format("MSS {} for {}", left.mss, entered.mss));
    }
    if (entered.header_complete && left.header_complete && entered.options != left.options) {
        add("other options");
    }
    if (entered.tos != left.tos) {
        add(fmt::format("TOS 0x{:02x} for 0x{:02x}", left.tos, entered.tos));
    }
    return text;
}

[[nodiscard]] std::string_view part_words(Part part) {
    switch (part) {
        case Part::none:
        case Part::subject:
        case Part::left:
            return "";
        case Part::repeat:
            return "entered again";
        case Part::ack:
            return "acknowledges the bytes";
        case Part::asks:
            return "asks for the bytes";
        case Part::overtaker:
            return "entered later, left before";
        case Part::genuine:
            return "of the host that the reset names";
        case Part::quote:
            return "the ICMP error";
    }
    return "";
}

[[nodiscard]] Part part_of(const taps::Fact& fact, const Packet& packet) {
    for (const taps::Cite& cite : std::span(fact.cites).first(fact.cites_count)) {
        if (cite.tap == packet.tap && cite.frame == packet.frame && cite.time == packet.time) {
            return cite.part;
        }
    }
    return Part::none;
}

[[nodiscard]] bool is_subject(const taps::Fact& fact, const Packet& packet) {
    return packet.tap == fact.packet.tap && packet.frame == fact.packet.frame &&
           packet.time == fact.packet.time && packet.seq == fact.packet.seq;
}

// Only of what a fact is about is it known that its twin is absent, not merely not shown.
[[nodiscard]] bool is_of_one_tap(const taps::Fact& fact) {
    using enum taps::FactKind;
    switch (fact.kind) {
        case lost_between:
        case missed_at_exit:
        case suppressed:
        case unproven:
        case late_lost:
        case missed_at_entry:
        case duplicated:
        case injected:
        case resegmented:
        case reset_origin:
        case reset_blocked:
        case fragment_lost:
            return true;
        case altered:
        case length_changed:
        case reordered:
        case ecn_mark_lost:
        case sack_untranslated:
        case rewritten:
        case fragments_joined:
        case asymmetric:
            return false;
        case icmp_error:
            return !fact.twin_known;
    }
    return false;
}

[[nodiscard]] Crossing crossing_of(const Evidence& evidence, const TapStep& step, Side tap) {
    if (step.entered != step.left) {
        return Crossing::passed;
    }
    // Where no copy left at all, the repeats are as proven as the first.
    const bool copy =
        evidence.fact.proof == taps::Proof::no_copy_leaves &&
        part_of(evidence.fact, evidence.excerpt.packets[step.entered]) == Part::repeat;
    if ((!step.subject && !copy) || !is_of_one_tap(evidence.fact)) {
        return Crossing::untold;
    }
    return tap == entry(step.way) ? Crossing::not_left : Crossing::not_entered;
}

[[nodiscard]] std::string part_text(const Evidence& evidence, const TapStep& step) {
    std::string text(part_words(part_of(evidence.fact, evidence.excerpt.packets[step.entered])));
    if (text.empty()) {
        text = part_words(part_of(evidence.fact, evidence.excerpt.packets[step.left]));
    }
    if (step.crossing == Crossing::not_left) {
        text = step.subject ? "not seen to leave" : "entered again, not seen to leave";
    } else if (step.crossing == Crossing::not_entered) {
        text = "not seen to enter";
    } else if (step.subject && text.empty()) {
        text = format::spoken(name(evidence.fact.kind));
    }
    return text;
}

[[nodiscard]] TapStep step_of(const Evidence& evidence, const Origins& origins, std::size_t one,
                              std::size_t twin) {
    const Excerpt& excerpt = evidence.excerpt;
    TapStep step;
    // An ICMP error is kept with the packet it quotes, and goes back to its sender.
    step.way = excerpt.packets[one].kind == taps::PacketKind::icmp_error ? back(excerpt.way[one])
                                                                         : excerpt.way[one];
    const bool twin_entered = excerpt.packets[twin].tap == entry(step.way);
    step.entered = twin_entered ? twin : one;
    step.left = twin_entered ? one : twin;
    const Packet& packet = excerpt.packets[step.entered];
    const Packet& left = excerpt.packets[step.left];
    step.subject = is_subject(evidence.fact, packet) || is_subject(evidence.fact, left);
    step.words = words_of(packet, step.way, origins);
    step.acknowledges = ack_of(packet, step.way, origins);
    if (step.words.empty()) {
        step.words.swap(step.acknowledges);
    }
    if (step.words.empty()) {
        step.words = "no flags";
    }
    step.crossing = crossing_of(evidence, step, packet.tap);
    step.changed = changed_words(packet, left);
    step.part = part_text(evidence, step);
    return step;
}

}  // namespace

TapLadder tap_ladder(const Evidence& evidence) {
    const Excerpt& excerpt = evidence.excerpt;
    const Origins origins(excerpt);
    TapLadder ladder;
    ladder.more_before = excerpt.more_before;
    ladder.more_after = excerpt.more_after;
    for (std::size_t i = 0; i < excerpt.count; ++i) {
        std::size_t twin = excerpt.twin[i];
        // A pair is one step, where the first of them was seen.
        if (twin >= excerpt.count || excerpt.packets[twin].tap == excerpt.packets[i].tap) {
            twin = i;
        }
        if (twin >= i) {
            ladder.steps.push_back(step_of(evidence, origins, i, twin));
        }
    }
    return ladder;
}

}  // namespace tw::sinks
