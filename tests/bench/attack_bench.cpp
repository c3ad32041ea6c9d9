// SPDX-License-Identifier: BSD-3-Clause
// What a packet of traffic made to be expensive costs beside one of calm traffic, on one core:
// prints one JSON object per line: name, packets per second of CPU time of each repetition.
// Variants take turns within each repetition; scripts/bench makes the ratios.
//
// usage: attack_bench [REPEATS]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/check.hpp"
#include "support/attack_frames.hpp"
#include "support/flat_memory.hpp"

namespace tw::bench {
namespace {

constexpr std::uint32_t kBatch = 1U << 16;

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// One kind of traffic against a monitor of its own, batch after batch.
class Variant {
  public:
    explicit Variant(test::FrameMaker maker)
        : maker_(std::move(maker)),
          monitor_(std::make_unique<test::CountingMonitor>(test::small_live_table())),
          bytes_(kBatch, maker_.pattern),
          frames_(kBatch) {}

    void run(bool counts) {
        for (std::uint32_t i = 0; i < kBatch; ++i) {
            maker_.prepare(bytes_[i], sent_ + i);
            frames_[i] = test::frame_of(bytes_[i], kSecond + Nanos{sent_ + i} * kMicrosecond);
        }
        sent_ += kBatch;
        const double begin = thread_seconds();
        for (std::uint32_t i = 0; i < kBatch; i += kBurstMax) {
            monitor_->feed(std::span<const Frame>(frames_).subspan(i, kBurstMax));
        }
        if (counts) {
            rates_.push_back(double{kBatch} / (thread_seconds() - begin));
        }
    }
    void print() const {
        TW_CHECK(monitor_->counters.get(stats::Counter::decoded_segments) == sent_);
        std::printf("{\"name\": \"%s\", \"rates\": [", std::string(maker_.name).c_str());
        for (std::size_t i = 0; i < rates_.size(); ++i) {
            std::printf("%s%.0f", i == 0 ? "" : ", ", rates_[i]);
        }
        std::printf("]}\n");
    }

  private:
    test::FrameMaker maker_;
    std::unique_ptr<test::CountingMonitor> monitor_;
    std::vector<test::Bytes> bytes_;
    std::vector<Frame> frames_;
    std::uint32_t sent_ = 0;
    std::vector<double> rates_;
};

int measure(std::uint32_t repeats) {
    std::vector<Variant> variants;
    variants.emplace_back(test::calm_traffic());
    variants.emplace_back(test::holes_only());
    variants.emplace_back(test::one_byte_overlaps());
    variants.emplace_back(test::sack_garbage());
    variants.emplace_back(test::syns_again());
    variants.emplace_back(test::contradicted_resets());
    variants.emplace_back(test::shut_windows());
    // Lists are full and memory is touched after some batches; these do not count.
    constexpr std::uint32_t kWarmUp = 6;
    for (std::uint32_t repeat = 0; repeat < kWarmUp + repeats; ++repeat) {
        for (Variant& variant : variants) {
            variant.run(repeat >= kWarmUp);
        }
    }
    for (const Variant& variant : variants) {
        variant.print();
    }
    return 0;
}

}  // namespace
}  // namespace tw::bench

int main(int argc, char** argv) {
    const unsigned long repeats = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 7;
    return tw::bench::measure(static_cast<std::uint32_t>(std::clamp(repeats, 1UL, 1000UL)));
}
