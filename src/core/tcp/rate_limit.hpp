// SPDX-License-Identifier: BSD-3-Clause
// At most so many in so long, by the time of the wire: what a scan, a flood or a mirror with one
// direction can have in every connection must not drown what else there is to tell.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace tw::tcp {

class RateLimit {
  public:
    static constexpr std::uint32_t kMost = 1024;
    static constexpr Nanos kInterval = 10 * kSecond;

    // Frames are out of order by less than an interval; farther back is another capture.
    [[nodiscard]] bool allows(Nanos now) {
        // Unsigned: files may hold any times.
        const auto apart = static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(begin_);
        const auto behind = static_cast<std::uint64_t>(begin_) - static_cast<std::uint64_t>(now);
        const bool inside = now >= begin_ ? apart < kInterval : behind < kInterval;
        if (!inside) {
            begin_ = now;
            count_ = 0;
        }
        if (count_ == kMost) {
            return false;
        }
        ++count_;
        return true;
    }

  private:
    Nanos begin_ = INT64_MIN;
    std::uint32_t count_ = 0;
};

}  // namespace tw::tcp
