// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/sender.hpp"

#include <algorithm>

namespace tw::sim {
namespace {

// Linux adds at least this to the round trip; an eager stack waits for no more than this in all.
constexpr Nanos kTimeoutMin = 200 * kMillisecond;
constexpr Nanos kTimeoutMax = 60 * kSecond;
constexpr Nanos kPeerDelaysAck =
    200 * kMillisecond;  // RFC 8985 section 7.2: worst case delayed ACK
constexpr std::uint32_t kBackoffsMax = 7;
constexpr std::uint32_t kFinsOfBrokenStack = 3;

}  // namespace

const char* name(Why why) {
    switch (why) {
        case Why::first:
            return "first";
        case Why::dup_acks:
            return "again: duplicate ACKs";
        case Why::recovery:
            return "again: recovery";
        case Why::timeout:
            return "again: timeout";
        case Why::tail_probe:
            return "again: tail probe";
        case Why::reply:
            return "reply";
    }
    return "";
}

Sender::Sender(const SenderOptions& options) : options_(options) {
    cwnd_ = options.mss * options.initial_window_segments;
}

void Sender::negotiated(bool sack, Position mss) {
    options_.sack = sack;
    options_.mss = mss;
    cwnd_ = mss * options_.initial_window_segments;
}

Position Sender::in_flight() const {
    Position bytes = 0;
    for (const Piece& piece : flight_) {
        bytes += piece.sacked || piece.lost ? 0 : piece.span.length();
    }
    return bytes;
}

std::optional<Sending> Sender::next(Nanos now) {
    if (given_up_) {
        return {};
    }
    auto sending = next_again(now);
    if (!sending) {
        sending = next_new(now);
    }
    // RFC 8985 section 7.2: new data puts the probe off; the retransmission timer runs on.
    const bool puts_off = sending && probing_ && sending->why == Why::first;
    if (sending && (deadline_ == INT64_MAX || puts_off)) {
        arm(now);
    }
    return sending;
}

std::optional<Sending> Sender::next_again(Nanos now) {
    if (probe_again_ && !flight_.empty()) {
        probe_again_ = false;
        Piece& last = flight_.back();
        last.sent = now;
        ++last.sends;
        return Sending{last.span, last.fin, Why::tail_probe};
    }
    const auto piece =
        std::ranges::find_if(flight_, [](const Piece& one) { return one.lost && !one.sacked; });
    if (piece == flight_.end()) {
        return {};
    }
    const Position flying = in_flight();
    if (flying != 0 && flying + piece->span.length() > cwnd_) {
        return {};
    }
    piece->lost = false;
    piece->sent = now;
    ++piece->sends;
    return Sending{piece->span, piece->fin, piece->why};
}

std::optional<Sending> Sender::next_new(Nanos now) {
    Piece piece{.span = {nxt_, nxt_}, .sends = 1, .sent = now};
    if (nxt_ == 0) {
        piece.span.end = 1;
    } else if (!established()) {
        return {};
    } else {
        const Position left = data_end_ - nxt_;
        const Position offered = una_ + window_ - nxt_;
        const Position length = std::max<Position>(std::min({options_.mss, left, offered}), 0);
        const Position flying = in_flight();
        const bool may = probe_new_ || flying == 0 || flying + length <= cwnd_;
        // Sender's silly window avoidance: a part of a segment only when nothing is on its way.
        const bool silly = length < options_.mss && length < left && !flight_.empty();
        if (length > 0 && (!may || silly)) {
            return {};
        }
        piece.span.end = nxt_ + length;
        const bool last = closing_ && piece.span.end == data_end_ && !fin_sent_;
        if (last && (length == 0 || options_.fin_with_data) && !options_.overshoots) {
            piece.fin = true;
            ++piece.span.end;
        } else if (last && length == 0) {
            piece.fin = true;
            ++piece.span.begin;  // the bug: one number is skipped
            piece.span.end = piece.span.begin + 1;
        }
        fin_sent_ |= piece.fin;
    }
    if (piece.span.empty()) {
        return {};
    }
    probe_new_ = false;
    nxt_ = piece.span.end;
    flight_.push_back(piece);
    return Sending{piece.span, piece.fin, Why::first};
}

bool Sender::apply_sack(std::span<const Span> blocks) {
    bool fresh = false;
    if (options_.silent || options_.overshoots) {
        return false;
    }
    for (Piece& piece : flight_) {
        const bool now_sacked =
            std::ranges::any_of(blocks, [&](Span block) { return block.covers(piece.span); });
        fresh |= now_sacked && !piece.sacked;
        piece.sacked |= now_sacked;
    }
    return fresh;
}

void Sender::take(const Acknowledgement& ack, Nanos now) {
    const bool window_same = ack.window == window_;
    window_ = ack.window;
    const bool fresh_sack = options_.sack && apply_sack(ack.sacked);
    const bool probe_arrived = probed_ && !flight_.empty() && flight_.back().sacked &&
                               flight_.back().span.end == probe_end_;
    if (ack.ack > una_) {
        advance(ack.ack, now, ack.round_trip);
        detect_loss(false, probe_arrived);
        return;
    }
    const bool duplicate = ack.ack == una_ && !flight_.empty() && established() &&
                           ((ack.pure && window_same) || fresh_sack);
    if (duplicate) {
        ++dup_acks_;
        detect_loss(true, probe_arrived);
        // RFC 5681 section 3.2 (4): each further one says that a segment has left the network.
        if (state_ == State::recovery && !options_.sack && dup_acks_ > 3) {
            cwnd_ += options_.mss;
        }
    }
}

void Sender::advance(Position ack, Nanos now, std::optional<Nanos> round_trip) {
    const bool was_established = established();
    Position acknowledged = 0;
    std::optional<Nanos> measured;
    while (!flight_.empty() && flight_.front().span.begin < ack) {
        Piece& first = flight_.front();
        if (first.span.end > ack) {
            acknowledged += ack - first.span.begin;
            first.span.begin = ack;
            break;
        }
        if (first.sends == 1) {
            measured = now - first.sent;  // Karn: never of something sent twice
        }
        acknowledged += first.span.length();
        flight_.pop_front();
    }
    una_ = ack;
    backoff_ = 0;
    dup_acks_ = 0;
    probed_ = false;
    if (round_trip || measured) {
        sample(round_trip.value_or(measured.value_or(0)));
    }
    if (!was_established) {
        deadline_ = INT64_MAX;
        return;
    }
    if (state_ != State::open && una_ >= recover_) {
        cwnd_ = state_ == State::recovery ? threshold_ : cwnd_;
        state_ = State::open;
    } else if (state_ == State::recovery && !options_.sack && !flight_.empty()) {
        flight_.front().lost = true;  // RFC 6582: a partial ACK names the next hole
        flight_.front().why = Why::recovery;
        cwnd_ = std::max(cwnd_ - acknowledged + options_.mss, options_.mss);
    } else if (state_ != State::recovery) {
        grow(acknowledged);
    }
    if (flight_.empty()) {
        deadline_ = INT64_MAX;
    } else {
        arm(now);
    }
}

void Sender::grow(Position acknowledged) {
    if (cwnd_ < threshold_) {
        cwnd_ += std::min(acknowledged, options_.mss * 2);
    } else {
        cwnd_ += std::max<Position>(options_.mss * options_.mss / cwnd_, 1);
    }
}

// RFC 6675: bytes are lost when three segments above them were sacked. Returns whether any is new.
bool Sender::mark_sack_holes() {
    std::uint32_t above = 0;
    bool fresh = false;
    for (auto piece = flight_.rbegin(); piece != flight_.rend(); ++piece) {
        if (piece->sacked) {
            ++above;
        } else if (above >= 3 && piece->sends == 1 && !piece->lost) {
            piece->lost = true;
            piece->why = Why::dup_acks;
            fresh = true;
        }
    }
    return fresh;
}

void Sender::detect_loss(bool duplicate, bool probe_arrived) {
    if (options_.silent || flight_.empty() || state_ == State::loss) {
        return;
    }
    bool fresh = false;
    if (options_.sack) {
        fresh = mark_sack_holes();
    }
    if (probe_arrived) {
        // RFC 8985: what was sent before the probe and is still not sacked is lost.
        for (Piece& piece : flight_) {
            if (!piece.sacked && !piece.lost && piece.sends == 1) {
                piece.lost = true;
                piece.why = Why::recovery;
                fresh = true;
            }
        }
    }
    Piece& first = flight_.front();
    // RFC 6582 section 4.1: not again for what an earlier recovery sent.
    if (duplicate && dup_acks_ == 3 && !first.sacked && first.sends == 1 && una_ >= recover_) {
        first.lost = true;
        first.why = Why::dup_acks;
        fresh = true;
    }
    if (fresh && state_ == State::open) {
        enter_recovery();
    }
}

void Sender::enter_recovery() {
    state_ = State::recovery;
    recover_ = nxt_;
    threshold_ = std::max((nxt_ - una_) / 2, 2 * options_.mss);
    cwnd_ = options_.sack ? threshold_ : threshold_ + 3 * options_.mss;
}

void Sender::sample(Nanos round_trip) {
    if (smoothed_ == 0) {
        smoothed_ = std::max<Nanos>(round_trip, 1);
        variance_ = round_trip / 2;
    } else {
        const Nanos apart =
            smoothed_ > round_trip ? smoothed_ - round_trip : round_trip - smoothed_;
        variance_ = (3 * variance_ + apart) / 4;
        smoothed_ = (7 * smoothed_ + round_trip) / 8;
    }
    const Nanos margin = std::max(options_.eager ? kMillisecond : kTimeoutMin, 4 * variance_);
    timeout_ = std::clamp(smoothed_ + margin, kTimeoutMin, kTimeoutMax);
}

void Sender::arm(Nanos now) {
    const Nanos timeout = std::min(timeout_ << backoff_, kTimeoutMax);
    deadline_ = now + timeout;
    probing_ = false;
    const bool calm = state_ == State::open && !probed_ && smoothed_ != 0 && established() &&
                      std::ranges::none_of(flight_, [](const Piece& p) { return p.sacked; });
    if (options_.tail_probe && options_.sack && calm && backoff_ == 0) {
        Nanos wait = 2 * smoothed_ + (flight_.size() == 1 ? kPeerDelaysAck : 2 * kMillisecond);
        if (wait < timeout) {
            deadline_ = now + wait;
            probing_ = true;
        }
    }
}

void Sender::on_timer(Nanos now) {
    if (now < deadline_) {
        return;
    }
    deadline_ = INT64_MAX;
    if (flight_.empty()) {
        return;
    }
    if (options_.silent || options_.overshoots) {
        // Both broken stacks repeat nothing but their FIN, and that a few times only.
        Piece& last = flight_.back();
        if (last.fin && last.sends < kFinsOfBrokenStack) {
            last.lost = true;
            last.why = Why::timeout;
            ++backoff_;
        }
        return;
    }
    if (probing_) {
        probe(now);
    } else {
        timeout(now);
    }
}

void Sender::probe(Nanos now) {
    probed_ = true;
    const bool more = nxt_ < data_end_ && nxt_ < una_ + window_;
    probe_new_ = more;
    probe_again_ = !more;
    probe_end_ = more ? nxt_ : flight_.back().span.end;
    arm(now);
}

void Sender::timeout(Nanos now) {
    if (backoff_ == kBackoffsMax) {
        given_up_ = true;
        return;
    }
    ++backoff_;
    threshold_ = std::max(in_flight() / 2, 2 * options_.mss);
    cwnd_ = options_.mss;
    state_ = State::loss;
    recover_ = nxt_;
    dup_acks_ = 0;
    for (Piece& piece : flight_) {
        piece.lost = !piece.sacked;
        piece.why = Why::timeout;
    }
    arm(now);
}

}  // namespace tw::sim
