// SPDX-License-Identifier: BSD-3-Clause
// The classic format: variants, times, lengths, and where reading ends. Where a rule could be
// otherwise, it is what tshark 4.0.17 does with the same file.
#include "capture/pcap/pcap_format.hpp"

#include <gmock/gmock.h>

#include "capture_reading.hpp"

namespace tw::pcap {
namespace {

using test::PcapFormat;
using test::PcapWriter;
using testing::HasSubstr;

constexpr Nanos kTime = 1'700'000'000 * kSecond + 123'456'789;

struct Flavour {
    const char* description;
    PcapFormat format;
    bool big_endian;
    Nanos expected_time;
};

class PcapFlavours : public testing::TestWithParam<Flavour> {};

TEST_P(PcapFlavours, gives_number_time_lengths_bytes) {
    PcapWriter writer({.format = GetParam().format, .big_endian = GetParam().big_endian});
    writer.packet(kTime, content(60, 1));
    writer.packet(kTime, content(61, 2), {.wire_bytes = 1500});
    const Reading reading = read_bytes(writer.bytes(), {.tap = 3});

    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[0].number, 1U);
    EXPECT_EQ(reading.frames[0].time, GetParam().expected_time);
    EXPECT_EQ(reading.frames[0].wire_bytes, 60U);
    EXPECT_EQ(reading.frames[0].bytes, content(60, 1));
    EXPECT_EQ(reading.frames[0].link, LinkType::ethernet);
    EXPECT_EQ(reading.frames[0].tap, 3);
    EXPECT_EQ(reading.frames[1].number, 2U);
    EXPECT_EQ(reading.frames[1].wire_bytes, 1500U);
    EXPECT_EQ(reading.frames[1].bytes, content(61, 2));
    EXPECT_EQ(reading.warning, std::nullopt);
    EXPECT_EQ(reading.format_name, "pcap");
}

INSTANTIATE_TEST_SUITE_P(
    all, PcapFlavours,
    testing::Values(Flavour{"micro_little", PcapFormat::pcap_micro, false, kTime / 1000 * 1000},
                    Flavour{"micro_big", PcapFormat::pcap_micro, true, kTime / 1000 * 1000},
                    Flavour{"nano_little", PcapFormat::pcap_nano, false, kTime},
                    Flavour{"nano_big", PcapFormat::pcap_nano, true, kTime}),
    [](const auto& row) { return row.param.description; });

TEST(PcapFormatTest, kuznetzov_records_have_eight_more_header_bytes) {
    for (const bool big_endian : {false, true}) {
        PcapWriter writer({.big_endian = big_endian, .empty = true});
        writer.put32(0xA1B2CD34);
        writer.put16(2);
        writer.put16(4);
        for (const std::uint32_t field : {0U, 0U, 65535U, 1U}) {
            writer.put32(field);
        }
        for (std::uint8_t seed = 1; seed <= 2; ++seed) {
            for (const std::uint32_t field : {5U, 6U, 61U, 70U, 3U, 0U}) {
                writer.put32(field);
            }
            writer.put_raw(content(61, seed));
        }
        const Reading reading = read_written(writer);
        ASSERT_EQ(reading.frames.size(), 2U) << big_endian;
        EXPECT_EQ(reading.frames[1].time, 5 * kSecond + 6 * kMicrosecond);
        EXPECT_EQ(reading.frames[1].wire_bytes, 70U);
        EXPECT_EQ(reading.frames[1].bytes, content(61, 2));
    }
}

Reading read_with_version(std::uint8_t major, std::uint8_t minor, std::uint32_t third_field,
                          std::uint32_t fourth_field) {
    PcapWriter writer;
    writer.bytes()[4] = major;
    writer.bytes()[6] = minor;
    for (const std::uint32_t field : {5U, 6U, third_field, fourth_field}) {
        writer.put32(field);
    }
    writer.put_raw(content(61));
    return read_written(writer);
}

TEST(PcapFormatTest, before_version_2_3_the_wire_length_comes_first) {
    const Reading reading = read_with_version(2, 2, 100, 61);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].wire_bytes, 100U);
    EXPECT_EQ(reading.frames[0].bytes, content(61));
    EXPECT_EQ(reading.warning, std::nullopt);
}

TEST(PcapFormatTest, in_version_2_3_the_smaller_length_is_what_was_captured) {
    for (const auto& [third, fourth] : {std::pair{100U, 61U}, std::pair{61U, 100U}}) {
        const Reading reading = read_with_version(2, 3, third, fourth);
        ASSERT_EQ(reading.frames.size(), 1U);
        EXPECT_EQ(reading.frames[0].wire_bytes, 100U);
        EXPECT_EQ(reading.frames[0].bytes.size(), 61U);
    }
}

TEST(PcapFormatTest, in_version_2_4_captured_may_exceed_wire) {
    const Reading reading = read_with_version(2, 4, 61, 10);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].wire_bytes, 10U);
    EXPECT_EQ(reading.frames[0].bytes.size(), 61U);
}

TEST(PcapFormatTest, version_below_2_is_refused) {
    const Reading reading = read_with_version(1, 0, 61, 61);
    ASSERT_TRUE(reading.error);
    EXPECT_THAT(reading.error->text, HasSubstr("pcap version 1.0 is not known; allowed is 2.x"));
    EXPECT_EQ(reading.error->code, ExitCode::operator_mistake);
}

TEST(PcapFormatTest, fraction_beyond_a_second_carries_over) {
    PcapWriter writer;
    writer.packet_at(5, 1'999'999'999, content(14));
    writer.packet_at(5, 0xFFFF'FFFF, content(14));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[0].time, 6 * kSecond + 999'999'999);
    EXPECT_EQ(reading.frames[1].time, 5 * kSecond + 0xFFFF'FFFF);
}

TEST(PcapFormatTest, largest_time_does_not_overflow) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    writer.packet_at(0xFFFF'FFFF, 0xFFFF'FFFF, content(14));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].time, 0xFFFF'FFFFLL * kSecond + 0xFFFF'FFFFLL * kMicrosecond);
}

TEST(PcapFormatTest, upper_half_of_the_link_type_is_the_frame_check_sequence) {
    PcapWriter writer({.link_type = 0x2400'0001});
    writer.packet(kTime, content(60));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].link, LinkType::ethernet);
}

TEST(PcapFormatTest, unsupported_link_type_is_delivered_and_named) {
    PcapWriter writer({.link_type = 105});
    writer.packet(kTime, content(60));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].link, LinkType::unsupported);
    ASSERT_EQ(reading.ledger.interfaces.size(), 1U);
    EXPECT_EQ(reading.ledger.interfaces[0].link_name, "IEEE802_11");
    EXPECT_EQ(reading.ledger.interfaces[0].frames, 1U);
    EXPECT_EQ(reading.ledger.interfaces[0].dropped(), std::nullopt);
}

TEST(PcapFormatTest, wire_length_is_limited_to_31_bits) {
    PcapWriter writer;
    writer.packet(kTime, content(60), {.wire_bytes = 0x7FFF'FFFF});
    writer.packet(kTime, content(60), {.wire_bytes = 0x8000'0000});
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[0].wire_bytes, 0x7FFF'FFFFU);
    EXPECT_EQ(reading.frames[1].wire_bytes, 0x7FFF'FFFFU);
}

TEST(PcapFormatTest, empty_packet_is_a_frame) {
    PcapWriter writer;
    writer.packet(kTime, {});
    writer.packet(kTime, {}, {.wire_bytes = 60});
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_TRUE(reading.frames[1].bytes.empty());
    EXPECT_EQ(reading.frames[1].wire_bytes, 60U);
}

TEST(PcapFormatTest, capture_without_packets_is_no_mistake) {
    const Reading reading = read_written(PcapWriter());
    EXPECT_FALSE(reading.error);
    EXPECT_TRUE(reading.frames.empty());
    EXPECT_EQ(reading.warning, std::nullopt);
}

TEST(PcapFormatTest, records_beyond_the_snap_length_are_read) {
    PcapWriter writer({.snaplen = 20});
    writer.packet(kTime, content(61));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].bytes.size(), 61U);
    EXPECT_EQ(reading.ledger.interfaces.at(0).snaplen, 20U);
}

TEST(PcapFormatTest, largest_record_is_262144_bytes) {
    PcapWriter writer;
    writer.packet(kTime, content(262'144));
    writer.packet(kTime, content(262'145));
    writer.packet(kTime, content(60));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].bytes, content(262'144));
    ASSERT_TRUE(reading.warning);
    EXPECT_EQ(*reading.warning,
              "x.pcap: reading ended before frame 2 (byte 262184): it is corrupt: a record of "
              "262145 captured bytes, more than 262144");
}

TEST(PcapFormatTest, frames_before_a_corrupt_record_are_kept) {
    PcapWriter writer;
    for (int index = 0; index < 40; ++index) {
        writer.packet(kTime, content(60));
    }
    for (const std::uint32_t field : {5U, 6U, 0xFFFF'FFFFU, 60U}) {
        writer.put32(field);
    }
    const Reading reading = read_written(writer);
    EXPECT_EQ(reading.frames.size(), 40U);
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, HasSubstr("before frame 41 (byte 3064): it is corrupt"));
    EXPECT_EQ(reading.next_number, 41U);
}

TEST(PcapFormatTest, every_cut_is_reported_and_keeps_what_came_before) {
    PcapWriter writer;
    writer.packet(kTime, content(20));
    writer.packet(kTime, content(20));
    const Bytes whole = writer.bytes();
    constexpr std::size_t kHeader = 24;
    constexpr std::size_t kRecord = 36;
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        const Reading reading =
            read_bytes({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)});
        if (cut < kHeader) {
            EXPECT_TRUE(reading.error) << cut;
            continue;
        }
        EXPECT_EQ(reading.frames.size(), (cut - kHeader) / kRecord) << cut;
        EXPECT_EQ(reading.warning.has_value(), (cut - kHeader) % kRecord != 0) << cut;
        if (reading.warning) {
            EXPECT_THAT(*reading.warning, HasSubstr("it is cut short")) << cut;
        }
    }
}

}  // namespace
}  // namespace tw::pcap
