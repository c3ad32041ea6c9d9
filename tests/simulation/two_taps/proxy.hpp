// SPDX-License-Identifier: BSD-3-Clause
// Firewalls that answer in place of the server: a SYN proxy, which lets the client through once it
// has answered a cookie, and a TCP proxy, which ends the connection and begins one of its own.
#pragma once

#include <functional>
#include <memory>

#include "simulation/endpoint.hpp"
#include "simulation/two_taps/rewriter.hpp"
#include "simulation/two_taps/wire.hpp"

namespace tw::sim::two_taps {

class Proxy {
  public:
    // A packet for this host.
    using Output = std::function<void(const Wire&, Side towards, Nanos now)>;
    enum class Answer : std::uint8_t {
        absorbed,
        pass,     // rewritten where it had to be
        refused,  // dropped: there is no connection to the server yet
    };
    virtual ~Proxy() = default;
    virtual Answer take(Wire& packet, Nanos now) = 0;
    [[nodiscard]] virtual Nanos deadline() const = 0;
    virtual void on_time(Nanos now) = 0;
};

struct ProxyIdentity {
    std::uint32_t connection = 0;
    Addresses addresses;
    std::uint32_t isn = 0;  // the cookie; of a TCP proxy towards the client
    std::uint32_t isn_far = 0;
    bool v6 = false;
    StackOptions stack;  // the client's
};

[[nodiscard]] std::unique_ptr<Proxy> make_syn_proxy(const ProxyIdentity& identity,
                                                    Proxy::Output output);
[[nodiscard]] std::unique_ptr<Proxy> make_tcp_proxy(const ProxyIdentity& identity,
                                                    Proxy::Output output);

}  // namespace tw::sim::two_taps
