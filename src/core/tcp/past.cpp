// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/past.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/sequence.hpp"
#include "core/tcp/completeness.hpp"
#include "core/tcp/same_frame.hpp"

namespace tw::tcp {
namespace {

namespace flag = decode::tcp_flag;

// Segments of one sender among which a mirror's second copy is looked for.
constexpr std::uint32_t kCopySteps = 16;
// A sender counts its identification up if most steps between its segments are small.
constexpr std::uint32_t kIdSteps = 16;
constexpr std::uint32_t kIdStepsMin = 4;
constexpr std::uint16_t kIdStepMax = 1024;
constexpr std::uint32_t kTripSteps = 64;

bool is_pure_ack(const Sighting& s) {
    return s.payload_bytes == 0 && s.has(flag::kAck) &&
           !s.has(flag::kSyn | flag::kFin | flag::kRst);
}

// R shows that it lacks `begin` although later data arrived: a SACK block beyond it.
bool asks_by_sack(const Sighting& r, std::uint32_t begin, std::uint32_t end) {
    return r.has_sack && r.is_dsack == 0 && at_or_before(r.ack, begin) &&
           at_or_before(end, r.sack.left);
}

}  // namespace

bool same_frame(const Sighting& one, const Sighting& other) {
    const bool equal = one.seq == other.seq && one.ack == other.ack &&
                       one.payload_bytes == other.payload_bytes && one.flags == other.flags &&
                       one.window == other.window && one.checksum == other.checksum &&
                       one.tsval == other.tsval && one.tsecr == other.tsecr;
    const int hops = one.ttl - other.ttl;
    if (!equal || hops < -1 || hops > 1) {
        return false;
    }
    return one.ip_id == other.ip_id;
}

bool is_one_frame(const Sighting& earlier, const Sighting& later, Nanos round_trip, bool asked) {
    if (!same_frame(earlier, later)) {
        return false;
    }
    return is_one_frame({.apart = later.time - earlier.time,
                         .round_trip = round_trip,
                         .named = later.v6 == 0 && later.ip_id != 0,
                         .ttl_differs = later.ttl != earlier.ttl,
                         .timestamps = later.has_timestamps != 0,
                         .asked = asked});
}

bool is_copy(const History& history, const Sighting& sighting) {
    const Sighting* at = &sighting;
    for (std::uint32_t i = 0; i < kCopySteps; ++i) {
        at = history.before(*at);
        if (at == nullptr || sighting.time - at->time > kMirrorLag) {
            return false;
        }
        if (at->sender == sighting.sender && same_frame(*at, sighting)) {
            return true;
        }
    }
    return false;
}

std::optional<std::uint32_t> acknowledged_up_to(const History& history, const flow::Flow& flow,
                                                std::uint32_t owner, std::uint8_t side) {
    const flow::Half& half = flow.half[side];
    if ((half.bits & flow::half_bit::kWindowSet) == 0) {
        return std::nullopt;
    }
    if (half.ack != 0 && (flow.completeness & completeness::kRst) == 0) {
        return half.ack;
    }
    const Sighting* at = history.latest(flow, owner);
    for (std::uint32_t i = 0; at != nullptr && i < kStepsBack; ++i, at = history.before(*at)) {
        if (at->sender == side && at->has(flag::kAck)) {
            return at->ack;
        }
    }
    return std::nullopt;
}

const Sighting* before_of_sender(const History& history, const Sighting& sighting) {
    const Sighting* at = history.before(sighting);
    for (std::uint32_t i = 0; at != nullptr && i < kStepsBack; ++i) {
        if (at->sender == sighting.sender) {
            return at;
        }
        at = history.before(*at);
    }
    return nullptr;
}

RepeatPast past_of_repeat(const History& history, const Sighting& repeat, bool acknowledged) {
    RepeatPast past;
    const std::uint32_t begin = repeat.seq;
    const std::uint32_t end = repeat.end();
    const Sighting* later = nullptr;  // R's segment after the one at hand
    const Sighting* at = history.before(repeat);
    for (std::uint32_t i = 0; at != nullptr && i < kStepsBack; ++i, at = history.before(*at)) {
        if (at->payload_known == 0 || at->has(flag::kRst)) {
            continue;
        }
        if (at->sender == repeat.sender) {
            const bool copy = at_or_before(at->seq, begin) && after(at->end(), begin);
            past.original = copy && past.original == nullptr ? at : past.original;
            if (past.original != nullptr && past.covering == nullptr && !acknowledged) {
                break;
            }
            continue;
        }
        if (!at->has(flag::kAck)) {
            continue;
        }
        if (at_or_before(end, at->ack)) {
            past.covering = at;
        } else if (past.original != nullptr) {
            break;
        } else if (at->has_sack && at->is_dsack == 0 && at_or_before(at->sack.left, begin) &&
                   at_or_before(end, at->sack.right)) {
            past.sacked = at;
        } else if (asks_by_sack(*at, begin, end) ||
                   (later != nullptr && is_pure_ack(*later) && is_pure_ack(*at) &&
                    later->ack == begin && at->ack == begin && !same_frame(*at, *later))) {
            past.ask = asks_by_sack(*at, begin, end) ? at : later;
            ++past.asked;
        }
        later = at;
    }
    return past;
}

Order order_by_ip_id(const History& history, const Sighting& sighting, std::uint16_t other) {
    if (sighting.v6 != 0) {
        return Order::unknown;
    }
    std::uint32_t steps = 0;
    std::uint32_t small = 0;
    const Sighting* newer = nullptr;
    const Sighting* at = before_of_sender(history, sighting);
    for (std::uint32_t i = 0; at != nullptr && i < kIdSteps; ++i) {
        if (newer != nullptr) {
            const auto step = static_cast<std::uint16_t>(newer->ip_id - at->ip_id);
            ++steps;
            small += step != 0 && step <= kIdStepMax ? 1U : 0U;
        }
        newer = at;
        at = before_of_sender(history, *at);
    }
    const auto apart = static_cast<std::int16_t>(sighting.ip_id - other);
    if (steps < kIdStepsMin || small * 4 < steps * 3 || apart == 0 || apart > kIdStepMax ||
        apart < -kIdStepMax) {
        return Order::unknown;
    }
    return apart > 0 ? Order::later : Order::earlier;
}

namespace {

// Round trips by new data and the ACK that first covers it: which copy an ACK of bytes sent twice
// is for, nobody knows.
class AckTrips {
  public:
    void sent(const Sighting& at) {
        const bool fresh = !any_ || after(at.end(), highest_);
        asked_ = any_ && fresh && at_or_before(highest_, at.seq) ? &at : asked_;
        highest_ = fresh ? at.end() : highest_;
        any_ = true;
    }
    [[nodiscard]] Nanos answered(const Sighting& at) {
        if (asked_ == nullptr || !at.has(flag::kAck) || !at_or_before(asked_->end(), at.ack)) {
            return 0;
        }
        const Nanos trip = at.time - asked_->time;
        asked_ = nullptr;
        return trip;
    }

  private:
    const Sighting* asked_ = nullptr;  // the latest data not yet answered
    bool any_ = false;
    std::uint32_t highest_ = 0;
};

// Round trips by a timestamp and its echo (RFC 7323 section 4): who sends data answers ACKs so.
class EchoTrips {
  public:
    void sent(const Sighting& at) {
        if (at.has_timestamps != 0 && (count_ == 0 || at.tsval != last().tsval)) {
            first_[count_++ % first_.size()] = &at;
        }
    }
    [[nodiscard]] Nanos answered(const Sighting& at) {
        if (at.has_timestamps == 0 || (any_ && at.tsecr == echo_)) {
            return 0;
        }
        any_ = true;
        echo_ = at.tsecr;
        for (std::size_t i = 0; i < std::min(count_, first_.size()); ++i) {
            if (first_[i]->tsval == at.tsecr) {
                return at.time - first_[i]->time;
            }
        }
        return 0;
    }

  private:
    [[nodiscard]] const Sighting& last() const { return *first_[(count_ - 1) % first_.size()]; }

    std::array<const Sighting*, 8> first_{};  // the first segments of the latest timestamps
    std::size_t count_ = 0;
    bool any_ = false;
    std::uint32_t echo_ = 0;
};

}  // namespace

Nanos round_trip_seen(const History& history, const Sighting& latest, std::uint8_t side) {
    std::array<const Sighting*, kTripSteps> seen;
    std::size_t first = seen.size();
    for (const Sighting* at = &latest; at != nullptr && first != 0; at = history.before(*at)) {
        seen[--first] = at;
    }
    AckTrips by_ack;
    EchoTrips by_echo;
    Nanos shortest = 0;
    for (std::size_t i = first; i < seen.size(); ++i) {
        const Sighting& at = *seen[i];
        if (at.sender != side) {
            by_ack.sent(at);
            by_echo.sent(at);
            continue;
        }
        for (const Nanos trip : {by_ack.answered(at), by_echo.answered(at)}) {
            shortest = trip > 0 && (shortest == 0 || trip < shortest) ? trip : shortest;
        }
    }
    return shortest;
}

// Steps of 1024 ns: 1 + mantissa of three bits below the leading one, exponent above them.
std::uint8_t rtt_code(Nanos round_trip) {
    if (round_trip <= 0) {
        return 0;
    }
    const auto steps = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(round_trip) >> 10, 8,
                                                 (std::uint64_t{1} << 34) - 1);
    const auto exponent = static_cast<std::uint32_t>(std::bit_width(steps)) - 4;
    return static_cast<std::uint8_t>(1 + exponent * 8 + ((steps >> exponent) & 7));
}

Nanos rtt_of(std::uint8_t code) {
    if (code == 0) {
        return 0;
    }
    const std::uint32_t exponent = (code - 1U) / 8;
    return static_cast<Nanos>((std::uint64_t{8} + ((code - 1U) & 7)) << exponent << 10);
}

}  // namespace tw::tcp
