// SPDX-License-Identifier: BSD-3-Clause
// The last packets of a worker at both taps, in order of arrival and chained per conversation, from
// which the surroundings of a fact are cut; and the way out of the engine: facts, excerpts and
// records, in bounded rings that count what they cannot take.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/spsc_ring.hpp"
#include "base/time.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/conversations.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

// Numbers count from 1 and name a packet while the ring holds it; 0 = none.
class PacketLog {
  public:
    PacketLog(std::uint32_t packets_max, Backing backing);

    // `previous`: the conversation's packet before it. Returns its number.
    [[nodiscard]] std::uint32_t add(std::uint64_t conversation, std::uint32_t previous, Way way,
                                    const Packet& packet);
    void link(std::uint32_t one, std::uint32_t other);  // twins
    // The fact's packets, and those around its subject. `latest`: of the conversation.
    void cut(const Fact& fact, std::uint32_t latest, Excerpt& excerpt);

    [[nodiscard]] std::size_t memory_bytes() const { return ring_.bytes(); }

  private:
    // Packets one excerpt looks back over.
    static constexpr std::uint32_t kStepsBack = 1024;
    struct Logged {
        Packet packet;
        std::uint64_t conversation;
        std::uint32_t number;
        std::uint32_t previous;
        std::uint32_t twin;
        Way way;
    };
    struct Choice {
        std::uint32_t number;
        bool chosen;
    };

    [[nodiscard]] Logged* held(std::uint32_t number);
    // Walks back from `latest`; fills choices_ from the newest on. Returns the index of the subject
    // among them, or the count if the ring holds it no more.
    [[nodiscard]] std::uint32_t collect(const Fact& fact, std::uint32_t latest);
    void choose(std::uint32_t subject);

    std::uint64_t mask_;
    LazyArray<Logged> ring_;
    std::uint32_t last_ = 0;
    std::array<Choice, kStepsBack> choices_;
    std::uint32_t choices_count_ = 0;
};

class TapsOutbox final : public FactSink {
  public:
    struct Options {
        std::size_t facts_max = 0;
        std::size_t excerpts_max = 0;
        std::uint64_t first_id = 1;
        std::uint64_t id_step = 1;
    };
    TapsOutbox(const Options& options, const Conversations& conversations, PacketLog& log,
               stats::Counters& counters);

    void take(Fact& fact, const Witnessed& of) override;
    void take(const Conversation& record);
    void set_now(Nanos now) { now_ = now; }

    // reader: another thread. A record waits until the facts before it were taken.
    [[nodiscard]] bool pop(Fact& fact);
    [[nodiscard]] bool pop(Excerpt& excerpt) { return excerpts_.pop(excerpt); }
    [[nodiscard]] bool pop(Conversation& conversation);
    [[nodiscard]] bool half_empty() const;
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    static constexpr std::size_t kRecordsMax = 8192;
    // Excerpts of one kind of fact in ten seconds.
    static constexpr std::uint32_t kExcerptsMost = 32;
    static constexpr Nanos kExcerptsInterval = 10 * kSecond;
    struct Record {
        Conversation conversation;
        std::uint64_t after_facts = 0;
    };
    struct Allowance {
        Nanos begin = INT64_MIN;
        std::uint32_t used = 0;
    };

    [[nodiscard]] bool allows_excerpt(FactKind kind);

    const Conversations& conversations_;
    PacketLog& log_;
    stats::Counters& counters_;
    SpscRing<Fact> facts_;
    SpscRing<Excerpt> excerpts_;
    SpscRing<Record> records_;
    std::uint64_t next_id_;
    std::uint64_t id_step_;
    std::uint64_t facts_pushed_ = 0;  // writer: worker
    std::uint64_t facts_popped_ = 0;  // the reader's, like waiting_record_
    Record waiting_record_;
    bool record_waits_ = false;
    Nanos now_ = 0;
    std::array<Allowance, kFactKinds> allowances_{};
    Excerpt excerpt_;  // being cut: too large for a stack
};

}  // namespace tw::taps
