// SPDX-License-Identifier: BSD-3-Clause
// Whether both directions of connections reach one worker, judged by what came: connections of
// which only one direction was seen, and samples of frames that took another queue than the NIC was
// told. Text only.
#pragma once

#include <cstdint>
#include <string>

#include "app/live_report.hpp"

namespace tw::app {

// Empty while there are few, or a share that ordinary traffic has too.
[[nodiscard]] std::string one_sided_text(const LiveTotals& totals);

// Empty where no NIC spreads frames or none was sampled.
[[nodiscard]] std::string rss_text(const RssTotals& rss);

}  // namespace tw::app
