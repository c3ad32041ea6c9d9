// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/ledger.hpp"

#include <limits>

#include "capture_reading.hpp"

namespace tw::pcap {
namespace {

using test::PcapWriter;

PcapWriter ng(bool big_endian = false) {
    return PcapWriter({.format = test::PcapFormat::pcapng, .big_endian = big_endian});
}

TEST(LedgerTest, interface_statistics_are_read) {
    for (const bool big_endian : {false, true}) {
        PcapWriter writer = ng(big_endian);
        const auto quiet = writer.interface();
        const auto busy = writer.interface({.time_resolution = 6});
        writer.packet(5 * kSecond, content(60), {.interface = busy});
        writer.statistics({.interface = busy,
                           .start = 1 * kSecond,
                           .end = 9 * kSecond,
                           .received = 100,
                           .dropped_interface = 7,
                           .accepted = 80,
                           .dropped_os = 20,
                           .delivered = std::uint64_t{1} << 40});
        const Ledger ledger = read_written(writer).ledger;

        ASSERT_EQ(ledger.interfaces.size(), 2U);
        const InterfaceLedger& with = ledger.interfaces[busy];
        EXPECT_EQ(with.start, 1 * kSecond);
        EXPECT_EQ(with.end, 9 * kSecond);
        EXPECT_EQ(with.received, 100U);
        EXPECT_EQ(with.dropped_interface, 7U);
        EXPECT_EQ(with.accepted, 80U);
        EXPECT_EQ(with.dropped_os, 20U);
        EXPECT_EQ(with.delivered, std::uint64_t{1} << 40);
        EXPECT_EQ(with.dropped(), 27U);
        EXPECT_EQ(with.frames, 1U);
        const InterfaceLedger& without = ledger.interfaces[quiet];
        EXPECT_EQ(without.received, std::nullopt);
        EXPECT_EQ(without.start, std::nullopt);
        EXPECT_EQ(without.dropped(), std::nullopt);
        EXPECT_EQ(without.frames, 0U);
    }
}

TEST(LedgerTest, last_statistics_count_and_absent_values_keep_the_earlier_ones) {
    PcapWriter writer = ng();
    writer.interface();
    writer.statistics({.received = 5, .dropped_os = 1});
    writer.statistics({.received = 50});
    const Ledger ledger = read_written(writer).ledger;
    EXPECT_EQ(ledger.interfaces.at(0).received, 50U);
    EXPECT_EQ(ledger.interfaces.at(0).dropped_os, 1U);
}

TEST(LedgerTest, zero_drops_differ_from_silence) {
    PcapWriter writer = ng();
    writer.interface();
    writer.statistics({.dropped_os = 0});
    EXPECT_EQ(read_written(writer).ledger.interfaces.at(0).dropped(), 0U);
}

TEST(LedgerTest, statistics_of_an_unknown_interface_are_ignored) {
    PcapWriter writer = ng();
    writer.interface();
    PcapWriter body({.format = test::PcapFormat::pcapng, .empty = true});
    body.put32(9);
    body.put64(0);
    writer.block(5, body.bytes());
    writer.packet(1, content(60));
    const Reading reading = read_written(writer);
    EXPECT_EQ(reading.frames.size(), 1U);
    EXPECT_EQ(reading.warning, std::nullopt);
}

TEST(LedgerTest, counter_of_odd_length_is_not_believed) {
    PcapWriter writer = ng();
    writer.interface();
    PcapWriter body({.format = test::PcapFormat::pcapng, .empty = true});
    body.put32(0);
    body.put64(0);
    body.put_options(std::vector<test::PcapngOption>{{std::uint16_t{4}, Bytes(4, 1)}});
    writer.block(5, body.bytes());
    EXPECT_EQ(read_written(writer).ledger.interfaces.at(0).received, std::nullopt);
}

TEST(LedgerTest, drop_counts_of_packets_add_up) {
    PcapWriter writer = ng();
    writer.interface();
    writer.interface();
    writer.packet(1, content(61), {.dropped_before = 3});
    writer.packet(2, content(61));
    writer.packet(3, content(60), {.dropped_before = 4});
    writer.obsolete_packet(4, content(60), 0, 5);
    writer.obsolete_packet(5, content(60), 0, 0xFFFF);  // unknown
    const Reading reading = read_written(writer);
    EXPECT_EQ(reading.frames.size(), 5U);
    EXPECT_EQ(reading.ledger.interfaces.at(0).dropped_before_packets, 12U);
    EXPECT_EQ(reading.ledger.interfaces.at(0).dropped(), 12U);
    EXPECT_EQ(reading.ledger.interfaces.at(1).dropped_before_packets, std::nullopt);
}

TEST(LedgerTest, unknown_drop_count_is_silence) {
    PcapWriter writer = ng();
    writer.interface();
    writer.obsolete_packet(5, content(60), 0, 0xFFFF);
    EXPECT_EQ(read_written(writer).ledger.interfaces.at(0).dropped_before_packets, std::nullopt);
}

TEST(LedgerTest, both_kinds_of_counts_tell_of_the_same_drops) {
    InterfaceLedger ledger;
    ledger.dropped_before_packets = 12;
    ledger.dropped_os = 10;
    EXPECT_EQ(ledger.dropped(), 12U);
    ledger.dropped_interface = 5;
    EXPECT_EQ(ledger.dropped(), 15U);
}

TEST(LedgerTest, hostile_counts_saturate) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    InterfaceLedger ledger;
    ledger.dropped_interface = kMax;
    ledger.dropped_os = 1;
    EXPECT_EQ(ledger.dropped(), kMax);

    PcapWriter writer = ng();
    writer.interface();
    writer.packet(1, content(60), {.dropped_before = kMax});
    writer.packet(2, content(60), {.dropped_before = 2});
    EXPECT_EQ(read_written(writer).ledger.interfaces.at(0).dropped_before_packets, kMax);
}

TEST(LedgerTest, texts_come_from_interface_and_section) {
    PcapWriter writer = ng();
    writer.section({.operating_system = "Linux 6.1", .application = "dumpcap"});
    writer.interface({.snaplen = 96, .name = "eth0", .description = "uplink", .filter = "tcp"});
    writer.interface({.link_type = 101, .operating_system = "Other 1"});
    const Ledger ledger = read_written(writer).ledger;
    ASSERT_EQ(ledger.interfaces.size(), 2U);
    EXPECT_EQ(ledger.interfaces[0].section, 1U);
    EXPECT_EQ(ledger.interfaces[0].name, "eth0");
    EXPECT_EQ(ledger.interfaces[0].description, "uplink");
    EXPECT_EQ(ledger.interfaces[0].filter, "tcp");
    EXPECT_EQ(ledger.interfaces[0].operating_system, "Linux 6.1");
    EXPECT_EQ(ledger.interfaces[0].application, "dumpcap");
    EXPECT_EQ(ledger.interfaces[0].snaplen, 96U);
    EXPECT_EQ(ledger.interfaces[0].link_name, "EN10MB");
    EXPECT_EQ(ledger.interfaces[1].operating_system, "Other 1");
    EXPECT_EQ(ledger.interfaces[1].link_type_number, 101U);
}

TEST(LedgerTest, bpf_program_is_no_filter_text) {
    PcapWriter writer = ng();
    writer.interface({.more = {{std::uint16_t{11}, Bytes{1, 'x', 'y'}}}});
    writer.interface({.more = {{std::uint16_t{11}, Bytes{}}}});
    const Ledger ledger = read_written(writer).ledger;
    EXPECT_EQ(ledger.interfaces.at(0).filter, "");
    EXPECT_EQ(ledger.interfaces.at(1).filter, "");
}

TEST(LedgerTest, texts_are_safe_to_print) {
    PcapWriter writer = ng();
    writer.interface({.name = "\x1b[31mred\nline"});
    EXPECT_EQ(read_written(writer).ledger.interfaces.at(0).name, "?[31mred?line");
}

TEST(LedgerTest, number_of_interfaces_is_limited) {
    PcapWriter writer = ng();
    for (int index = 0; index < 65'537; ++index) {
        writer.interface({.time_resolution = {}});
    }
    const Reading reading = read_written(writer);
    EXPECT_EQ(reading.ledger.interfaces.size(), 65'536U);
    ASSERT_TRUE(reading.warning);
    EXPECT_NE(reading.warning->find("more than 65536 interfaces"), std::string::npos);
}

}  // namespace
}  // namespace tw::pcap
