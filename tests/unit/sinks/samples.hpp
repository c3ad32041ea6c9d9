// SPDX-License-Identifier: BSD-3-Clause
// Hand-made episodes and connections for tests of sinks, after the story of the README: a server's
// 1010 bytes that nobody ever saw.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "core/event/event.hpp"

namespace tw::test {

inline constexpr Nanos kStart = 1'712'345'678 * kSecond;

inline flow::Endpoint v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                         std::uint16_t port) {
    flow::Endpoint endpoint;
    endpoint.address = {a, b, c, d};
    endpoint.port = port;
    return endpoint;
}

inline event::FlowName story_flow(std::uint32_t stream = 0) {
    return {v4(10, 0, 0, 5, 51000), v4(93, 184, 216, 34, 80), stream};
}

inline event::Event story_hole() {
    event::Event event;
    event.id = 1;
    event.type = event::EventType::hole;
    event.resolution = event::Resolution::never;
    event.direction = event::Direction::s2c;
    event.flow = story_flow();
    event.time = kStart + 20'100 * kMillisecond;
    event.time_end = kStart + 26'300 * kMillisecond;
    event.seq_begin = 5001;
    event.seq_end = 6011;
    event.seq_base = 5000;
    event.seq_base_known = true;
    event.bytes = 1010;
    event.subjects_count = 1;
    event.subject[0] = {6, event.time, 0};
    return event;
}

inline event::Event story_repeat() {
    event::Event event;
    event.id = 2;
    event.type = event::EventType::repeat;
    event.resolution = event::Resolution::acknowledged;
    event.direction = event::Direction::c2s;
    event.flow = story_flow();
    event.time = kStart + 26'200 * kMillisecond;
    event.time_end = kStart + 26'300 * kMillisecond;
    event.seq_begin = 79;
    event.seq_end = 80;
    event.bytes = 0;
    event.repeats_count = 1;
    event.subjects_count = 1;
    event.subject[0] = {11, event.time, 0};
    event.evidence_count = 1;
    event.evidence[0] = {12, event.time_end, 0};
    return event;
}

inline event::FlowRecord story_record() {
    event::FlowRecord record;
    record.flow = story_flow();
    record.first = kStart;
    record.last = kStart + 26'300 * kMillisecond;
    record.initial_rtt = 20 * kMillisecond;
    record.completeness = 31;
    record.client_known = true;
    record.packets = {7, 5};
    record.bytes = {78, 0};
    record.missing_bytes = {0, 1010};
    record.flags[0][static_cast<std::size_t>(tcp::Flag::retransmission)] = 1;
    record.flags[0][static_cast<std::size_t>(tcp::Flag::duplicate_ack)] = 1;
    record.flags[1][static_cast<std::size_t>(tcp::Flag::lost_segment)] = 1;
    return record;
}

// A path in the test's own folder, removed with the object.
class TempFile {
  public:
    explicit TempFile(const std::string& name)
        : path_(testing::TempDir() + std::to_string(::getpid()) + "-" + name) {}
    ~TempFile() { ::unlink(path_.c_str()); }
    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string content() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::istringstream stream(content());
        std::vector<std::string> lines;
        for (std::string line; std::getline(stream, line);) {
            lines.push_back(line);
        }
        return lines;
    }

  private:
    std::string path_;
};

}  // namespace tw::test
