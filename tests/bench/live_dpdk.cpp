// SPDX-License-Identifier: BSD-3-Clause
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_lcore.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "bench/ceiling.hpp"
#include "capture/dpdk/rte_hash_index.hpp"
#include "core/flow/hash.hpp"

namespace tw::bench::live {
namespace {

bool has_huge_pages() {
    std::ifstream file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    std::uint64_t pages = 0;
    return file >> pages && pages >= 512;  // 1 GiB, what the tables of 1 M connections need
}

// As many as the product's index asks for: a load of two thirds when full.
std::uint32_t entries_for(std::uint32_t keys_max) {
    return keys_max + keys_max / 2;
}

class RteHashCeiling final : public Ceiling {
  public:
    explicit RteHashCeiling(std::uint32_t flows_count)
        // Positions of rte_hash begin at 0 and may reach its number of entries.
        : lines_(entries_for(flows_count) + 1, Backing::populated) {
        rte_hash_parameters parameters{};
        parameters.name = "ceiling";
        parameters.entries = entries_for(flows_count);
        parameters.key_len = sizeof(flow::KeyV4);
        parameters.socket_id = static_cast<int>(rte_socket_id());
        hash_ = rte_hash_create(&parameters);
        TW_CHECK(hash_ != nullptr);
        for (std::uint32_t i = 0; i < flows_count; ++i) {
            const flow::KeyV4 key = Traffic::key(i);
            TW_CHECK(rte_hash_add_key_with_hash(hash_, &key, flow::hash_key(key, kHashSeed)) >= 0);
        }
    }
    ~RteHashCeiling() override { rte_hash_free(hash_); }
    RteHashCeiling(const RteHashCeiling&) = delete;
    RteHashCeiling& operator=(const RteHashCeiling&) = delete;

    [[nodiscard]] std::string name() const override { return "rte_hash"; }

    void run(const Lookups& lookups) override {
        const auto total = static_cast<std::uint32_t>(lookups.keys.size());
        std::array<const void*, kBurstMax> keys;
        std::array<std::uint32_t, kBurstMax> hashes;
        std::array<std::int32_t, kBurstMax> slots;
        for (std::uint32_t begin = 0; begin < total; begin += kBurstMax) {
            const std::uint32_t count = std::min(kBurstMax, total - begin);
            for (std::uint32_t i = 0; i < count; ++i) {
                keys[i] = &lookups.keys[begin + i];
                hashes[i] = lookups.hashes[begin + i];
            }
            rte_hash_lookup_with_hash_bulk(hash_, keys.data(), hashes.data(), count, slots.data());
            for (std::uint32_t i = 0; i < count; ++i) {
                __builtin_prefetch(&lines_[static_cast<std::uint32_t>(slots[i])], 1);
            }
            for (std::uint32_t i = 0; i < count; ++i) {
                ++lines_[static_cast<std::uint32_t>(slots[i])].packets;
            }
        }
    }

    [[nodiscard]] std::uint64_t packets() const override {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            sum += lines_[i].packets;
        }
        return sum;
    }

  private:
    rte_hash* hash_ = nullptr;
    LazyArray<Line> lines_;
};

}  // namespace

bool start() {
    static const bool started = [] {
        std::vector<std::string> arguments{"packet_bench", "--no-pci", "--lcores=0",
                                           "--log-level=error", "--no-telemetry"};
        if (has_huge_pages()) {
            arguments.emplace_back("--in-memory");
        } else {
            arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", "-m", "2048"});
        }
        std::vector<char*> argv;
        for (std::string& argument : arguments) {
            argv.push_back(argument.data());
        }
        if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
            std::fprintf(stderr, "packet_bench: EAL: %s\n", rte_strerror(rte_errno));
            return false;
        }
        return true;
    }();
    return started;
}

std::unique_ptr<Ceiling> make_ceiling(std::uint32_t flows_count) {
    return std::make_unique<RteHashCeiling>(flows_count);
}

std::unique_ptr<flow::FlowIndex> make_index(std::uint32_t key_bytes, std::uint32_t keys_max) {
    auto index = dpdk::RteHashIndex::create({.name = "bench" + std::to_string(key_bytes),
                                             .key_bytes = key_bytes,
                                             .keys_max = keys_max});
    if (!index) {
        std::fprintf(stderr, "packet_bench: %s\n", index.error().text.c_str());
    }
    TW_CHECK(index.has_value());
    return std::move(*index);
}

}  // namespace tw::bench::live
