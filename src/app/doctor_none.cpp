// SPDX-License-Identifier: BSD-3-Clause
// Built without DPDK: whatever the configuration says, `run` cannot.
#include "app/doctor.hpp"

namespace tw::app {

void examine_live(const config::Config&, Findings& findings) {
    findings.problem("this build has no live capture", std::string(kHowToGetLive));
}

}  // namespace tw::app
