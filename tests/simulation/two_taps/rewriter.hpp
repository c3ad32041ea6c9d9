// SPDX-License-Identifier: BSD-3-Clause
// What the simulated firewall changes in packets that it sends on: addresses, sequence numbers,
// options, header fields, payload.
#pragma once

#include <array>
#include <vector>

#include "simulation/network.hpp"
#include "simulation/two_taps/plan.hpp"
#include "simulation/two_taps/wire.hpp"
#include "support/random.hpp"

namespace tw::sim::two_taps {

// As the client addresses it, and as the server sees it: without translation the same.
struct Addresses {
    flow::Endpoint client_near;
    flow::Endpoint server_near;  // as the client's side knows it
    flow::Endpoint client_far;   // as the server's side knows it
    flow::Endpoint server_far;
};
[[nodiscard]] Addresses addresses_of(const Plan& plan, std::uint32_t connection,
                                     std::uint16_t translated_port);

class Rewriter {
  public:
    Rewriter(const Plan& plan, test::Random& random);

    void rewrite(Wire& packet);
    [[nodiscard]] const Addresses& addresses(std::uint32_t connection) const {
        return numbers_[connection].addresses;
    }

  private:
    struct Numbers {
        Addresses addresses;
        std::uint32_t client_isn = 0;
        std::array<std::uint32_t, sim::kSides> shift{};  // added to what this side sends
        std::uint16_t inserted = 0;                      // bytes, behind the client's first
    };
    void translate(Wire& packet, const Numbers& numbers) const;
    void renumber(Wire& packet, const Numbers& numbers) const;
    void strip(Wire& packet) const;
    void lengthen(Wire& packet, Numbers& numbers) const;
    void corrupt(Wire& packet);

    const FirewallPlan& rules_;
    test::Random& random_;
    std::vector<Numbers> numbers_;
    Dice corrupt_;
};

}  // namespace tw::sim::two_taps
