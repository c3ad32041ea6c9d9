// SPDX-License-Identifier: BSD-3-Clause
#include "support/stories.hpp"

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
