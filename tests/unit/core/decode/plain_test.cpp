// SPDX-License-Identifier: BSD-3-Clause
#include "core/decode/plain.hpp"

#include <gtest/gtest.h>

#include "decoding.hpp"
#include "support/random.hpp"

namespace tw::decode {
namespace {

using stats::Counter;
using test::Bytes;

constexpr std::uint32_t kEthernet = 14;

Bytes frame_of(test::Random& random) {
    auto builder = test::PacketBuilder().ethernet().ipv4(kClient4, kServer4);
    builder.tcp(random.chance(50) ? kClientPort : kServerPort, kServerPort).seq(random.word());
    if (random.chance(30)) {
        builder.option_mss(1460);
    }
    builder.payload(random.below(20));
    Bytes bytes = builder.build();
    // Any IP or TCP field may be anything; version 4 stays, as without it both say another thing.
    for (std::uint32_t i = random.below(3); i > 0; --i) {
        const std::uint32_t at = random.between(kEthernet + 1, kEthernet + 39);
        bytes[at] = static_cast<std::uint8_t>(
            random.chance(50) ? random.below(256) : bytes[at] ^ 1U << random.below(8));
    }
    if (random.chance(10)) {
        bytes[kEthernet] = static_cast<std::uint8_t>(0x40U | random.below(16));
    }
    return bytes;
}

void expect_same(const Decoding& plain, const Decoding& walked) {
    const Segment& one = plain.out.segment;
    const Segment& other = walked.out.segment;
    EXPECT_EQ(plain.out.sender, walked.out.sender);
    EXPECT_EQ(plain.out.ttl, walked.out.ttl);
    EXPECT_EQ(plain.out.tos, walked.out.tos);
    EXPECT_EQ(plain.out.ip_id, walked.out.ip_id);
    EXPECT_EQ(plain.out.ip_bytes, walked.out.ip_bytes);
    EXPECT_EQ(plain.out.fragment, walked.out.fragment);
    EXPECT_EQ(std::memcmp(&plain.out.key.v4, &walked.out.key.v4, sizeof plain.out.key.v4), 0);
    EXPECT_EQ(one.seq, other.seq);
    EXPECT_EQ(one.ack, other.ack);
    EXPECT_EQ(one.payload_bytes, other.payload_bytes);
    EXPECT_EQ(one.window, other.window);
    EXPECT_EQ(one.checksum, other.checksum);
    EXPECT_EQ(one.flags, other.flags);
    EXPECT_EQ(one.data_words, other.data_words);
    EXPECT_EQ(one.payload_known, other.payload_known);
    EXPECT_EQ(one.quoted, other.quoted);
    EXPECT_EQ(one.fragmented, other.fragmented);
    EXPECT_EQ(one.header_complete, other.header_complete);
    EXPECT_EQ(one.options_bytes, other.options_bytes);
    EXPECT_EQ(one.options == nullptr, other.options == nullptr);
    if (one.options != nullptr && other.options != nullptr) {
        EXPECT_EQ(one.options - plain.buffer.get(), other.options - walked.buffer.get() + 14);
    }
    EXPECT_EQ(one.header - plain.buffer.get(), other.header - walked.buffer.get() + 14);
}

// The same packet without its Ethernet header is walked.
TEST(DecodePlain, finds_what_the_walk_finds) {
    test::Random random(7);
    std::uint32_t plain_frames = 0;
    for (std::uint32_t i = 0; i < 60'000; ++i) {
        Bytes bytes = frame_of(random);
        const auto wire = static_cast<std::uint32_t>(bytes.size());
        if (random.chance(20)) {
            bytes.resize(random.between(kEthernet + 1, wire));
        }
        const auto framed = decode_bytes(bytes, LinkType::ethernet, wire);
        const auto bare = decode_bytes(Bytes(bytes.begin() + kEthernet, bytes.end()),
                                       LinkType::raw_ip, wire - kEthernet);
        ASSERT_EQ(framed->out.outcome, bare->out.outcome) << i;
        ASSERT_EQ(framed->counters.get(Counter::sliced_frames),
                  bare->counters.get(Counter::sliced_frames));
        if (framed->has_segment()) {
            expect_same(*framed, *bare);
            ASSERT_FALSE(HasFailure()) << i;
        }
        stats::Counters counters;
        Decoded out;
        Frame frame = test::frame_of(bytes, 0, 1, LinkType::ethernet, wire);
        plain_frames += decode_plain(frame, counters, out) ? 1U : 0U;
    }
    EXPECT_GT(plain_frames, 10'000U);
}

}  // namespace
}  // namespace tw::decode
