// SPDX-License-Identifier: BSD-3-Clause
#include "core/stats/counters.hpp"

namespace tw::stats {
namespace {

constexpr std::array<CounterInfo, kCounters> kTable{{
#define COUNTER(id, name, unit, help) {Counter::id, name, unit, help},
#include "core/stats/counters.def"
}};

}  // namespace

std::span<const CounterInfo, kCounters> counter_table() {
    return kTable;
}

}  // namespace tw::stats
