// SPDX-License-Identifier: BSD-3-Clause
// START READING HERE for what the facts mean. Takes what the workers tell, on one thread; settles
// how far each loss is proven once its neighbours are known; says each finding as soon as it may
// be said (live), and everything at the end (Report).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "core/event/capture_marks.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/health.hpp"
#include "core/taps/passage.hpp"
#include "firewall/policy.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

// One fact with its behaviour, as live output tells it. Every fact gives one, at once.
struct Notice {
    std::uint64_t id = 0;  // the fact's
    // None: it says something of the capture alone (missed at a tap, or nothing decides).
    std::optional<Behaviour> behaviour;
    taps::Grade grade = taps::Grade::unproven;
    // False: its neighbours' misses may still lower the grade within 10 s; another notice with the
    // same id says so then.
    bool settled = false;
    taps::Fact fact;
};

struct InvestigationOptions {
    std::uint32_t facts_max = 1'000'000;          // kept for the report; beyond: counted only
    std::uint32_t conversations_max = 2'000'000;  // idem
    std::uint32_t excerpts_max = 4096;
    std::uint32_t notices_max = 65'536;  // that wait to settle, or to be taken
    // How late after a moment a miss or the ledger may still speak of it.
    Nanos lateness = 3 * kSecond;
};

class Investigation {
  public:
    Investigation(const Policy& policy, const InvestigationOptions& options);
    ~Investigation();
    Investigation(const Investigation&) = delete;
    Investigation& operator=(const Investigation&) = delete;

    void add(const taps::Fact& fact);
    void add(const taps::Excerpt& excerpt);
    void add(const taps::Conversation& conversation);
    // Live: the ledger's word on a tap.
    void add_faults(taps::Side tap, Nanos from, Nanos until, event::CaptureFaults faults);
    // A limit that the engine or its driver reached: something was not followed.
    void add_limit(std::string counter, std::uint64_t value);
    // Time of the wire, live: notices are settled once no neighbour's miss can come any more. Files
    // need none: nobody waits, and finish() settles with all that is known.
    void advance(Nanos now);
    // The end: what waits is settled with what is known.
    void finish();
    // At once after add(), and again when settled where that was not the last word.
    [[nodiscard]] std::optional<Notice> next_notice();

    // At the end, or for a report so far. `confidence` brings what the sources tell (names, drops,
    // offset, doubts of the files); trust, rates and the doubts of the wiring are added here.
    [[nodiscard]] Report report(Confidence confidence, const taps::Passage& passage) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tw::firewall
