// SPDX-License-Identifier: BSD-3-Clause
// The evidence bundle of a report made from captures: reads them again for the frames that the
// report cites, with what surrounds them, and writes one pcapng with a comment on each.
#pragma once

#include <expected>

#include "app/tap_files.hpp"
#include "base/error.hpp"
#include "firewall/report.hpp"
#include "sinks/firewall_bundle.hpp"

namespace tw::app {

// `bundle` is open. The report learns its path and digest.
[[nodiscard]] std::expected<void, Error> write_bundle(sinks::FirewallBundle& bundle,
                                                      firewall::Report& report,
                                                      const TapFilePair& files,
                                                      const ClockCorrection& correction);

}  // namespace tw::app
