// SPDX-License-Identifier: BSD-3-Clause
#include "support/stories.hpp"

#include <array>

namespace tw::test {
namespace {

constexpr std::string_view kRequest =
    "GET /report HTTP/1.1\r\nHost: example.net\r\n\r\n";  // 43 bytes
constexpr std::uint32_t kAnswerBytes = 1010;

}  // namespace

Conversation story_of_the_firewall(const ConversationOptions& options) {
    Conversation talk(options);
    talk.handshake();
    talk.client("PA", {.text = kRequest});
    talk.wait(11 * kMillisecond).server("A");
    talk.lost(Party::server, kAnswerBytes);
    talk.wait(20 * kSecond).server("FA");      // relative seq 1011
    talk.wait(40 * kMicrosecond).client("A");  // still asks for 1
    talk.wait(6 * kSecond).client("FA");
    talk.wait(11 * kMillisecond).server("A");
    talk.wait(220 * kMillisecond).client("FA", {.seq = 1 + kRequest.size()});
    return talk;
}

Conversation story_of_two_taps(taps::Side tap) {
    constexpr Nanos kThrough = 150 * kMicrosecond;  // from tap to tap
    const bool outside = tap == taps::Side::outside;
    ConversationOptions options;
    options.ttl =
        outside ? std::array<std::uint8_t, 2>{64, 63} : std::array<std::uint8_t, 2>{63, 64};
    Conversation talk(options);
    talk.handshake();
    // What enters within a second of the capture's begin is not judged.
    talk.wait(2 * kSecond).client("PA", {.text = kRequest});
    talk.wait(11 * kMillisecond).server("A");
    Nanos timeout = 220 * kMillisecond;
    Nanos sent = kMillisecond;
    Nanos before_fin = 20 * kSecond;
    for (int i = 0; i < 6; ++i) {
        if (!outside) {
            talk.wait(sent).server("PA", {.seq = 1, .bytes = kAnswerBytes});
        }
        before_fin -= sent;
        sent = timeout;
        timeout *= 2;
    }
    if (outside) {
        talk.lost(Party::server, kAnswerBytes);
        before_fin = 20 * kSecond;
    }
    talk.wait(before_fin).server("FA");
    talk.wait(40 * kMicrosecond).client("A", {.ack = 1});
    talk.wait(6 * kSecond).client("FA", {.ack = 1});
    talk.wait(11 * kMillisecond).server("A");
    // What one side sends is seen at its own tap first.
    Conversation seen(options);
    for (TimedFrame frame : talk.frames()) {
        constexpr std::size_t kLastOfSource = 29;
        const bool from_server = frame.bytes[kLastOfSource] == 80;
        frame.time += from_server == outside ? kThrough : 0;
        seen.add(frame);
    }
    return seen;
}

Conversation story_of_the_fin(const ConversationOptions& options) {
    Conversation talk(options);
    talk.handshake();
    talk.client("PA", {.text = kRequest});
    talk.wait(11 * kMillisecond).server("A");
    talk.wait(3 * kMillisecond).server("PA", {.bytes = kAnswerBytes});
    talk.wait(40 * kMicrosecond).client("A");  // has all of it: 1011
    talk.wait(5 * kSecond).server("FA", {.seq = 1 + kAnswerBytes + 1});
    talk.wait(40 * kMicrosecond).client("A");  // asks for byte 1011
    talk.wait(300 * kMillisecond).server("FA", {.seq = 1 + kAnswerBytes + 1});
    talk.wait(40 * kMicrosecond).client("A");
    return talk;
}

}  // namespace tw::test
