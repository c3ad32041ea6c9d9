// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/proxy.hpp"

#include <utility>

namespace tw::sim::two_taps {
namespace {

constexpr Nanos kSynAgain = kSecond;
constexpr std::uint32_t kSynsMax = 4;
constexpr std::uint16_t kProxyMss = 1460;

class SynProxy final : public Proxy {
  public:
    SynProxy(const ProxyIdentity& identity, Output output)
        : identity_(identity), output_(std::move(output)) {}

    Answer take(Wire& packet, Nanos now) override {
        return packet.from == Side::client ? take_client(packet, now) : take_server(packet, now);
    }
    [[nodiscard]] Nanos deadline() const override { return again_; }
    void on_time(Nanos now) override {
        if (now >= again_) {
            send_syn(now);
        }
    }

  private:
    enum class Stage : std::uint8_t { idle, challenged, connecting, open };

    Answer take_client(Wire& packet, Nanos now) {
        if (packet.syn()) {
            if (stage_ == Stage::idle || stage_ == Stage::challenged) {
                stage_ = Stage::challenged;
                syn_ = packet;
                challenge(now);
            }
            return Answer::absorbed;
        }
        if (stage_ == Stage::challenged && packet.has(flag::kAck) &&
            packet.ack == identity_.isn + 1 && !packet.rst()) {
            stage_ = Stage::connecting;
            last_ = packet;
            send_syn(now);
            return packet.takes_numbers() ? Answer::refused : Answer::absorbed;
        }
        if (stage_ != Stage::open) {
            return Answer::refused;
        }
        packet.ack -= shift_;
        for (std::size_t i = 0; i < packet.options.sack_count; ++i) {
            packet.options.sack[i][0] -= shift_;
            packet.options.sack[i][1] -= shift_;
        }
        return Answer::pass;
    }

    Answer take_server(Wire& packet, Nanos now) {
        if (packet.syn() && packet.has(flag::kAck)) {
            const bool first = stage_ == Stage::connecting;
            stage_ = Stage::open;
            again_ = INT64_MAX;
            shift_ = identity_.isn - packet.seq;
            finish_handshake(packet, first, now);
            return Answer::absorbed;
        }
        if (stage_ != Stage::open) {
            return packet.rst() ? Answer::pass : Answer::refused;
        }
        packet.seq += shift_;
        return Answer::pass;
    }

    [[nodiscard]] Wire segment(Side from, std::uint8_t flags) const {
        Wire wire;
        const Addresses& all = identity_.addresses;
        wire.connection = identity_.connection;
        wire.from = from;
        wire.source = from == Side::client ? all.client_far : all.server_near;
        wire.destination = from == Side::client ? all.server_far : all.client_near;
        wire.flags = flags;
        return wire;
    }

    void challenge(Nanos now) {
        Wire answer = segment(Side::server, flag::kSyn | flag::kAck);
        answer.seq = identity_.isn;
        answer.ack = syn_.seq + 1;
        answer.span = {0, 1};
        answer.options.mss = kProxyMss;
        answer.options.sack_permitted = syn_.options.sack_permitted;
        answer.options.scale = syn_.options.scale;
        output_(answer, Side::client, now);  // window 0: no data before the server has answered
    }

    void send_syn(Nanos now) {
        again_ = ++syns_ < kSynsMax ? now + kSynAgain : INT64_MAX;
        Wire syn = segment(Side::client, flag::kSyn);
        syn.seq = syn_.seq;
        syn.span = {0, 1};
        syn.window = syn_.window;
        syn.options = syn_.options;
        syn.options.timestamps = false;
        output_(syn, Side::server, now);
    }

    void finish_handshake(const Wire& answer, bool first, Nanos now) {
        Wire ack = segment(Side::client, flag::kAck);
        ack.seq = syn_.seq + 1;
        ack.span = {1, 1};
        ack.ack = answer.seq + 1;
        ack.window = last_.window;
        output_(ack, Side::server, now);
        if (!first) {
            return;
        }
        Wire update = segment(Side::server, flag::kAck);
        update.seq = identity_.isn + 1;
        update.span = {1, 1};
        update.ack = syn_.seq + 1;
        const std::uint32_t window = answer.window;
        update.window = static_cast<std::uint16_t>(
            answer.options.scale >= 0 ? (window >> answer.options.scale) : window);
        output_(update, Side::client, now);
    }

    ProxyIdentity identity_;
    Output output_;
    Stage stage_ = Stage::idle;
    Wire syn_;
    Wire last_;
    std::uint32_t shift_ = 0;  // added to the server's numbers
    std::uint32_t syns_ = 0;
    Nanos again_ = INT64_MAX;
};

// Two connections of its own. What the client sent is acknowledged before the server has it.
class TcpProxy final : public Proxy {
  public:
    TcpProxy(const ProxyIdentity& identity, Output output)
        : identity_(identity), output_(std::move(output)) {
        host_.random = test::Random(identity.isn);
        StackOptions stack = identity.stack;
        stack.timestamps = false;
        stack.ip_id = IpIdPolicy::per_connection;
        stack.answers_when_dead = true;
        stack.ttl = 64;
        stack.mss = kProxyMss;
        front_ = make(stack, Side::server);
        back_ = make(stack, Side::client);
        front_numbers_.own_isn = identity.isn;
        back_numbers_.own_isn = identity.isn_far;
    }

    Answer take(Wire& packet, Nanos now) override {
        const bool client = packet.from == Side::client;
        Endpoint& end = client ? *front_ : *back_;
        Numbering& numbers = client ? front_numbers_ : back_numbers_;
        const auto read = from_wire(packet, numbers, end.expected(), end.sender().next_position());
        if (read) {
            end.receive(*read, now);
        }
        relay(now);
        return Answer::absorbed;
    }
    [[nodiscard]] Nanos deadline() const override {
        return std::min(front_->deadline(), back_->deadline());
    }
    void on_time(Nanos now) override {
        front_->on_time(now);
        back_->on_time(now);
        relay(now);
    }

  private:
    std::unique_ptr<Endpoint> make(const StackOptions& stack, Side side) {
        return std::make_unique<Endpoint>(
            stack,
            Endpoint::Identity{
                .connection = identity_.connection, .side = side, .v6 = identity_.v6},
            host_, [this, side](Packet& packet) { send(packet, side); });
    }

    void send(const Packet& packet, Side as) {
        const bool front = as == Side::server;
        Wire wire = to_wire(packet, front ? front_numbers_ : back_numbers_);
        const Addresses& all = identity_.addresses;
        wire.source = front ? all.server_near : all.client_far;
        wire.destination = front ? all.client_near : all.server_far;
        output_(wire, front ? Side::client : Side::server, packet.sent);
    }

    void relay(Nanos now) {
        if (front_->established() && !opened_) {
            opened_ = true;
            back_->open(now);
        }
        pour(*front_, *back_, poured_[0], now);
        pour(*back_, *front_, poured_[1], now);
        if (opened_ && front_->dead() != back_->dead() && !ended_) {
            ended_ = true;
            (front_->dead() ? *back_ : *front_).reset(now);
        }
    }

    static void pour(Endpoint& from, Endpoint& to, Position& poured, Nanos now) {
        const Position fresh = from.bytes_received() - poured;
        if (fresh > 0) {
            poured += fresh;
            to.write(fresh, now);
        }
        if (from.peer_closed() && !to.closed()) {
            to.close(now);
        }
    }

    ProxyIdentity identity_;
    Output output_;
    Host host_;
    std::unique_ptr<Endpoint> front_;
    std::unique_ptr<Endpoint> back_;
    Numbering front_numbers_;
    Numbering back_numbers_;
    std::array<Position, kSides> poured_{};
    bool opened_ = false;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<Proxy> make_syn_proxy(const ProxyIdentity& identity, Proxy::Output output) {
    return std::make_unique<SynProxy>(identity, std::move(output));
}

std::unique_ptr<Proxy> make_tcp_proxy(const ProxyIdentity& identity, Proxy::Output output) {
    return std::make_unique<TcpProxy>(identity, std::move(output));
}

}  // namespace tw::sim::two_taps
