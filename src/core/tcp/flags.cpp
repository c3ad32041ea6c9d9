// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/flags.hpp"

namespace tw::tcp {
namespace {

constexpr std::array<FlagInfo, kFlags> kTable{{
#define FLAG(id, help) {Flag::id, #id, help},
#include "core/tcp/flags.def"
}};

}  // namespace

std::span<const FlagInfo, kFlags> flag_table() {
    return kTable;
}

}  // namespace tw::tcp
