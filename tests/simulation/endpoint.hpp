// SPDX-License-Identifier: BSD-3-Clause
// One simulated host's end of a connection: handshake and its options, ACK policy, timestamps
// (RFC 7323), IP identification, closing and resetting, around a Sender and a Receiver.
#pragma once

#include <functional>

#include "simulation/plan.hpp"
#include "simulation/receiver.hpp"
#include "simulation/sender.hpp"
#include "support/random.hpp"

namespace tw::sim {

// What the connections of one host share.
struct Host {
    std::uint16_t ip_id = 0;
    test::Random random{0};
};

class Endpoint {
  public:
    using Output = std::function<void(Packet&)>;
    struct Identity {
        std::uint32_t connection = 0;
        Side side = Side::client;
        std::uint32_t timestamp_base = 0;
        bool v6 = false;
    };
    Endpoint(const StackOptions& options, const Identity& identity, Host& host, Output output);

    void open(Nanos now) { pump(now); }  // the client's SYN
    void write(Position bytes, Nanos now);
    void close(Nanos now);
    void reset(Nanos now);
    void fail() { dead_ = true; }  // an error of the network ended it: no RST, no timer
    void receive(const Packet& packet, Nanos now);

    [[nodiscard]] Nanos deadline() const;
    void on_time(Nanos now);

    [[nodiscard]] Position bytes_received() const;
    [[nodiscard]] bool peer_closed() const { return receiver_.fin_taken(); }
    [[nodiscard]] bool closed() const { return sender_.fin_sent(); }
    [[nodiscard]] bool dead() const { return dead_ || sender_.given_up(); }
    [[nodiscard]] bool established() const { return sender_.established(); }
    [[nodiscard]] const Sender& sender() const { return sender_; }
    [[nodiscard]] Position expected() const { return receiver_.next(); }  // the next it lacks

  private:
    void pump(Nanos now);
    void acknowledge(Nanos now);
    void emit(Packet& packet, Nanos now);
    void learn(const Packet& packet);
    void put_sack(Packet& packet);
    [[nodiscard]] std::uint32_t ticks(Nanos now) const;
    [[nodiscard]] std::uint16_t next_ip_id();
    [[nodiscard]] std::uint32_t shift() const;

    StackOptions options_;
    Identity identity_;
    Host& host_;
    Output output_;
    Sender sender_;
    Receiver receiver_;
    bool peer_known_ = false;  // its SYN arrived
    bool dead_ = false;
    bool was_reset_ = false;  // by this side: answers everything with RST
    std::uint32_t ts_recent_ = 0;
    Position last_ack_sent_ = 0;
    Nanos ack_due_ = INT64_MAX;
    std::uint16_t ip_id_ = 0;
};

}  // namespace tw::sim
