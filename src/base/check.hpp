// SPDX-License-Identifier: BSD-3-Clause
// Invariants of the program itself. Traffic and operators can never trip one: what they send is
// data, counted or reported. TW_CHECK is for start-up and rare paths; TW_DCHECK for per-packet code
// and vanishes in release builds.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace tw {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
    std::abort();
}

}  // namespace tw

#define TW_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::tw::check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define TW_DCHECK(condition) static_cast<void>(0)
#else
#define TW_DCHECK(condition) TW_CHECK(condition)
#endif
