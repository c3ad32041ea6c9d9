// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/packet_log.hpp"

#include <algorithm>
#include <bit>

namespace tw::taps {
namespace {

using stats::Counter;

bool is(const Packet& packet, const Packet& other) {
    return packet.time == other.time && packet.frame == other.frame && packet.tap == other.tap &&
           packet.seq == other.seq && packet.flags == other.flags && packet.kind == other.kind;
}

bool is_cited(const Fact& fact, const Packet& packet) {
    const auto* const end =
        fact.cites.begin() + std::min<std::size_t>(fact.cites_count, Fact::kCitesMax);
    return std::any_of(fact.cites.begin(), end, [&](const Cite& cite) {
        return cite.time == packet.time && cite.frame == packet.frame && cite.tap == packet.tap;
    });
}

}  // namespace

PacketLog::PacketLog(std::uint32_t packets_max, Backing backing)
    : mask_(std::bit_ceil(std::uint64_t{packets_max}) - 1), ring_(mask_ + 1, backing) {}

std::uint32_t PacketLog::add(std::uint64_t conversation, std::uint32_t previous, Way way,
                             const Packet& packet) {
    last_ += last_ == UINT32_MAX ? 2 : 1;
    Logged& logged = ring_[last_ & mask_];
    __builtin_prefetch(&ring_[(last_ + 2) & mask_], 1);
    logged = {packet, conversation, last_, previous, 0, way};
    return last_;
}

PacketLog::Logged* PacketLog::held(std::uint32_t number) {
    Logged& logged = ring_[number & mask_];
    return number != 0 && logged.number == number ? &logged : nullptr;
}

void PacketLog::link(std::uint32_t one, std::uint32_t other) {
    if (Logged* const logged = held(one)) {
        logged->twin = other;
    }
    if (Logged* const logged = held(other)) {
        logged->twin = one;
    }
}

std::uint32_t PacketLog::collect(const Fact& fact, std::uint32_t latest) {
    std::uint32_t subject = kStepsBack;
    choices_count_ = 0;
    for (const Logged* at = held(latest);
         at != nullptr && at->conversation == fact.conversation && choices_count_ < kStepsBack;
         at = held(at->previous)) {
        if (subject == kStepsBack && is(at->packet, fact.packet)) {
            subject = choices_count_;
        }
        const bool twin = fact.twin_known && is(at->packet, fact.twin);
        choices_[choices_count_++] = {at->number, twin || is_cited(fact, at->packet)};
        if (subject != kStepsBack && choices_count_ > subject + Excerpt::kPacketsMax) {
            break;
        }
    }
    return subject == kStepsBack ? choices_count_ : subject;
}

// The subject and what is cited first, then its neighbours, before and after in turn.
void PacketLog::choose(std::uint32_t subject) {
    std::uint32_t chosen = 0;
    for (std::uint32_t i = 0; i < choices_count_; ++i) {
        chosen += choices_[i].chosen ? 1U : 0U;
    }
    const auto take = [&](std::uint32_t i) {
        if (i < choices_count_ && !choices_[i].chosen && chosen < Excerpt::kPacketsMax) {
            choices_[i].chosen = true;
            ++chosen;
        }
    };
    if (subject >= choices_count_) {
        subject = 0;
    }
    take(subject);
    for (std::uint32_t step = 1; step <= Excerpt::kPacketsMax; ++step) {
        take(subject + step);
        if (step <= subject) {
            take(subject - step);
        }
    }
}

void PacketLog::cut(const Fact& fact, std::uint32_t latest, Excerpt& excerpt) {
    choose(collect(fact, latest));
    excerpt.fact = fact.id;
    excerpt.conversation = fact.conversation;
    excerpt.count = 0;
    excerpt.more_before = choices_count_ == kStepsBack;
    excerpt.more_after = false;
    std::array<std::uint32_t, Excerpt::kPacketsMax> numbers{};
    bool gap = false;
    for (std::uint32_t i = choices_count_; i-- > 0;) {
        if (!choices_[i].chosen || excerpt.count == Excerpt::kPacketsMax) {
            gap = true;
            excerpt.more_before |= excerpt.count == 0;
            continue;
        }
        gap = false;
        const Logged& logged = *held(choices_[i].number);
        excerpt.packets[excerpt.count] = logged.packet;
        excerpt.way[excerpt.count] = logged.way;
        numbers[excerpt.count++] = choices_[i].number;
    }
    excerpt.more_after = gap;
    for (std::uint8_t i = 0; i < excerpt.count; ++i) {
        excerpt.twin[i] = i;
        for (std::uint8_t j = 0; j < excerpt.count; ++j) {
            if (held(numbers[i])->twin == numbers[j]) {
                excerpt.twin[i] = j;
            }
        }
    }
}

TapsOutbox::TapsOutbox(const Options& options, const Conversations& conversations, PacketLog& log,
                       stats::Counters& counters)
    : conversations_(conversations),
      log_(log),
      counters_(counters),
      facts_(options.facts_max),
      excerpts_(options.excerpts_max),
      records_(kRecordsMax),
      next_id_(options.first_id),
      id_step_(options.id_step) {}

bool TapsOutbox::allows_excerpt(FactKind kind) {
    Allowance& allowance = allowances_[static_cast<std::size_t>(kind)];
    if (allowance.begin == INT64_MIN || now_ - allowance.begin >= kExcerptsInterval ||
        now_ < allowance.begin) {
        allowance = {now_, 0};
    }
    return ++allowance.used <= kExcerptsMost;
}

void TapsOutbox::take(Fact& fact, const Witnessed& of) {
    const Live& live = conversations_.live(of.slot);
    const Conversation& record = conversations_.record(of.slot);
    const bool miss =
        fact.kind == FactKind::missed_at_entry || fact.kind == FactKind::missed_at_exit;
    if (miss && (record.ambiguous || record.pairing == Pairing::byte_stream)) {
        return;  // a proxy's: the other tap sees other packets
    }
    fact.id = next_id_;
    next_id_ += id_step_;
    fact.conversation = of.conversation;
    fact.client = record.client;
    fact.server = record.server;
    fact.client_side = of.client_side;
    fact.client_known = of.client_known;
    fact.decided = fact.decided == 0 ? now_ : fact.decided;
    if (!facts_.push(fact)) {
        counters_.add(Counter::taps_facts_dropped);
        return;
    }
    ++facts_pushed_;
    counters_.add(Counter::taps_facts);
    if (live.id != of.conversation || !allows_excerpt(fact.kind)) {
        counters_.add(Counter::taps_excerpts_withheld);
        return;
    }
    log_.cut(fact, live.logged, excerpt_);
    if (!excerpts_.push(excerpt_)) {
        counters_.add(Counter::taps_excerpts_withheld);
    }
}

void TapsOutbox::take(const Conversation& record) {
    counters_.add(records_.push({record, facts_pushed_}) ? Counter::taps_records
                                                         : Counter::taps_records_dropped);
}

bool TapsOutbox::pop(Fact& fact) {
    const bool popped = facts_.pop(fact);
    facts_popped_ += popped ? 1 : 0;
    return popped;
}

bool TapsOutbox::pop(Conversation& conversation) {
    if (!record_waits_ && !records_.pop(waiting_record_)) {
        return false;
    }
    record_waits_ = waiting_record_.after_facts > facts_popped_;
    if (!record_waits_) {
        conversation = waiting_record_.conversation;
    }
    return !record_waits_;
}

bool TapsOutbox::half_empty() const {
    return facts_.free_space() >= facts_.capacity() / 2 &&
           records_.free_space() >= records_.capacity() / 2;
}

std::size_t TapsOutbox::memory_bytes() const {
    return facts_.capacity() * sizeof(Fact) + excerpts_.capacity() * sizeof(Excerpt) +
           records_.capacity() * sizeof(Record);
}

}  // namespace tw::taps
