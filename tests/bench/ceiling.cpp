// SPDX-License-Identifier: BSD-3-Clause
#include "bench/ceiling.hpp"

#include <algorithm>
#include <array>

#include "core/flow/hash.hpp"
#include "core/flow/plain_index.hpp"

namespace tw::bench {
namespace {

class PlainCeiling final : public Ceiling {
  public:
    explicit PlainCeiling(std::uint32_t flows_count)
        : index_(sizeof(flow::KeyV4), flows_count, Backing::populated),
          lines_(flows_count, Backing::populated) {
        for (std::uint32_t i = 0; i < flows_count; ++i) {
            const flow::KeyV4 key = Traffic::key(i);
            TW_CHECK(index_.insert(&key, flow::hash_key(key, kHashSeed), i));
        }
    }

    [[nodiscard]] std::string name() const override { return "plain index"; }

    void run(const Lookups& lookups) override {
        const auto total = static_cast<std::uint32_t>(lookups.keys.size());
        std::array<const void*, kBurstMax> keys;
        std::array<std::uint32_t, kBurstMax> slots;
        for (std::uint32_t begin = 0; begin < total; begin += kBurstMax) {
            const std::uint32_t count = std::min(kBurstMax, total - begin);
            for (std::uint32_t i = 0; i < count; ++i) {
                keys[i] = &lookups.keys[begin + i];
            }
            index_.find_burst(keys.data(), &lookups.hashes[begin], count, slots.data());
            for (std::uint32_t i = 0; i < count; ++i) {
                __builtin_prefetch(&lines_[slots[i]], 1);
            }
            for (std::uint32_t i = 0; i < count; ++i) {
                ++lines_[slots[i]].packets;
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
    flow::PlainIndex index_;
    LazyArray<Line> lines_;
};

}  // namespace

std::unique_ptr<Ceiling> make_plain_ceiling(std::uint32_t flows_count) {
    return std::make_unique<PlainCeiling>(flows_count);
}

}  // namespace tw::bench
