// SPDX-License-Identifier: BSD-3-Clause
// A TCP conversation written down as a script. Sequence and ACK numbers count from each side's
// initial number, as people read them, and follow by themselves from what was said before.
//
//   Conversation talk;
//   talk.handshake().client("PA", {.text = "GET / HTTP/1.1\r\n\r\n"}).server("A");
//   talk.lost(Party::server, 1010).wait(20 * kSecond).server("FA");
//   talk.client("A");                       // still ack 1: it has seen none of it
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "support/packet_builder.hpp"
#include "support/pcap_writer.hpp"

namespace tw::test {

enum class Party : std::uint8_t { client, server };

struct TimedFrame {
    Nanos time = 0;
    Bytes bytes{};
};

struct ConversationOptions {
    std::array<std::string, 2> address{"192.0.2.10", "198.51.100.80"};  // IPv4, or both IPv6
    std::array<std::uint16_t, 2> port{50123, 80};
    std::array<std::uint32_t, 2> isn{3'000'000'000, 1'000'000'000};
    std::array<std::uint16_t, 2> window{64'240, 65'160};
    Nanos start = 1'700'000'000 * kSecond;
    Nanos step = kMillisecond;  // between two segments, unless wait() says otherwise
    std::array<std::uint8_t, 2> ttl{64, 64};
    // What lies below the IP header; default is plain Ethernet.
    std::function<void(PacketBuilder&)> below{};
};

struct SegmentFields {
    std::optional<std::uint32_t> seq{};  // default: where this side is
    std::optional<std::uint32_t> ack{};  // default: all this side has received without a hole
    std::size_t bytes = 0;               // payload, or:
    std::string_view text{};
    std::optional<std::uint16_t> window{};          // stays as last said
    std::function<void(PacketBuilder&)> options{};  // TCP options
    std::function<void(PacketBuilder&)> below{};    // of this segment only
    std::optional<std::uint8_t> ttl{};
    std::optional<std::uint16_t> ip_id{};  // IPv4
};

class Conversation {
  public:
    explicit Conversation(const ConversationOptions& options = {});

    // Each adds one captured segment; `flags` are letters as PacketBuilder::flags takes them.
    Conversation& client(std::string_view flags, const SegmentFields& fields = {});
    Conversation& server(std::string_view flags, const SegmentFields& fields = {});
    // SYN, SYN/ACK and ACK with the options of an ordinary Linux host (window scale 7).
    Conversation& handshake();

    // Time passes before the next segment, in place of the step.
    Conversation& wait(Nanos time);
    // `bytes` are sent and neither captured nor received.
    Conversation& lost(Party sender, std::uint32_t bytes);
    // `bytes` are sent and received, but not captured.
    Conversation& unseen(Party sender, std::uint32_t bytes);

    [[nodiscard]] const std::vector<TimedFrame>& frames() const { return frames_; }
    // A frame from elsewhere; numbers do not follow from it.
    void add(const TimedFrame& frame) { frames_.push_back(frame); }
    void write(PcapWriter& writer) const;

  private:
    Conversation& say(std::size_t from, std::string_view flags, const SegmentFields& fields);
    void received(std::size_t from, std::uint32_t begin, std::uint32_t end);

    ConversationOptions options_;
    std::array<std::uint32_t, 2> next_{};      // relative: the next number each side sends
    std::array<std::uint32_t, 2> received_{};  // relative: how far the other side has got it
    Nanos now_;
    bool waited_ = true;
    std::vector<TimedFrame> frames_;
};

}  // namespace tw::test
