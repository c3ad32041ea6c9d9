// SPDX-License-Identifier: BSD-3-Clause
// A connection built segment by segment for tests of the ladder: that of samples.hpp, the client is
// side 0 with ISN 1000, the server's is 5000.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/decode/decoded.hpp"
#include "samples.hpp"
#include "sinks/ladder.hpp"
#include "sinks/ladder_log.hpp"

namespace tw::test {

inline constexpr std::uint8_t kSynBit = decode::tcp_flag::kSyn;
inline constexpr std::uint8_t kAckBit = decode::tcp_flag::kAck;
inline constexpr std::uint8_t kPshBit = decode::tcp_flag::kPsh;
inline constexpr std::uint8_t kFinBit = decode::tcp_flag::kFin;

struct Sent {
    bool from_client = true;
    std::uint8_t flags = kAckBit;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t payload = 0;
    Nanos at = 0;
    tcp::FlagSet marks{};
    std::vector<std::uint8_t> options{};
};

[[nodiscard]] inline tcp::FlagSet marked(tcp::Flag flag) {
    tcp::FlagSet set;
    set.set(flag);
    return set;
}

class Ladder {
  public:
    explicit Ladder(const sinks::LadderLogOptions& options = {}) : log(options) {
        subject.record = story_record();
        subject.files = {"trace.pcap"};
    }

    void send(const Sent& sent) {
        decode::Decoded found;
        found.outcome = stats::Counter::decoded_segments;
        found.sender = sent.from_client ? 0 : 1;
        decode::Segment& segment = found.segment;
        segment.seq = (sent.from_client ? 1000U : 5000U) + sent.seq;
        segment.ack = (sent.from_client ? 5000U : 1000U) + sent.ack;
        segment.payload_bytes = sent.payload;
        segment.flags = sent.flags;
        segment.window = 500;
        segment.payload_known = true;
        segment.header_complete = true;
        segment.options = sent.options.data();
        segment.options_bytes = static_cast<std::uint8_t>(sent.options.size());
        Frame frame;
        frame.time = kStart + sent.at;
        frame.number = ++frames;
        Observation observation;
        observation.tcp = true;
        observation.flags = sent.marks;
        log.add(frame, found, observation);
    }

    void handshake() {
        send({.flags = kSynBit, .options = {2, 4, 5, 180, 1, 3, 3, 7}});
        send({.from_client = false, .flags = kSynBit | kAckBit, .ack = 1, .at = 10'000'000});
        send({.seq = 1, .ack = 1, .at = 10'100'000});
    }

    [[nodiscard]] std::string text(const sinks::LadderView& view = {},
                                   const sinks::LadderStyle& style = {.page = {},
                                                                      .ascii = true}) const {
        std::string text;
        sinks::write_ladder(log, subject, view, style, [&text](std::string_view piece) {
            text += piece;
            return true;
        });
        return text;
    }
    // From the line that names the ends to the blank line behind the ladder.
    [[nodiscard]] std::string lane() const {
        const std::string whole = text();
        const std::size_t begin = whole.find(" seconds frame");
        return whole.substr(begin, whole.find("\n\n", begin) + 1 - begin);
    }

    sinks::LadderLog log;
    sinks::LadderSubject subject;
    std::uint64_t frames = 0;
};

[[nodiscard]] inline std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

[[nodiscard]] inline event::Event hole(std::uint64_t opener, std::uint32_t begin,
                                       std::uint32_t end) {
    event::Event event = story_hole();
    event.seq_begin = 5000 + begin;
    event.seq_end = 5000 + end;
    event.bytes = end - begin;
    event.subject[0] = {.frame = opener, .time = kStart, .role = event::Role::opener};
    return event;
}

// What is drawn of one line: the lane, without time and frame.
[[nodiscard]] inline std::string line_with(const std::string& text, std::string_view part) {
    for (const std::string& line : lines_of(text)) {
        if (line.find(part) != std::string::npos) {
            return line;
        }
    }
    return "no line with " + std::string(part);
}

[[nodiscard]] inline std::size_t columns_of(const std::string& line) {
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

}  // namespace tw::test
