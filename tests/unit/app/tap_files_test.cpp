// SPDX-License-Identifier: BSD-3-Clause
#include "app/tap_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "support/packet_builder.hpp"
#include "support/pcap_writer.hpp"

namespace {

using namespace tw;
using app::tap_files;
using app::tap_files_of;
using app::TapReader;
using taps::Side;
using test::PcapFormat;
using test::PcapWriter;

class TapFiles : public testing::Test {
  protected:
    std::string path(const std::string& name) {
        paths_.push_back(testing::TempDir() + std::to_string(::getpid()) + "-taps-" + name);
        return paths_.back();
    }
    ~TapFiles() override {
        for (const std::string& path : paths_) {
            ::unlink(path.c_str());
        }
    }
    // One frame at each time.
    std::string capture(const std::string& name, const std::vector<Nanos>& times) {
        PcapWriter writer;
        for (const Nanos time : times) {
            writer.packet(time, frame());
        }
        writer.save(path(name));
        return paths_.back();
    }
    static test::Bytes frame() {
        return test::PacketBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1234, 80).build();
    }

  private:
    std::vector<std::string> paths_;
};

std::vector<std::pair<Nanos, int>> all_of(TapReader& reader) {
    std::vector<std::pair<Nanos, int>> seen;
    for (auto burst = reader.next(); !burst.empty(); burst = reader.next()) {
        for (const Frame& frame : burst) {
            seen.emplace_back(frame.time, frame.tap);
        }
    }
    return seen;
}

TEST_F(TapFiles, two_files_come_as_one_stream_in_order_of_time) {
    std::vector<Nanos> outside;
    std::vector<Nanos> inside;
    for (Nanos i = 0; i < 1'000; ++i) {
        (i % 7 < 3 ? outside : inside).push_back(kSecond + i);
    }
    const auto files = tap_files(capture("out", outside), capture("in", inside));
    ASSERT_TRUE(files);
    auto reader = TapReader::open(*files);
    ASSERT_TRUE(reader);
    const auto seen = all_of(**reader);
    ASSERT_EQ(seen.size(), 1'000U);
    for (Nanos i = 0; i < 1'000; ++i) {
        EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::pair(kSecond + i, i % 7 < 3 ? 0 : 1));
    }
    EXPECT_EQ((*reader)->lane(Side::outside).frames, outside.size());
    EXPECT_EQ((*reader)->lane(Side::inside).last, inside.back());
}

TEST_F(TapFiles, the_time_both_have_reached_stands_still_once_one_has_ended) {
    const auto files = tap_files(capture("out", {10, 20, 30, 90}), capture("in", {15, 25}));
    ASSERT_TRUE(files);
    auto reader = TapReader::open(*files);
    ASSERT_TRUE(reader);
    EXPECT_EQ(all_of(**reader).size(), 6U);
    EXPECT_EQ((*reader)->reached(), 25);
}

TEST_F(TapFiles, the_inside_clock_is_corrected_before_the_order_is_made) {
    const auto files = tap_files(capture("out", {1'000, 3'000}), capture("in", {502'000, 504'000}));
    ASSERT_TRUE(files);
    auto reader = TapReader::open(*files, {.offset = 500'000});
    ASSERT_TRUE(reader);
    const std::vector<std::pair<Nanos, int>> expected{
        {1'000, 0}, {2'000, 1}, {3'000, 0}, {4'000, 1}};
    EXPECT_EQ(all_of(**reader), expected);
}

TEST_F(TapFiles, interfaces_of_one_file_are_two_taps) {
    PcapWriter writer({.format = PcapFormat::pcapng});
    const auto other = writer.interface({.name = "mgmt"});
    const auto inside = writer.interface({.name = "inside"});
    const auto outside = writer.interface({.name = "outside"});
    // As dumpcap writes: by interface, not quite in order of time.
    for (const auto& [time, interface] : {std::pair<Nanos, std::uint32_t>{5, inside},
                                          {1, outside},
                                          {2, other},
                                          {6, inside},
                                          {3, outside},
                                          {7, other},
                                          {9, outside}}) {
        writer.packet(time, frame(), {.interface = interface});
    }
    writer.statistics({.interface = inside, .received = 2, .dropped_interface = 7});
    const std::string capture = path("both.pcapng");
    writer.save(capture);

    const auto files = tap_files_of(capture, "");
    ASSERT_TRUE(files);
    auto reader = TapReader::open(*files);
    ASSERT_TRUE(reader);
    const std::vector<std::pair<Nanos, int>> expected{{1, 0}, {3, 0}, {5, 1}, {6, 1}, {9, 0}};
    EXPECT_EQ(all_of(**reader), expected);
    EXPECT_EQ((*reader)->dropped(Side::inside), 7U);
    EXPECT_FALSE((*reader)->dropped(Side::outside));

    EXPECT_TRUE(tap_files_of(capture, "mgmt,1"));
    EXPECT_FALSE(tap_files_of(capture, "mgmt"));
    EXPECT_FALSE(tap_files_of(capture, "mgmt,lan"));
    EXPECT_FALSE(tap_files_of(capture, "mgmt,0"));
}

TEST_F(TapFiles, mistakes_are_named) {
    const std::string one = capture("one", {1});
    const auto same = tap_files(one, one);
    ASSERT_FALSE(same);
    EXPECT_NE(same.error().text.find("both are"), std::string::npos);
    EXPECT_FALSE(tap_files(one, one + "-absent"));
    EXPECT_FALSE(tap_files("-", one));
    const auto alone = tap_files_of(one, "");
    ASSERT_FALSE(alone);
    EXPECT_NE(alone.error().text.find("one interface only"), std::string::npos);
}

}  // namespace
