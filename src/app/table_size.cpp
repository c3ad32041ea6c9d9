// SPDX-License-Identifier: BSD-3-Clause
#include "app/table_size.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/flow/key.hpp"
#include "core/pipeline.hpp"

namespace tw::app {
namespace {

// Smallest records that can open a connection: 16 bytes of pcap record header, an IP header and the
// 16 bytes of TCP without which a segment is invisible.
constexpr std::uint64_t kRecordBytesV4 = 16 + 20 + 16;
constexpr std::uint64_t kRecordBytesV6 = 16 + 40 + 16;
constexpr std::uint64_t kConnectionsMin = 1024;
// The slot numbers of the index are 32 bits wide; far above what any host has memory for.
constexpr std::uint64_t kConnectionsMax = 500'000'000;
// PlainIndex keeps its buckets (8 bytes) at most half full and doubles them: 32 bytes per key just
// before it grows, and the old array besides while growing.
constexpr std::uint64_t kBucketBytes = 48;

[[nodiscard]] std::uint64_t pipeline_bytes(std::uint32_t v4_max, std::uint32_t v6_max) {
    FlowOptions options;
    options.v4_max = v4_max;
    options.v6_max = v6_max;
    options.details_divisor = 1;
    return Pipeline::memory_bytes(options);
}

[[nodiscard]] std::uint32_t clamped(std::uint64_t connections) {
    return static_cast<std::uint32_t>(std::clamp(connections, kConnectionsMin, kConnectionsMax));
}

}  // namespace

std::uint64_t bytes_per_v4_connection() {
    constexpr std::uint32_t kMany = 1'000'000;
    return (pipeline_bytes(2 * kMany, 1) - pipeline_bytes(kMany, 1)) / kMany + sizeof(flow::KeyV4) +
           kBucketBytes;
}

std::uint64_t bytes_per_v6_connection() {
    constexpr std::uint32_t kMany = 1'000'000;
    return (pipeline_bytes(1, 2 * kMany) - pipeline_bytes(1, kMany)) / kMany + sizeof(flow::KeyV6) +
           kBucketBytes;
}

TableSize table_size(std::optional<std::uint64_t> capture_bytes, std::uint64_t memory_bytes) {
    // Three eighths of the memory for either family: both full leaves a quarter for the rest.
    const std::uint64_t share = memory_bytes / 8 * 3;
    std::uint64_t v4 = share / bytes_per_v4_connection();
    std::uint64_t v6 = share / bytes_per_v6_connection();
    if (capture_bytes) {
        v4 = std::min(v4, *capture_bytes / kRecordBytesV4 + 1);
        v6 = std::min(v6, *capture_bytes / kRecordBytesV6 + 1);
    }
    return {clamped(v4), clamped(v6)};
}

std::uint64_t memory_available() {
    std::uint64_t bytes = UINT64_MAX;
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_bytes > 0) {
        bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
    }
    // The file holds a number, or "max" for no limit; a container sees its own group here.
    std::ifstream group("/sys/fs/cgroup/memory.max");
    std::uint64_t group_bytes = 0;
    if (group >> group_bytes) {
        bytes = std::min(bytes, group_bytes);
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        bytes = std::min<std::uint64_t>(bytes, limit.rlim_cur);
    }
    return bytes;
}

}  // namespace tw::app
