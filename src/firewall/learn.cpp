// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/learn.hpp"

#include "firewall/explain_drops.hpp"
#include "firewall/latency.hpp"
#include "firewall/learners.hpp"
#include "firewall/rewrites.hpp"

namespace tw::firewall {

Lessons learn(const Cases& cases) {
    const Study study(cases);
    Lessons lessons;
    learn_idle_timeout(study, lessons);
    learn_half_close(study, lessons);
    learn_connection_limit(study, lessons);
    learn_rate_limit(study, lessons);
    learn_mtu(study, lessons);
    learn_handshake_rewrites(study, lessons);
    learn_tuple_reuse(study, lessons);
    learn_lost_state(study, lessons);
    explain_drops(study, lessons);
    sum_latencies(study, lessons);
    list_rewrites(study, lessons);
    return lessons;
}

}  // namespace tw::firewall
