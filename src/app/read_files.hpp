// SPDX-License-Identifier: BSD-3-Clause
// Looks at the files of a `read` before anything is read or written: outputs that would collide,
// inputs that are no captures, an output that would overwrite an input.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tw::app {

// An output as asked for: "" = off, "-" = standard output.
struct NamedOutput {
    std::string_view option;
    std::string_view path;
};

struct OutputPaths {
    std::string frames;
    std::string events;
    std::string flows;
    [[nodiscard]] std::array<NamedOutput, 3> named() const {
        return {{{"--frames", frames}, {"--events", events}, {"--flows", flows}}};
    }
};

struct InputFacts {
    // Of all files together as stored; nothing if one is a pipe.
    std::optional<std::uint64_t> stored_bytes;
    // Of all records together, at most; nothing if one is a pipe or compressed.
    std::optional<std::uint64_t> capture_bytes;
};

// Whether both name one regular file. Devices such as /dev/null may be shared.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

// Standard input, or a path that gives its bytes only once: a FIFO, a device.
[[nodiscard]] bool is_stream(const std::string& path);

[[nodiscard]] std::expected<void, Error> check_outputs(std::span<const NamedOutput> outputs);

// Opens every regular file once, so that a mistake in the last one shows before the first is read.
[[nodiscard]] std::expected<InputFacts, Error> check_inputs(const std::vector<std::string>& files,
                                                            std::span<const NamedOutput> outputs);

}  // namespace tw::app
