// SPDX-License-Identifier: BSD-3-Clause
// Appends JSON to a string the caller reuses: no tree, no allocation once the string has grown.
// Whether a comma is due follows from the last character written, so there is no state to keep.
// Nesting is the caller's: every begin has its end.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace tw::sinks::format {

// Appends `text` as the inside of a JSON string: escapes what RFC 8259 section 7 demands and
// replaces bytes that are not UTF-8 by U+FFFD, since file names may hold any byte.
void append_json_escaped(std::string& out, std::string_view text);

// Seconds with 9 decimals, exact: "1712345678.000000001", "-0.500000000".
void append_seconds(std::string& out, Nanos time);

class JsonWriter {
  public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    void begin_object() { open('{'); }
    void begin_object(std::string_view name) { open_named(name, '{'); }
    void end_object() { out_ += '}'; }
    void begin_array(std::string_view name) { open_named(name, '['); }
    void end_array() { out_ += ']'; }

    // Names are the program's own and need no escaping.
    void key(std::string_view name) {
        comma();
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }

    void string(std::string_view value) {
        comma();
        out_ += '"';
        append_json_escaped(out_, value);
        out_ += '"';
    }
    // For text known to hold only letters, digits and punctuation that JSON leaves alone.
    void plain_string(std::string_view value) {
        comma();
        out_ += '"';
        out_ += value;
        out_ += '"';
    }
    template <std::integral T>
    void number(T value) {
        comma();
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        out_.append(digits, end);
    }
    void null() {
        comma();
        out_ += "null";
    }
    void boolean(bool value) {
        comma();
        out_ += value ? "true" : "false";
    }
    // A point in time, as a string: a double cannot hold nanoseconds since 1970.
    void time(Nanos value) {
        comma();
        out_ += '"';
        append_seconds(out_, value);
        out_ += '"';
    }
    // A duration in seconds, as a number.
    void seconds(Nanos value) {
        comma();
        append_seconds(out_, value);
    }

  private:
    void comma() {
        if (!out_.empty() && out_.back() != '{' && out_.back() != '[' && out_.back() != ':') {
            out_ += ',';
        }
    }
    void open(char bracket) {
        comma();
        out_ += bracket;
    }
    void open_named(std::string_view name, char bracket) {
        key(name);
        out_ += bracket;
    }

    std::string& out_;
};

}  // namespace tw::sinks::format
