// SPDX-License-Identifier: BSD-3-Clause
// A file opened for writing that nobody else writes: regular files are locked (flock), and whoever
// holds one is named. Opening changes nothing yet, so that several outputs can be had or refused
// together; truncate() begins the file anew.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>

#include "base/error.hpp"

namespace tw::sinks {

class OpenFile {
  public:
    OpenFile() = default;
    // "-" is standard output. The error names the path and the reason.
    [[nodiscard]] static std::expected<OpenFile, Error> open(const std::string& path);
    OpenFile(OpenFile&& other) noexcept;
    OpenFile& operator=(OpenFile&& other) noexcept;
    ~OpenFile();

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] int fd() const { return fd_; }
    // Disks do not make writers wait; pipes, sockets and terminals do.
    [[nodiscard]] bool is_regular() const { return regular_; }
    // For messages: "standard output" for "-".
    [[nodiscard]] const std::string& name() const { return name_; }
    // Whether `path` still leads here: false once a rotation has moved the file away.
    [[nodiscard]] bool is_at(const std::string& path) const;
    void truncate() const;

  private:
    [[nodiscard]] std::expected<void, Error> look_and_lock();

    int fd_ = -1;
    bool owned_ = false;
    bool regular_ = false;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::string name_;
};

}  // namespace tw::sinks
