// SPDX-License-Identifier: BSD-3-Clause
// Synthetic traffic for benchmarks: established IPv4 connections in uniformly random order, each
// sending its segments in order, 64 bytes each on the wire. The frames of a batch lie one behind
// the other. No sequence number is ever wrong: a run in which any flag is raised does not measure
// the common path.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/flow/key.hpp"
#include "core/frame.hpp"

namespace tw::bench {

// xorshift64*: fixed seed, same numbers everywhere.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint32_t below(std::uint32_t limit) {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        const std::uint64_t high = (state_ * 0x2545F4914F6CDD1DULL) >> 32;
        return static_cast<std::uint32_t>(high * limit >> 32);
    }

  private:
    std::uint64_t state_;
};

class Traffic {
  public:
    // 64 bytes on the wire are 60 without the frame check sequence: Ethernet 14, IPv4 20, TCP 20,
    // payload 6. Each lies at the start of a cache line.
    static constexpr std::uint32_t kFrameBytes = 60;
    static constexpr std::uint32_t kStride = 64;
    static constexpr std::uint32_t kPayloadBytes = 6;
    // Long enough that a variant's cold start after another one's turn is below 2 % at 10 k flows.
    static constexpr std::uint32_t kBatch = 1U << 19;

    explicit Traffic(std::uint32_t flows_count);

    // Lays down three frames of handshake for the next connections, at most kBatch frames. Returns
    // how many; 0 = all connections have begun.
    std::uint32_t next_handshakes();
    // Lays down kBatch data segments of random connections.
    void next_batch();

    // The frame at `position` of what was laid down last.
    [[nodiscard]] Frame frame(std::uint32_t position) const {
        Frame frame;
        frame.data = bytes_.data() + std::size_t{position} * kStride;
        frame.captured_bytes = kFrameBytes;
        frame.wire_bytes = kFrameBytes;
        frame.time = batch_time_ + position * kGap;
        return frame;
    }
    [[nodiscard]] std::uint32_t flows_count() const {
        return static_cast<std::uint32_t>(flows_.size());
    }
    // The connection of each frame of the last batch, and the key decoding must give it.
    [[nodiscard]] std::span<const std::uint32_t> flow_numbers() const { return flow_numbers_; }
    [[nodiscard]] static flow::KeyV4 key(std::uint32_t flow_number);

  private:
    // 14.88 million frames a second: 10 Gbit/s of 64-byte frames.
    static constexpr Nanos kGap = 67;

    struct Conversation {
        std::uint32_t next_seq[2];  // index: 0 client, 1 server
    };

    void write(std::uint32_t position, std::uint32_t flow_number, std::uint32_t side,
               std::uint8_t flags);

    std::vector<Conversation> flows_;
    LazyArray<std::uint8_t> bytes_;
    std::vector<std::uint32_t> flow_numbers_;
    Random random_;
    std::uint32_t handshakes_done_ = 0;
    Nanos batch_time_ = 1'700'000'000 * kSecond;
    Nanos next_batch_time_ = batch_time_;
};

}  // namespace tw::bench
