// SPDX-License-Identifier: BSD-3-Clause
#include "support/realistic_traffic.hpp"

#include <algorithm>

namespace tw::test {
namespace {

constexpr Nanos kStart = 1'700'000'000 * kSecond;
constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint16_t kMss = 1448;     // 1500 - IPv4 - TCP - time stamps
constexpr std::uint32_t kFastAfter = 3;  // duplicate ACKs (RFC 5681)

Ipv4Bytes address(std::uint64_t bits) {
    return {10, static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
            static_cast<std::uint8_t>(bits >> 16)};
}

}  // namespace

RealisticTraffic::RealisticTraffic(const RealisticOptions& options)
    : options_(options), random_(options.seed), now_(kStart) {
    flows_.resize(std::max(1U, options.connections));
    for (Flow& flow : flows_) {
        flow = new_flow();
        if (options.running) {
            flow.round = static_cast<std::uint16_t>(1 + flow.seed % 8);
            plan_round(flow);
            flow.position = static_cast<std::uint16_t>(
                random_.below(static_cast<std::uint32_t>(round_.size())));
        }
    }
}

GeneratedFrame RealisticTraffic::next() {
    Flow& flow = flows_[random_.below(static_cast<std::uint32_t>(flows_.size()))];
    plan_round(flow);
    now_ += 1 + random_.below(static_cast<std::uint32_t>(2 * options_.gap));
    GeneratedFrame frame{now_, build(flow, round_[flow.position]), 0};
    frame.wire_bytes = static_cast<std::uint32_t>(frame.bytes.size());
    if (options_.snaplen != 0 && frame.bytes.size() > options_.snaplen) {
        frame.bytes.resize(options_.snaplen);
    }
    advance(flow);
    return frame;
}

RealisticTraffic::Flow RealisticTraffic::new_flow() {
    Flow flow;
    flow.seed = random_.next();
    flow.base = {random_.word(), random_.word()};
    return flow;
}

// What happens in this round follows from the connection's seed alone.
void RealisticTraffic::plan_round(const Flow& flow) {
    round_.clear();
    Random random(flow.seed + flow.round);
    const std::uint32_t exchanges = 1 + static_cast<std::uint32_t>(flow.seed % 8);
    if (flow.round == 0) {
        plan_handshake();
    } else if (flow.round <= exchanges) {
        plan_exchange(random);
    } else {
        plan_close();
    }
}

void RealisticTraffic::plan_handshake() {
    round_.push_back({.side = 0, .flags = kSyn});
    round_.push_back({.side = 1, .flags = kSyn | kAck, .ack = 1});
    round_.push_back({.side = 0, .seq = 1, .ack = 1});
}

void RealisticTraffic::plan_exchange(Random& random) {
    const std::uint32_t request_bytes =
        options_.mix == SizeMix::small ? random.between(1, 64) : random.between(80, 700);
    round_.push_back({.side = 0,
                      .flags = kPsh | kAck,
                      .payload_bytes = static_cast<std::uint16_t>(request_bytes)});
    round_.push_back({.side = 1, .ack = request_bytes});
    plan_answer(random, request_bytes);
}

std::uint16_t RealisticTraffic::full_segment() const {
    return options_.mix == SizeMix::small ? 64 : kMss;
}

// The server's segments, each acknowledged at the latest with the one after it. If one is lost, the
// client repeats its ACK with a SACK block for each later segment; the server sends it again after
// the third or, where there are fewer, when its timer ends.
void RealisticTraffic::plan_answer(Random& random, std::uint32_t request_bytes) {
    const std::uint32_t full = full_segment();
    const std::uint32_t segments =
        options_.mix == SizeMix::large ? random.between(16, 64) : random.between(1, 12);
    const std::uint32_t last_bytes = random.between(1, full);
    const std::uint32_t total = (segments - 1) * full + last_bytes;
    const bool lossy = random.below(1000) < options_.loss_per_mille;
    const std::uint32_t lost = lossy ? random.below(segments) : segments;
    const bool captured = random.chance(50);  // lost after this tap, so it is seen twice
    const auto send = [&](std::uint32_t i) {
        const bool last = i + 1 == segments;
        round_.push_back({.side = 1,
                          .flags = static_cast<std::uint8_t>(last ? kPsh | kAck : kAck),
                          .payload_bytes = static_cast<std::uint16_t>(last ? last_bytes : full),
                          .seq = i * full,
                          .ack = request_bytes});
    };
    std::uint32_t duplicates = 0;
    bool missing = false;
    for (std::uint32_t i = 0; i < segments; ++i) {
        const std::uint32_t end = i + 1 == segments ? total : (i + 1) * full;
        if (i == lost) {
            missing = true;
            if (captured) {
                send(i);
            }
            continue;
        }
        send(i);
        if (missing) {
            round_.push_back({.side = 0,
                              .seq = request_bytes,
                              .ack = lost * full,
                              .sack_begin = (lost + 1) * full,
                              .sack_end = end});
            if (++duplicates == kFastAfter) {
                send(lost);
                missing = false;
                round_.push_back({.side = 0, .seq = request_bytes, .ack = end});
            }
        } else if (i % 2 == 1 || i + 1 == segments) {
            round_.push_back({.side = 0, .seq = request_bytes, .ack = end});
        }
    }
    if (missing) {
        send(lost);
        round_.push_back({.side = 0, .seq = request_bytes, .ack = total});
    }
}

void RealisticTraffic::plan_close() {
    round_.push_back({.side = 0, .flags = kFin | kAck});
    round_.push_back({.side = 1, .flags = kFin | kAck, .ack = 1});
    round_.push_back({.side = 0, .seq = 1, .ack = 1});
}

void RealisticTraffic::advance(Flow& flow) {
    if (++flow.position < round_.size()) {
        return;
    }
    const bool closed = (round_.front().flags & kFin) != 0;
    if (closed) {
        flow = new_flow();
        return;
    }
    std::array<std::uint32_t, 2> moved{};
    for (const Planned& planned : round_) {
        const std::uint32_t phantom = (planned.flags & kSyn) != 0 ? 1 : 0;
        moved[planned.side] =
            std::max(moved[planned.side], planned.seq + planned.payload_bytes + phantom);
    }
    flow.base[0] += moved[0];
    flow.base[1] += moved[1];
    flow.position = 0;
    ++flow.round;
}

Bytes RealisticTraffic::build(const Flow& flow, const Planned& planned) const {
    Random identity(flow.seed);
    const std::uint64_t bits = identity.next();
    const std::array<Ipv4Bytes, 2> ends{address(bits), address(bits >> 24)};
    const std::array<std::uint16_t, 2> ports{
        static_cast<std::uint16_t>(32'768 + (bits >> 48) % 28'000),
        identity.pick<std::uint16_t>({80, 443, 443, 5432})};
    const std::size_t from = planned.side;
    const std::size_t to = from ^ 1;
    const bool syn = (planned.flags & kSyn) != 0;
    PacketBuilder builder;
    builder.ethernet().ipv4(ends[from], ends[to]).ip_id(static_cast<std::uint16_t>(flow.position));
    builder.tcp(ports[from], ports[to])
        .seq(flow.base[from] + planned.seq)
        .ack((planned.flags & kAck) != 0 ? flow.base[to] + planned.ack : 0)
        .flag_bits(planned.flags)
        .window(syn ? 64'240 : 502);
    if (syn) {
        builder.option_mss(1460).option_sack_permitted();
    }
    if (options_.timestamps) {
        if (!syn) {
            builder.option_nop().option_nop();
        }
        const auto stamp = static_cast<std::uint32_t>(now_ / kMillisecond);
        builder.option_timestamps(stamp, (planned.flags & kAck) != 0 ? stamp - 1 : 0);
    }
    if (syn) {
        builder.option_nop().option_wscale(7);
    }
    if (planned.sack_end != 0) {
        builder.option_nop().option_nop().option_sack(
            {{flow.base[to] + planned.sack_begin, flow.base[to] + planned.sack_end}});
    }
    builder.payload(std::size_t{planned.payload_bytes});
    return builder.build();
}

SynFlood::SynFlood(std::uint64_t seed, std::uint32_t answered_one_in)
    : random_(seed), answered_one_in_(answered_one_in), now_(kStart) {}

GeneratedFrame SynFlood::next() {
    static constexpr Ipv4Bytes kTarget{192, 0, 2, 80};
    now_ += 1 + random_.below(200);
    PacketBuilder builder;
    builder.ethernet();
    if (answer_pending_) {
        answer_pending_ = false;
        builder.ipv4(kTarget, source_).tcp(443, port_).flags("SA").seq(random_.word());
        builder.ack(isn_ + 1).option_mss(1460);
    } else {
        const std::uint32_t word = random_.word();
        source_ = {static_cast<std::uint8_t>(1 + word % 220), static_cast<std::uint8_t>(word >> 8),
                   static_cast<std::uint8_t>(word >> 16), static_cast<std::uint8_t>(word >> 24)};
        port_ = static_cast<std::uint16_t>(random_.between(1024, 65'535));
        isn_ = random_.word();
        answer_pending_ = answered_one_in_ != 0 && random_.below(answered_one_in_) == 0;
        builder.ipv4(source_, kTarget).tcp(port_, 443).flags("S").seq(isn_).option_mss(1460);
    }
    Bytes bytes = builder.build();
    const auto wire_bytes = static_cast<std::uint32_t>(bytes.size());
    return {now_, std::move(bytes), wire_bytes};
}

}  // namespace tw::test
