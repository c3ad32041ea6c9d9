// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/services.hpp"

#include <algorithm>
#include <cstring>

#include "core/flow/hash.hpp"
#include "core/tcp/completeness.hpp"
#include "core/verdict/worst.hpp"

namespace tw::verdict {
namespace {

using event::Direction;
using event::FlowRecord;
using event::Outcome;

constexpr std::uint32_t kBuckets = 2 * Services::kServicesMax;
// Services looked at to find one that may be forgotten.
constexpr std::uint32_t kLooksMax = 64;
// A trait tells the bad from the good if it is in so many of the ones and not of the others.
constexpr std::uint64_t kBadPerCent = 80;
constexpr std::uint64_t kGoodPerCent = 20;
constexpr std::uint64_t kBadMin = 3;

std::uint64_t hash_of(const flow::Endpoint& server) {
    std::uint64_t words[2];
    std::memcpy(words, server.address.data(), sizeof words);
    return flow::fold(words[0] ^ flow::kMixA ^ server.port, words[1] ^ flow::kMixB);
}

bool is_at(const Service& service, const flow::Endpoint& server) {
    return service.server == server;
}

bool has(const FlowRecord& record, Outcome outcome) {
    const auto index = static_cast<std::size_t>(outcome);
    return record.outcomes[0][index].episodes + record.outcomes[1][index].episodes != 0;
}

bool untroubled(const Service& service) {
    return service.bad() + service.unanswered == 0;
}

bool worse(const Service& a, const Service& b) {
    if (a.hung != b.hung) {
        return a.hung > b.hung;
    }
    if (a.suffered != b.suffered) {
        return a.suffered > b.suffered;
    }
    if (a.unanswered != b.unanswered) {
        return a.unanswered > b.unanswered;
    }
    return a.server.address != b.server.address ? a.server.address < b.server.address
                                                : a.server.port < b.server.port;
}

}  // namespace

Trait Service::common() const {
    Trait best;
    const std::uint64_t all_good = good + unclear;
    for (std::size_t outcome = 0; outcome < event::kOutcomes; ++outcome) {
        for (std::size_t way = 0; way < 2; ++way) {
            const std::uint64_t in_bad = bad_with[outcome][way];
            const std::uint64_t in_good = good_with[outcome][way];
            const bool tells = in_bad >= kBadMin && in_bad * 100 >= bad() * kBadPerCent &&
                               in_good * 100 <= all_good * kGoodPerCent;
            if (tells && in_bad > best.bad) {
                best = {true, static_cast<Outcome>(outcome), static_cast<Direction>(way), in_bad,
                        in_good};
            }
        }
    }
    return best;
}

Services::Services(stats::Counters& counters)
    : counters_(counters),
      services_(kServicesMax, Backing::lazy),
      next_(kServicesMax, Backing::lazy),
      buckets_(kBuckets, Backing::lazy) {}

void Services::add(const FlowRecord& record) {
    Service* service = service_at(record.flow.server);
    if (service == nullptr) {
        counters_.add(stats::Counter::verdict_services_lost);
        return;
    }
    ++service->conversations;
    service->bytes += record.bytes[0] + record.bytes[1];
    const bool both = record.packets[0] != 0 && record.packets[1] != 0;
    const bool hung = has(record, Outcome::never_recovered);
    const bool suffered = has(record, Outcome::lost_before_tap) ||
                          has(record, Outcome::lost_after_tap) || has(record, Outcome::ack_lost);
    if (hung) {
        ++service->hung;
    } else if (suffered) {
        ++service->suffered;
    } else if (!both && record.completeness == tcp::completeness::kSyn) {
        ++service->unanswered;
        return;
    } else if (has(record, Outcome::unknown)) {
        ++service->unclear;
    } else {
        ++service->good;
    }
    auto& with = hung || suffered ? service->bad_with : service->good_with;
    for (std::size_t outcome = 0; outcome < event::kOutcomes; ++outcome) {
        for (std::size_t way = 0; way < 2; ++way) {
            with[outcome][way] += record.outcomes[way][outcome].episodes != 0 ? 1U : 0U;
        }
    }
}

Service* Services::service_at(const flow::Endpoint& server) {
    std::uint32_t& bucket = buckets_[hash_of(server) % kBuckets];
    for (std::uint32_t at = bucket; at != 0; at = next_[at - 1]) {
        if (is_at(services_[at - 1], server)) {
            return &services_[at - 1];
        }
    }
    std::uint32_t index = count_;
    if (count_ < kServicesMax) {
        ++count_;
    } else {
        index = make_room();
        if (index == kServicesMax) {
            return nullptr;
        }
    }
    Service& service = services_[index];
    service = Service{};
    service.server = server;
    service.complete = !forgot_;
    next_[index] = bucket;
    bucket = index + 1;
    return &service;
}

// Forgets a service without trouble; kServicesMax if none is at hand.
std::uint32_t Services::make_room() {
    for (std::uint32_t looks = 0; looks < kLooksMax; ++looks) {
        const std::uint32_t index = hand_;
        hand_ = hand_ + 1 == kServicesMax ? 0 : hand_ + 1;
        if (!untroubled(services_[index])) {
            continue;
        }
        std::uint32_t* link = &buckets_[hash_of(services_[index].server) % kBuckets];
        while (*link != index + 1) {
            link = &next_[*link - 1];
        }
        *link = next_[index];
        forgot_ = true;
        return index;
    }
    return kServicesMax;
}

std::size_t Services::worst(std::span<const Service*> out) const {
    std::size_t count = 0;
    for (const Service& service : all()) {
        if (!untroubled(service)) {
            count = insert_worst(out, count, service, worse);
        }
    }
    return count;
}

}  // namespace tw::verdict
