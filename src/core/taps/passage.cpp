// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/passage.hpp"

#include <algorithm>
#include <bit>

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

constexpr std::uint8_t kEcnMask = 0x03;
constexpr std::uint8_t kCongestionExperienced = 0x03;
constexpr unsigned kIdleStepBits = 4;

// Low bits of a slot's number, and where it lies. Times before 1970 do not wrap wrongly: floor.
std::int64_t floor_slot(Nanos time, Nanos length) {
    const Nanos slot = time / length;
    return slot - (time < slot * length ? 1 : 0);
}

// The slot that holds `number`, emptied of older contents; nullptr if it holds a later one.
template <typename Slot>
Slot* take_slot(Slot* slots, std::uint32_t count, std::int64_t number) {
    const auto low = static_cast<std::uint32_t>(static_cast<std::uint64_t>(number));
    Slot& slot = slots[low & (count - 1)];
    if (slot.number != low) {
        if (slot.number != 0 && static_cast<std::int32_t>(low - slot.number) < 0) {
            return nullptr;
        }
        slot = Slot{};
        slot.number = low;
    }
    return &slot;
}

std::uint32_t idle_bucket(Nanos idle) {
    const auto value = static_cast<std::uint64_t>(idle) >> (Passage::kIdleShift - kIdleStepBits);
    const auto power = static_cast<unsigned>(std::bit_width(value)) - 1 - kIdleStepBits;
    const std::uint64_t index =
        (std::uint64_t{power} << kIdleStepBits) + (value >> power) - (1U << kIdleStepBits);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(index, Passage::kIdleBuckets - 1));
}

void count_class(std::array<std::uint64_t, kShareClasses>& of, ShareClass share, bool is) {
    of[static_cast<std::size_t>(share)] += is ? 1U : 0U;
}

void count_syn(std::array<std::uint64_t, kShareClasses>& of, const Packet& packet) {
    count_class(of, ShareClass::syn, true);
    count_class(of, ShareClass::syn_mss, packet.option(option_bit::kMss));
    count_class(of, ShareClass::syn_scale, packet.option(option_bit::kWindowScale));
    count_class(of, ShareClass::syn_sack_permitted, packet.option(option_bit::kSackPermitted));
}

}  // namespace

Nanos Passage::slot_end(Nanos time) {
    return (floor_slot(time, kSlotTime) + 1) * kSlotTime;
}

Passage::Passage(Backing backing)
    : ways_{},
      slow_{SlowLog(backing), SlowLog(backing)},
      lengths_(kWays * (kLengthMax + 1), backing),
      load_(std::size_t{kWays} * kSlots, backing),
      seconds_(std::size_t{kWays} * kSeconds, backing),
      timed_(std::size_t{2} * kTimedClasses, backing) {}

LoadSlot* Passage::slot_at(Way way, Nanos time) {
    return take_slot(&load_[index(way) * kSlots], kSlots, floor_slot(time, kSlotTime));
}

LoadSecond* Passage::second_at(Way way, Nanos time) {
    return take_slot(&seconds_[index(way) * kSeconds], kSeconds, floor_slot(time, kSecond));
}

void Passage::passed(const Pair& pair, RewriteSet changed) {
    const Packet& packet = pair.entered;
    WaySums& sums = ways_[index(pair.way)];
    auto& of = sums.of;
    count_class(of, ShareClass::all, true);
    count_class(of, ShareClass::v4, !packet.v6);
    count_class(of, ShareClass::payload, packet.payload_bytes != 0);
    count_class(of, ShareClass::timestamps, packet.option(option_bit::kTimestamps));
    count_class(of, ShareClass::options, packet.options != 0);
    count_class(of, ShareClass::ect, (packet.tos & kEcnMask) != 0);
    count_class(of, ShareClass::ce, (packet.tos & kEcnMask) == kCongestionExperienced);
    sums.dont_fragment += packet.dont_fragment ? 1U : 0U;
    sums.out_of_order += pair.out_of_order ? 1U : 0U;
    constexpr auto kRare = static_cast<std::uint16_t>(~(option_bit::kTimestamps));
    if ((packet.options & kRare) != 0) {
        const bool sack = packet.option(option_bit::kSack);
        count_class(of, ShareClass::sack, sack);
        count_class(of, ShareClass::sack_shifted, sack && pair.shifts_known && pair.ack_shift != 0);
        count_class(of, ShareClass::fast_open, packet.option(option_bit::kFastOpen));
        count_class(of, ShareClass::mptcp, packet.option(option_bit::kMptcp));
        count_class(of, ShareClass::other_option,
                    packet.option(option_bit::kOther | option_bit::kMd5));
    }
    const Nanos transit = pair.left.time - packet.time;
    if (packet.has(flag::kSyn)) {
        count_syn(of, packet);
        sums.setup.add(transit);
    } else {
        sums.data.add(transit);
        slow_[index(pair.way)].add(packet.time, transit, sums.data);
    }
    if (pair.timed_class != 0) {
        timed_[place_of(pair.timed_class, packet.has(flag::kSyn))].add(transit);
    }
    if (pair.idle >= Nanos{1} << kIdleShift) {
        ++sums.idle[idle_bucket(pair.idle)];
    }
    ++lengths_[index(pair.way) * (kLengthMax + 1) +
               std::min<std::uint32_t>(packet.ip_bytes, kLengthMax)];
    if (LoadSlot* const slot = slot_at(pair.way, packet.time)) {
        slot->passed_bytes += packet.ip_bytes;
        ++slot->passed_packets;
        const Nanos us = std::clamp<Nanos>(transit / kMicrosecond, 0, UINT32_MAX);
        slot->slowest_us = std::max(slot->slowest_us, static_cast<std::uint32_t>(us));
    }
    if (LoadSecond* const second = second_at(pair.way, packet.time)) {
        ++second->packets;
    }
    if (changed != 0) {
        note(sums, pair, changed);
    }
}

void Passage::note(WaySums& sums, const Pair& pair, RewriteSet changed) {
    for (RewriteSet left = changed; left != 0; left &= left - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        RewriteTally& tally = sums.tallies[i];
        const std::uint32_t before = value_of(static_cast<Rewrite>(i), pair.entered);
        const std::uint32_t after = value_of(static_cast<Rewrite>(i), pair.left);
        if (tally.changed++ == 0) {
            sums.examples[i] = {pair.entered, pair.left};
        }
        if (tally.votes == 0) {
            tally.before = before;
            tally.after = after;
            tally.same_values = 0;
        }
        if (tally.before == before && tally.after == after) {
            ++tally.votes;
            ++tally.same_values;
        } else {
            --tally.votes;
        }
    }
}

void Passage::lost(Way way, const Packet& entered) {
    if (LoadSlot* const slot = slot_at(way, entered.time)) {
        slot->lost_bytes += entered.ip_bytes;
        ++slot->lost_packets;
    }
}

RewriteCount Passage::WaySums::rewrite(Rewrite rewrite) const {
    const auto i = static_cast<std::size_t>(rewrite);
    const RewriteTally& tally = tallies[i];
    return {.of = of[static_cast<std::size_t>(class_of(rewrite))],
            .changed = tally.changed,
            .before = tally.before,
            .after = tally.after,
            .same_values = tally.same_values,
            .entered = examples[i].entered,
            .left = examples[i].left};
}

LoadSlot Passage::slot(Way way, std::int64_t number) const {
    const auto low = static_cast<std::uint32_t>(static_cast<std::uint64_t>(number));
    const LoadSlot& slot = load_[index(way) * kSlots + (low & (kSlots - 1))];
    return slot.number == low ? slot : LoadSlot{.number = low};
}

std::uint32_t Passage::packets_in_second(Way way, std::int64_t number) const {
    const auto low = static_cast<std::uint32_t>(static_cast<std::uint64_t>(number));
    const LoadSecond& second = seconds_[index(way) * kSeconds + (low & (kSeconds - 1))];
    return second.number == low ? second.packets : 0;
}

std::uint64_t Passage::passed_after_idle(Way way, Nanos idle) const {
    const auto& buckets = ways_[index(way)].idle;
    const std::uint32_t from = idle >= Nanos{1} << kIdleShift ? idle_bucket(idle) : 0;
    std::uint64_t count = 0;
    for (std::uint32_t i = from; i < kIdleBuckets; ++i) {
        count += buckets[i];
    }
    return count;
}

std::size_t Passage::memory_bytes() const {
    return sizeof *this + lengths_.bytes() + load_.bytes() + seconds_.bytes() + timed_.bytes() +
           slow_[0].bytes() + slow_[1].bytes();
}

namespace {

void add_tally(RewriteTally& sum, const RewriteTally& other) {
    sum.changed += other.changed;
    if (sum.before == other.before && sum.after == other.after) {
        sum.same_values += other.same_values;
        sum.votes += other.votes;
    } else if (other.votes > sum.votes) {
        sum.before = other.before;
        sum.after = other.after;
        sum.same_values = other.same_values;
        sum.votes = other.votes - sum.votes;
    } else {
        sum.votes -= other.votes;
    }
}

}  // namespace

void Passage::add(const Passage& other) {
    for (std::size_t w = 0; w < kWays; ++w) {
        WaySums& sums = ways_[w];
        const WaySums& more = other.ways_[w];
        for (std::size_t i = 0; i < kShareClasses; ++i) {
            sums.of[i] += more.of[i];
        }
        sums.dont_fragment += more.dont_fragment;
        sums.out_of_order += more.out_of_order;
        for (std::size_t i = 0; i < kRewrites; ++i) {
            if (sums.tallies[i].changed == 0) {
                sums.examples[i] = more.examples[i];
            }
            add_tally(sums.tallies[i], more.tallies[i]);
        }
        for (std::size_t i = 0; i < kIdleBuckets; ++i) {
            sums.idle[i] += more.idle[i];
        }
        sums.setup.add(more.setup);
        sums.data.add(more.data);
        slow_[w].add(other.slow_[w], slow_above(sums.data));
    }
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
        lengths_[i] += other.lengths_[i];
    }
    for (std::size_t i = 0; i < timed_.size(); ++i) {
        timed_[i].add(other.timed_[i]);
    }
    for (std::size_t i = 0; i < load_.size(); ++i) {
        const LoadSlot& more = other.load_[i];
        LoadSlot& slot = load_[i];
        if (more.passed_packets + more.lost_packets == 0) {
            continue;
        }
        if (slot.number != more.number) {
            if (slot.number == 0 || static_cast<std::int32_t>(more.number - slot.number) > 0) {
                slot = more;
            }
            continue;
        }
        slot.passed_bytes += more.passed_bytes;
        slot.passed_packets += more.passed_packets;
        slot.lost_bytes += more.lost_bytes;
        slot.lost_packets += more.lost_packets;
        slot.slowest_us = std::max(slot.slowest_us, more.slowest_us);
    }
    for (std::size_t i = 0; i < seconds_.size(); ++i) {
        const LoadSecond& more = other.seconds_[i];
        LoadSecond& second = seconds_[i];
        if (second.number == more.number) {
            second.packets += more.packets;
        } else if (more.packets != 0 &&
                   (second.number == 0 ||
                    static_cast<std::int32_t>(more.number - second.number) > 0)) {
            second = more;
        }
    }
}

}  // namespace tw::taps
