// SPDX-License-Identifier: BSD-3-Clause
// pcapng: packets of every block type, sections, interfaces, and where reading ends. Where a rule
// could be otherwise, it is what tshark 4.0.17 does with the same file.
#include "capture/pcap/pcapng_format.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "capture_reading.hpp"

namespace tw::pcap {
namespace {

using test::PcapWriter;
using testing::ElementsAre;
using testing::HasSubstr;

PcapWriter ng(bool big_endian = false) {
    return PcapWriter({.format = test::PcapFormat::pcapng, .big_endian = big_endian});
}

TEST(PcapngFormatTest, enhanced_packets_of_several_link_types) {
    for (const bool big_endian : {false, true}) {
        PcapWriter writer = ng(big_endian);
        const auto ethernet = writer.interface({.name = "eth0"});
        const auto raw = writer.interface({.link_type = 101, .time_resolution = 6});
        const auto wifi = writer.interface({.link_type = 105});
        writer.packet(7 * kSecond + 89, content(61, 1), {.interface = ethernet});
        writer.packet(8 * kSecond + 1999, content(20, 2), {.interface = raw, .wire_bytes = 99});
        writer.packet(9 * kSecond, content(33, 3), {.interface = wifi});
        const Reading reading = read_written(writer);

        ASSERT_EQ(reading.frames.size(), 3U) << big_endian;
        EXPECT_EQ(reading.frames[0].link, LinkType::ethernet);
        EXPECT_EQ(reading.frames[0].time, 7 * kSecond + 89);
        EXPECT_EQ(reading.frames[0].wire_bytes, 61U);
        EXPECT_EQ(reading.frames[0].bytes, content(61, 1));
        EXPECT_EQ(reading.frames[1].link, LinkType::raw_ip);
        EXPECT_EQ(reading.frames[1].time, 8 * kSecond + 1000) << "microseconds";
        EXPECT_EQ(reading.frames[1].wire_bytes, 99U);
        EXPECT_EQ(reading.frames[1].bytes, content(20, 2));
        EXPECT_EQ(reading.frames[2].link, LinkType::unsupported);
        EXPECT_EQ(reading.warning, std::nullopt);
        EXPECT_EQ(reading.format_name, "pcapng");
    }
}

TEST(PcapngFormatTest, simple_packet_is_cut_at_the_snap_length_and_has_time_zero) {
    PcapWriter writer = ng();
    writer.interface({.snaplen = 20});
    writer.simple_packet(content(20), 61);
    writer.simple_packet(content(10), 10);
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[0].time, 0);
    EXPECT_EQ(reading.frames[0].wire_bytes, 61U);
    EXPECT_EQ(reading.frames[0].bytes, content(20));
    EXPECT_EQ(reading.frames[1].bytes, content(10));
}

TEST(PcapngFormatTest, simple_packet_of_an_unlimited_interface_is_whole) {
    PcapWriter writer = ng();
    writer.interface({.snaplen = 0});
    writer.simple_packet(content(20));
    writer.simple_packet(content(20), 200);  // claims more than its block holds
    const Reading reading = read_written(writer);
    EXPECT_EQ(reading.frames.size(), 1U);
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning,
                HasSubstr("before frame 2 (byte 96): it is corrupt: 200 captured bytes in a block "
                          "with room for 20"));
}

TEST(PcapngFormatTest, wire_length_is_limited_to_31_bits) {
    PcapWriter writer = ng();
    writer.packet(1, content(60), {.wire_bytes = 0xFFFF'FFFF});
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].wire_bytes, 0x7FFF'FFFFU);
}

TEST(PcapngFormatTest, obsolete_packet_is_read_in_both_byte_orders) {
    for (const bool big_endian : {false, true}) {
        PcapWriter writer = ng(big_endian);
        writer.interface();
        writer.obsolete_packet((std::uint64_t{5} << 32) + 77, content(61));
        const Reading reading = read_written(writer);
        ASSERT_EQ(reading.frames.size(), 1U);
        EXPECT_EQ(reading.frames[0].time, (Nanos{5} << 32) + 77);
        EXPECT_EQ(reading.frames[0].bytes, content(61));
    }
}

TEST(PcapngFormatTest, sections_have_their_own_byte_order_and_interfaces) {
    PcapWriter writer = ng();
    writer.interface();
    writer.packet(1, content(60));
    writer.section({.big_endian = true});
    writer.interface({.link_type = 101, .time_resolution = 6});
    writer.packet(2000, content(20));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[1].link, LinkType::raw_ip);
    EXPECT_EQ(reading.frames[1].time, 2000);
    ASSERT_EQ(reading.ledger.interfaces.size(), 2U);
    EXPECT_EQ(reading.ledger.interfaces[0].section, 0U);
    EXPECT_EQ(reading.ledger.interfaces[0].frames, 1U);
    EXPECT_EQ(reading.ledger.interfaces[1].section, 1U);
    EXPECT_EQ(reading.ledger.interfaces[1].frames, 1U);
}

TEST(PcapngFormatTest, interfaces_of_the_section_before_are_gone) {
    PcapWriter writer = ng();
    writer.interface();
    writer.packet_at_ticks(1, content(60));
    writer.section();
    writer.packet_at_ticks(2, content(60));
    const Reading reading = read_written(writer);
    EXPECT_EQ(reading.frames.size(), 1U);
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, HasSubstr("a packet of interface 0, but only 0 are described"));
}

TEST(PcapngFormatTest, time_offset_is_added) {
    PcapWriter writer = ng();
    writer.interface({.time_offset_seconds = 100});
    writer.packet_at_ticks(5, content(14));
    writer.interface({.time_resolution = {}, .time_offset_seconds = -3});  // microseconds
    writer.packet_at_ticks(5'000'001, content(14), {.interface = 1});
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[0].time, 100 * kSecond + 5);
    EXPECT_EQ(reading.frames[1].time, 2 * kSecond + kMicrosecond);
}

TEST(PcapngFormatTest, first_time_resolution_counts_and_one_of_odd_length_does_not) {
    PcapWriter writer = ng();
    writer.interface({.time_resolution = 9, .more = {{std::uint16_t{9}, Bytes{6}}}});
    writer.interface({.time_resolution = {}, .more = {{std::uint16_t{9}, Bytes{9, 9}}}});
    writer.packet_at_ticks(1, content(14));
    writer.packet_at_ticks(1, content(14), {.interface = 1});
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[0].time, 1);
    EXPECT_EQ(reading.frames[1].time, 1000);
}

TEST(PcapngFormatTest, other_blocks_are_skipped) {
    PcapWriter writer = ng();
    writer.interface();
    writer.packet(1, content(60));
    writer.block(4, Bytes(4));     // name resolution
    writer.block(10, Bytes(8));    // decryption secrets
    writer.block(0x99, Bytes(5));  // unknown, padded
    writer.block(0x99, {});
    writer.packet(2, content(60));
    const Reading reading = read_written(writer);
    EXPECT_THAT(reading.numbers(), ElementsAre(1, 2));
    EXPECT_EQ(reading.warning, std::nullopt);
}

TEST(PcapngFormatTest, blocks_that_wireshark_numbers_take_a_number) {
    PcapWriter writer = ng();
    writer.interface();
    writer.packet(1, content(60));
    writer.block(0xBAD, Bytes(8));        // custom
    writer.block(0x4000'0BAD, Bytes(8));  // custom, not to be copied
    writer.block(9, Bytes(40));           // systemd journal
    writer.packet(2, content(60));
    writer.block(0xBAD, Bytes(8));
    const Reading reading = read_written(writer);
    EXPECT_THAT(reading.numbers(), ElementsAre(1, 5));
    EXPECT_EQ(reading.next_number, 7U);
}

TEST(PcapngFormatTest, skipped_block_may_be_larger_than_any_buffer) {
    PcapWriter writer = ng();
    writer.interface();
    writer.block(0x99, Bytes(20 << 20));
    writer.packet(2, content(60));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.frames[0].bytes, content(60));
    EXPECT_EQ(reading.warning, std::nullopt);
}

TEST(PcapngFormatTest, packet_block_grows_the_buffer_for_its_options) {
    PcapWriter writer = ng();
    writer.interface();
    std::vector<test::PcapngOption> comments;
    for (int index = 0; index < 20; ++index) {
        comments.emplace_back(std::uint16_t{1}, Bytes(60'000, 'x'));
    }
    writer.packet(2, content(262'144), {.more = comments});
    writer.packet(3, content(60));
    const Reading reading = read_written(writer);
    ASSERT_EQ(reading.frames.size(), 2U);
    EXPECT_EQ(reading.frames[0].bytes, content(262'144));
    EXPECT_EQ(reading.frames[1].bytes, content(60));
}

TEST(PcapngFormatTest, length_without_its_padding_is_accepted) {
    PcapWriter writer = ng();
    writer.interface();
    writer.put32(0x99);
    writer.put32(17);
    writer.put_raw(Bytes(8));
    writer.put32(17);
    writer.packet(2, content(60));
    const Reading reading = read_written(writer);
    EXPECT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.warning, std::nullopt);
}

struct Corrupt {
    const char* description;
    std::function<void(PcapWriter&)> write;  // after one good packet, before another
    const char* expected;
};

class PcapngCorrupt : public testing::TestWithParam<Corrupt> {};

TEST_P(PcapngCorrupt, ends_reading_with_a_warning) {
    PcapWriter writer = ng();
    writer.interface();
    writer.packet(1, content(61));
    const std::size_t place = writer.bytes().size();
    GetParam().write(writer);
    writer.packet(2, content(61));
    const Reading reading = read_written(writer);
    EXPECT_THAT(reading.numbers(), ElementsAre(1));
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, HasSubstr(GetParam().expected));
    EXPECT_THAT(*reading.warning, HasSubstr("x.pcap: reading ended before frame 2 (byte "));
    EXPECT_GE(std::stoul(reading.warning->substr(reading.warning->find("(byte ") + 6)), place);
}

void corrupt_last_length(PcapWriter& writer) {
    writer.bytes()[writer.bytes().size() - 4] ^= 4;
}

// A packet whose only option has its length overwritten.
void packet_with_option_length(PcapWriter& writer, std::uint8_t option_length) {
    writer.packet(5, content(60), {.more = {{std::uint16_t{1}, Bytes{1, 2, 3, 4}}}});
    writer.bytes()[writer.bytes().size() - 4 - 4 - 8 + 2] = option_length;
}

INSTANTIATE_TEST_SUITE_P(
    all, PcapngCorrupt,
    testing::Values(
        Corrupt{
            "unknown_interface",
            [](PcapWriter& writer) { writer.packet_at_ticks(1, content(61), {.interface = 1}); },
            "a packet of interface 1, but only 1 are described"},
        Corrupt{"unknown_interface_obsolete",
                [](PcapWriter& writer) { writer.obsolete_packet(1, content(61), 3); },
                "a packet of interface 3"},
        Corrupt{"lengths_differ",
                [](PcapWriter& writer) {
                    writer.packet(5, content(61));
                    corrupt_last_length(writer);
                },
                "block of type 0x6 and length 96, but 100 at its end"},
        Corrupt{"lengths_differ_in_skipped_block",
                [](PcapWriter& writer) {
                    writer.block(0x99, Bytes(8));
                    corrupt_last_length(writer);
                },
                "block of length 20, but 16 at its end"},
        Corrupt{"lengths_differ_in_statistics",
                [](PcapWriter& writer) {
                    writer.statistics({.received = 3});
                    corrupt_last_length(writer);
                },
                "block of type 0x5 and length 40, but 44 at its end"},
        Corrupt{"block_too_short",
                [](PcapWriter& writer) {
                    writer.put32(0x99);
                    writer.put32(8);
                },
                "block of type 0x99 and length 8, less than 12"},
        Corrupt{"length_zero",
                [](PcapWriter& writer) {
                    writer.put32(0x99);
                    writer.put32(0);
                },
                "block of type 0x99 and length 0, less than 12"},
        Corrupt{"packet_too_short", [](PcapWriter& writer) { writer.block(6, Bytes(16)); },
                "block of type 0x6 and length 28, less than 32"},
        Corrupt{"packet_too_long",
                [](PcapWriter& writer) {
                    writer.put32(6);
                    writer.put32((16U << 20) + 4);
                },
                "block of type 0x6 and length 16777220, more than 16777216"},
        Corrupt{"captured_beyond_block",
                [](PcapWriter& writer) {
                    writer.packet(5, content(61));
                    writer.bytes()[writer.bytes().size() - 96 + 20] = 0xF0;
                },
                "240 captured bytes in a block with room for 64"},
        Corrupt{"captured_too_much", [](PcapWriter& writer) { writer.packet(5, content(262'145)); },
                "262145 captured bytes, more than 262144"},
        Corrupt{"option_beyond_packet",
                [](PcapWriter& writer) { packet_with_option_length(writer, 0xF0); },
                "an option runs over the end of its packet"},
        Corrupt{"drop_count_of_4_bytes",
                [](PcapWriter& writer) {
                    writer.packet(5, content(60), {.more = {{std::uint16_t{4}, Bytes(4)}}});
                },
                "a drop count of 4 bytes, expected 8"},
        Corrupt{"section_magic",
                [](PcapWriter& writer) {
                    const std::size_t place = writer.bytes().size();
                    writer.section();
                    writer.bytes()[place + 8] = 9;
                },
                "section header with byte-order magic 0x1a2b3c09, expected 0x1a2b3c4d"},
        Corrupt{"section_version",
                [](PcapWriter& writer) {
                    const std::size_t place = writer.bytes().size();
                    writer.section();
                    writer.bytes()[place + 12] = 2;
                },
                "pcapng version 2.0 is not known; allowed are 1.0 and 1.2"}),
    [](const auto& row) { return row.param.description; });

TEST(PcapngFormatTest, option_that_just_fits_is_no_mistake) {
    PcapWriter writer = ng();
    writer.interface();
    packet_with_option_length(writer, 8);  // takes the end-of-options mark for its value
    EXPECT_EQ(read_written(writer).frames.size(), 1U);
}

TEST(PcapngFormatTest, simple_packet_without_interface_is_corrupt) {
    PcapWriter writer = ng();
    writer.simple_packet(content(20));
    const Reading reading = read_written(writer);
    EXPECT_TRUE(reading.frames.empty());
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, HasSubstr("a packet, but no interface before it"));
}

TEST(PcapngFormatTest, version_1_2_is_known_and_1_1_refused) {
    PcapWriter known = ng();
    known.bytes()[14] = 2;
    known.packet(1, content(14));
    EXPECT_EQ(read_written(known).frames.size(), 1U);

    PcapWriter unknown = ng();
    unknown.bytes()[14] = 1;
    const Reading reading = read_written(unknown);
    ASSERT_TRUE(reading.error);
    EXPECT_THAT(reading.error->text, HasSubstr("pcapng version 1.1 is not known"));
}

TEST(PcapngFormatTest, every_cut_is_reported_and_keeps_what_came_before) {
    PcapWriter writer = ng();
    writer.interface({.name = "eth0"});
    std::vector<std::size_t> ends = {28, writer.bytes().size()};
    std::vector<std::size_t> frames_then = {0, 0};
    writer.packet(1, content(21));
    ends.push_back(writer.bytes().size());
    frames_then.push_back(1);
    writer.block(0x99, Bytes(9));
    ends.push_back(writer.bytes().size());
    frames_then.push_back(1);
    writer.simple_packet(content(21));
    ends.push_back(writer.bytes().size());
    frames_then.push_back(2);
    const Bytes whole = writer.bytes();
    std::size_t last_end = 0;  // index of the block that is complete
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        const Reading reading =
            read_bytes({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)});
        if (cut < ends[0]) {
            EXPECT_TRUE(reading.error) << cut;
            continue;
        }
        while (last_end + 1 < ends.size() && cut >= ends[last_end + 1]) {
            ++last_end;
        }
        EXPECT_EQ(reading.frames.size(), frames_then[last_end]) << cut;
        EXPECT_EQ(reading.warning.has_value(), cut != ends[last_end]) << cut;
    }
    EXPECT_EQ(last_end, 4U);
}

}  // namespace
}  // namespace tw::pcap
