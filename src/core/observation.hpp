// SPDX-License-Identifier: BSD-3-Clause
// What the pipeline found out about one frame.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "core/tcp/flags.hpp"

namespace tw {

struct Observation {
    bool tcp = false;  // a TCP header took part; the rest is meaningless otherwise
    bool v6 = false;
    std::uint8_t completeness = 0;  // of the connection before this segment, as tshark prints it
    tcp::FlagSet flags;
    std::uint32_t stream = 0;  // only with PipelineOptions::observe_streams
    Nanos initial_rtt = 0;     // of the connection after this segment; 0 = unknown
};

}  // namespace tw
