// SPDX-License-Identifier: BSD-3-Clause
// The flags of each frame as tab-separated lines (design: --frames): frame number, TAB, names in
// the order of flag_table(). Frames without flags give no line.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "core/tcp/flags.hpp"
#include "sinks/output_file.hpp"

namespace tw::sinks {

class FrameLines {
  public:
    // "-" is standard output.
    [[nodiscard]] std::expected<void, Error> open(const std::string& path) {
        return file_.open(path);
    }
    [[nodiscard]] bool is_open() const { return file_.is_open(); }
    void write(std::uint64_t frame_number, tcp::FlagSet flags) {
        if (!flags.empty()) {
            write_line(frame_number, flags);
        }
    }
    bool flush() { return file_.flush(); }
    // False after an error, and once the reader of a pipe went away.
    [[nodiscard]] bool good() const { return file_.good(); }
    [[nodiscard]] const std::optional<Error>& error() const { return file_.error(); }
    [[nodiscard]] bool reader_gone() const { return file_.reader_gone(); }

  private:
    void write_line(std::uint64_t frame_number, tcp::FlagSet flags);

    OutputFile file_;
};

}  // namespace tw::sinks
