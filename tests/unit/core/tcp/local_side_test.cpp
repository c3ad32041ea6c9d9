// SPDX-License-Identifier: BSD-3-Clause
// The tap inside a host is known by checksums that its card has not filled in yet.
#include "core/tcp/local_side.hpp"

#include <gtest/gtest.h>

#include "unit/core/tcp/life_talk.hpp"

namespace tw::tcp {
namespace {

// 192.0.2.10 and 198.51.100.80, protocol 6, a segment of `length` bytes.
std::uint16_t pseudo_header(std::uint32_t length) {
    std::uint32_t sum = 0xC000 + 0x020A + 0xC633 + 0x6450 + 6 + length;
    sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>((sum & 0xFFFF) + (sum >> 16));
}

std::function<void(PacketBuilder&)> unfinished(std::uint32_t payload) {
    return [=](PacketBuilder& builder) { builder.set16(16, pseudo_header(20 + payload)); };
}

// The client's bytes are captured, lost beyond the tap and sent again.
Conversation lost_after_tap(bool client_unfinished, bool server_unfinished) {
    const auto client = [&](std::uint32_t payload) {
        return client_unfinished ? unfinished(payload) : nullptr;
    };
    const auto server = [&](std::uint32_t payload) {
        return server_unfinished ? unfinished(payload) : nullptr;
    };
    Conversation talk;
    talk.handshake();
    talk.client("PA", {.bytes = 100, .options = client(100)});
    talk.server("A", {.options = server(0)}).server("PA", {.bytes = 50, .options = server(50)});
    talk.client("A", {.options = client(0)});
    talk.client("PA", {.bytes = 200, .options = client(200)});
    talk.wait(400 * kMillisecond);
    talk.client("PA", {.seq = 101, .bytes = 200, .options = client(200)});
    talk.wait(11 * kMillisecond).server("A", {.options = server(0)});
    return talk;
}

Place place_of(const Conversation& talk) {
    const auto repeats = events_of(talk, EventType::repeat);
    EXPECT_EQ(repeats.size(), 1U);
    EXPECT_EQ(name(repeats.at(0).finding.verdict), name(Verdict::lost_after_tap));
    return repeats.at(0).finding.place;
}

TEST(LocalSide, loss_at_the_host_that_holds_the_tap_happened_inside_it) {
    EXPECT_EQ(place_of(lost_after_tap(false, true)), Place::inside_receiver);
}

TEST(LocalSide, loss_at_the_far_side_is_still_on_the_way_there) {
    EXPECT_EQ(place_of(lost_after_tap(true, false)), Place::tap_to_receiver);
}

TEST(LocalSide, two_unfinished_sides_or_none_tell_nothing) {
    EXPECT_EQ(place_of(lost_after_tap(false, false)), Place::tap_to_receiver);
    EXPECT_EQ(place_of(lost_after_tap(true, true)), Place::tap_to_receiver);
}

TEST(LocalSide, each_place_beside_the_tap_has_its_host) {
    constexpr std::uint8_t kSender = 1;
    EXPECT_EQ(place_with_local_side(Place::sender_to_tap, kSender, 1), Place::inside_sender);
    EXPECT_EQ(place_with_local_side(Place::sender_to_tap, kSender, 0), Place::sender_to_tap);
    EXPECT_EQ(place_with_local_side(Place::receiver_to_tap, kSender, 0), Place::inside_receiver);
    EXPECT_EQ(place_with_local_side(Place::tap_to_sender, kSender, 1), Place::inside_sender);
    EXPECT_EQ(place_with_local_side(Place::at_tap, kSender, 1), Place::at_tap);
    EXPECT_EQ(place_with_local_side(Place::tap_to_receiver, kSender, std::nullopt),
              Place::tap_to_receiver);
}

}  // namespace
}  // namespace tw::tcp
