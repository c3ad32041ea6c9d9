// SPDX-License-Identifier: BSD-3-Clause
// A firewall between two taps for tests of core/taps: say what enters, what leaves and when, and
// look at what the engine found. Tap 0 is the outside, tap 1 the inside.
//
//   TapsRun taps;
//   const Bytes syn = ...;
//   taps.at(Side::outside, syn, 1 * kMillisecond).at(Side::inside, forwarded(syn), ...);
//   taps.finish();
#pragma once

#include <memory>
#include <vector>

#include "core/stats/counters.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/hand_over.hpp"
#include "support/packet_builder.hpp"

namespace tw::test {

// Small tables; a transit of at most 100 ms.
[[nodiscard]] taps::EngineOptions small_taps();

class TapsRun {
  public:
    explicit TapsRun(const taps::EngineOptions& options = small_taps());
    // An engine for each worker; addresses and ports say which of them gets a frame, and each is
    // told the time of every burst, as live ones are.
    TapsRun(const taps::EngineOptions& options, std::uint32_t workers);

    // Frames are numbered from 1 over both taps and handed on one by one, or in bursts.
    TapsRun& at(taps::Side tap, const Bytes& bytes, Nanos time);
    TapsRun& tick(Nanos now);
    void set_burst(std::uint32_t frames) { burst_max_ = frames; }
    void finish();

    [[nodiscard]] taps::Engine& engine(std::size_t worker = 0) { return *engines_[worker]; }
    [[nodiscard]] const std::vector<taps::Fact>& facts() const { return facts_; }
    [[nodiscard]] const std::vector<taps::Excerpt>& excerpts() const { return excerpts_; }
    [[nodiscard]] const std::vector<taps::Conversation>& conversations() const {
        return conversations_;
    }
    [[nodiscard]] std::uint64_t count(stats::Counter counter) const;
    [[nodiscard]] std::uint64_t facts_of(taps::FactKind kind) const;
    void collect();

  private:
    void flush();
    void spread();
    [[nodiscard]] std::uint32_t worker_of(const Frame& frame);

    std::unique_ptr<taps::HandOver> hand_over_;
    std::vector<std::unique_ptr<stats::Counters>> counters_;
    std::vector<std::unique_ptr<taps::Engine>> engines_;
    bool ticks_ = false;
    std::uint32_t burst_max_ = 1;
    std::uint64_t number_ = 0;
    std::vector<Bytes> bytes_;
    std::vector<Frame> frames_;
    std::vector<taps::Fact> facts_;
    std::vector<taps::Excerpt> excerpts_;
    std::vector<taps::Conversation> conversations_;
};

}  // namespace tw::test
