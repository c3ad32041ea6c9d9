// SPDX-License-Identifier: BSD-3-Clause
// The learners: one idea each, one file each (learn_*.cpp). Every one appends what it found to the
// lessons, and nothing where its rule does not hold.
#pragma once

#include "firewall/study.hpp"

namespace tw::firewall {

void learn_idle_timeout(const Study& study, Lessons& lessons);
void learn_half_close(const Study& study, Lessons& lessons);
void learn_connection_limit(const Study& study, Lessons& lessons);
void learn_rate_limit(const Study& study, Lessons& lessons);
void learn_mtu(const Study& study, Lessons& lessons);
void learn_handshake_rewrites(const Study& study, Lessons& lessons);  // MSS, ISN, SACK
void learn_tuple_reuse(const Study& study, Lessons& lessons);
void learn_lost_state(const Study& study, Lessons& lessons);

}  // namespace tw::firewall
