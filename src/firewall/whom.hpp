// SPDX-License-Identifier: BSD-3-Clause
// Whom a finding is about: what its connections share, in words.
#pragma once

#include <cstdint>
#include <string>

#include "core/flow/key.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"

namespace tw::firewall {

// The two ends of a connection, each as its own side of the firewall knows it.
struct Ends {
    flow::Endpoint client;
    flow::Endpoint server;
};
[[nodiscard]] Ends ends_of(const taps::Fact& fact);
[[nodiscard]] Ends ends_of(const taps::Conversation& conversation);

class Whom {
  public:
    void add(const Ends& ends);
    // "server 10.0.0.5:443", "server 10.0.0.5", "client 192.0.2.7", "port 443", or "all traffic".
    [[nodiscard]] std::string text() const;

  private:
    Ends first_;
    bool any_ = false;
    bool same_server_ = true;
    bool same_server_address_ = true;
    bool same_client_address_ = true;
    bool same_port_ = true;
};

}  // namespace tw::firewall
