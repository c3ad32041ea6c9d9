// SPDX-License-Identifier: BSD-3-Clause
// The kernel's receive ring as it is read beside the driver: which frames wait, and when the kernel
// took them.
#include "capture/dpdk/packet_ring.hpp"

#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace tw::dpdk {
namespace {

constexpr std::size_t kSlotBytes = 128;

class Slots {
  public:
    explicit Slots(std::size_t count) : bytes_(count * kSlotBytes) {}

    void give(std::size_t slot, std::uint32_t seconds, std::uint32_t nanoseconds) {
        tpacket2_hdr header{};
        header.tp_status = TP_STATUS_USER | TP_STATUS_LOSING;
        header.tp_sec = seconds;
        header.tp_nsec = nanoseconds;
        std::memcpy(bytes_.data() + slot * kSlotBytes, &header, sizeof header);
    }
    void take(std::size_t slot) {
        std::memset(bytes_.data() + slot * kSlotBytes, 0, sizeof(tpacket2_hdr));
    }
    [[nodiscard]] PacketRing ring(std::uint64_t first = 0) const {
        return {bytes_.data(), kSlotBytes, bytes_.size() / kSlotBytes, first};
    }

  private:
    std::vector<std::uint8_t> bytes_;
};

TEST(PacketRing, tells_how_many_frames_wait_and_when_each_was_taken) {
    Slots slots(4);
    PacketRing ring = slots.ring();
    EXPECT_EQ(ring.look(32), 0U);
    slots.give(0, 100, 7);
    slots.give(1, 4'000'000'000, 999'999'999);
    EXPECT_EQ(ring.look(32), 2U);
    EXPECT_EQ(ring.time(0), 100 * kSecond + 7);
    EXPECT_EQ(ring.time(1), 4'000'000'000 * kSecond + 999'999'999);
    EXPECT_EQ(ring.look(1), 1U);
}

TEST(PacketRing, follows_the_driver_round_the_ring) {
    Slots slots(4);
    PacketRing ring = slots.ring(6);  // two were taken a round and a half ago
    for (std::size_t slot = 0; slot < 4; ++slot) {
        slots.give(slot, static_cast<std::uint32_t>(10 + slot), 0);
    }
    EXPECT_EQ(ring.look(3), 3U);
    EXPECT_EQ(ring.time(0), 12 * kSecond);
    EXPECT_EQ(ring.time(2), 10 * kSecond);
    slots.take(2);
    slots.take(3);
    ring.took(2);  // the driver had no buffer for the third
    EXPECT_EQ(ring.look(32), 2U);
    EXPECT_EQ(ring.time(0), 10 * kSecond);
    slots.take(0);
    slots.take(1);
    ring.took(2);
    EXPECT_EQ(ring.look(32), 0U);
    slots.give(2, 20, 0);
    EXPECT_EQ(ring.look(32), 1U);
    EXPECT_EQ(ring.time(0), 20 * kSecond);
}

TEST(PacketRing, its_mapping_is_the_one_of_the_sockets_inode) {
    constexpr std::string_view kMaps =
        "55d0e000-55d0f000 r--p 00000000 08:01 1711   /usr/bin/tapwitness\n"
        "7f1000000000-7f1000200000 rw-s 00000000 00:08 14711   socket:[14711]\n"
        "7f2000000000-7f2000100000 rw-s 00000000 00:08 4711   socket:[4711]\n"
        "7fff00000000-7fff00001000 rw-p 00000000 00:00 0   [stack]\n";
    const MappedRegion found = find_mapping(kMaps, 4711);
    EXPECT_EQ(found.begin, 0x7f20'0000'0000U);
    EXPECT_EQ(found.bytes, 0x10'0000U);
    EXPECT_EQ(find_mapping(kMaps, 711).bytes, 0U);
    EXPECT_EQ(find_mapping("", 4711).bytes, 0U);
    EXPECT_EQ(find_mapping("nonsense socket:[4711]", 4711).bytes, 0U);
}

TEST(PacketRing, a_socket_that_maps_nothing_has_none) {
    const int file = socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_GE(file, 0);
    EXPECT_EQ(PacketRing::find(file, 2048, 512, 0), nullptr);
    EXPECT_EQ(PacketRing::find(-1, 2048, 512, 0), nullptr);
    close(file);
}

}  // namespace
}  // namespace tw::dpdk
