// SPDX-License-Identifier: BSD-3-Clause
// One output of the program: a file or standard output ("-"), buffered, written with write(2).
// Offline it waits for a slow reader, and a failed write is final. Live (Patience::none) it waits
// for nobody: what the system does not take stays in the buffer and is tried again, whole lines
// only, so that a full disk or a reader that sleeps neither stops the capture nor tears a line.
// A reader that went away (`| head`) is not a failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "sinks/open_file.hpp"

namespace tw::sinks {

enum class Patience : std::uint8_t {
    endless,  // wait for readers; an error is final and later text is dropped
    none,     // never wait; keep, try again at the next flush
    brief,    // the end of a live run: wait some seconds for a reader, then give up for good
};

class OutputFile {
  public:
    OutputFile() = default;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    // Creates or truncates `path`; "-" is standard output. The error names the path and the reason.
    [[nodiscard]] std::expected<void, Error> open(const std::string& path);
    // The same with a file opened before; what was still buffered for the one before and cannot be
    // written there is lost.
    void switch_to(OpenFile file);
    // Writes what it can and is not open any more.
    void close();
    // What is still buffered, and all that comes, counts as lost.
    void give_up();
    [[nodiscard]] bool is_open() const { return file_.is_open(); }
    // Whether `path` leads to the file being written.
    [[nodiscard]] bool is_at(const std::string& path) const { return file_.is_at(path); }
    [[nodiscard]] const std::string& name() const { return file_.name(); }
    void set_patience(Patience patience) { patience_ = patience; }

    // Whole lines, if patience is not endless. Writes out by itself when the buffer is full.
    void append(std::string_view text) {
        if (text.size() > kBufferBytes - buffer_.size()) {
            append_slow(text);
            return;
        }
        buffer_.append(text);
    }
    // Room for another line whatever the system does: who can keep lines elsewhere asks first.
    [[nodiscard]] bool has_room() const {
        return !is_open() || reader_gone_ || given_up_ ||
               kBufferBytes - buffer_.size() >= kLineBytesMax;
    }
    // False if something could not be written.
    bool flush();

    // True while everything appended was written or is still buffered.
    [[nodiscard]] bool good() const { return !error_ && !reader_gone_ && lost_lines_ == 0; }
    // Set when the environment refused a write (disk full, …); exit code 3. Live, a later success
    // clears it.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    // The reading end of a pipe was closed: stop quietly.
    [[nodiscard]] bool reader_gone() const { return reader_gone_; }
    // Appended, and dropped because the system did not take them.
    [[nodiscard]] std::uint64_t lost_lines() const { return lost_lines_; }

  private:
    static constexpr std::size_t kBufferBytes = 256 * 1024;
    static constexpr std::size_t kLineBytesMax = 16 * 1024;

    void append_slow(std::string_view text);
    [[nodiscard]] std::size_t write_out(std::string_view text);
    [[nodiscard]] bool may_write() const;

    OpenFile file_;
    Patience patience_ = Patience::endless;
    bool reader_gone_ = false;
    bool given_up_ = false;
    std::uint64_t lost_lines_ = 0;
    std::string buffer_;
    std::optional<Error> error_;
};

}  // namespace tw::sinks
