// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/endpoint.hpp"

#include <algorithm>

namespace tw::sim {
namespace {

constexpr Nanos kDelayedAck = 40 * kMillisecond;  // as Linux at its least
constexpr std::uint32_t kWindowShift = 7;
constexpr Position kTimestampBytes = 12;  // the option and its padding shorten each segment

SenderOptions sender_options(const StackOptions& stack) {
    return {.mss = stack.mss,
            .initial_window_segments = stack.initial_window_segments,
            .sack = stack.sack,
            .tail_probe = stack.tail_probe,
            .fin_with_data = stack.fin_with_data,
            .eager = stack.eager_timer,
            .silent = stack.silent,
            .overshoots = stack.overshoots};
}

}  // namespace

Endpoint::Endpoint(const StackOptions& options, const Identity& identity, Host& host, Output output)
    : options_(options),
      identity_(identity),
      host_(host),
      output_(std::move(output)),
      sender_(sender_options(options)),
      ip_id_(static_cast<std::uint16_t>(host.random.word())) {}

void Endpoint::write(Position bytes, Nanos now) {
    sender_.write(bytes);
    pump(now);
}

void Endpoint::close(Nanos now) {
    sender_.close();
    pump(now);
}

void Endpoint::reset(Nanos now) {
    Packet packet;
    packet.rst = packet.has_ack = true;
    packet.why = Why::reply;
    packet.span = {sender_.next_position(), sender_.next_position()};
    packet.ack = receiver_.next();
    dead_ = was_reset_ = true;
    emit(packet, now);
}

std::uint32_t Endpoint::ticks(Nanos now) const {
    return identity_.timestamp_base + static_cast<std::uint32_t>(now / kMillisecond);
}

std::uint16_t Endpoint::next_ip_id() {
    switch (options_.ip_id) {
        case IpIdPolicy::per_connection:
            return ++ip_id_;
        case IpIdPolicy::per_host:
            // Other connections of the host, which the tap does not see, count too.
            host_.ip_id = static_cast<std::uint16_t>(host_.ip_id + 1 + host_.random.below(3));
            return host_.ip_id;
        case IpIdPolicy::zero:
            return 0;
        case IpIdPolicy::random:
            return static_cast<std::uint16_t>(host_.random.word());
    }
    return 0;
}

std::uint32_t Endpoint::shift() const {
    return options_.scaling ? kWindowShift : 0;
}

void Endpoint::emit(Packet& packet, Nanos now) {
    packet.connection = identity_.connection;
    packet.from = identity_.side;
    packet.sent = now;
    packet.ttl = options_.ttl;
    packet.ip_id = identity_.v6 ? std::uint16_t{0} : next_ip_id();
    packet.timestamps = options_.timestamps && !packet.rst;
    packet.ts_value = ticks(now);
    packet.ts_echo = packet.has_ack ? ts_recent_ : 0;
    const Position window = packet.syn ? options_.buffer_bytes : options_.buffer_bytes >> shift();
    packet.window = static_cast<std::uint16_t>(std::min<Position>(window, 65'535));
    if (packet.syn) {
        packet.offer = {.mss = options_.mss,
                        .sack = options_.sack,
                        .scaling = options_.scaling,
                        .timestamps = options_.timestamps};
    }
    if (packet.has_ack) {
        last_ack_sent_ = packet.ack;
        ack_due_ = INT64_MAX;
        receiver_.answered();
    }
    output_(packet);
}

void Endpoint::put_sack(Packet& packet) {
    const auto duplicate = receiver_.take_duplicate();
    if (!options_.sack) {
        return;
    }
    // Four blocks fit beside nothing else, three beside timestamps (RFC 2018 section 3).
    const std::size_t room = options_.timestamps ? 3 : Packet::kSackMax;
    if (duplicate && options_.dsack) {
        packet.dsack = true;
        packet.sack[packet.sack_count++] = *duplicate;
    }
    for (const Span block : receiver_.blocks()) {
        if (packet.sack_count == room) {
            break;
        }
        packet.sack[packet.sack_count++] = block;
    }
}

void Endpoint::acknowledge(Nanos now) {
    Packet packet;
    packet.why = Why::reply;
    packet.has_ack = true;
    packet.ack = receiver_.next();
    packet.span = {sender_.next_position(), sender_.next_position()};
    put_sack(packet);
    emit(packet, now);
}

void Endpoint::pump(Nanos now) {
    if (dead_) {
        return;
    }
    const bool listens = identity_.side == Side::server && !peer_known_;
    while (!listens) {
        const auto sending = sender_.next(now);
        if (!sending) {
            return;
        }
        Packet packet;
        packet.span = sending->span;
        packet.syn = sending->span.begin == 0;
        packet.fin = sending->fin;
        packet.why = sending->why;
        packet.has_ack = peer_known_;
        packet.ack = receiver_.next();
        packet.push = packet.payload_bytes() > 0;
        emit(packet, now);
    }
}

void Endpoint::learn(const Packet& packet) {
    if (peer_known_) {
        return;
    }
    peer_known_ = true;
    ts_recent_ = packet.ts_value;
    // Used where both ends offered it; an answer offers nothing else (RFC 7323, RFC 2018).
    options_.mss = std::min(options_.mss, packet.offer.mss);
    options_.sack &= packet.offer.sack;
    options_.scaling &= packet.offer.scaling;
    options_.timestamps &= packet.offer.timestamps;
    const Position options_bytes = options_.timestamps ? kTimestampBytes : 0;
    sender_.negotiated(options_.sack, options_.mss - options_bytes);
}

void Endpoint::receive(const Packet& packet, Nanos now) {
    if (dead_) {
        if ((was_reset_ || options_.answers_when_dead) && !packet.rst) {
            Packet answer;
            answer.rst = true;
            answer.why = Why::reply;
            answer.span = {packet.ack, packet.ack};
            emit(answer, now);
        }
        return;
    }
    if (packet.rst) {
        dead_ = true;
        return;
    }
    if (packet.syn) {
        learn(packet);
    } else if (!peer_known_) {
        return;
    }
    if (packet.timestamps && packet.span.begin <= last_ack_sent_ &&
        static_cast<std::int32_t>(packet.ts_value - ts_recent_) > 0) {
        ts_recent_ = packet.ts_value;
    }
    if (packet.has_ack) {
        Acknowledgement ack;
        ack.ack = packet.ack;
        const std::size_t first = packet.dsack ? 1 : 0;
        ack.sacked = std::span(packet.sack).subspan(first, packet.sack_count - first);
        ack.window = Position{packet.window} << (packet.syn ? 0 : shift());
        ack.pure = packet.span.empty();
        if (packet.timestamps && !packet.syn) {
            const auto apart = static_cast<std::int32_t>(ticks(now) - packet.ts_echo);
            ack.round_trip = std::max<Nanos>(apart, 1) * kMillisecond;
        }
        sender_.take(ack, now);
    }
    Answer answer = packet.span.empty() ? Answer::none : receiver_.take(packet);
    if (packet.syn) {
        (void)receiver_.take_duplicate();
        // The SYN of a client is answered by a SYN of its own.
        answer = identity_.side == Side::server ? Answer::none : Answer::now;
    }
    if (answer == Answer::now || (answer == Answer::later && !options_.delays_acks)) {
        acknowledge(now);
    } else if (answer == Answer::later && ack_due_ == INT64_MAX) {
        ack_due_ = now + kDelayedAck;
    }
    pump(now);
}

Nanos Endpoint::deadline() const {
    return dead_ ? INT64_MAX : std::min(sender_.deadline(), ack_due_);
}

void Endpoint::on_time(Nanos now) {
    if (dead_) {
        return;
    }
    if (now >= ack_due_) {
        acknowledge(now);
    }
    if (now >= sender_.deadline()) {
        sender_.on_timer(now);
        pump(now);
    }
}

Position Endpoint::bytes_received() const {
    return std::max<Position>(receiver_.next() - 1 - (peer_closed() ? 1 : 0), 0);
}

}  // namespace tw::sim
