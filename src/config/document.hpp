// SPDX-License-Identifier: BSD-3-Clause
// One YAML document as a plain tree with positions. The only file that uses yaml-cpp: its events
// are taken one by one, so that depth, size, aliases and duplicate keys are under our control, and
// its exceptions end here as Errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/places.hpp"

namespace tw::config {

struct Node {
    enum class Kind : std::uint8_t { null, scalar, sequence, map };

    Kind kind = Kind::null;
    Place place;
    std::string text;         // scalar
    std::vector<Node> items;  // of a sequence; of a map: its values
    std::vector<Node> keys;   // of a map: scalars, keys[i] belongs to items[i]
};

// A document without content is an empty map. Anchors, aliases, tags, keys that are not plain
// words, a second document and what exceeds the limits are refused: no option needs them.
struct DocumentLimits {
    std::size_t depth_max = 8;
    std::size_t nodes_max = 10'000;
};
[[nodiscard]] std::expected<Node, Error> parse_document(std::string_view text,
                                                        const std::string& name,
                                                        const DocumentLimits& limits = {});

}  // namespace tw::config
