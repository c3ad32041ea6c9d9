// SPDX-License-Identifier: BSD-3-Clause
// One TCP connection as nobody would want to meet it: wraps, zero values, overlaps, odd flags, time
// that stands still or runs backwards, reuse, wild resets. Every segment is valid on the wire. All
// numbers come from small sets around a few landmarks, so that the coincidences on which the flags
// depend happen all the time. Decides what is sent; traffic_generator wraps it into frames.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "support/packet_builder.hpp"
#include "support/random.hpp"

namespace tw::test {

struct SegmentPlan {
    std::uint8_t side = 0;  // who sends: 0 or 1
    std::uint8_t flags = 0;
    std::uint16_t window = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t payload_bytes = 0;
    Bytes options{};                           // as in the header, unpadded
    std::optional<std::uint8_t> data_words{};  // a wrong data offset
    Nanos time = 0;
};

class HostileConnection {
  public:
    // `start`: time of the first segment.
    HostileConnection(Random& random, Nanos start, bool multipath);

    [[nodiscard]] SegmentPlan next();

    // A bulk transfer of `count` one-byte segments without any acknowledgement, then a FIN: fills
    // the list of unacknowledged segments, which tshark limits to 10,000.
    void begin_flood(std::uint32_t count) { flood_left_ = count; }

  private:
    static constexpr std::uint32_t kHistory = 8;

    struct Sent {
        std::uint32_t seq = 0;
        std::uint32_t payload_bytes = 0;
        std::uint8_t flags = 0;
    };
    struct Side {
        std::uint32_t isn = 0;
        std::uint32_t next = 0;  // highest end sent, roughly
        std::uint32_t ack = 0;   // ACK field sent last
        std::uint16_t window = 0;
        int scale = -1;  // shift this side announced
        Nanos time = 0;  // of its last segment
        std::array<Sent, kHistory> history{};
        std::uint32_t sent_count = 0;
    };

    [[nodiscard]] Side& me() { return sides_[plan_.side]; }
    [[nodiscard]] Side& peer() { return sides_[plan_.side ^ 1]; }
    [[nodiscard]] Sent& some_sent(Side& side);

    void opening();
    void ordinary_data();
    void data_after_gap();
    void repeat();
    void overlap();
    void pure_ack();
    void duplicate_ack();
    void window_change();
    void ack_near_history();
    void ack_unseen();
    void keep_alive();
    void zero_window();
    void probe();
    void fill_window();
    void fin();
    void rst();
    void syn();
    void syn_ack();
    void odd_flags();
    void half_circle();
    void around_zero();
    void chaos();
    void flood();

    void add_syn_options();
    void add_options();
    void add_sack();
    void add_multipath();
    void add_flag(std::uint32_t percent, std::uint8_t flag);
    void advance_time();
    void remember();
    [[nodiscard]] std::uint32_t small_length();
    [[nodiscard]] std::uint32_t near(std::uint32_t base);
    [[nodiscard]] std::uint16_t some_window();

    Random& random_;
    SegmentPlan plan_;
    std::array<Side, 2> sides_;
    Nanos now_;
    Nanos syn_time_ = 0;
    Nanos initial_rtt_ = 0;
    std::uint32_t unit_;  // usual payload length of this connection
    std::uint32_t steps_ = 0;
    std::uint32_t opening_steps_;  // how much of a proper handshake there is
    std::uint32_t flood_left_ = 0;
    bool multipath_;
};

}  // namespace tw::test
