// SPDX-License-Identifier: BSD-3-Clause
// Hashes by which multi-core firewalls commonly spread connections over their cores: enough to see
// that only one bucket suffers. A firewall with a secret key is beyond them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/flow/key.hpp"

namespace tw::firewall {

struct TupleHash {
    std::string_view name;
    std::uint32_t (*of)(const flow::Endpoint& client, const flow::Endpoint& server);
};

[[nodiscard]] std::span<const TupleHash> tuple_hashes();

}  // namespace tw::firewall
