// SPDX-License-Identifier: BSD-3-Clause
// Counters of one worker: plain adds by the worker, read by any thread. The rows are counters.def.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tw::stats {

enum class Counter : std::uint8_t {
#define COUNTER(id, name, unit, help) id,
#include "core/stats/counters.def"
};

inline constexpr std::size_t kCounters = 0
#define COUNTER(id, name, unit, help) +1
#include "core/stats/counters.def"
    ;

struct CounterInfo {
    Counter id;
    std::string_view name;  // dotted, as people and JSON see it
    std::string_view unit;
    std::string_view help;
};

[[nodiscard]] std::span<const CounterInfo, kCounters> counter_table();

class alignas(64) Counters {
  public:
    // writer: the owning worker only. Compiles to load, add, store: no locked instruction.
    void add(Counter counter, std::uint64_t count = 1) {
        auto& cell = cells_[static_cast<std::size_t>(counter)];
        cell.store(cell.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(Counter counter) const {
        return cells_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
    }

  private:
    std::array<std::atomic<std::uint64_t>, kCounters> cells_{};
};

}  // namespace tw::stats
