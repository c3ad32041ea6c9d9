// SPDX-License-Identifier: BSD-3-Clause
// A flood of SYNs from forged addresses through a firewall's two taps, while established
// connections go on: the engine's memory must stay what it stated, every packet of the established
// ones must still find its twin, and what could not be followed must be counted. Exit code 1 if
// not.
//
// usage: flood_bench [SYNS]
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "core/taps/engine.hpp"
#include "traffic.hpp"

namespace tw::bench {
namespace {

using stats::Counter;
using taps::Side;

constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kAck = 16;
constexpr Nanos kBegin = 1000 * kSecond;
// A million SYNs a second.
constexpr Nanos kGap = kMicrosecond;
// So often each established connection sends during the flood.
constexpr std::uint64_t kRounds = 20;
constexpr Nanos kTransit = 100 * kMicrosecond;

struct Syn {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint16_t port = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint8_t flags = kSyn;
    std::uint16_t bytes = 0;  // payload
    std::uint8_t ttl = 64;
};

// Ethernet, IPv4, TCP without options; 6 bytes of payload at most.
class FrameBytes {
  public:
    static constexpr std::size_t kMost = 14 + 20 + 20 + 6;

    Frame make(const Syn& syn, Side tap, Nanos time) {
        const std::size_t bytes = kMost - 6 + syn.bytes;
        bytes_.fill(0);
        bytes_[12] = 8;
        std::uint8_t* const ip = &bytes_[14];
        ip[0] = 0x45;
        put16(ip + 2, static_cast<std::uint16_t>(bytes - 14));
        put16(ip + 4, static_cast<std::uint16_t>(syn.seq | 1U));
        ip[8] = syn.ttl;
        ip[9] = 6;
        put32(ip + 12, syn.source);
        put32(ip + 16, syn.destination);
        std::uint8_t* const tcp = ip + 20;
        put16(tcp, syn.port);
        put16(tcp + 2, 443);
        put32(tcp + 4, syn.seq);
        put32(tcp + 8, syn.ack);
        tcp[12] = 5 << 4;
        tcp[13] = syn.flags;
        put16(tcp + 14, 64240);
        put16(tcp + 16, 0x1234);
        Frame frame;
        frame.data = bytes_.data();
        frame.captured_bytes = static_cast<std::uint32_t>(bytes);
        frame.wire_bytes = static_cast<std::uint32_t>(bytes);
        frame.time = time;
        frame.tap = static_cast<std::uint8_t>(taps::index(tap));
        return frame;
    }

  private:
    static void put16(std::uint8_t* at, std::uint16_t value) {
        at[0] = static_cast<std::uint8_t>(value >> 8);
        at[1] = static_cast<std::uint8_t>(value);
    }
    static void put32(std::uint8_t* at, std::uint32_t value) {
        put16(at, static_cast<std::uint16_t>(value >> 16));
        put16(at + 2, static_cast<std::uint16_t>(value));
    }

    std::array<std::uint8_t, kMost> bytes_{};
};

// The most this process has had in memory so far.
std::uint64_t resident_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss);
}

class Flood {
  public:
    Flood(std::uint32_t established, bool both_taps)
        : counters_(std::make_unique<stats::Counters>()),
          engine_(options(), *counters_),
          sent_(established, 1),
          both_taps_(both_taps) {}

    void run(std::uint64_t syns) {
        engine_.tick(kBegin - 10 * kSecond);
        for (std::uint32_t i = 0; i < sent_.size(); ++i) {
            pass({.seq = 0, .flags = kSyn}, i);
            pass({.seq = 1, .ack = 1, .flags = kAck}, i);
        }
        const std::uint64_t step = std::max<std::uint64_t>(1, syns / kRounds);
        for (std::uint64_t i = 0; i < syns; ++i) {
            forged(i);
            if (i % step == step - 1 && i / step < kRounds) {
                for (std::uint32_t one = 0; one < sent_.size(); ++one) {
                    pass({.seq = sent_[one], .ack = 1, .flags = kAck, .bytes = 6}, one);
                    sent_[one] += 6;
                }
                // Filled by then: what comes from now on must take no more.
                resident_half_ = i < syns / 2 ? resident_kib() : resident_half_;
            }
        }
        flush();
        engine_.tick(time_ + 20 * kSecond);
        drain();
        while (!engine_.finish_some()) {
            drain();
        }
        drain();
        resident_ = resident_kib();
    }

    // False if memory grew, an established connection was lost sight of, or nothing was counted.
    [[nodiscard]] bool holds(std::size_t stated) const {
        const std::uint64_t unfollowed =
            counters_->get(Counter::taps_refused) + counters_->get(Counter::taps_evicted);
        std::printf(
            "{\"flood\": \"%s\", \"stated_mib\": %zu, \"resident_half_way_mib\": %llu, "
            "\"resident_mib\": %llu, \"not_followed\": %llu, \"established\": %zu, "
            "\"kept\": %llu, \"facts_about_them\": %llu}\n",
            both_taps_ ? "both taps" : "one tap", stated >> 20,
            static_cast<unsigned long long>(resident_half_ >> 10),
            static_cast<unsigned long long>(resident_ >> 10),
            static_cast<unsigned long long>(unfollowed), sent_.size(),
            static_cast<unsigned long long>(kept_), static_cast<unsigned long long>(told_));
        // What is around the engine.
        constexpr std::uint64_t kSlackKib = 32 << 10;
        return engine_.memory_bytes() == stated && resident_ <= (stated >> 10) + kSlackKib &&
               kept_ == sent_.size() && told_ == 0 && unfollowed != 0;
    }

    [[nodiscard]] std::size_t stated() const { return engine_.memory_bytes(); }

  private:
    static taps::EngineOptions options() {
        taps::EngineOptions options;
        options.side_of_tap[1] = Side::inside;
        options.backing = Backing::lazy;
        options.hash_seed = 4711;
        return options;
    }

    void add(const Syn& syn, Side tap, Nanos time) {
        frames_[count_] = bytes_[count_].make(syn, tap, time);
        if (++count_ == kBurstMax) {
            flush();
        }
    }

    void flush() {
        engine_.process(std::span(frames_).first(count_));
        count_ = 0;
        drain();
    }

    void drain() {
        taps::Fact fact;
        while (engine_.pop(fact)) {
            told_ += fact.packet.payload_bytes != 0 || fact.packet.ack != 0 ? 1 : 0;
        }
        taps::Excerpt excerpt;
        while (engine_.pop(excerpt)) {
        }
        taps::Conversation conversation;
        while (engine_.pop(conversation)) {
            const taps::WayCounts& way = conversation.ways[0];
            kept_ += way.entered == kRounds + 2 && way.passed == kRounds + 2 ? 1 : 0;
        }
    }

    void pass(Syn syn, std::uint32_t number) {
        syn.source = 0xC0000200U + number;
        syn.destination = 0x0A140050U;
        syn.port = static_cast<std::uint16_t>(40'000 + number % 10'000);
        time_ += kGap;
        add(syn, Side::outside, time_);
        syn.ttl = 63;
        add(syn, Side::inside, time_ + kTransit);
    }

    void forged(std::uint64_t nth) {
        Syn syn;
        syn.source = 0x20000000U + random_.below(0x60000000U);
        syn.destination = 0x0A140050U;
        syn.port = static_cast<std::uint16_t>(1024 + random_.below(60'000));
        syn.seq = 1 + static_cast<std::uint32_t>(nth);
        time_ += kGap;
        add(syn, Side::outside, time_);
        if (both_taps_) {
            syn.ttl = 63;
            add(syn, Side::inside, time_ + kTransit);
        }
    }

    std::unique_ptr<stats::Counters> counters_;
    taps::Engine engine_;
    std::vector<std::uint32_t> sent_;
    bool both_taps_;
    Random random_{99};
    Nanos time_ = kBegin;
    std::array<Frame, kBurstMax> frames_{};
    std::array<FrameBytes, kBurstMax> bytes_{};
    std::uint32_t count_ = 0;
    std::uint64_t kept_ = 0;  // established ones of which every packet was followed
    std::uint64_t told_ = 0;  // facts about them
    std::uint64_t resident_half_ = 0;
    std::uint64_t resident_ = 0;
};

bool withstands(std::uint64_t syns, bool both_taps) {
    constexpr std::uint32_t kEstablished = 1000;
    Flood flood(kEstablished, both_taps);
    const std::size_t stated = flood.stated();
    flood.run(syns);
    return flood.holds(stated);
}

}  // namespace
}  // namespace tw::bench

int main(int argc, char** argv) {
    const std::uint64_t syns = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
    bool holds = true;
    for (const bool both_taps : {false, true}) {
        holds = tw::bench::withstands(syns, both_taps) && holds;
    }
    return holds ? 0 : 1;
}
