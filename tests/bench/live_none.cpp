// SPDX-License-Identifier: BSD-3-Clause
#include "bench/ceiling.hpp"

namespace tw::bench::live {

bool start() {
    return false;
}

std::unique_ptr<Ceiling> make_ceiling(std::uint32_t) {
    return nullptr;
}

std::unique_ptr<flow::FlowIndex> make_index(std::uint32_t, std::uint32_t) {
    return nullptr;
}

}  // namespace tw::bench::live
