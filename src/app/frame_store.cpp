// SPDX-License-Identifier: BSD-3-Clause
#include "app/frame_store.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

namespace tw::app {
namespace {

[[nodiscard]] std::uint32_t slots_for(std::uint32_t frames) {
    return std::bit_ceil(std::max(frames, 2U));
}

}  // namespace

FrameStore::FrameStore(std::uint32_t frames, Backing backing)
    : mask_(slots_for(frames) - 1), slots_(slots_for(frames), backing) {}

std::size_t FrameStore::memory_bytes(std::uint32_t frames) {
    return slots_for(frames) * sizeof(Slot);
}

void FrameStore::add(const Frame& frame) {
    StoredFrame copy;
    const std::size_t kept = std::min<std::size_t>(frame.captured_bytes, StoredFrame::kBytes);
    copy.frame = frame;
    copy.frame.captured_bytes = static_cast<std::uint32_t>(kept);
    std::memcpy(copy.bytes.data(), frame.data, kept);
    std::array<std::uint64_t, Slot::kWords> words;
    std::memcpy(words.data(), &copy, sizeof copy);

    Slot& slot = slots_[slot_of(frame.number)];
    slot.number.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    const std::size_t used = (offsetof(StoredFrame, bytes) + kept + 7) / 8;
    for (std::size_t i = 0; i < used; ++i) {
        slot.words[i].store(words[i], std::memory_order_relaxed);
    }
    slot.number.store(frame.number, std::memory_order_release);
}

std::optional<StoredFrame> FrameStore::find(std::uint64_t number) const {
    const Slot& slot = slots_[slot_of(number)];
    if (number == 0 || slot.number.load(std::memory_order_acquire) != number) {
        return std::nullopt;
    }
    std::array<std::uint64_t, Slot::kWords> words;
    for (std::size_t i = 0; i < Slot::kWords; ++i) {
        words[i] = slot.words[i].load(std::memory_order_relaxed);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (slot.number.load(std::memory_order_relaxed) != number) {
        return std::nullopt;
    }
    StoredFrame copy;
    std::memcpy(static_cast<void*>(&copy), words.data(), sizeof copy);
    return copy;
}

}  // namespace tw::app
