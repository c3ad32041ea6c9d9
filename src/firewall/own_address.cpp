// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/own_address.hpp"

#include <algorithm>

#include "firewall/grades.hpp"

namespace tw::firewall {
namespace {

using flow::Endpoint;
using taps::Fact;
using taps::FactKind;

[[nodiscard]] bool is_own(const Policy& policy, const Endpoint& endpoint) {
    return std::any_of(policy.addresses.begin(), policy.addresses.end(),
                       [&](const Endpoint& own) { return flow::same_host(own, endpoint); });
}

[[nodiscard]] bool is_own_error(const Policy& policy, const Fact& fact) {
    Endpoint source;
    source.address = fact.packet.icmp_source;
    source.v6 = fact.packet.v6;
    return fact.kind == FactKind::icmp_error && left(fact) && !entered(fact) &&
           is_own(policy, source);
}

// Where addresses are translated a host beyond goes by the firewall's address, too: only what the
// other tap does not know by any name ends at the firewall itself.
[[nodiscard]] bool is_own_reset(const Policy& policy, const Fact& fact) {
    const bool reset = fact.kind == FactKind::reset_origin ||
                       (fact.kind == FactKind::injected && fact.packet.has(decode::tcp_flag::kRst));
    const taps::Side seen_at = taps::exit(fact.way);
    const bool by_client = taps::entry(fact.way) == fact.client_side;
    const auto& sender = by_client ? fact.client : fact.server;
    return reset && sender[taps::index(taps::other(seen_at))].port == 0 &&
           is_own(policy, sender[taps::index(seen_at)]);
}

}  // namespace

Fact attributed(const Policy& policy, Fact fact) {
    if (is_own_error(policy, fact) || is_own_reset(policy, fact)) {
        fact.kind = fact.kind == FactKind::injected ? FactKind::reset_origin : fact.kind;
        fact.grade = taps::Grade::proven;
        fact.proof = taps::Proof::own_address;
        fact.single_fault = false;
    }
    return fact;
}

}  // namespace tw::firewall
