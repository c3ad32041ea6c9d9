// SPDX-License-Identifier: BSD-3-Clause
// The receive ring that the kernel shares with net_af_packet, read beside the driver: each slot
// bears the time at which the kernel took the frame, and before 25.03 the driver throws it away.
// Without it frames have the time at which they were polled: two interfaces polled in turn then
// show many a packet behind a firewall before they show it in front.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/time.hpp"
#include "core/frame.hpp"

namespace tw::dpdk {

// Where a mapping of this process lies that `maps` (the text of /proc/self/maps) ascribes to a
// socket's inode.
struct MappedRegion {
    std::uintptr_t begin = 0;
    std::size_t bytes = 0;  // 0 = there is none
};
[[nodiscard]] MappedRegion find_mapping(std::string_view maps, std::uint64_t inode);

class PacketRing {
  public:
    // Slots of `slot_bytes` one after the other, as the driver asks for them; `first`: the one it
    // reads next.
    PacketRing(const std::uint8_t* slots, std::size_t slot_bytes, std::uint64_t slots_count,
               std::uint64_t first)
        : slots_(slots), slot_bytes_(slot_bytes), count_(slots_count), next_(first % slots_count) {}
    // The ring behind the socket; nullptr if its mapping is not as expected.
    [[nodiscard]] static std::unique_ptr<PacketRing> find(int socket, std::size_t slot_bytes,
                                                          std::uint64_t slots_count,
                                                          std::uint64_t first);

    // Notes the times of the frames that wait, `most` of them at most, and returns how many they
    // are: the driver is asked for no more, since the kernel reuses slots it has given back.
    [[nodiscard]] std::uint32_t look(std::uint32_t most);
    [[nodiscard]] Nanos time(std::uint32_t nth) const { return times_[nth]; }
    // So many of them were taken.
    void took(std::uint32_t frames);

  private:
    const std::uint8_t* slots_;
    std::size_t slot_bytes_;
    std::uint64_t count_;
    std::uint64_t next_;
    std::array<Nanos, kBurstMax> times_{};
};

}  // namespace tw::dpdk
