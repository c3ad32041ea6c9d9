// SPDX-License-Identifier: BSD-3-Clause
// Connections as ordinary servers and clients make them: handshake with options, requests and
// answers, delayed ACKs, now and then a lost segment with duplicate ACKs, SACK and a repeat, close.
// Any number of connections at one time, randomly interleaved; each needs a few bytes, because what
// it does next follows from its seed. For benchmarks, demos and tests of scale.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "support/random.hpp"
#include "support/traffic_generator.hpp"

namespace tw::test {

enum class SizeMix : std::uint8_t {
    small,     // up to 64 bytes of payload: the most packets for the bytes
    internet,  // short requests, answers of one to twelve full segments
    large,     // long answers of full segments
};

struct RealisticOptions {
    std::uint64_t seed = 1;
    std::uint32_t connections = 10'000;  // at one time
    SizeMix mix = SizeMix::internet;
    std::uint32_t loss_per_mille = 10;  // answers in which one segment is lost
    bool running = false;       // the first connections are met in mid-life, as a monitor does
    bool timestamps = true;     // TCP time stamp option on every segment
    Nanos gap = kMicrosecond;   // mean time between two frames
    std::uint32_t snaplen = 0;  // captured bytes per frame, 0 = all
};

class RealisticTraffic {
  public:
    explicit RealisticTraffic(const RealisticOptions& options);

    [[nodiscard]] GeneratedFrame next();

  private:
    // One connection. Rounds: 0 = handshake, then requests and answers, then the close.
    struct Flow {
        std::uint64_t seed = 0;
        std::array<std::uint32_t, 2> base{};  // sequence numbers where the current round began
        std::uint16_t round = 0;
        std::uint16_t position = 0;  // within the round
    };
    struct Planned {
        std::uint8_t side = 0;  // 0 = client
        std::uint8_t flags = 0x10;
        std::uint16_t payload_bytes = 0;
        std::uint32_t seq = 0;         // from base[side]
        std::uint32_t ack = 0;         // from base[side ^ 1]
        std::uint32_t sack_begin = 0;  // from base[side ^ 1]; 0 = no block
        std::uint32_t sack_end = 0;
    };

    [[nodiscard]] Flow new_flow();
    void plan_round(const Flow& flow);
    void plan_handshake();
    void plan_exchange(Random& random);
    void plan_answer(Random& random, std::uint32_t request_bytes);
    void plan_close();
    void advance(Flow& flow);
    [[nodiscard]] Bytes build(const Flow& flow, const Planned& planned) const;
    [[nodiscard]] std::uint16_t full_segment() const;

    RealisticOptions options_;
    Random random_;
    std::vector<Flow> flows_;
    std::vector<Planned> round_;  // of the connection in hand
    Nanos now_;
};

// SYNs from ever new addresses, as an attack sends them; one in `answered_one_in` gets its SYN/ACK.
class SynFlood {
  public:
    SynFlood(std::uint64_t seed, std::uint32_t answered_one_in = 50);

    [[nodiscard]] GeneratedFrame next();

  private:
    Random random_;
    std::uint32_t answered_one_in_;
    Nanos now_;
    bool answer_pending_ = false;
    Ipv4Bytes source_{};
    std::uint16_t port_ = 0;
    std::uint32_t isn_ = 0;
};

}  // namespace tw::test
