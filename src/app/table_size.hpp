// SPDX-License-Identifier: BSD-3-Clause
// How many connections `read` must be able to follow: no more than the files can hold, no more than
// the host's memory allows. Tables are reserved lazily, so a bound that is too large costs nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "core/options.hpp"

namespace tw::app {

struct TableSize {
    std::uint32_t v4_max = 0;
    std::uint32_t v6_max = 0;
};

// `capture_bytes`: of all files together; nothing if one is a pipe or compressed.
[[nodiscard]] TableSize table_size(std::optional<std::uint64_t> capture_bytes,
                                   std::uint64_t memory_bytes);

// What this process may use: the least of physical memory, its cgroup's limit and RLIMIT_AS.
[[nodiscard]] std::uint64_t memory_available();

// Bytes a connection takes at most, index included.
[[nodiscard]] std::uint64_t bytes_per_v4_connection();
[[nodiscard]] std::uint64_t bytes_per_v6_connection();

}  // namespace tw::app
