// SPDX-License-Identifier: BSD-3-Clause
// Does a token bucket explain drops? A bucket of rate r and size b lets pass what exceeds r by no
// more than b; so at each moment the excess e(t) = max(0, e + passed - r dt) is at most b, and a
// policer drops exactly where a packet more would exceed b. The rate is the one for which e is the
// same at all drops; b is its maximum. The same holds for a queue of b bytes that is served at r.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tw::firewall {

// A stretch of time, at whose end packets may be dropped.
struct BucketStep {
    double seconds = 0;
    double passed = 0;   // bytes within it
    double dropped = 0;  // packets at its end
};

struct BucketFit {
    bool fits = false;
    double rate = 0;    // bytes per second
    double burst = 0;   // bytes
    double recall = 0;  // of the dropped packets: the bucket was empty
    // That drops of another cause, which come and go at random, would fall so well where the bucket
    // of some rate is empty.
    double chance = 1;
    double rate_low = 0;  // rates that explain the drops as well
    double rate_high = 0;
};

// What a step blurs: the largest packet's bytes, and the time by which events may be misplaced.
struct BucketBlur {
    double packet_bytes = 0;
    double seconds = 0;
};

[[nodiscard]] BucketFit fit_bucket(std::span<const BucketStep> steps, const BucketBlur& blur);

// For each step whether the bucket of the fit was empty at its end.
[[nodiscard]] std::vector<bool> empty_steps(std::span<const BucketStep> steps,
                                            const BucketBlur& blur, const BucketFit& fit);

}  // namespace tw::firewall
