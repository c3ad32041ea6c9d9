// SPDX-License-Identifier: BSD-3-Clause
// Any frames at two taps around a firewall: through the engine with small limits, what it tells
// through the investigation, and that into a report as text and as JSON. No traffic may break an
// invariant, and everything that begins is told once.
//
// Input: options (4), then records of segment_maker.hpp, each after its distance in time (1; a set
// high bit ends the burst) and what became of it between the taps (1). A segment is seen at either
// tap or both, there under other addresses, numbers or bytes.
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "core/taps/engine.hpp"
#include "firewall/investigation.hpp"
#include "fuzz/segment_maker.hpp"
#include "sinks/firewall_fact_json.hpp"
#include "sinks/firewall_json.hpp"
#include "sinks/firewall_text.hpp"

namespace tw::fuzz {
namespace {

using stats::Counter;

constexpr std::uint32_t kFramesMax = 512;
// Around the limits of the rules: transits, skew, the wait, patience, idle times, and backwards.
constexpr std::array<Nanos, 16> kGaps{0,
                                      1,
                                      kMicrosecond,
                                      100 * kMicrosecond,
                                      kMillisecond,
                                      11 * kMillisecond,
                                      51 * kMillisecond,
                                      260 * kMillisecond,
                                      kSecond,
                                      2 * kSecond + 1,
                                      11 * kSecond,
                                      31 * kSecond,
                                      131 * kSecond,
                                      8000 * kSecond,
                                      -kMillisecond,
                                      -3 * kSecond};
constexpr std::array<Nanos, 4> kTransits{100 * kMicrosecond, 0, 20 * kMillisecond, -kMillisecond};

// Bits of what became of a segment.
constexpr std::uint8_t kNotAtEntry = 0x01;
constexpr std::uint8_t kNotAtExit = 0x02;
constexpr std::uint8_t kTranslated = 0x10;
constexpr std::uint8_t kRenumbered = 0x20;
constexpr std::uint8_t kTtlFalls = 0x40;
constexpr std::uint8_t kAltered = 0x80;

struct Settings {
    taps::EngineOptions engine;
    firewall::Policy policy;
    taps::Side client_side = taps::Side::outside;
};

Settings settings_from(ByteFeed& feed) {
    Settings settings;
    taps::EngineOptions& engine = settings.engine;
    engine.side_of_tap[1] = taps::Side::inside;
    engine.backing = Backing::lazy;
    engine.conversations_max = 2U + feed.u8() % 64;
    engine.in_flight_max = 64U << feed.u8() % 5;
    engine.open_losses_max = engine.in_flight_max;
    engine.facts_max = 256;
    engine.excerpts_max = 16;
    const std::uint8_t bits = feed.u8();
    engine.learn_nat = (bits & 1) == 0;
    engine.transit_max = (bits & 2) != 0 ? 10 * kMillisecond : kSecond;
    settings.client_side = (bits & 4) != 0 ? taps::Side::inside : taps::Side::outside;
    settings.policy.mode = (bits & 8) != 0 ? firewall::Mode::proxy : firewall::Mode::routed;
    if ((bits & 16) != 0) {
        firewall::Rule rule;
        rule.name = "all";
        rule.expect = (bits & 32) != 0 ? firewall::Expect::drop : firewall::Expect::pass;
        rule.limits.loss_max = 0;
        rule.limits.latency_p99_max = kMillisecond;
        settings.policy.rules.push_back(rule);
        settings.policy.require_seen.push_back(0);
    }
    engine.hash_seed = feed.u8();
    return settings;
}

void add16(std::uint32_t& sum, const std::uint8_t* at) {
    sum += static_cast<std::uint32_t>(at[0] << 8 | at[1]);
}

// The checksum that a payload with this sum has.
void set_checksum(MadeFrame& made, std::uint16_t payload_sum) {
    if (made.tcp_at == 0 || made.bytes.size() < made.tcp_at + 20) {
        return;
    }
    std::uint8_t* const tcp = made.bytes.data() + made.tcp_at;
    const std::size_t header =
        std::min<std::size_t>((tcp[12] >> 4) * 4U, made.bytes.size() - made.tcp_at);
    const bool v6 = made.tcp_at == 40;
    tcp[16] = tcp[17] = 0;
    std::uint32_t sum = payload_sum + 6;
    sum += made.wire_bytes - static_cast<std::uint32_t>(made.tcp_at);
    for (std::size_t at = v6 ? 8 : 12; at < made.tcp_at; at += 2) {
        add16(sum, made.bytes.data() + at);
    }
    for (std::size_t at = 0; at + 1 < header; at += 2) {
        add16(sum, tcp + at);
    }
    sum = (sum & 0xFFFFU) + (sum >> 16);
    sum = ~((sum & 0xFFFFU) + (sum >> 16)) & 0xFFFFU;
    tcp[16] = static_cast<std::uint8_t>(sum >> 8);
    tcp[17] = static_cast<std::uint8_t>(sum & 0xFF);
}

void add32(std::uint8_t* at, std::uint32_t more) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        value = value << 8 | at[i];
    }
    value += more;
    for (int i = 3; i >= 0; --i, value >>= 8) {
        at[i] = static_cast<std::uint8_t>(value & 0xFF);
    }
}

// As it leaves.
MadeFrame passed(const MadeFrame& entered, std::uint8_t fate) {
    MadeFrame left = entered;
    if (left.tcp_at == 0 || left.bytes.size() < left.tcp_at + 20) {
        return left;
    }
    const bool v6 = left.tcp_at == 40;
    std::uint8_t* const bytes = left.bytes.data();
    std::uint8_t* const tcp = bytes + left.tcp_at;
    if ((fate & kTranslated) != 0) {
        const std::size_t source = v6 ? 8 + 14 : 12 + 2;  // the last byte but one of an address
        bytes[source + (left.side == 0 ? 0 : v6 ? 16 : 4)] = 9;
        tcp[left.side == 0 ? 0 : 2] ^= 0x40;
    }
    if ((fate & kRenumbered) != 0) {
        add32(tcp + 4, left.side == 0 ? 1'000'000 : 3'000'000'000U);
        add32(tcp + 8, left.side == 0 ? 3'000'000'000U : 1'000'000);
    }
    bytes[v6 ? 7 : 8] -= (fate & kTtlFalls) != 0 ? 1 : 0;
    return left;
}

class Run {
  public:
    explicit Run(const Settings& settings)
        : engine_(settings.engine, counters_),
          investigation_(
              settings.policy,
              {.facts_max = 64, .conversations_max = 32, .excerpts_max = 8, .notices_max = 32}) {}

    void process(std::span<const Frame> frames) {
        frames_ += frames.size();
        engine_.process(frames);
        drain();
    }
    void tick(Nanos now) {
        engine_.tick(now);
        drain();
        investigation_.advance(now);
    }
    void finish() {
        while (!engine_.finish_some()) {
            drain();
        }
        drain();
        investigation_.finish();
        take_notices();
        TW_CHECK(counters_.get(Counter::frames) == frames_);
        TW_CHECK(counters_.get(Counter::taps_facts) == facts_);
        TW_CHECK(counters_.get(Counter::taps_facts_dropped) == 0);
        TW_CHECK(counters_.get(Counter::taps_records) == records_.size());
        TW_CHECK(counters_.get(Counter::taps_conversations) >= records_.size());
        report();
    }

  private:
    void drain() {
        taps::Fact fact;
        while (engine_.pop(fact)) {
            ++facts_;
            TW_CHECK(fact.cites_count <= taps::Fact::kCitesMax);
            investigation_.add(fact);
        }
        taps::Excerpt excerpt;
        while (engine_.pop(excerpt)) {
            TW_CHECK(excerpt.count <= taps::Excerpt::kPacketsMax);
            investigation_.add(excerpt);
        }
        taps::Conversation record;
        while (engine_.pop(record)) {
            TW_CHECK(record.seen[0] || record.seen[1]);
            TW_CHECK((record.pairing != taps::Pairing::unpaired) ==
                     (record.seen[0] && record.seen[1]));
            TW_CHECK(records_.insert(record.id).second);
            investigation_.add(record);
        }
        take_notices();
    }
    void take_notices() {
        while (const auto notice = investigation_.next_notice()) {
            TW_CHECK(!sinks::firewall_notice_json(*notice).empty());
        }
    }
    void report() {
        firewall::Confidence confidence;
        confidence.health = engine_.health();
        const firewall::Report report =
            investigation_.report(std::move(confidence), engine_.passage());
        TW_CHECK(!sinks::firewall_text(report, {}).empty());
        TW_CHECK(!sinks::firewall_json(report).empty());
    }

    stats::Counters counters_;
    taps::Engine engine_;
    firewall::Investigation investigation_;
    std::set<std::uint64_t> records_;
    std::uint64_t frames_ = 0;
    std::uint64_t facts_ = 0;
};

// Frames of one burst in heap blocks of exactly their size.
class Burst {
  public:
    void add(const MadeFrame& made, taps::Side tap, Nanos time) {
        bytes_.emplace_back(new std::uint8_t[made.bytes.size()]);
        std::copy(made.bytes.begin(), made.bytes.end(), bytes_.back().get());
        Frame frame;
        frame.data = bytes_.back().get();
        frame.captured_bytes = static_cast<std::uint32_t>(made.bytes.size());
        frame.wire_bytes = std::max(frame.captured_bytes, made.wire_bytes);
        frame.time = time;
        frame.number = ++numbers_[taps::index(tap)];
        frame.tap = static_cast<std::uint8_t>(taps::index(tap));
        frame.link = made.link;
        frames_.push_back(frame);
    }
    [[nodiscard]] std::span<const Frame> frames() const { return frames_; }
    [[nodiscard]] bool full() const { return frames_.size() + 2 > kBurstMax; }
    void clear() {
        frames_.clear();
        bytes_.clear();
    }

  private:
    std::vector<std::unique_ptr<std::uint8_t[]>> bytes_;
    std::vector<Frame> frames_;
    std::array<std::uint64_t, taps::kSides> numbers_{};
};

void run(std::span<const std::uint8_t> input) {
    ByteFeed feed(input);
    const Settings settings = settings_from(feed);
    Run run(settings);
    SegmentMaker maker;
    Burst burst;
    Nanos now = 1'700'000'000 * kSecond;
    for (std::uint32_t count = 0; !feed.empty() && count < kFramesMax; ++count) {
        const std::uint8_t gap = feed.u8();
        const std::uint8_t fate = feed.u8();
        now += kGaps[gap & 15];
        MadeFrame made = maker.next(feed);
        const std::uint16_t sum = feed.u8();
        set_checksum(made, sum);
        const taps::Side entry =
            made.side == 0 ? settings.client_side : taps::other(settings.client_side);
        if ((fate & kNotAtEntry) == 0) {
            burst.add(made, entry, now);
        }
        if ((fate & kNotAtExit) == 0) {
            MadeFrame left = passed(made, fate);
            set_checksum(left, static_cast<std::uint16_t>(sum ^ ((fate & kAltered) != 0 ? 1 : 0)));
            burst.add(left, taps::other(entry), now + kTransits[fate >> 2 & 3]);
        }
        if ((gap & 0x80) != 0 || burst.full()) {
            run.process(burst.frames());
            burst.clear();
            run.tick(now);
        }
    }
    run.process(burst.frames());
    run.finish();
}

}  // namespace
}  // namespace tw::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tw::fuzz::run({data, size});
    return 0;
}
