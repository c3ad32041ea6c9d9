// SPDX-License-Identifier: BSD-3-Clause
// Writes the project's own small captures (tests/captures) into a folder. The committed files are
// exactly what this writes; project_captures_test holds that.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "support/conversation.hpp"
#include "support/stories.hpp"
#include "support/traffic_generator.hpp"

namespace {

using tw::kMillisecond;
using tw::kSecond;
using tw::test::Conversation;
using tw::test::ConversationOptions;
using tw::test::Envelope;
using tw::test::PacketBuilder;
using tw::test::Party;
using tw::test::PcapFormat;
using tw::test::PcapWriter;

constexpr std::string_view kRequest = "GET /report HTTP/1.1\r\nHost: example.net\r\n\r\n";

// One conversation after a request was answered with `segments` of 1000 bytes, all acknowledged.
Conversation established(std::uint32_t segments = 0) {
    Conversation talk;
    talk.handshake().client("PA", {.text = kRequest}).server("A");
    for (std::uint32_t i = 0; i < segments; ++i) {
        talk.server("A", {.bytes = 1000}).client("A");
    }
    return talk;
}

Conversation retransmission() {
    Conversation talk = established();
    talk.server("PA", {.bytes = 1000}).wait(300 * kMillisecond);
    talk.server("PA", {.seq = 1, .bytes = 1000}).client("A");
    return talk;
}

Conversation fast_retransmission() {
    Conversation talk = established(1);
    talk.lost(Party::server, 1000);
    for (int i = 0; i < 3; ++i) {
        talk.server("A", {.bytes = 1000}).client("A");
    }
    talk.server("A", {.seq = 1001, .bytes = 1000}).client("A", {.ack = 5001});
    return talk;
}

Conversation spurious_retransmission() {
    Conversation talk = established(2);
    talk.wait(200 * kMillisecond).server("A", {.seq = 1001, .bytes = 1000}).client("A");
    return talk;
}

Conversation out_of_order() {
    Conversation talk = established(1);
    talk.server("A", {.seq = 2001, .bytes = 1000});
    talk.wait(kMillisecond / 5).server("A", {.seq = 1001, .bytes = 1000});
    talk.client("A", {.ack = 3001});
    return talk;
}

Conversation reused_ports() {
    Conversation talk = established(1);
    talk.client("FA").server("FA").client("A");
    Conversation again(
        {.isn = {3'100'000'000, 1'200'000'000}, .start = talk.frames().back().time + 5 * kSecond});
    again.handshake().client("PA", {.text = kRequest}).server("A");
    Conversation both = talk;
    for (const auto& frame : again.frames()) {
        both.add(frame);
    }
    return both;
}

Conversation lost_segment() {
    Conversation talk = established(1);
    talk.lost(Party::server, 1460).server("A", {.bytes = 1000}).client("A");
    return talk;
}

Conversation ack_lost_segment() {
    Conversation talk = established(1);
    talk.unseen(Party::server, 1460).client("A").server("A", {.bytes = 1000}).client("A");
    return talk;
}

Conversation window_update() {
    Conversation talk = established(1);
    talk.client("A", {.window = 1000});
    return talk;
}

Conversation window_full() {
    Conversation talk = established(1);
    talk.client("A", {.window = 8}).server("A", {.bytes = 1024}).client("A");
    return talk;
}

Conversation keep_alive() {
    Conversation talk = established(1);
    talk.wait(45 * kSecond).client("A", {.seq = 43}).wait(11 * kMillisecond).server("A");
    return talk;
}

Conversation zero_window() {
    Conversation talk = established(1);
    talk.client("A", {.window = 8}).server("A", {.bytes = 1024}).client("A", {.window = 0});
    talk.wait(300 * kMillisecond).server("A", {.seq = 2025, .bytes = 1});
    talk.client("A", {.ack = 2025});
    talk.wait(kSecond).client("A", {.ack = 2025, .window = 400});
    return talk;
}

// The first fragment shows the connection, but not how long the segment is.
Conversation fragments() {
    Conversation talk = established(1);
    PacketBuilder first;
    first.ethernet().ipv4("198.51.100.80", "192.0.2.10").ip_id(77).fragment(0, true);
    first.tcp(80, 50123).seq(1'000'001'001).ack(3'000'000'045).payload(1460);
    PacketBuilder second;
    second.ethernet().ipv4("198.51.100.80", "192.0.2.10").ip_id(77).next_protocol(6);
    second.fragment(1480, false).payload(600);
    const tw::Nanos time = talk.frames().back().time;
    talk.add({time + kMillisecond, first.build()});
    talk.add({time + kMillisecond + 1000, second.build()});
    talk.wait(2 * kMillisecond).client("A", {.ack = 3061});
    return talk;
}

// One answer segment in each encapsulation. All share the stream: only inner addresses count.
Conversation tunnels() {
    Conversation talk = established();
    for (std::uint32_t i = 0; i < tw::test::kEnvelopes; ++i) {
        talk.server("A", {.bytes = 100, .below = [i](PacketBuilder& builder) {
                              tw::test::Random random(i);
                              tw::test::add_envelope(builder, static_cast<Envelope>(i), random);
                          }});
    }
    talk.client("A");
    return talk;
}

void save(const Conversation& talk, const std::string& path) {
    PcapWriter writer;
    talk.write(writer);
    writer.save(path);
}

// Only 68 bytes of each frame, as old tcpdump kept them: SYN options are cut.
void save_sliced(const Conversation& talk, const std::string& path) {
    PcapWriter writer({.snaplen = 68});
    for (const auto& frame : talk.frames()) {
        const auto size = static_cast<std::uint32_t>(frame.bytes.size());
        writer.packet(frame.time, std::span(frame.bytes).first(std::min(size, 68U)),
                      {.wire_bytes = size});
    }
    writer.save(path);
}

// The two directions on two interfaces, the second of which dropped packets.
void save_two_interfaces(const Conversation& talk, const std::string& path) {
    PcapWriter writer({.format = PcapFormat::pcapng});
    const std::uint32_t from_client = writer.interface({.name = "tap0"});
    const std::uint32_t from_server = writer.interface({.name = "tap1"});
    for (const auto& frame : talk.frames()) {
        const bool client = frame.bytes[26] == 192;  // source address 192.0.2.10
        tw::test::PacketFields fields{.interface = client ? from_client : from_server};
        if (!client && &frame == &talk.frames()[5]) {
            fields.dropped_before = 2;
        }
        writer.packet(frame.time, frame.bytes, fields);
    }
    writer.statistics({.interface = from_client, .received = 6, .dropped_interface = 0});
    writer.statistics({.interface = from_server, .received = 8, .dropped_interface = 2});
    writer.save(path);
}

void save_all(const std::filesystem::path& folder) {
    const auto path = [&](std::string_view name) { return (folder / name).string(); };
    save(tw::test::story_of_the_firewall(), path("story-firewall.pcap"));
    save(tw::test::story_of_two_taps(tw::taps::Side::outside), path("story-outside.pcap"));
    save(tw::test::story_of_two_taps(tw::taps::Side::inside), path("story-inside.pcap"));
    save(tw::test::story_of_the_fin(), path("story-fin-overshoot.pcap"));
    save(retransmission(), path("retransmission.pcap"));
    save(fast_retransmission(), path("fast-retransmission.pcap"));
    save(spurious_retransmission(), path("spurious-retransmission.pcap"));
    save(out_of_order(), path("out-of-order.pcap"));
    save(reused_ports(), path("reused-ports.pcap"));
    save(lost_segment(), path("lost-segment.pcap"));
    save(ack_lost_segment(), path("ack-lost-segment.pcap"));
    save(window_update(), path("window-update.pcap"));
    save(window_full(), path("window-full.pcap"));
    save(keep_alive(), path("keep-alive.pcap"));
    save(zero_window(), path("zero-window.pcap"));
    save(fragments(), path("fragments.pcap"));
    save(tunnels(), path("tunnels.pcap"));
    save_sliced(fast_retransmission(), path("sliced.pcap"));
    save_two_interfaces(lost_segment(), path("two-interfaces.pcapng"));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: make_captures FOLDER\n");
        return 2;
    }
    try {
        std::filesystem::create_directories(argv[1]);
        save_all(argv[1]);
    } catch (const std::exception& error) {
        fmt::print(stderr, "make_captures: {}\n", error.what());
        return 3;
    }
    return EXIT_SUCCESS;
}
