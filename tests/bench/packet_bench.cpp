// SPDX-License-Identifier: BSD-3-Clause
// Measures the path of a packet on one core and prints one JSON object per line: name, connections,
// packets per second of CPU time of each repetition. Variants take turns on the same traffic within
// each repetition, so that what disturbs the machine disturbs all of them; scripts/bench makes
// ratios repetition by repetition and prints their medians.
//
// usage: packet_bench [--repeats N] [--batches N] [--flows N,N,...]
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/ceiling.hpp"
#include "bench/decode_frames.hpp"
#include "bench/traffic.hpp"
#include "core/flow/hash.hpp"
#include "core/flow/plain_index.hpp"
#include "core/pipeline.hpp"

namespace tw::bench {
namespace {

struct Arguments {
    std::uint32_t repeats = 7;
    std::uint32_t batches = 4;  // of Traffic::kBatch packets each, per repetition
    std::vector<std::uint32_t> flows{10'000, 100'000, 1'000'000};
};

struct Series {
    std::string name;
    std::uint32_t flows_count = 0;
    std::vector<double> rates;  // packets per second
};

// CPU time of this thread: what others do on the same core meanwhile is not counted, though the
// caches they leave behind are.
double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_of(const std::function<void()>& work) {
    const double begin = thread_seconds();
    work();
    return thread_seconds() - begin;
}

void print(const Series& series) {
    std::printf("{\"name\": \"%s\", \"flows\": %u, \"rates\": [", series.name.c_str(),
                series.flows_count);
    for (std::size_t i = 0; i < series.rates.size(); ++i) {
        std::printf("%s%.0f", i == 0 ? "" : ", ", series.rates[i]);
    }
    std::printf("]}\n");
    std::fflush(stdout);
}

// One pipeline with its index, fed as a worker feeds it.
class PipelineRun {
  public:
    // A worker's housekeeping interval.
    static constexpr std::uint32_t kBurstsPerTick = 64;

    PipelineRun(std::string name, std::uint32_t flows_count,
                std::unique_ptr<flow::FlowIndex> index_v4,
                std::unique_ptr<flow::FlowIndex> index_v6)
        : name_(std::move(name)),
          index_v4_(std::move(index_v4)),
          index_v6_(std::move(index_v6)),
          outbox_(event::OutboxOptions{}),
          pipeline_(options(flows_count), *index_v4_, *index_v6_, outbox_, counters_) {}

    static constexpr std::uint32_t kV6Max = 1024;

    [[nodiscard]] const std::string& name() const { return name_; }

    void run(const Traffic& traffic, std::uint32_t count) {
        std::array<Frame, kBurstMax> burst;
        std::uint32_t bursts = 0;
        for (std::uint32_t begin = 0; begin < count; begin += kBurstMax) {
            const std::uint32_t size = std::min(kBurstMax, count - begin);
            for (std::uint32_t i = 0; i < size; ++i) {
                burst[i] = traffic.frame(begin + i);
                __builtin_prefetch(burst[i].data);  // as both live workers do
            }
            const auto observations = pipeline_.process(std::span<const Frame>(burst).first(size));
            flags_seen_ |= observations[size - 1].flags.bits();
            if (++bursts % kBurstsPerTick == 0) {
                pipeline_.tick(burst[size - 1].time);
            }
        }
        packets_ += count;
    }

    // A run that did not analyse every packet, or that raised flags, did not measure what it says.
    void check(std::uint32_t flows_count) const {
        TW_CHECK(counters_.get(stats::Counter::decoded_segments) == packets_);
        TW_CHECK(pipeline_.live_flows() == flows_count);
        TW_CHECK(counters_.get(stats::Counter::flows_created) == flows_count);
        TW_CHECK(counters_.get(stats::Counter::events_emitted) == 0);
        TW_CHECK(flags_seen_ == 0);
    }

  private:
    static PipelineOptions options(std::uint32_t flows_count) {
        PipelineOptions options;
        options.flows.v4_max = flows_count;
        options.flows.v6_max = kV6Max;
        options.flows.hash_seed = kHashSeed;
        return options;
    }

    std::string name_;
    std::unique_ptr<flow::FlowIndex> index_v4_;
    std::unique_ptr<flow::FlowIndex> index_v6_;
    event::Outbox outbox_;
    stats::Counters counters_;
    Pipeline pipeline_;
    std::uint64_t packets_ = 0;
    std::uint16_t flags_seen_ = 0;
};

Lookups lookups_of(const Traffic& traffic) {
    Lookups lookups;
    for (const std::uint32_t flow_number : traffic.flow_numbers()) {
        lookups.keys.push_back(Traffic::key(flow_number));
        lookups.hashes.push_back(flow::hash_key(lookups.keys.back(), kHashSeed));
    }
    return lookups;
}

std::vector<std::unique_ptr<PipelineRun>> make_pipelines(std::uint32_t flows_count) {
    std::vector<std::unique_ptr<PipelineRun>> runs;
    if (live::start()) {
        runs.push_back(std::make_unique<PipelineRun>(
            "pipeline, rte_hash", flows_count, live::make_index(sizeof(flow::KeyV4), flows_count),
            live::make_index(sizeof(flow::KeyV6), PipelineRun::kV6Max)));
    }
    const auto plain = [](std::size_t key_bytes, std::uint32_t keys_max) {
        return std::make_unique<flow::PlainIndex>(static_cast<std::uint32_t>(key_bytes), keys_max,
                                                  Backing::populated);
    };
    runs.push_back(std::make_unique<PipelineRun>("pipeline, plain index", flows_count,
                                                 plain(sizeof(flow::KeyV4), flows_count),
                                                 plain(sizeof(flow::KeyV6), PipelineRun::kV6Max)));
    return runs;
}

void measure_packet_path(const Arguments& arguments, std::uint32_t flows_count) {
    Traffic traffic(flows_count);
    std::vector<std::unique_ptr<Ceiling>> ceilings;
    if (live::start()) {
        ceilings.push_back(live::make_ceiling(flows_count));
    }
    ceilings.push_back(make_plain_ceiling(flows_count));
    const auto pipelines = make_pipelines(flows_count);
    while (const std::uint32_t count = traffic.next_handshakes()) {
        for (const auto& run : pipelines) {
            run->run(traffic, count);
        }
    }

    std::vector<Series> series;
    for (const auto& ceiling : ceilings) {
        series.push_back({"look-up, " + ceiling->name(), flows_count, {}});
    }
    for (const auto& run : pipelines) {
        series.push_back({run->name(), flows_count, {}});
    }
    // The first repetition only warms up.
    for (std::uint32_t repeat = 0; repeat <= arguments.repeats; ++repeat) {
        std::vector<double> seconds(series.size());
        for (std::uint32_t batch = 0; batch < arguments.batches; ++batch) {
            traffic.next_batch();
            const Lookups lookups = lookups_of(traffic);
            std::size_t row = 0;
            for (const auto& ceiling : ceilings) {
                seconds[row++] += seconds_of([&] { ceiling->run(lookups); });
            }
            for (const auto& run : pipelines) {
                seconds[row++] += seconds_of([&] { run->run(traffic, Traffic::kBatch); });
            }
        }
        for (std::size_t row = 0; repeat > 0 && row < series.size(); ++row) {
            series[row].rates.push_back(arguments.batches * double{Traffic::kBatch} / seconds[row]);
        }
    }
    for (const auto& ceiling : ceilings) {
        TW_CHECK(ceiling->packets() ==
                 std::uint64_t{arguments.repeats + 1} * arguments.batches * Traffic::kBatch);
    }
    for (const auto& run : pipelines) {
        run->check(flows_count);
    }
    for (const Series& row : series) {
        print(row);
    }
}

void measure_decode(const Arguments& arguments) {
    std::vector<DecodeFrames> variants = decode_variants();
    std::vector<Series> series;
    for (const DecodeFrames& variant : variants) {
        series.push_back({"decode, " + variant.name(), 0, {}});
    }
    constexpr std::uint32_t kRounds = 256;
    for (std::uint32_t repeat = 0; repeat <= arguments.repeats; ++repeat) {
        for (std::size_t row = 0; row < variants.size(); ++row) {
            const double seconds = seconds_of([&] { variants[row].run(kRounds); });
            if (repeat > 0) {
                series[row].rates.push_back(kRounds * double{DecodeFrames::kFrames} / seconds);
            }
        }
    }
    for (const Series& row : series) {
        print(row);
    }
}

// Migration between cores would cost every variant its caches at random.
void stay_on_this_core() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

bool parse(int argc, char** argv, Arguments& arguments) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        char* rest = argv[i + 1];
        if (option == "--repeats") {
            arguments.repeats = static_cast<std::uint32_t>(std::strtoul(rest, &rest, 10));
        } else if (option == "--batches") {
            arguments.batches = static_cast<std::uint32_t>(std::strtoul(rest, &rest, 10));
        } else if (option == "--flows") {
            arguments.flows.clear();
            do {
                rest += *rest == ',' ? 1 : 0;
                arguments.flows.push_back(
                    static_cast<std::uint32_t>(std::strtoul(rest, &rest, 10)));
            } while (*rest == ',');
        } else {
            return false;
        }
        if (*rest != '\0') {
            return false;
        }
    }
    return argc % 2 == 1 && arguments.repeats > 0 && arguments.batches > 0;
}

}  // namespace
}  // namespace tw::bench

int main(int argc, char** argv) {
    tw::bench::Arguments arguments;
    if (!tw::bench::parse(argc, argv, arguments)) {
        std::fprintf(stderr, "usage: packet_bench [--repeats N] [--batches N] [--flows N,N,...]\n");
        return 2;
    }
    tw::bench::stay_on_this_core();
    tw::bench::measure_decode(arguments);
    for (const std::uint32_t flows_count : arguments.flows) {
        tw::bench::measure_packet_path(arguments, flows_count);
    }
    return 0;
}
