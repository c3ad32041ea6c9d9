// SPDX-License-Identifier: BSD-3-Clause
// What the product says of a simulation: its captured frames through the pipeline with the options
// of `read`, with the ledger's word on each interval where the monitor lost frames, as live.
#pragma once

#include <string>
#include <vector>

#include "core/event/event.hpp"
#include "simulation/record.hpp"

namespace tw::sim {

struct Findings {
    std::vector<event::Event> events;
    std::vector<event::FlowRecord> flows;
};

[[nodiscard]] Findings monitor(const Plan& plan, const Record& record);

// Writes what the tap captured as a pcap file.
void save_capture(const Plan& plan, const Record& record, const std::string& path);

}  // namespace tw::sim
