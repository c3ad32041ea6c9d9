// SPDX-License-Identifier: BSD-3-Clause
// Reads a capture made in memory to its end, and keeps what its frames said: shared by the tests of
// this folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/pcap/file_source.hpp"
#include "support/pcap_writer.hpp"

namespace tw::pcap {

using Bytes = std::vector<std::uint8_t>;

// A frame with its own copy of the bytes.
struct Seen {
    std::uint64_t number = 0;
    Nanos time = 0;
    std::uint32_t wire_bytes = 0;
    LinkType link = LinkType::unsupported;
    std::uint8_t tap = 0;
    Bytes bytes;
};

struct Reading {
    std::optional<Error> error;  // open() refused; the rest is empty then
    std::vector<Seen> frames;
    std::optional<std::string> warning;
    Ledger ledger;
    std::uint64_t next_number = 0;
    std::string format_name;
    Progress progress;

    [[nodiscard]] std::vector<std::uint64_t> numbers() const {
        std::vector<std::uint64_t> result;
        for (const Seen& frame : frames) {
            result.push_back(frame.number);
        }
        return result;
    }
};

[[nodiscard]] inline Reading read_to_end(std::expected<std::unique_ptr<FileSource>, Error> opened) {
    Reading reading;
    if (!opened) {
        reading.error = opened.error();
        return reading;
    }
    FileSource& source = **opened;
    for (auto burst = source.next(); !burst.empty(); burst = source.next()) {
        EXPECT_LE(burst.size(), kBurstMax);
        for (const Frame& frame : burst) {
            reading.frames.push_back({frame.number,
                                      frame.time,
                                      frame.wire_bytes,
                                      frame.link,
                                      frame.tap,
                                      {frame.data, frame.data + frame.captured_bytes}});
        }
    }
    EXPECT_TRUE(source.next().empty()) << "the end is not final";
    EXPECT_EQ(source.frames_read(), reading.frames.size());
    reading.warning = source.warning();
    reading.ledger = source.ledger();
    reading.next_number = source.next_number();
    reading.format_name = source.format_name();
    reading.progress = source.progress();
    return reading;
}

[[nodiscard]] inline Reading read_bytes(const Bytes& bytes, const FileSourceOptions& options = {}) {
    return read_to_end(FileSource::open_memory(bytes, "x.pcap", options));
}

[[nodiscard]] inline Reading read_written(const test::PcapWriter& writer) {
    return read_bytes(writer.bytes());
}

// `count` bytes that differ from those of another seed.
[[nodiscard]] inline Bytes content(std::size_t count, std::uint8_t seed = 1) {
    Bytes bytes(count);
    for (std::size_t index = 0; index < count; ++index) {
        bytes[index] = static_cast<std::uint8_t>(seed + index * 7);
    }
    return bytes;
}

}  // namespace tw::pcap
