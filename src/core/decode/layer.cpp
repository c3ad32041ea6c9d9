// SPDX-License-Identifier: BSD-3-Clause
#include "core/decode/layer.hpp"

#include <array>

namespace tw::decode {
namespace {

constexpr std::string_view shown(std::string_view decap) {
    return decap == "always" ? "" : decap;
}

constexpr std::array<LayerInfo, kLayers> kTable{{
#define LAYER(id, decap, help) {Layer::id, #id, shown(#decap), help},
#include "core/decode/layers.def"
}};

}  // namespace

std::span<const LayerInfo> layer_table() {
    return kTable;
}

}  // namespace tw::decode
