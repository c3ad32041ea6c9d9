// SPDX-License-Identifier: BSD-3-Clause
// What every learner asks of the settled cases: which conversation a case is of, which cases a
// conversation has, and what a limit or time-out may apply to: all traffic, one server, one host.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "firewall/learn.hpp"

namespace tw::firewall {

enum class Scope : std::uint8_t { all, server, client_host, server_host };
inline constexpr std::array<Scope, 4> kScopes{Scope::all, Scope::server, Scope::client_host,
                                              Scope::server_host};

// What conversations of one scope have in common; the same for all of Scope::all.
using ScopeKey = std::array<std::uint8_t, 19>;

// The two ends as the client's tap shows them, or the other one where that tap saw nothing.
[[nodiscard]] const flow::Endpoint& client_of(const taps::Conversation& conversation);
[[nodiscard]] const flow::Endpoint& server_of(const taps::Conversation& conversation);
[[nodiscard]] const flow::Endpoint& client_of(const taps::Fact& fact);
[[nodiscard]] const flow::Endpoint& server_of(const taps::Fact& fact);

[[nodiscard]] ScopeKey scope_key(Scope scope, const flow::Endpoint& client,
                                 const flow::Endpoint& server);
// "all traffic", "server 10.0.0.5:443", "client 10.0.0.7".
[[nodiscard]] std::string scope_text(Scope scope, const flow::Endpoint& client,
                                     const flow::Endpoint& server);

class Study {
  public:
    explicit Study(const Cases& cases);

    [[nodiscard]] const Cases& all() const { return all_; }
    [[nodiscard]] const taps::Conversation* conversation_of(const taps::Fact& fact) const;
    // Indexes into Cases::cases, in order of time.
    [[nodiscard]] std::span<const std::uint32_t> cases_of(std::uint64_t conversation) const;
    [[nodiscard]] const Case& at(std::uint32_t index) const { return all_.cases[index]; }
    // Conversations that have cases.
    [[nodiscard]] const std::map<std::uint64_t, std::vector<std::uint32_t>>& by_conversation()
        const {
        return by_conversation_;
    }

  private:
    const Cases& all_;
    std::unordered_map<std::uint64_t, std::uint32_t> index_of_;
    std::map<std::uint64_t, std::vector<std::uint32_t>> by_conversation_;
};

// A packet that entered and did not leave, as far as that is held to be so.
[[nodiscard]] bool is_drop(const Case& one);
// Such a SYN of the client.
[[nodiscard]] bool is_syn_drop(const Case& one);
[[nodiscard]] bool is_firewall_reset(const Case& one);
// A drop whose bytes never left, in no other copy: it was not just one packet of a stream.
[[nodiscard]] bool is_final_drop(const Case& one);

[[nodiscard]] double seconds(Nanos duration);

}  // namespace tw::firewall
