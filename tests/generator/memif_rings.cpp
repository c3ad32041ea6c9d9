// SPDX-License-Identifier: BSD-3-Clause
#include "generator/memif_rings.hpp"

#include <bit>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace tw::generator {
namespace {

//   0 cookie, 4 flags, 6 head (written by the sender) | 64 tail (by the receiver) | 128 descriptors
constexpr std::uint32_t kCookie = 0x3E31F20;
constexpr std::size_t kHeadOffset = 6;
constexpr std::size_t kTailOffset = 64;
constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kDescriptorBytes = 16;
constexpr std::size_t kSlotsMax = 1U << 14;

template <typename T>
[[nodiscard]] T value_at(const volatile std::uint8_t* at) {
    return *reinterpret_cast<const volatile T*>(at);
}

struct Region {
    const volatile std::uint8_t* begin = nullptr;
    std::size_t bytes = 0;
    std::uint32_t count = 0;
};

// The memory file that a client shares with its server.
[[nodiscard]] Region find_region() {
    Region region;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"),
                                                               std::fclose);
    char line[512];
    while (maps && std::fgets(line, sizeof line, maps.get()) != nullptr) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        if (std::string_view(line).find("memfd:memif_region") != std::string_view::npos &&
            std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2) {
            region.begin = reinterpret_cast<const volatile std::uint8_t*>(begin);
            region.bytes = end - begin;
            ++region.count;
        }
    }
    return region;
}

}  // namespace

MemifRings::MemifRings(std::uint16_t queues) {
    const Region region = find_region();
    if (region.count != 1) {
        return;
    }
    // The client's transmit rings come first, all of one size: where the second ring's cookie is.
    const volatile std::uint8_t* at = region.begin;
    for (std::size_t slots = 1; slots <= kSlotsMax; slots *= 2) {
        const std::size_t step = kHeaderBytes + slots * kDescriptorBytes;
        if (queues * step + sizeof kCookie > region.bytes) {
            return;
        }
        bool fits = true;
        for (std::uint16_t queue = 0; queue <= queues && fits; ++queue) {
            fits = value_at<std::uint32_t>(at + queue * step) == kCookie;
        }
        for (std::uint16_t queue = 0; queue < queues && fits; ++queue) {
            rings_.push_back(at + queue * step);
        }
        if (fits) {
            return;
        }
    }
}

bool MemifRings::empty() const {
    for (const volatile std::uint8_t* ring : rings_) {
        if (value_at<std::uint16_t>(ring + kHeadOffset) !=
            value_at<std::uint16_t>(ring + kTailOffset)) {
            return false;
        }
    }
    return true;
}

}  // namespace tw::generator
