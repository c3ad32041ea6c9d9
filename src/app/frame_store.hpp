// SPDX-License-Identifier: BSD-3-Clause
// The last frames one worker saw, cut to their headers, so that evidence can be written when the
// verdict comes a second later. The worker writes and never waits; the control thread copies a
// frame out by its number, and notices if it was overwritten meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/lazy_array.hpp"
#include "core/frame.hpp"

namespace tw::app {

// A copy. `frame.data` points into `bytes` once the copy rests: call view().
struct StoredFrame {
    // Ethernet, tags, IPv6 and TCP with all options, and some of the payload for people.
    static constexpr std::size_t kBytes = 168;

    Frame frame;
    std::array<std::uint8_t, kBytes> bytes;
    [[nodiscard]] Frame view() const {
        Frame copy = frame;
        copy.data = bytes.data();
        return copy;
    }
};

class FrameStore {
  public:
    // `frames` is rounded up to a power of two.
    FrameStore(std::uint32_t frames, Backing backing);

    // writer: worker. frame.number is not 0 and grows by `step` from frame to frame.
    void add(const Frame& frame);
    // reader: control thread. Nothing if it is there no longer.
    [[nodiscard]] std::optional<StoredFrame> find(std::uint64_t number) const;
    [[nodiscard]] static std::size_t memory_bytes(std::uint32_t frames);

    // Numbers of worker `index` of `count`: unique in a run, and the store finds its slot.
    [[nodiscard]] static std::uint64_t number(std::uint64_t nth, std::uint32_t index) {
        return nth << kWorkerBits | index;
    }
    [[nodiscard]] static std::uint32_t worker_of(std::uint64_t number) {
        return static_cast<std::uint32_t>(number & ((1U << kWorkerBits) - 1));
    }

  private:
    static constexpr std::uint32_t kWorkerBits = 8;

    // A sequence lock: `number` is 0 while the slot is being written (Boehm, "Can seqlocks get
    // along with programming language memory models?", 2012). The words are atomics, so that a
    // reader that comes in between reads nonsense but no undefined behaviour.
    struct Slot {
        static constexpr std::size_t kWords = (sizeof(StoredFrame) + 7) / 8;
        std::atomic<std::uint64_t> number;
        std::array<std::atomic<std::uint64_t>, kWords> words;
    };
    [[nodiscard]] std::size_t slot_of(std::uint64_t number) const {
        return static_cast<std::size_t>(number >> kWorkerBits) & mask_;
    }

    std::size_t mask_;
    LazyArray<Slot> slots_;
};

}  // namespace tw::app
