// SPDX-License-Identifier: BSD-3-Clause
#include "app/firewall_live.hpp"

namespace tw::app {

std::expected<ExitCode, Error> run_firewall_live(const config::Config&,
                                                 const LiveFirewallOptions&) {
    return std::unexpected(
        Error{"firewall: this build is without DPDK and has no live ports; give captures: "
              "--outside FILE --inside FILE"});
}

}  // namespace tw::app
