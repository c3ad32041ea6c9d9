// SPDX-License-Identifier: BSD-3-Clause
// A whole capture through two pipelines with small limits, one fed in bursts, one frame by frame.
// No traffic may break an invariant of the counters, and how frames are cut into bursts must not
// show in what is found.
//
// Input: options (4), then records of segment_maker.hpp, each after its distance in time (1); a set
// high bit there ends the burst.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "base/check.hpp"
#include "core/flow/plain_index.hpp"
#include "core/pipeline.hpp"
#include "fuzz/segment_maker.hpp"

namespace tw::fuzz {
namespace {

using stats::Counter;

constexpr std::uint32_t kFramesMax = 1024;
// Around the limits of the rules: 3 ms (out of order), 20 ms (fast retransmission), the direction
// skew, the time limits of connections, and backwards.
constexpr std::array<Nanos, 16> kGaps{0,
                                      1,
                                      kMicrosecond,
                                      kMillisecond,
                                      3 * kMillisecond,
                                      3 * kMillisecond + 1,
                                      20 * kMillisecond,
                                      51 * kMillisecond,
                                      kSecond,
                                      6 * kSecond,
                                      11 * kSecond,
                                      301 * kSecond,
                                      -1,
                                      -kMillisecond,
                                      -kSecond,
                                      -400 * kSecond};

PipelineOptions options_from(ByteFeed& feed) {
    PipelineOptions options;
    options.flows.backing = Backing::lazy;
    options.flows.v4_max = 1U + feed.u8() % 40;
    options.flows.v6_max = 1U + feed.u8() % 20;
    const std::uint8_t bits = feed.u8();
    options.flows.timeouts.enabled = (bits & 1) != 0;
    options.analysis.exact_flight = (bits & 2) != 0;
    options.flows.details_divisor = (bits & 4) != 0 ? 16 : 1;
    options.analysis.direction_skew = of_every_tap((bits & 8) != 0 ? 50 * kMillisecond : 0);
    options.flows.hash_seed = feed.u8();
    return options;
}

class Run {
  public:
    Run(const PipelineOptions& options, event::Outbox& outbox)
        : index_v4_(sizeof(flow::KeyV4), options.flows.v4_max, Backing::lazy),
          index_v6_(sizeof(flow::KeyV6), options.flows.v6_max, Backing::lazy),
          outbox_(outbox),
          pipeline_(options, index_v4_, index_v6_, outbox_, counters_),
          flows_max_(options.flows.v4_max + options.flows.v6_max) {}

    std::span<const Observation> process(std::span<const Frame> frames) {
        frames_ += frames.size();
        const auto observations = pipeline_.process(frames);
        TW_CHECK(observations.size() == frames.size());
        TW_CHECK(pipeline_.live_flows() <= flows_max_);
        drain();
        return observations;
    }
    void tick(Nanos now) {
        pipeline_.tick(now);
        drain();
    }
    void finish() {
        while (!pipeline_.close_some(8)) {
            drain();
        }
        drain();
        TW_CHECK(pipeline_.live_flows() == 0);
        check_counters();
    }
    [[nodiscard]] const std::vector<event::Event>& events() const { return events_; }

  private:
    void drain() {
        event::Event event;
        while (outbox_.pop(event)) {
            events_.push_back(event);
        }
        event::FlowRecord record;
        while (outbox_.pop(record)) {
            ++flow_records_;
        }
    }
    void check_counters() const {
        std::uint64_t outcomes = 0;
        for (auto row = static_cast<std::uint8_t>(Counter::decoded_segments);
             row <= static_cast<std::uint8_t>(Counter::decode_filtered); ++row) {
            outcomes += counters_.get(static_cast<Counter>(row));
        }
        TW_CHECK(counters_.get(Counter::frames) == frames_);
        TW_CHECK(outcomes == frames_);
        TW_CHECK(counters_.get(Counter::events_emitted) == events_.size());
        TW_CHECK(counters_.get(Counter::events_dropped) == 0);
        TW_CHECK(counters_.get(Counter::flow_records_emitted) == flow_records_);
        TW_CHECK(counters_.get(Counter::flow_records_dropped) == 0);
        TW_CHECK(counters_.get(Counter::flows_created) ==
                 counters_.get(Counter::flows_reused) + counters_.get(Counter::flows_expired) +
                     counters_.get(Counter::flows_evicted_embryonic) +
                     counters_.get(Counter::flows_evicted_closed) +
                     counters_.get(Counter::flows_evicted_established) +
                     counters_.get(Counter::flows_closed_at_end));
        TW_CHECK(counters_.get(Counter::flows_created) == flow_records_);
    }

    flow::PlainIndex index_v4_;
    flow::PlainIndex index_v6_;
    event::Outbox& outbox_;
    stats::Counters counters_;
    Pipeline pipeline_;
    std::uint64_t flows_max_;
    std::uint64_t frames_ = 0;
    std::uint64_t flow_records_ = 0;
    std::vector<event::Event> events_;
};

bool same(const Observation& a, const Observation& b) {
    return a.tcp == b.tcp && a.v6 == b.v6 && a.completeness == b.completeness &&
           a.flags == b.flags && a.stream == b.stream && a.initial_rtt == b.initial_rtt;
}

bool same(const event::Event& a, const event::Event& b) {
    return a.id == b.id && a.type == b.type && a.resolution == b.resolution &&
           a.direction == b.direction && a.flow.stream == b.flow.stream && a.time == b.time &&
           a.time_end == b.time_end && a.seq_begin == b.seq_begin && a.seq_end == b.seq_end &&
           a.bytes == b.bytes && a.repeats_count == b.repeats_count &&
           a.subject[0].frame == b.subject[0].frame && a.evidence[0].frame == b.evidence[0].frame;
}

// Frames of one burst in heap blocks of exactly their size.
class Burst {
  public:
    void add(const MadeFrame& made, Nanos time, std::uint64_t number) {
        bytes_.emplace_back(new std::uint8_t[made.bytes.size()]);
        std::copy(made.bytes.begin(), made.bytes.end(), bytes_.back().get());
        Frame frame;
        frame.data = bytes_.back().get();
        frame.captured_bytes = static_cast<std::uint32_t>(made.bytes.size());
        frame.wire_bytes = std::max(frame.captured_bytes, made.wire_bytes);
        frame.time = time;
        frame.number = number;
        frame.link = made.link;
        frames_.push_back(frame);
    }
    [[nodiscard]] std::span<const Frame> frames() const { return frames_; }
    void clear() {
        frames_.clear();
        bytes_.clear();
    }

  private:
    std::vector<std::unique_ptr<std::uint8_t[]>> bytes_;
    std::vector<Frame> frames_;
};

void compare(Run& in_bursts, Run& one_by_one, const Burst& burst) {
    const auto together = in_bursts.process(burst.frames());
    for (std::size_t i = 0; i < burst.frames().size(); ++i) {
        const auto alone = one_by_one.process(burst.frames().subspan(i, 1));
        TW_CHECK(same(together[i], alone[0]));
    }
}

void run(std::span<const std::uint8_t> input) {
    ByteFeed feed(input);
    const PipelineOptions options = options_from(feed);
    // Kept from input to input: to clear them costs more than a run. Both stay at the same ids.
    static std::array<event::Outbox, 2> outboxes{event::Outbox({.events_max = 4096}),
                                                 event::Outbox({.events_max = 4096})};
    Run in_bursts(options, outboxes[0]);
    Run one_by_one(options, outboxes[1]);
    SegmentMaker maker;
    Burst burst;
    Nanos now = 1'700'000'000 * kSecond;
    for (std::uint64_t number = 1; !feed.empty() && number <= kFramesMax; ++number) {
        const std::uint8_t gap = feed.u8();
        now += kGaps[gap & 15];
        burst.add(maker.next(feed), now, number);
        if ((gap & 0x80) != 0 || burst.frames().size() == kBurstMax) {
            compare(in_bursts, one_by_one, burst);
            burst.clear();
            in_bursts.tick(now);
            one_by_one.tick(now);
        }
    }
    compare(in_bursts, one_by_one, burst);
    in_bursts.finish();
    one_by_one.finish();
    TW_CHECK(in_bursts.events().size() == one_by_one.events().size());
    for (std::size_t i = 0; i < in_bursts.events().size(); ++i) {
        TW_CHECK(same(in_bursts.events()[i], one_by_one.events()[i]));
    }
}

}  // namespace
}  // namespace tw::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tw::fuzz::run({data, size});
    return 0;
}
