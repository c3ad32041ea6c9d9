// SPDX-License-Identifier: BSD-3-Clause
// What holds for every kind of header: the same segment and key inside, both directions one key,
// nothing read past the end however the frame is cut, closed when the configuration says so.
#include "samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "core/decode/layer.hpp"

namespace tw::decode {
namespace {

using stats::Counter;

TEST(Samples, every_row_of_the_layer_table_has_one) {
    const auto samples = all_samples();
    for (const LayerInfo& row : layer_table()) {
        if (row.name == "tcp") {
            continue;  // inside every sample
        }
        EXPECT_TRUE(std::ranges::any_of(samples, [&](const Sample& s) {
            return s.layer == row.name;
        })) << row.name;
    }
}

TEST(Samples, the_segment_inside_is_the_same_everywhere) {
    for (const SampleFrame& frame : sample_frames()) {
        SCOPED_TRACE(frame.name());
        const auto decoding = decode_bytes(frame.bytes, frame.sample.link);
        ASSERT_EQ(decoding->out.outcome, Counter::decoded_segments);
        const Segment& segment = decoding->out.segment;
        const bool quoted = frame.sample.layer.starts_with("icmp");
        EXPECT_EQ(segment.seq, 1000U);
        EXPECT_EQ(segment.ack, 2000U);
        EXPECT_EQ(segment.flags, tcp_flag::kPsh | tcp_flag::kAck);
        EXPECT_EQ(segment.window, 512);
        EXPECT_EQ(segment.data_words, 5);
        EXPECT_EQ(segment.quoted, quoted);
        EXPECT_EQ(segment.payload_known, !quoted);
        EXPECT_EQ(segment.payload_bytes, quoted ? 0U : kPayloadBytes);
        EXPECT_TRUE(segment.header_complete);
        EXPECT_FALSE(segment.fragmented);
        EXPECT_EQ(decoding->out.v6, frame.ends.v6);
        EXPECT_EQ(decoding->out.ttl, 64);
        EXPECT_EQ(outcomes(decoding->counters), 1U);
        EXPECT_EQ(decoding->count(Counter::quoted_segments), quoted ? 1U : 0U);
    }
}

TEST(Samples, wrapping_changes_nothing_of_the_key_and_directions_share_it) {
    const flow::KeyV4 key4{{{10, 0, 0, 1}, {10, 0, 0, 2}}, {kClientPort, kServerPort}, 0};
    flow::KeyV6 key6{
        {test::ipv6_bytes(kClient6), test::ipv6_bytes(kServer6)}, {kClientPort, kServerPort}, 0};
    for (const bool from_server : {false, true}) {
        for (const SampleFrame& frame : sample_frames(from_server)) {
            SCOPED_TRACE(frame.name());
            const auto decoding = decode_bytes(frame.bytes, frame.sample.link);
            ASSERT_TRUE(decoding->has_segment());
            if (frame.ends.v6) {
                EXPECT_EQ(decoding->out.key.v6_key, key6);
            } else {
                EXPECT_EQ(decoding->out.key.v4, key4);
            }
            EXPECT_EQ(decoding->out.sender, from_server ? 1 : 0);
        }
    }
}

// Where the capture ends decides what can be said; ASan watches the buffer's end meanwhile.
TEST(Samples, cut_at_every_byte_nothing_beyond_is_read_and_the_outcome_fits) {
    for (const SampleFrame& frame : sample_frames()) {
        const std::size_t tcp_at = frame.bytes.size() - kPayloadBytes - kTcpBytes;
        const auto whole_wire = static_cast<std::uint32_t>(frame.bytes.size());
        for (std::size_t kept = 0; kept < frame.bytes.size(); ++kept) {
            SCOPED_TRACE(frame.name() + ", cut after " + std::to_string(kept));
            const test::Bytes cut(frame.bytes.begin(),
                                  frame.bytes.begin() + static_cast<std::ptrdiff_t>(kept));
            const auto decoding = decode_bytes(cut, frame.sample.link, whole_wire);
            EXPECT_EQ(outcomes(decoding->counters), 1U);
            EXPECT_EQ(decoding->count(Counter::sliced_frames), 1U);
            if (kept < tcp_at) {
                ASSERT_EQ(decoding->out.outcome, Counter::decode_truncated);
                continue;
            }
            if (kept < tcp_at + 16) {
                ASSERT_EQ(decoding->out.outcome, Counter::decode_tcp_cut);
                continue;
            }
            ASSERT_EQ(decoding->out.outcome, Counter::decoded_segments);
            const Segment& segment = decoding->out.segment;
            EXPECT_EQ(segment.header_complete, kept >= tcp_at + kTcpBytes);
            EXPECT_EQ(decoding->count(Counter::cut_segments), segment.header_complete ? 0U : 1U);
            if (!segment.quoted) {
                EXPECT_TRUE(segment.payload_known);
                EXPECT_EQ(segment.payload_bytes, kPayloadBytes);
            }
        }
    }
}

TEST(Samples, a_frame_that_ends_early_on_the_wire_is_no_longer_than_it_is) {
    for (const SampleFrame& frame : sample_frames()) {
        const std::size_t tcp_at = frame.bytes.size() - kPayloadBytes - kTcpBytes;
        for (std::size_t kept = 0; kept < frame.bytes.size(); ++kept) {
            SCOPED_TRACE(frame.name() + ", ends after " + std::to_string(kept));
            const test::Bytes cut(frame.bytes.begin(),
                                  frame.bytes.begin() + static_cast<std::ptrdiff_t>(kept));
            const auto decoding = decode_bytes(cut, frame.sample.link);
            EXPECT_EQ(outcomes(decoding->counters), 1U);
            EXPECT_EQ(decoding->count(Counter::sliced_frames), 0U);
            ASSERT_EQ(decoding->has_segment(), kept >= tcp_at + 16);
            if (decoding->has_segment() && decoding->out.segment.payload_known) {
                EXPECT_EQ(decoding->out.segment.payload_bytes, kept - tcp_at - kTcpBytes);
            }
        }
    }
}

TEST(Samples, an_encapsulation_switched_off_is_counted_and_not_opened) {
    const std::map<std::string, Decap> entries{
        {"vlan", Decap::vlan},     {"mpls", Decap::mpls},     {"pppoe", Decap::pppoe},
        {"gre", Decap::gre},       {"erspan", Decap::erspan}, {"vxlan", Decap::vxlan},
        {"geneve", Decap::geneve}, {"gtpu", Decap::gtpu},     {"ipip", Decap::ipip}};
    for (const SampleFrame& frame : sample_frames()) {
        if (frame.sample.decap.empty()) {
            continue;
        }
        SCOPED_TRACE(frame.name());
        DecodeOptions options;
        options.decap = static_cast<std::uint16_t>(
            kDecapAll & ~static_cast<unsigned>(entries.at(frame.sample.decap)));
        const auto closed = decode_bytes(frame.bytes, frame.sample.link, 0, options);
        EXPECT_EQ(closed->out.outcome, Counter::decode_decap_off);
        EXPECT_EQ(outcomes(closed->counters), 1U);
    }
}

TEST(Samples, the_switch_in_the_layer_table_is_the_one_that_works) {
    for (const Sample& sample : all_samples()) {
        for (const LayerInfo& row : layer_table()) {
            if (row.name == sample.layer && !row.decap.empty()) {
                EXPECT_EQ(sample.decap, row.decap) << sample.layer;
            }
        }
    }
}

// Hostile bytes: every outcome is fine, none may read outside or be counted twice.
TEST(Samples, bytes_overwritten_at_random_never_read_outside) {
    const auto frames = sample_frames();
    std::mt19937 random(20261122);
    for (int round = 0; round < 200; ++round) {
        for (const SampleFrame& frame : frames) {
            test::Bytes bytes = frame.bytes;
            const std::size_t header_bytes = bytes.size() - kPayloadBytes;
            for (unsigned i = random() % 4; i-- > 0;) {
                constexpr std::uint8_t kEdges[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0x45, 0x60, 0x04};
                bytes[random() % header_bytes] = random() % 2 == 0
                                                     ? kEdges[random() % std::size(kEdges)]
                                                     : static_cast<std::uint8_t>(random());
            }
            bytes.resize(random() % 3 == 0 ? random() % (bytes.size() + 1) : bytes.size());
            const auto wire_bytes = static_cast<std::uint32_t>(random() % 4 == 0 ? random() : 0);
            const auto decoding = decode_bytes(bytes, frame.sample.link, wire_bytes);
            ASSERT_EQ(outcomes(decoding->counters), 1U) << frame.name() << ", round " << round;
        }
    }
}

}  // namespace
}  // namespace tw::decode
