// SPDX-License-Identifier: BSD-3-Clause
// What was made and handed over, as one JSON object: what a monitor's report is held against.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "generator/options.hpp"
#include "generator/traffic.hpp"

namespace tw::generator {

struct QueueTruth {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;    // Ethernet header to payload or padding, no frame check sequence
    std::uint64_t refused = 0;  // frames the peer had no room for when their time had come
};

struct Delivery {
    std::vector<QueueTruth> queues;
    Nanos duration = 0;  // first frame to last
    Nanos stalled = 0;   // time the sender itself was kept from sending; taken off a schedule
    std::uint64_t stalls = 0;
    bool peer_gone = false;    // the link went down before everything was taken
    bool taken_known = false;  // the device tells whether its peer has taken everything
    bool taken = false;        // and it has
};

[[nodiscard]] std::string truth_text(const SourceOptions& options, const TrafficCounts& counts,
                                     const Delivery& delivery);

}  // namespace tw::generator
