// SPDX-License-Identifier: BSD-3-Clause
// The evidence bundle of a report made from captures: reads them again for the frames that the
// report cites, with what surrounds them, and writes one pcapng with a comment on each.
#pragma once

#include <expected>
#include <string>

#include "app/tap_files.hpp"
#include "base/error.hpp"
#include "firewall/report.hpp"

namespace tw::app {

// Returns the file's SHA-256 in hexadecimal.
[[nodiscard]] std::expected<std::string, Error> write_bundle(const std::string& path,
                                                             const firewall::Report& report,
                                                             const TapFilePair& files,
                                                             const ClockCorrection& correction);

}  // namespace tw::app
