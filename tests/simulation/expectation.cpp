// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/expectation.hpp"

#include <algorithm>
#include <initializer_list>

namespace tw::sim {
namespace {

using event::Verdict;

constexpr Nanos kTick = kMillisecond;                // of the simulated timestamp clocks
constexpr Nanos kMirrorCopyMax = 10 * kMillisecond;  // verdicts.md: beyond it, no mirror
constexpr Nanos kSkewMax = 50 * kMillisecond;        // direction_skew of `read`
constexpr Nanos kShortLagMax = 3 * kMillisecond;     // verdicts.md section 1, reordered

constexpr TwinRow kTwins[] = {
    {Twin::none, "none", "the frames decide"},
    {Twin::missed_and_lost, "missed_and_lost",
     "every copy before the filler was missed by the capture or lost before it, and none arrived: "
     "a loss before the tap looks the same"},
    {Twin::missed_with_its_acks, "missed_with_its_acks",
     "R had the bytes, but no ACK of them was captured before another copy, and no DSACK after it"},
    {Twin::missed_at_the_end, "missed_at_the_end",
     "R had the bytes, but no ACK of them was captured at all"},
    {Twin::never_asked, "never_asked",
     "no segment of R was captured that could have asked for the bytes or covered them"},
    {Twin::fin_not_repeated, "fin_not_repeated",
     "the FIN beyond the data was captured once: a last byte may have been lost"},
    {Twin::late_or_sent_again, "late_or_sent_again",
     "no timestamp and no IP counter tells the order of sending, and the lag fits both"},
    {Twin::overtaken_by_its_repeat, "overtaken_by_its_repeat",
     "the repeat filled the hole while the original was on its way; that one came as a repeat"},
    {Twin::ack_before_filler, "ack_before_filler",
     "the mirror let the ACK of the filler overtake the filler"},
    {Twin::filler_within_skew, "filler_within_skew",
     "missed, acknowledged, and sent again needlessly within the skew between directions"},
    {Twin::filler_reported, "filler_reported",
     "R reports the only captured copy as a duplicate: it had the bytes, or the network doubled "
     "that "
     "copy behind the tap"},
    {Twin::tail_loss_or_ack_unseen, "tail_loss_or_ack_unseen",
     "R never showed that it lacked the bytes: an ACK lost on its way to the tap looks the same"},
    {Twin::ack_unseen, "ack_unseen",
     "R acknowledged in time, and no such ACK was captured before the repeat"},
    {Twin::late_original_or_lost, "late_original_or_lost",
     "R got the first copy, but its ACK was captured only when that of the repeat could be, and it "
     "sends no DSACK"},
    {Twin::ack_on_its_way, "ack_on_its_way",
     "the ACK passed the tap about one round trip to the sender before the repeat"},
    {Twin::ack_late_or_lost, "ack_late_or_lost",
     "the ACK was held up between tap and sender until after the repeat had left"},
    {Twin::ack_before_repeat, "ack_before_repeat",
     "the mirror let the ACK of the repeat overtake the repeat"},
    {Twin::copy_of_network_or_mirror, "copy_of_network_or_mirror",
     "equal frames within 10 ms and no DSACK: a mirror that copies twice gives the same"},
    {Twin::copy_or_sent_again, "copy_or_sent_again",
     "no IP identification and no timestamp: a segment sent twice gives equal frames"},
    {Twin::identical_repeat, "identical_repeat",
     "sent again so soon and so equal that a copy looks the same: no IP counter, same timestamp"},
    {Twin::syn_or_its_answer, "syn_or_its_answer",
     "the SYN was sent again, and no echo of an earlier one tells that it, and not the answer to "
     "it, "
     "arrived"},
    {Twin::late_copy_of_the_past, "late_copy_of_the_past",
     "the original came after its own repeat: late, and the repeat needless; both are true"},
    {Twin::fin_of_broken_stack, "fin_of_broken_stack",
     "the FIN behind a gap that will not close is repeated; R can neither deliver nor ask for it"},
};

void also(Expectation& out, Twin twin, std::initializer_list<Verdict> verdicts) {
    out.twin = twin;
    for (const Verdict verdict : verdicts) {
        out.also.add(verdict);
    }
    out.also.remove(out.truth);
    out.also.add(Verdict::unknown);
}

Nanos round_trip(const Ground& ground, Way way) {
    return ground.sender_round_trip(way) + ground.receiver_round_trip(way);
}

// ---- holes ------------------------------------------------------------------------------------

Expectation expect_unseen(const Ground& ground, Way way, Span part, bool arrived,
                          const std::optional<Seen>& filler) {
    Expectation out{.truth = Verdict::missed_by_capture, .fate = "missed by the capture"};
    const auto ack = ground.first_ack(way, part);
    if (!arrived) {
        out.fate = "missed by the capture, and lost beyond it";
        out.double_fault = true;
        also(out, Twin::missed_and_lost,
             {Verdict::lost_before_tap, Verdict::lost_after_tap, Verdict::reordered_before_tap,
              Verdict::never_recovered});
    } else if (!ack && !filler) {
        out.double_fault = true;
        also(out, Twin::missed_at_the_end, {Verdict::never_recovered});
    } else if (filler && (!ack || ack->number > filler->number) &&
               !ground.dsack_after(way, part, filler->number)) {
        out.double_fault = true;
        also(out, Twin::missed_with_its_acks,
             {Verdict::lost_before_tap, Verdict::reordered_before_tap});
    } else if (filler && ack && ack->number < filler->number &&
               filler->time - ack->time < kSkewMax) {
        also(out, Twin::filler_within_skew, {Verdict::reordered_in_capture});
    }
    return out;
}

std::size_t fins_captured(const Ground& ground, Way way) {
    return static_cast<std::size_t>(std::ranges::count_if(
        ground.captured(way), [](const Seen& frame) { return frame.packet().fin; }));
}

// R spoke after the segment beyond the hole could have reached it.
bool receiver_heard(const Ground& ground, Way way, const Seen& opener) {
    return std::ranges::any_of(ground.captured(way.back()), [&](const Seen& frame) {
        return frame.number > opener.number && !frame.packet().rst &&
               frame.time - opener.time >= ground.receiver_round_trip(way);
    });
}

// Whether timestamps or a counter tell if the filler was sent before or after the opener.
bool order_is_told(const Ground& ground, Way way, const Seen& opener, const Seen& filler) {
    const bool same_way = opener.packet().from == way.side;
    if (!same_way) {
        return false;
    }
    if (ground.counts_ip_id(way)) {
        return true;
    }
    if (!filler.packet().timestamps) {
        return false;
    }
    // Within one tick nothing is sent again unless the round trip is as short.
    return filler.packet().ts_value != opener.packet().ts_value ||
           round_trip(ground, way) >= 2 * kTick;
}

Expectation expect_filled(const Ground& ground, Way way, Span part, const Seen& opener,
                          const Seen& filler) {
    const auto carriers = ground.carriers(way, part);
    const bool lost = std::ranges::any_of(carriers, [&](const Transmission* one) {
        return one->lost_before && one->packet.sent < filler.packet().sent;
    });
    const Nanos lag = filler.time - opener.time;
    const Nanos trip = round_trip(ground, way);
    const bool told = order_is_told(ground, way, opener, filler);
    const auto ack = ground.first_ack(way, part);
    if (lost) {
        Expectation out{.truth = Verdict::lost_before_tap, .fate = "lost before the tap"};
        if (ack && ack->number < filler.number) {
            also(out, Twin::ack_before_filler,
                 {Verdict::reordered_in_capture, Verdict::missed_by_capture});
        } else if (!told && lag < trip) {
            also(out, Twin::late_or_sent_again, {Verdict::reordered_before_tap});
        }
        return out;
    }
    Expectation out{.truth = Verdict::reordered_before_tap, .fate = "overtaken before the tap"};
    if (carriers.front() != filler.transmission) {
        out.fate = "overtaken before the tap by its own repeat";
        also(out, Twin::overtaken_by_its_repeat, {Verdict::lost_before_tap});
    } else if (!told && lag >= std::min(trip / 4, kShortLagMax)) {
        also(out, Twin::late_or_sent_again, {Verdict::lost_before_tap});
    }
    return out;
}

// ---- repeats ----------------------------------------------------------------------------------

Expectation expect_copy(const Ground& ground, Way way, Span part, const Seen& repeat,
                        const Seen& original) {
    const Packet& packet = repeat.packet();
    const bool nameless = (packet.ip_id == 0) && !packet.timestamps;
    const Nanos lag = repeat.time - original.time;
    if (repeat.capture->pass == original.capture->pass) {
        Expectation out{.truth = Verdict::duplicated_by_mirror, .fate = "copied by the mirror"};
        if (nameless && !repeat.capture->ttl_less) {
            also(out, Twin::copy_or_sent_again,
                 {Verdict::duplicated_in_network, Verdict::spurious_retransmission});
        }
        return out;
    }
    Expectation out{.truth = Verdict::duplicated_in_network,
                    .fate = "copied by the network before the tap"};
    const bool reported = ground.dsack_after(way, part, repeat.number);
    if (lag <= kMirrorCopyMax && !reported) {
        also(out, Twin::copy_of_network_or_mirror, {Verdict::duplicated_by_mirror});
    }
    if (nameless) {
        also(out, Twin::copy_or_sent_again, {Verdict::spurious_retransmission});
        if (!reported) {
            also(out, Twin::copy_or_sent_again, {Verdict::lost_after_tap, Verdict::ack_lost});
        }
    }
    return out;
}

struct LostAck {
    bool any = false;   // would have reached S in time
    bool seen = false;  // and was captured before the repeat
    bool held_up = false;
};

LostAck lost_ack(const Ground& ground, Way way, Span part, const Seen& repeat) {
    LostAck found;
    for (const Transmission* one : ground.sent(way.back())) {
        if (!one->packet.acknowledges(part) || one->due > repeat.packet().sent) {
            continue;
        }
        found.any |= one->first_arrival() == INT64_MAX;
        found.held_up |= one->first_arrival() != INT64_MAX;
        for (const Pass& pass : one->passes) {
            found.seen |= !pass.frames.empty() && pass.frames.front() < repeat.number;
        }
    }
    return found;
}

Expectation expect_lost_after(const Ground& ground, Way way, Span part, const Seen& repeat) {
    Expectation out{.truth = Verdict::lost_after_tap, .fate = "lost after the tap"};
    const auto ack = ground.first_ack(way, part);
    if (ack && ack->number < repeat.number) {
        also(out, Twin::ack_before_repeat, {Verdict::ack_lost, Verdict::spurious_retransmission});
    } else if (!ground.lacked_before(way, part, repeat.number)) {
        also(out, Twin::tail_loss_or_ack_unseen,
             {Verdict::spurious_retransmission, Verdict::ack_lost});
    }
    return out;
}

// R had an earlier copy: nothing but an ACK was lost, if that.
Expectation expect_needless(const Ground& ground, Way way, Span part, const Seen& repeat) {
    const LostAck lost = lost_ack(ground, way, part, repeat);
    const auto ack = ground.first_ack(way, part);
    const bool acked_before = ack && ack->number < repeat.number;
    const bool reported = ground.dsack_after(way, part, repeat.number);
    if (lost.any) {
        Expectation out{.truth = Verdict::ack_lost, .fate = "the ACK was lost on its way back"};
        if (!acked_before || !lost.seen) {
            out.fate = "the ACK was lost or missed before the tap saw it";
            also(out, Twin::ack_unseen, {Verdict::spurious_retransmission});
            if (reported) {
                // "R had the bytes" is true and seen, whatever became of the ACK.
                out.provable.add(Verdict::spurious_retransmission);
            } else {
                out.also.add(Verdict::lost_after_tap);
            }
        } else if (repeat.time - ack->time < ground.sender_round_trip(way) * 5 / 4) {
            also(out, Twin::ack_on_its_way, {Verdict::spurious_retransmission});
        }
        return out;
    }
    Expectation out{.truth = Verdict::spurious_retransmission, .fate = "sent again needlessly"};
    if (acked_before) {
        const Nanos lag = repeat.time - ack->time;
        if (lost.held_up) {
            also(out, Twin::ack_late_or_lost, {Verdict::ack_lost});
        } else if (lag > ground.sender_round_trip(way)) {
            also(out, Twin::ack_on_its_way, {Verdict::ack_lost});
        }
        return out;
    }
    const bool early = ack && ack->time - repeat.time < ground.receiver_round_trip(way) / 2;
    const bool echoed = ack && ack->packet().timestamps && repeat.packet().timestamps &&
                        ack->packet().ts_echo != repeat.packet().ts_value;
    if (!reported && !early && !echoed) {
        also(out, Twin::late_original_or_lost, {Verdict::lost_after_tap, Verdict::ack_lost});
    }
    return out;
}

}  // namespace

bool same_header(const Packet& one, const Packet& other) {
    return one.span == other.span && one.ack == other.ack && one.window == other.window &&
           one.ip_id == other.ip_id && one.fin == other.fin && one.push == other.push &&
           one.timestamps == other.timestamps && one.ts_value == other.ts_value &&
           one.ts_echo == other.ts_echo && one.sack_count == 0 && other.sack_count == 0;
}

std::span<const TwinRow> twin_table() {
    return kTwins;
}

Expectation expect_hole(const Ground& ground, Way way, Span part, std::uint32_t opener_number) {
    const auto filler = ground.first_capture(way, part);
    if (filler && filler->number < opener_number) {
        return {.fate = "captured before"};
    }
    const auto carriers = ground.carriers(way, part);
    if (carriers.empty()) {
        const bool beyond = ground.stack(way).overshoots && part.length() == 1;
        if (!beyond) {
            return {.fate = "no such bytes"};
        }
        Expectation out{.truth = Verdict::sequence_overshoot,
                        .fate = "a number that no byte ever had"};
        if (fins_captured(ground, way) < 2) {
            also(out, Twin::fin_not_repeated, {Verdict::never_recovered});
        }
        return out;
    }
    const Seen opener = ground.seen(opener_number);
    const auto ack = ground.first_ack(way, part);
    const bool ack_overtook = filler && ack && ack->number < filler->number &&
                              filler->pass->wire < ack->pass->wire &&
                              ground.carriers(way, part).front() == filler->transmission;
    if (filler && (filler->pass->wire < opener.pass->wire || ack_overtook)) {
        return {.truth = Verdict::reordered_in_capture, .fate = "reordered by the mirror"};
    }
    const Ground::Unseen unseen = ground.unseen(way, part);
    if (unseen.any) {
        return expect_unseen(ground, way, part, unseen.arrived, filler);
    }
    if (!filler) {
        Expectation out{.truth = Verdict::never_recovered, .fate = "lost before the tap for good"};
        if (!receiver_heard(ground, way, opener)) {
            also(out, Twin::never_asked, {});
        }
        return out;
    }
    Expectation out = expect_filled(ground, way, part, opener, *filler);
    const auto copies = std::ranges::count_if(ground.captured(way), [&](const Seen& frame) {
        return frame.packet().span.covers(part) && !frame.packet().rst;
    });
    if (copies == 1 && ground.dsack_after(way, part, filler->number)) {
        also(out, Twin::filler_reported, {Verdict::missed_by_capture});
    }
    return out;
}

Expectation expect_repeat(const Ground& ground, Way way, Span part, const Seen& repeat) {
    bool sent_later = true;
    std::optional<Seen> copy_of;
    for (const Seen& frame : ground.captured(way)) {
        if (frame.number >= repeat.number) {
            break;
        }
        if (!frame.packet().span.covers(part) || frame.packet().rst) {
            continue;
        }
        const bool same = frame.transmission == repeat.transmission;
        if (same && (!copy_of || frame.capture->pass == repeat.capture->pass)) {
            copy_of = frame;
        }
        sent_later &= frame.packet().sent > repeat.packet().sent;
    }
    if (copy_of) {
        return expect_copy(ground, way, part, repeat, *copy_of);
    }
    if (sent_later) {
        Expectation out{.truth = Verdict::reordered_before_tap,
                        .fate = "the original, overtaken by its repeat"};
        also(out, Twin::late_copy_of_the_past, {Verdict::spurious_retransmission});
        if (!ground.counts_ip_id(way) && !repeat.packet().timestamps) {
            out.also.add(Verdict::lost_after_tap);
            out.also.add(Verdict::ack_lost);
        }
        return out;
    }
    bool arrived = false;
    for (const Transmission* one : ground.carriers(way, part)) {
        if (one->packet.sent < repeat.packet().sent && one != repeat.transmission) {
            arrived |= one->first_arrival() != INT64_MAX;
        }
    }
    Expectation out = arrived ? expect_needless(ground, way, part, repeat)
                              : expect_lost_after(ground, way, part, repeat);
    const auto original = ground.first_capture(way, part);
    if (original && same_header(original->packet(), repeat.packet()) &&
        repeat.time - original->time < kMirrorCopyMax) {
        also(out, Twin::identical_repeat,
             {Verdict::duplicated_by_mirror, Verdict::duplicated_in_network});
    }
    const StackOptions& stack = ground.stack(way);
    if ((stack.silent || stack.overshoots) && repeat.packet().fin) {
        also(out, Twin::fin_of_broken_stack,
             {Verdict::sequence_overshoot, Verdict::spurious_retransmission,
              Verdict::lost_after_tap, Verdict::ack_lost});
    }
    return out;
}

namespace {

// What became of the copies of a SYN or SYN/ACK.
event::VerdictSet handshake_fates(const Ground& ground, Way way) {
    constexpr Span kSyn{0, 1};
    event::VerdictSet fates;
    std::size_t sent = 0;
    for (const Transmission* one : ground.carriers(way, kSyn)) {
        ++sent;
        std::size_t frames = 0;
        for (const Pass& pass : one->passes) {
            frames += pass.frames.empty() ? 0U : 1U;
            if (pass.lost_after) {
                fates.add(Verdict::lost_after_tap);
            }
            if (pass.frames.size() > 1) {
                fates.add(Verdict::duplicated_by_mirror);
            }
        }
        if (one->lost_before) {
            fates.add(Verdict::lost_before_tap);
        }
        if (frames > 1) {
            fates.add(Verdict::duplicated_in_network);
            fates.add(Verdict::duplicated_by_mirror);
        }
    }
    for (const Transmission* one : ground.sent(way.back())) {
        const bool lost = one->first_arrival() == INT64_MAX;
        if (one->packet.acknowledges(kSyn) && lost) {
            fates.add(Verdict::ack_lost);
        }
    }
    if (sent > 1 && !fates.has(Verdict::lost_before_tap) && !fates.has(Verdict::lost_after_tap)) {
        fates.add(Verdict::spurious_retransmission);
    }
    return fates;
}

// The first captured answer names an earlier SYN than the last one captured before it.
bool echoes_earlier_syn(const Ground& ground, Way way) {
    const auto answer = ground.first_ack(way, {0, 1});
    if (!answer || !ground.stack(way).timestamps) {
        return false;
    }
    std::uint32_t last = answer->packet().ts_echo;
    for (const Seen& frame : ground.captured(way)) {
        if (frame.number < answer->number && frame.packet().syn) {
            last = frame.packet().ts_value;
        }
    }
    return answer->packet().ts_echo != last;
}

}  // namespace

Expectation expect_handshake(const Ground& ground, Way way, Verdict said) {
    const event::VerdictSet fates = handshake_fates(ground, way);
    Expectation out{.fate = "the handshake did not go like that"};
    if (fates.has(said)) {
        return {.truth = said, .fate = "a handshake with more than one try"};
    }
    // The SYN lost beyond the tap, or its answer before it.
    const event::VerdictSet answer = handshake_fates(ground, way.back());
    const bool either = fates.has(Verdict::lost_after_tap) || fates.has(Verdict::ack_lost) ||
                        answer.has(Verdict::lost_before_tap) ||
                        answer.has(Verdict::lost_after_tap) || answer.has(Verdict::ack_lost);
    if (either && (!echoes_earlier_syn(ground, way) || said == Verdict::unknown)) {
        out.truth = Verdict::lost_after_tap;
        also(out, Twin::syn_or_its_answer,
             {Verdict::ack_lost, Verdict::lost_before_tap, Verdict::spurious_retransmission});
    }
    return out;
}

}  // namespace tw::sim
