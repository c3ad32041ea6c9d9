// SPDX-License-Identifier: BSD-3-Clause
// The command line of traffic_source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "generator/traffic.hpp"

namespace tw::generator {

struct SourceOptions {
    TrafficOptions traffic;
    std::string vdev;   // a DPDK device that takes the frames
    std::string pcap;   // or a capture file
    std::string truth;  // where the truth goes; "-" = standard output
    std::uint64_t packets = 1'000'000;
    std::uint64_t rate_pps = 0;  // 0 = as fast as the peer takes them
    bool drop_refused = false;   // what the peer has no room for at its time is dropped
    Nanos gap = kMicrosecond;    // pcap: between two frames
    std::int32_t cpu = -1;       // -1: any
    bool huge_pages = false;
    std::uint32_t memory_mib = 256;
    Nanos wait = 10 * kSecond;  // for the peer to come up
    Nanos linger = 500 * kMillisecond;
    std::string stay_until;  // a file whose appearance ends the stay after the last frame
};

// Nothing: help was asked for, or the arguments are wrong; `exit_code` says which.
[[nodiscard]] std::optional<SourceOptions> parse(int argc, char** argv, int& exit_code);

}  // namespace tw::generator
