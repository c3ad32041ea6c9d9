// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/monitor.hpp"

#include <algorithm>
#include <map>

#include "firewall/investigation.hpp"
#include "simulation/two_taps/wire_bytes.hpp"
#include "support/pcap_writer.hpp"

namespace tw::sim::two_taps {
namespace {

constexpr std::size_t kBurst = 8;

struct Turn {
    TapSide tap = TapSide::outside;
    std::size_t index = 0;
    Nanos time = 0;
};

// Both captures as one, by time.
std::vector<Turn> merged(const Record& record) {
    std::vector<Turn> turns;
    for (const TapSide tap : {TapSide::outside, TapSide::inside}) {
        const auto& captures = record.captures[taps::index(tap)];
        for (std::size_t i = 0; i < captures.size(); ++i) {
            turns.push_back({tap, i, captures[i].time});
        }
    }
    std::ranges::stable_sort(turns, {}, &Turn::time);
    return turns;
}

std::vector<std::uint8_t> bytes_of(const Plan& plan, const Record& record, const Turn& turn) {
    const Captured& captured = record.captures[taps::index(turn.tap)][turn.index];
    return wire_bytes(
        record.sightings[captured.sighting].packet,
        {.vlan = plan.mirrors[taps::index(turn.tap)].vlan, .ttl_less = captured.ttl_less});
}

taps::EngineOptions engine_options() {
    taps::EngineOptions options;
    options.side_of_tap[0] = TapSide::outside;
    options.side_of_tap[1] = TapSide::inside;
    options.backing = Backing::lazy;
    options.conversations_max = 256;
    options.in_flight_max = 4096;
    options.open_losses_max = 4096;
    options.facts_max = 1024;
    options.excerpts_max = 8;
    return options;
}

class MonitorRun {
  public:
    MonitorRun(const Plan& plan, const Record& record)
        : plan_(plan),
          record_(record),
          engine_(engine_options(), counters_),
          investigation_(policy_, {.facts_max = 65'536, .conversations_max = 1024}) {}

    Findings run() {
        const std::vector<Turn> turns = merged(record_);
        for (std::size_t at = 0; at < turns.size(); at += kBurst) {
            feed(std::span(turns).subspan(at, std::min(kBurst, turns.size() - at)));
            collect();
        }
        while (!engine_.finish_some()) {
            collect();
        }
        collect();
        investigation_.finish();
        take_notices();
        findings_.report = investigation_.report(confidence(), engine_.passage());
        const bool usable = findings_.report.confidence.trust != firewall::Trust::unusable;
        for (auto& [id, claim] : claims_) {
            if (!usable) {
                claim.grade = taps::Grade::unproven;  // nothing is said of such a capture
            }
            findings_.claims.push_back(claim);
        }
        return std::move(findings_);
    }

  private:
    void feed(std::span<const Turn> turns) {
        std::array<std::vector<std::uint8_t>, kBurst> bytes;
        std::array<Frame, kBurst> frames;
        for (std::size_t i = 0; i < turns.size(); ++i) {
            bytes[i] = bytes_of(plan_, record_, turns[i]);
            const std::uint32_t snaplen = plan_.mirrors[taps::index(turns[i].tap)].snaplen;
            Frame& frame = frames[i];
            frame.data = bytes[i].data();
            frame.wire_bytes = static_cast<std::uint32_t>(bytes[i].size());
            frame.captured_bytes =
                snaplen == 0 ? frame.wire_bytes : std::min(snaplen, frame.wire_bytes);
            frame.time = plan_.hosts.start + turns[i].time;
            frame.number = turns[i].index + 1;
            frame.tap = static_cast<std::uint8_t>(turns[i].tap);
        }
        engine_.process(std::span(frames).first(turns.size()));
    }

    void collect() {
        taps::Fact fact;
        while (engine_.pop(fact)) {
            investigation_.add(fact);
        }
        taps::Excerpt excerpt;
        while (engine_.pop(excerpt)) {
            investigation_.add(excerpt);
        }
        taps::Conversation conversation;
        while (engine_.pop(conversation)) {
            investigation_.add(conversation);
            findings_.conversations.push_back(conversation);
        }
        take_notices();
    }

    // The last word on a fact counts.
    void take_notices() {
        while (const auto notice = investigation_.next_notice()) {
            claims_[notice->id] = {
                .fact = notice->fact, .grade = notice->grade, .behaviour = notice->behaviour};
        }
    }

    [[nodiscard]] firewall::Confidence confidence() const {
        firewall::Confidence out;
        out.health = engine_.health();
        for (const TapSide side : {TapSide::outside, TapSide::inside}) {
            const auto& captures = record_.captures[taps::index(side)];
            firewall::TapReport& tap = out.taps[taps::index(side)];
            tap.name = taps::name(side);
            tap.frames = captures.size();
            if (!captures.empty()) {
                tap.first = plan_.hosts.start + captures.front().time;
                tap.last = plan_.hosts.start + captures.back().time;
            }
        }
        return out;
    }

    const Plan& plan_;
    const Record& record_;
    stats::Counters counters_;
    taps::Engine engine_;
    firewall::Policy policy_;
    firewall::Investigation investigation_;
    std::map<std::uint64_t, Claim> claims_;  // by the fact's id
    Findings findings_;
};

}  // namespace

Findings monitor(const Plan& plan, const Record& record) {
    return MonitorRun(plan, record).run();
}

void save_captures(const Plan& plan, const Record& record, const std::string& folder) {
    std::array<test::PcapWriter, taps::kSides> writers;
    for (const Turn& turn : merged(record)) {
        const std::uint32_t snaplen = plan.mirrors[taps::index(turn.tap)].snaplen;
        const auto bytes = bytes_of(plan, record, turn);
        const std::size_t kept =
            snaplen == 0 ? bytes.size() : std::min<std::size_t>(snaplen, bytes.size());
        writers[taps::index(turn.tap)].packet(
            plan.hosts.start + turn.time, std::span(bytes).first(kept),
            {.wire_bytes = static_cast<std::uint32_t>(bytes.size())});
    }
    for (const TapSide tap : {TapSide::outside, TapSide::inside}) {
        writers[taps::index(tap)].save(folder + "/" + std::string(taps::name(tap)) + ".pcap");
    }
}

}  // namespace tw::sim::two_taps
