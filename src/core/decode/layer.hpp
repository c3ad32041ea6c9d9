// SPDX-License-Identifier: BSD-3-Clause
// The kinds of header the decoder knows, for dispatch and for people. The rows are layers.def.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tw::decode {

enum class Layer : std::uint8_t {
#define LAYER(id, decap, help) id,
#include "core/decode/layers.def"
    none,  // the walk is over: Decoded::outcome says how it ended
};

inline constexpr std::size_t kLayers = static_cast<std::size_t>(Layer::none);

// Most headers walked in one frame. The deepest stack in public captures of tunnels has 12.
inline constexpr std::uint8_t kLayersMax = 32;

struct LayerInfo {
    Layer id;
    std::string_view name;
    std::string_view decap;  // entry of analysis.decap that opens it; "" = always opened
    std::string_view help;
};

[[nodiscard]] std::span<const LayerInfo> layer_table();

}  // namespace tw::decode
