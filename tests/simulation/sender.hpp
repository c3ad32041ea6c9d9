// SPDX-License-Identifier: BSD-3-Clause
// The sending half of a simulated TCP: scoreboard, congestion window, and the timers that make it
// send again. RFC 6298 (timeout), 5681 and 6582 (recovery without SACK), 6675 (with), 8985 (tail
// loss probe). It decides what to send; packets are made by the endpoint.
#pragma once

#include <deque>
#include <optional>
#include <span>

#include "simulation/packet.hpp"

namespace tw::sim {

struct SenderOptions {
    Position mss = 1460;
    Position initial_window_segments = 10;
    bool sack = true;
    bool tail_probe = true;
    bool fin_with_data = true;
    bool eager = false;  // its timer leaves no room for a delayed ACK
    // Broken stacks of the two stories: never sends anything a second time but a FIN; places its
    // FIN one beyond its data.
    bool silent = false;
    bool overshoots = false;
};

struct Sending {
    Span span;
    bool fin = false;
    Why why = Why::first;
};

struct Acknowledgement {
    Position ack = 0;
    std::span<const Span> sacked{};     // without a DSACK block
    Position window = 0;                // bytes the receiver offers
    bool pure = false;                  // no payload, SYN or FIN: may count as duplicate
    std::optional<Nanos> round_trip{};  // from the echoed timestamp
};

class Sender {
  public:
    explicit Sender(const SenderOptions& options);

    void write(Position bytes) { data_end_ += bytes; }
    void close() { closing_ = true; }
    void negotiated(bool sack, Position mss);
    void peer_window(Position bytes) { window_ = bytes; }

    // The next segment that may be sent now.
    [[nodiscard]] std::optional<Sending> next(Nanos now);
    void take(const Acknowledgement& ack, Nanos now);
    // When on_timer() wants to be called; INT64_MAX = never.
    [[nodiscard]] Nanos deadline() const { return deadline_; }
    void on_timer(Nanos now);

    [[nodiscard]] bool established() const { return una_ >= 1; }
    [[nodiscard]] Position next_position() const { return nxt_; }
    [[nodiscard]] Position unacknowledged() const { return una_; }
    [[nodiscard]] bool fin_sent() const { return fin_sent_; }
    [[nodiscard]] bool all_acknowledged() const { return fin_sent_ && una_ == nxt_; }
    [[nodiscard]] bool given_up() const { return given_up_; }

  private:
    enum class State : std::uint8_t { open, recovery, loss };
    struct Piece {
        Span span;
        bool fin = false;
        bool sacked = false;
        bool lost = false;  // thought lost, not sent again since
        std::uint32_t sends = 0;
        Nanos sent = 0;
        Why why = Why::first;
    };

    [[nodiscard]] std::optional<Sending> next_again(Nanos now);
    [[nodiscard]] std::optional<Sending> next_new(Nanos now);
    [[nodiscard]] Position in_flight() const;
    [[nodiscard]] bool apply_sack(std::span<const Span> blocks);
    void advance(Position ack, Nanos now, std::optional<Nanos> round_trip);
    void detect_loss(bool duplicate, bool probe_arrived);
    bool mark_sack_holes();
    void enter_recovery();
    void grow(Position acknowledged);
    void sample(Nanos round_trip);
    void arm(Nanos now);
    void timeout(Nanos now);
    void probe(Nanos now);

    SenderOptions options_;
    std::deque<Piece> flight_;
    Position una_ = 0;
    Position nxt_ = 0;
    Position data_end_ = 1;
    Position window_ = 0;
    Position cwnd_ = 0;
    Position threshold_ = INT32_MAX;
    Position recover_ = 0;
    State state_ = State::open;
    std::uint32_t dup_acks_ = 0;
    std::uint32_t backoff_ = 0;
    bool closing_ = false;
    bool fin_sent_ = false;
    bool given_up_ = false;
    bool probing_ = false;      // the deadline is a probe's
    bool probed_ = false;       // one probe for each flight
    bool probe_again_ = false;  // the probe repeats the last piece
    bool probe_new_ = false;    // or sends one new segment regardless of the congestion window
    Position probe_end_ = 0;
    Nanos smoothed_ = 0;  // round trip; 0 = not measured
    Nanos variance_ = 0;
    Nanos timeout_ = kSecond;
    Nanos deadline_ = INT64_MAX;
};

}  // namespace tw::sim
