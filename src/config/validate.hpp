// SPDX-License-Identifier: BSD-3-Clause
// Rules across keys that a row of the option table cannot hold: unique names, device syntax, EAL
// arguments the program sets itself. Independent of the host: no file, device or CPU is looked at.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"

namespace tw::config {

struct Place {
    int line = 0;  // from 1; 0 = the key was not in the file
    int column = 0;
};

// Where each key of a file was written. Keys are concrete: "ports[1].device".
struct Places {
    std::string name;  // of the file; empty for a Config that came from the command line
    std::map<std::string, Place> keys;

    // A key that was not written falls back to the section around it, then to line 0.
    [[nodiscard]] Place of(const std::string& key) const;
    // "file:3:5: ports[1].device: ", as exact as known.
    [[nodiscard]] std::string prefix(const std::string& key) const;
};

[[nodiscard]] std::vector<Error> validate(const Config& config, const Places& places = {});

}  // namespace tw::config
