// SPDX-License-Identifier: BSD-3-Clause
// The worst few of many, in order, into a list of fixed length.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace tw::verdict {

// Puts `candidate` in its place among the first `count` of `out`; the last one leaves where there
// is no room. Of equals the earlier stays before. Returns the new count.
template <typename T, typename Worse>
std::size_t insert_worst(std::span<const T*> out, std::size_t count, const T& candidate,
                         Worse worse) {
    std::size_t at = count;
    while (at > 0 && worse(candidate, *out[at - 1])) {
        --at;
    }
    if (at == out.size()) {
        return count;
    }
    count = std::min(count + 1, out.size());
    for (std::size_t i = count - 1; i > at; --i) {
        out[i] = out[i - 1];
    }
    out[at] = &candidate;
    return count;
}

}  // namespace tw::verdict
