// SPDX-License-Identifier: BSD-3-Clause
#include "generator/script.hpp"

namespace tw::generator {
namespace {

using enum tcp::Flag;
constexpr Side kClient = Side::client;
constexpr Side kServer = Side::server;

constexpr tcp::FlagSet flags(std::initializer_list<tcp::Flag> list) {
    tcp::FlagSet set;
    for (const tcp::Flag flag : list) {
        set.set(flag);
    }
    return set;
}

// A full segment of the server at unit `at`.
constexpr Step segment(std::int8_t at) {
    return {.side = kServer, .tcp_flags = kAck, .seq = {at}, .payload = {1}};
}
// The client has everything before the server's unit `until`.
constexpr Step acknowledge(std::int8_t until) {
    return {.side = kClient, .tcp_flags = kAck, .ack = {until}};
}
constexpr Step with(Step step, std::initializer_list<tcp::Flag> expected) {
    step.expected = flags(expected);
    return step;
}
constexpr Step copied(Step step, std::initializer_list<tcp::Flag> expected) {
    step.copy = true;
    return with(step, expected);
}
constexpr Step window(Step step, std::uint16_t units) {
    step.window = units;
    return step;
}
constexpr Step joined(Step step) {
    step.joined = true;
    return step;
}

constexpr Step kOpen{.side = kClient, .tcp_flags = kSyn, .window = kSynWindow};
constexpr Step kOpenAnswer{
    .side = kServer, .tcp_flags = kSyn | kAck, .ack = {0, 1}, .window = kSynWindow};
constexpr Step kOpenDone{.side = kClient, .tcp_flags = kAck, .seq = {0, 1}, .ack = {0, 1}};
constexpr Step kHandshake[] = {kOpen, kOpenAnswer, kOpenDone};
constexpr Step kCopiedSyn[] = {kOpen, copied(kOpen, {retransmission}), kOpenAnswer, kOpenDone};
constexpr Step kReusedPorts[] = {with(kOpen, {reused_ports}), kOpenAnswer, kOpenDone};

constexpr Step kAsk{.side = kClient, .tcp_flags = kPsh | kAck, .payload = {1}};
constexpr Step kRequest[] = {kAsk};
constexpr Step kAnswer[] = {segment(0), segment(1), acknowledge(2)};

// Lost on the way to the tap only: the client had it. Its ACK lies above the hole.
constexpr Step lost_before(Step step, std::uint8_t units) {
    step.missing_units = units;
    return with(step, {lost_segment});
}
constexpr Step kLoss[] = {segment(0), acknowledge(1), lost_before(segment(2), 1),
                          with(acknowledge(3), {ack_lost_segment})};
// One duplicate ACK, so nothing is "fast"; the repeat ends at the highest byte seen, so nothing is
// "out of order", whatever the time.
constexpr Step kFilling{.side = kServer, .tcp_flags = kAck, .seq = {1}, .payload = {2}};
constexpr Step kRepairedLoss[] = {segment(0),
                                  acknowledge(1),
                                  with(segment(2), {lost_segment}),
                                  with(acknowledge(1), {duplicate_ack}),
                                  with(kFilling, {retransmission}),
                                  acknowledge(3)};
constexpr Step kReorder[] = {segment(0), acknowledge(1), with(segment(2), {lost_segment}),
                             joined(with(segment(1), {out_of_order})), acknowledge(3)};
constexpr Step kCopy[] = {segment(0), copied(segment(0), {retransmission}), acknowledge(1)};
constexpr Step kLateCopy[] = {segment(0), acknowledge(1),
                              copied(segment(0), {retransmission, spurious_retransmission})};
constexpr Step kCopiedAck[] = {segment(0), acknowledge(1), copied(acknowledge(1), {duplicate_ack})};
// The ACK was captured before its data. An unseen ACK upsets tshark's count of the server's
// duplicates until the server acknowledges something new: the last two segments see to that.
constexpr Step kAskAgain{.side = kClient, .tcp_flags = kPsh | kAck, .payload = {1}, .ack = {2}};
constexpr Step kAnswerAgain{
    .side = kServer, .tcp_flags = kAck, .seq = {2}, .payload = {1}, .ack = {1}};
constexpr Step kEarlyAck[] = {segment(0), with(acknowledge(2), {ack_lost_segment}),
                              joined(with(segment(1), {retransmission, spurious_retransmission})),
                              kAskAgain, kAnswerAgain};
constexpr Step kAskMore{.side = kClient, .tcp_flags = kPsh | kAck, .payload = {1}, .ack = {1}};
constexpr Step kAnswerMore{
    .side = kServer, .tcp_flags = kAck, .seq = {1}, .payload = {1}, .ack = {1}};
constexpr Step kRepeatedRequest[] = {segment(0), kAskMore, with(kAskMore, {retransmission}),
                                     kAnswerMore};

constexpr Step kProbe{.side = kServer, .tcp_flags = kAck, .seq = {1}, .payload = {0, 1}};
constexpr Step kZeroWindow[] = {
    segment(0),
    with(window(acknowledge(1), 0), {zero_window}),
    with(kProbe, {zero_window_probe}),
    with(window(acknowledge(1), 0), {zero_window, zero_window_probe_ack}),
    with(acknowledge(1), {window_update}),
};
// One unit of window, which the next segment fills exactly.
constexpr std::uint16_t kUnitOfWindow = 1U << kWindowShift;
constexpr Step kFullWindow[] = {
    segment(0),
    window(acknowledge(1), 1),
    with(segment(1), {window_full}),
    with(window(acknowledge(2), 0), {zero_window}),
    with(acknowledge(2), {window_update}),
};
constexpr Step kKeepAliveProbe{.side = kServer, .tcp_flags = kAck, .seq = {1, -1}};
constexpr Step kKeepAlive[] = {segment(0), acknowledge(1), with(kKeepAliveProbe, {keep_alive}),
                               with(acknowledge(1), {keep_alive_ack})};
constexpr Step kFastRepeat[] = {segment(0),
                                acknowledge(1),
                                with(segment(2), {lost_segment}),
                                with(acknowledge(1), {duplicate_ack}),
                                segment(3),
                                joined(with(acknowledge(1), {duplicate_ack})),
                                joined(with(segment(1), {retransmission, fast_retransmission})),
                                acknowledge(4)};

constexpr Step kFinish{.side = kClient, .tcp_flags = kFin | kAck};
constexpr Step kFinishAnswer{.side = kServer, .tcp_flags = kFin | kAck, .ack = {0, 1}};
constexpr Step kFinishDone{.side = kClient, .tcp_flags = kAck, .seq = {0, 1}, .ack = {0, 1}};
constexpr Step kClose[] = {kFinish, kFinishAnswer, kFinishDone};
constexpr Step kCopiedFin[] = {kFinish, kFinishAnswer, copied(kFinishAnswer, {retransmission}),
                               kFinishDone};
constexpr Step kReset{.side = kClient, .tcp_flags = kRst | kAck, .ack = {1}};
constexpr Step kResetInHole[] = {segment(0), lost_before(segment(2), 1), kReset};
constexpr Step kFlood[] = {kOpen};

// Two units must fit a frame of 1518 bytes.
constexpr std::uint16_t kHalfSegment = 700;

constexpr std::array<Script, kScripts> kTable{{
    {"handshake", kHandshake, {{{0, 1}, {0, 1}}}},
    {"handshake_copied_syn", kCopiedSyn, {{{0, 1}, {0, 1}}}},
    {"handshake_reused_ports", kReusedPorts, {{{0, 1}, {0, 1}}}},
    {"request", kRequest, {{{1}, {}}}},
    {"answer", kAnswer, {{{}, {2}}}},
    {"loss", kLoss, {{{}, {3}}}},
    {"repaired_loss", kRepairedLoss, {{{}, {3}}}, kHalfSegment},
    {"reorder", kReorder, {{{}, {3}}}},
    {"copy", kCopy, {{{}, {1}}}},
    {"late_copy", kLateCopy, {{{}, {1}}}},
    {"copied_ack", kCopiedAck, {{{}, {1}}}},
    {"early_ack", kEarlyAck, {{{1}, {3}}}},
    {"repeated_request", kRepeatedRequest, {{{1}, {2}}}},
    {"zero_window", kZeroWindow, {{{}, {1}}}},
    {"full_window", kFullWindow, {{{}, {2}}}, 0, kUnitOfWindow},
    {"keep_alive", kKeepAlive, {{{}, {1}}}},
    {"fast_repeat", kFastRepeat, {{{}, {4}}}},
    {"close", kClose, {{{0, 1}, {0, 1}}}},
    {"close_copied_fin", kCopiedFin, {{{0, 1}, {0, 1}}}},
    {"close_reset_in_hole", kResetInHole, {{{}, {3}}}},
    {"syn_flood", kFlood, {{{0, 1}, {}}}},
}};

constexpr std::array<Fault, kFaults> kFaultTable{{
    {"loss", ScriptId::loss, Per::round, false,
     "a segment never reaches the tap, but its receiver: hole, ACK above it"},
    {"repaired-loss", ScriptId::repaired_loss, Per::round, false,
     "a segment is lost before the tap, asked for and sent again with what followed"},
    {"reorder", ScriptId::reorder, Per::round, false,
     "two segments swap places; see --patience-ms for why this does not depend on time"},
    {"copy", ScriptId::copy, Per::round, false, "the network delivers a segment twice"},
    {"late-copy", ScriptId::late_copy, Per::round, false, "the same, after its ACK"},
    {"copied-ack", ScriptId::copied_ack, Per::round, false, "the network delivers an ACK twice"},
    {"early-ack", ScriptId::early_ack, Per::round, false,
     "an ACK is captured just before its data: analysis.direction_skew must cover it"},
    {"repeated-request", ScriptId::repeated_request, Per::round, false,
     "the client sends its request again"},
    {"zero-window", ScriptId::zero_window, Per::round, false,
     "the client's window closes, is probed and opens again"},
    {"full-window", ScriptId::full_window, Per::round, false,
     "the server fills the client's window exactly"},
    {"keep-alive", ScriptId::keep_alive, Per::round, false, "the server asks, the client answers"},
    {"fast-repeat", ScriptId::fast_repeat, Per::round, true,
     "two duplicate ACKs and a repeat within 20 ms"},
    {"copied-syn", ScriptId::handshake_copied_syn, Per::opening, false,
     "the network delivers the SYN twice"},
    {"copied-fin", ScriptId::close_copied_fin, Per::closing, false,
     "the network delivers a FIN twice"},
    {"reset-in-hole", ScriptId::close_reset_in_hole, Per::closing, false,
     "a segment is lost and the client resets the connection"},
    {"port-reuse", ScriptId::handshake_reused_ports, Per::closed, false,
     "the same endpoints connect again at once"},
}};

}  // namespace

const Script& script_of(ScriptId id) {
    return kTable[static_cast<std::size_t>(id)];
}

std::span<const Fault, kFaults> fault_table() {
    return kFaultTable;
}

}  // namespace tw::generator
