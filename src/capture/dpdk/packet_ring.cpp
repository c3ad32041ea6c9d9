// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/packet_ring.hpp"

#include <linux/if_packet.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/check.hpp"

namespace tw::dpdk {
namespace {

[[nodiscard]] std::uintptr_t hex(std::string_view text) {
    std::uintptr_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return value;
}

}  // namespace

// "7f10-7f20 rw-s 00000000 00:08 4711   socket:[4711]"
MappedRegion find_mapping(std::string_view maps, std::uint64_t inode) {
    const std::string name = "socket:[" + std::to_string(inode) + "]";
    while (!maps.empty()) {
        const std::size_t end = std::min(maps.find('\n'), maps.size());
        const std::string_view line = maps.substr(0, end);
        maps.remove_prefix(std::min(end + 1, maps.size()));
        if (!line.ends_with(name)) {
            continue;
        }
        const std::size_t dash = line.find('-');
        const std::size_t space = line.find(' ');
        if (dash == std::string_view::npos || space == std::string_view::npos || space < dash) {
            continue;
        }
        const std::uintptr_t begin = hex(line.substr(0, dash));
        const std::uintptr_t past = hex(line.substr(dash + 1, space - dash - 1));
        return {begin, past > begin ? past - begin : 0};
    }
    return {};
}

std::unique_ptr<PacketRing> PacketRing::find(int socket, std::size_t slot_bytes,
                                             std::uint64_t slots_count, std::uint64_t first) {
    struct stat status {};
    if (slots_count == 0 || slot_bytes < sizeof(tpacket2_hdr) || fstat(socket, &status) != 0) {
        return nullptr;
    }
    std::ifstream file("/proc/self/maps");
    const std::string maps{std::istreambuf_iterator<char>(file), {}};
    const MappedRegion region = find_mapping(maps, status.st_ino);
    if (region.bytes < slots_count * slot_bytes) {
        return nullptr;
    }
    // The driver's own mapping, which it keeps as long as the port exists.
    const auto* const slots = reinterpret_cast<const std::uint8_t*>(region.begin);
    return std::make_unique<PacketRing>(slots, slot_bytes, slots_count, first);
}

std::uint32_t PacketRing::look(std::uint32_t most) {
    TW_DCHECK(most <= times_.size());
    std::uint64_t at = next_;
    for (std::uint32_t i = 0; i < most; ++i) {
        const auto* const slot = reinterpret_cast<const tpacket2_hdr*>(slots_ + at * slot_bytes_);
        if ((__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) {
            return i;
        }
        times_[i] = Nanos{slot->tp_sec} * kSecond + Nanos{slot->tp_nsec};
        at = at + 1 == count_ ? 0 : at + 1;
    }
    return most;
}

void PacketRing::took(std::uint32_t frames) {
    next_ += frames;
    next_ -= next_ >= count_ ? count_ : 0;
}

}  // namespace tw::dpdk
