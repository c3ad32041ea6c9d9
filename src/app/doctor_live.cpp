// SPDX-License-Identifier: BSD-3-Clause
#include "app/doctor.hpp"
#include "app/live_devices.hpp"

namespace tw::app {

void examine_live(const config::Config& config, Findings& findings) {
    const auto devices = live_devices(config, Host());
    if (!devices) {
        findings.problem(devices.error().text, "");
        return;
    }
    for (const std::string& warning : devices->warnings) {
        findings.note(warning);
    }
}

}  // namespace tw::app
