// SPDX-License-Identifier: BSD-3-Clause
// Per service, that is server address and port: how many conversations were good, how many suffered
// or hung, and what tells these apart from the good ones. Bounded: a service without trouble is
// forgotten first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"

namespace tw::verdict {

// Something conversations can share: an outcome in one direction.
struct Trait {
    bool known = false;  // false: nothing was found
    event::Outcome outcome = event::Outcome::unknown;
    event::Direction direction = event::Direction::c2s;
    std::uint64_t bad = 0;   // of the conversations that were not good
    std::uint64_t good = 0;  // of the good ones
};

struct Service {
    flow::Endpoint server;
    bool complete = true;  // false: earlier conversations may have been forgotten
    std::uint64_t conversations = 0;
    std::uint64_t good = 0;        // no byte lost on the network
    std::uint64_t suffered = 0;    // lost something, and recovered
    std::uint64_t hung = 0;        // bytes that never arrived
    std::uint64_t unanswered = 0;  // SYN, and nothing else
    std::uint64_t unclear = 0;     // nothing but what cannot be told
    std::uint64_t bytes = 0;       // captured
    // By outcome and direction: conversations that have it, bad ones and others.
    std::array<std::array<std::uint32_t, 2>, event::kOutcomes> bad_with{};
    std::array<std::array<std::uint32_t, 2>, event::kOutcomes> good_with{};

    [[nodiscard]] std::uint64_t bad() const { return hung + suffered; }
    // What most of the bad ones have and few of the good ones.
    [[nodiscard]] Trait common() const;
};

class Services {
  public:
    static constexpr std::uint32_t kServicesMax = 4096;

    explicit Services(stats::Counters& counters);
    void add(const event::FlowRecord& record);
    // In no order.
    [[nodiscard]] std::span<const Service> all() const { return {services_.data(), count_}; }
    // Those with most conversations that hung, then suffered, the worst first; at most out.size().
    [[nodiscard]] std::size_t worst(std::span<const Service*> out) const;

  private:
    [[nodiscard]] Service* service_at(const flow::Endpoint& server);
    [[nodiscard]] std::uint32_t make_room();

    stats::Counters& counters_;
    LazyArray<Service> services_;
    LazyArray<std::uint32_t> next_;     // index + 1 of the next of the bucket
    LazyArray<std::uint32_t> buckets_;  // index + 1
    std::uint32_t count_ = 0;
    std::uint32_t hand_ = 0;
    bool forgot_ = false;
};

}  // namespace tw::verdict
