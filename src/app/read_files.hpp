// SPDX-License-Identifier: BSD-3-Clause
// Looks at the files of a `read` before anything is read or written: outputs that would collide,
// inputs that are no captures, an output that would overwrite an input.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace tw::app {

struct OutputPaths {
    std::string frames;  // "" = off, "-" = standard output
    std::string events;
    std::string flows;
};

struct InputFacts {
    // Of all files together as stored; nothing if one is a pipe.
    std::optional<std::uint64_t> stored_bytes;
    // Of all records together, at most; nothing if one is a pipe or compressed.
    std::optional<std::uint64_t> capture_bytes;
};

// Standard input, or a path that gives its bytes only once: a FIFO, a device.
[[nodiscard]] bool is_stream(const std::string& path);

[[nodiscard]] std::expected<void, Error> check_outputs(const OutputPaths& outputs);

// Opens every regular file once, so that a mistake in the last one shows before the first is read.
[[nodiscard]] std::expected<InputFacts, Error> check_inputs(const std::vector<std::string>& files,
                                                            const OutputPaths& outputs);

}  // namespace tw::app
