// SPDX-License-Identifier: BSD-3-Clause
#include "app/firewall_bundle.hpp"

#include <span>
#include <unordered_map>
#include <vector>

namespace tw::app {

std::expected<void, Error> write_bundle(sinks::FirewallBundle& bundle, firewall::Report& report,
                                        const TapFilePair& files,
                                        const ClockCorrection& correction) {
    bundle.begin(report);
    // By side and frame number: what the report says of a frame.
    std::array<std::unordered_map<std::uint64_t, std::string>, taps::kSides> cited;
    for (sinks::CitedFrame& frame : sinks::cited_frames(report)) {
        cited[index(frame.tap)].emplace(frame.frame, std::move(frame.comment));
    }
    auto reader = TapReader::open(files, correction);
    if (!reader) {
        return std::unexpected(reader.error());
    }
    std::size_t left = cited[0].size() + cited[1].size();
    for (auto burst = (*reader)->next(); !burst.empty() && left != 0; burst = (*reader)->next()) {
        for (const Frame& frame : burst) {
            const auto found = cited[frame.tap].find(frame.number);
            if (found == cited[frame.tap].end()) {
                continue;
            }
            --left;
            bundle.add(static_cast<taps::Side>(frame.tap), frame, found->second);
        }
    }
    return bundle.finish(report);
}

}  // namespace tw::app
