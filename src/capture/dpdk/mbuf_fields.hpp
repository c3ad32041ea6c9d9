// SPDX-License-Identifier: BSD-3-Clause
// Where in an mbuf the driver's time stamp and ours are found. Both are dynamic fields: their
// places are known only once the EAL runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/error.hpp"

namespace tw::dpdk {

struct MbufFields {
    std::size_t driver_time_offset = 0;  // bytes; valid in mbufs that have driver_time_flag
    std::uint64_t driver_time_flag = 0;
    std::size_t time_offset = 0;  // bytes; Nanos, written by the dispatcher for the worker
};

// After Eal::start, once for all pollers of a run.
[[nodiscard]] std::expected<MbufFields, Error> register_mbuf_fields();

}  // namespace tw::dpdk
