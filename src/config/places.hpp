// SPDX-License-Identifier: BSD-3-Clause
// Where in the file each key was written, so that whoever finds a value wrong, now or when a device
// is opened, can say "file:3:5: ports[1].device: ...".
#pragma once

#include <map>
#include <string>

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
    // "file:3:5: ", as exact as known; for a sentence that names the key itself.
    [[nodiscard]] std::string at(const std::string& key) const;
    // "file:3:5: ports[1].device: "
    [[nodiscard]] std::string prefix(const std::string& key) const;
};

}  // namespace tw::config
