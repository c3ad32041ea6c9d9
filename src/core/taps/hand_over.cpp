// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/hand_over.hpp"

#include <algorithm>
#include <bit>

namespace tw::taps {
namespace {

// Of all rings together; each holds 2 ms of two million packets a second where workers are few.
constexpr std::size_t kRingsBytes = std::size_t{32} << 20;
constexpr std::size_t kRingLeast = 512;
constexpr std::size_t kRingMost = 4096;
// New connections that wait for the desk, of one worker.
constexpr std::size_t kIntroductions = 4096;

}  // namespace

HandOver::HandOver(std::uint32_t workers) : workers_(workers), reached_(workers) {
    const std::size_t pairs = std::size_t{workers} * workers;
    const std::size_t each =
        std::clamp(std::bit_floor(kRingsBytes / sizeof(HandedOver) / pairs), kRingLeast, kRingMost);
    for (std::size_t i = 0; i < pairs; ++i) {
        rings_.push_back(std::make_unique<SpscRing<HandedOver>>(each));
    }
    for (std::uint32_t i = 0; i < workers; ++i) {
        introductions_.push_back(std::make_unique<SpscRing<Introduction>>(kIntroductions));
    }
}

Nanos HandOver::reached_by_others(std::uint32_t worker) const {
    Nanos reached = INT64_MAX;
    for (std::uint32_t other = 0; other < workers_; ++other) {
        if (other != worker) {
            reached = std::min(reached, reached_[other].time.load(std::memory_order_acquire));
        }
    }
    return reached;
}

std::size_t HandOver::memory_bytes() const {
    return rings_.size() * rings_.front()->capacity() * sizeof(HandedOver) +
           introductions_.size() * kIntroductions * sizeof(Introduction);
}

}  // namespace tw::taps
