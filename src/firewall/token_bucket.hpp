// SPDX-License-Identifier: BSD-3-Clause
// Does a token bucket explain drops? A bucket of rate r and size b lets pass what exceeds r by no
// more than b; so at each moment the excess e(t) = max(0, e + passed - r dt) is at most b, and a
// policer drops exactly where it is b. The rate is the one for which e is the same at all drops;
// b is its maximum. The same holds for a queue of b bytes that is served at r: a shaper.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tw::firewall {

// One step of time.
struct BucketStep {
    double passed = 0;   // bytes
    double dropped = 0;  // packets
};

struct BucketFit {
    bool fits = false;
    double rate = 0;    // bytes per second
    double burst = 0;   // bytes
    double stray = 0;   // root mean square of burst less excess at the drops, of the burst
    double recall = 0;  // of the dropped packets: at a step where the bucket was empty
};

// `step_seconds`: length of one step; `packet_bytes`: of the largest packet.
[[nodiscard]] BucketFit fit_bucket(std::span<const BucketStep> steps, double step_seconds,
                                   double packet_bytes);

// For each step whether the bucket of the fit was empty in it.
[[nodiscard]] std::vector<bool> empty_steps(std::span<const BucketStep> steps, double step_seconds,
                                            double packet_bytes, const BucketFit& fit);

}  // namespace tw::firewall
