// SPDX-License-Identifier: BSD-3-Clause
// Episodes and connections as JSON lines (design: --events, --flows; live outputs use the same).
// The first line carries the schema's name and the tool's version; each further line is one object.
// A key that has no meaning for a line is absent. Disk errors are kept, never thrown.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "core/event/event.hpp"
#include "sinks/output_file.hpp"

namespace tw::sinks {

// The number grows when a key or a word changes its meaning or goes away; new ones come without.
// events/2: `evidence` holds all that a verdict rests on, each with its `role`.
inline constexpr std::string_view kEventsSchema = "tapwitness/events/2";
inline constexpr std::string_view kFlowsSchema = "tapwitness/flows/1";

// One output: a line that names its schema, then a line per record.
template <typename Record>
class JsonLines {
  public:
    // tap_names[i] is the name of tap i.
    explicit JsonLines(std::vector<std::string> tap_names) : taps_(std::move(tap_names)) {}

    // "-" is standard output. Writes the schema line.
    [[nodiscard]] std::expected<void, Error> open(const std::string& path);
    // The same with a file opened before.
    void switch_to(OpenFile file);
    [[nodiscard]] bool is_open() const { return file_.is_open(); }
    // Nothing happens before open() or after a failure.
    void write(const Record& record);
    // Hands buffered lines to the system. False once anything could not be written.
    bool flush() { return file_.flush(); }
    // False after an error, and once the reader of a pipe went away.
    [[nodiscard]] bool good() const { return file_.good(); }
    [[nodiscard]] const std::optional<Error>& error() const { return file_.error(); }
    // The reader of a pipe went away: not an error, but no use going on.
    [[nodiscard]] bool reader_gone() const { return file_.reader_gone(); }
    // What the lines are written to, for those who rotate it or wait for it.
    [[nodiscard]] OutputFile& file() { return file_; }

  private:
    OutputFile file_;
    std::vector<std::string> taps_;
    std::string line_;  // reused
};

using EventLines = JsonLines<event::Event>;
using FlowLines = JsonLines<event::FlowRecord>;
extern template class JsonLines<event::Event>;
extern template class JsonLines<event::FlowRecord>;

}  // namespace tw::sinks
