// SPDX-License-Identifier: BSD-3-Clause
// One output of the program: a file or standard output ("-"), buffered, written with write(2).
// A failed write is remembered and reported by the owner once; later writes are dropped, so that a
// full disk never stops the analysis. A reader that went away (`| head`) is not a failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tw::sinks {

class OutputFile {
  public:
    OutputFile() = default;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    // Creates or truncates `path`; "-" is standard output. The error names the path and the reason.
    [[nodiscard]] std::expected<void, Error> open(const std::string& path);
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

    // Writes out by itself when the buffer is full.
    void append(std::string_view text) {
        if (text.size() > kBufferBytes - buffer_.size()) {
            append_slow(text);
            return;
        }
        buffer_.append(text);
    }
    // False once anything could not be written.
    bool flush();

    // True while everything appended was written or is still buffered.
    [[nodiscard]] bool good() const { return !error_ && !reader_gone_; }
    // Set when the environment refused a write (disk full, …); exit code 3.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    // The reading end of a pipe was closed: stop quietly.
    [[nodiscard]] bool reader_gone() const { return reader_gone_; }

  private:
    static constexpr std::size_t kBufferBytes = 256 * 1024;

    void append_slow(std::string_view text);
    void write_out(std::string_view text);

    int fd_ = -1;
    bool owned_ = false;
    bool reader_gone_ = false;
    std::string path_;
    std::string buffer_;
    std::optional<Error> error_;
};

}  // namespace tw::sinks
