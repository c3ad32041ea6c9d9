// SPDX-License-Identifier: BSD-3-Clause
#include "config/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/device.hpp"
#include "config/load.hpp"

namespace tw::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> mistakes(const Config& config) {
    std::vector<std::string> texts;
    for (const Error& error : validate(config)) {
        texts.push_back(error.text);
    }
    return texts;
}

Config with_port(const std::string& device) {
    Config config;
    config.ports.push_back({.name = "a", .device = device, .tap = "t"});
    return config;
}

TEST(Validate, a_config_made_without_a_file_is_checked_without_places) {
    EXPECT_THAT(mistakes(with_port("iface:eth0")), IsEmpty());
    EXPECT_THAT(
        mistakes(with_port("eth0")),
        ElementsAre("ports[0].device: eth0 is not allowed; allowed: " + std::string(kDeviceForms)));
}

TEST(Validate, needs_a_port) {
    EXPECT_THAT(mistakes(Config{}), ElementsAre(HasSubstr("ports: no port")));
}

TEST(Validate, needs_a_device) {
    EXPECT_THAT(mistakes(with_port("")),
                ElementsAre(HasSubstr("ports[0].device: missing; allowed: ")));
}

Config with_pair(const std::string& left, const std::string& right) {
    Config config;
    config.ports.push_back({.name = "east", .device = "iface:e", .tap = "t"});
    config.ports.push_back({.name = "west", .device = "net_ring0", .tap = "t"});
    config.ports.push_back({.name = "file", .device = "pcap:x", .tap = "t"});
    config.ports.push_back({.name = "other", .device = "iface:o", .tap = "u"});
    config.bridges.push_back({left, right});
    return config;
}

TEST(Validate, a_bridge_joins_two_live_ports_of_one_tap) {
    EXPECT_THAT(mistakes(with_pair("east", "west")), IsEmpty());
    EXPECT_THAT(mistakes(with_pair("east", "wset")),
                ElementsAre("inline[0]: no port is called wset; did you mean west?"));
    EXPECT_THAT(mistakes(with_pair("xyz", "west")),
                ElementsAre("inline[0]: no port is called xyz; ports: east, west, file, other"));
    EXPECT_THAT(mistakes(with_pair("east", "east")),
                ElementsAre("inline[0]: east cannot be bridged to itself; a pair is two ports"));
    EXPECT_THAT(mistakes(with_pair("east", "file")),
                ElementsAre("inline[0]: file is a capture file; only live ports can be bridged"));
    EXPECT_THAT(mistakes(with_pair("east", "other")),
                ElementsAre(HasSubstr("inline[0]: east and other have different taps, t and u")));
}

TEST(Validate, a_port_is_in_one_pair_at_most) {
    Config config = with_pair("east", "west");
    config.bridges.push_back({"west", "east"});
    EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("inline[1]: west is in another pair"),
                                              HasSubstr("inline[1]: east is in another pair")));
}

TEST(Validate, inline_forwards_on_a_core_of_its_own) {
    Config config = with_pair("east", "west");
    config.workers.distribution = Distribution::rss;
    EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("workers.distribution: rss is not allowed "
                                                        "with inline")));
    config.workers.distribution = Distribution::dispatcher;
    EXPECT_THAT(mistakes(config), IsEmpty());
}

TEST(Validate, names_are_words_and_differ) {
    Config config = with_port("iface:eth0");
    config.ports.push_back({.name = "a", .device = "iface:eth1", .tap = "t"});
    EXPECT_THAT(mistakes(config),
                ElementsAre("ports[1].name: a is the name of ports[0] too; names differ"));
    for (const std::string& name :
         {std::string("a b"), std::string("a/b"), std::string("\x01"), std::string(33, 'a')}) {
        config.ports[1].name = name;
        EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("ports[1].name: "))) << name;
    }
    config.ports[1].name = std::string(32, 'a');
    EXPECT_THAT(mistakes(config), IsEmpty());
    config.ports[1].tap = "a b";
    EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("ports[1].tap: a b is not allowed")));
}

TEST(Validate, a_device_is_one_port_but_a_file_may_be_read_twice) {
    const std::vector<std::pair<std::string, std::string>> same{
        {"0000:3b:00.0", "3B:00.0,key=1"},
        {"net_memif0,role=server", "net_memif0,role=client"},
        {"iface:eth0", "iface:eth0"}};
    for (const auto& [first, second] : same) {
        Config config = with_port(first);
        config.ports.push_back({.name = "b", .device = second, .tap = "t"});
        EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("is the device of ports[0] too")))
            << first;
    }
    Config config = with_port("pcap:a.pcap");
    config.ports.push_back({.name = "b", .device = "pcap:a.pcap", .tap = "u"});
    EXPECT_THAT(mistakes(config), IsEmpty());
}

TEST(Validate, a_described_tap_has_a_port) {
    Config config = with_port("iface:eth0");
    config.taps["t"] = {};
    EXPECT_THAT(mistakes(config), IsEmpty());
    config.taps["u"] = {};
    EXPECT_THAT(mistakes(config),
                ElementsAre("taps.u: no port belongs to this tap; taps of the ports: t"));
}

TEST(Validate, there_are_at_most_sixteen_taps) {
    Config config;
    for (int i = 0; i < 16; ++i) {
        config.ports.push_back({.name = "p" + std::to_string(i),
                                .device = "net_null" + std::to_string(i),
                                .tap = "t" + std::to_string(i)});
    }
    EXPECT_THAT(mistakes(config), IsEmpty());
    config.ports.push_back({.name = "q", .device = "net_null16", .tap = "t16"});
    EXPECT_THAT(mistakes(config), ElementsAre("ports: 17 taps are not allowed; allowed: 1..16"));
}

TEST(Validate, there_are_one_to_sixty_four_workers) {
    Config config = with_port("iface:eth0");
    config.workers.cores.assign(64, 0);
    EXPECT_THAT(mistakes(config), IsEmpty());
    config.workers.cores.assign(65, 0);
    EXPECT_THAT(mistakes(config),
                ElementsAre("workers.cores: 65 cores are not allowed; allowed: 1..64"));
    config.workers.cores.clear();
    EXPECT_THAT(mistakes(config),
                ElementsAre("workers.cores: 0 cores are not allowed; allowed: 1..64"));
}

TEST(Validate, eal_arguments_leave_cores_and_devices_to_us) {
    for (const char* argument : {"-l",
                                 "-l0-3",
                                 "-c",
                                 "-cff",
                                 "--lcores",
                                 "--lcores=1",
                                 "--lcore=1",
                                 "--main-lcore=1",
                                 "-a",
                                 "-a0000:3b:00.0",
                                 "--allow=x",
                                 "--allo=x",
                                 "-b",
                                 "--block",
                                 "--vdev=net_null0",
                                 "--vdev",
                                 "--proc-type=secondary",
                                 "-h",
                                 "--help",
                                 "-v",
                                 "--version",
                                 "--",
                                 "-s",
                                 "-S"}) {
        Config config = with_port("iface:eth0");
        config.eal_args = {"-m", argument};
        EXPECT_THAT(
            mistakes(config),
            ElementsAre(HasSubstr("eal.args[1]: " + std::string(argument) + " is not allowed; ")))
            << argument;
    }
}

TEST(Validate, other_eal_arguments_pass) {
    Config config = with_port("iface:eth0");
    config.eal_args = {"--no-huge",
                       "-m",
                       "512",
                       "--iova-mode=va",
                       "--log-level",
                       "pmd:8",
                       "--in-memory=",
                       "--file-prefix=x",
                       "-d",
                       "librte_x.so",
                       "--socket-mem=1",
                       "-n4"};
    EXPECT_THAT(mistakes(config), IsEmpty());
    config.eal_args = {"--no-huge", "--in-memory"};
    EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("EAL refuses --no-huge together with")));
}

TEST(Validate, outputs_do_not_share_a_target) {
    Config config = with_port("iface:eth0");
    config.events.path = "x";
    config.flow_records.path = "x";
    EXPECT_THAT(mistakes(config),
                ElementsAre(HasSubstr("outputs.flows.path: x is outputs.events")));
    config.events.path = "";
    config.flow_records.path = "";
    EXPECT_THAT(mistakes(config), IsEmpty());
    config.log.path = "";
    EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("log.path: ")));
}

TEST(Validate, mistakes_come_in_the_order_of_the_file) {
    const auto config =
        load_text("workers: {cores: []}\neal: {args: [-l]}\nports: [{device: eth0}]\n", "x.yaml");
    ASSERT_FALSE(config);
    ASSERT_EQ(config.error().size(), 3U);
    EXPECT_THAT(config.error()[0].text, HasSubstr("x.yaml:1:18: workers.cores: "));
    EXPECT_THAT(config.error()[1].text, HasSubstr("x.yaml:2:14: eal.args[0]: "));
    EXPECT_THAT(config.error()[2].text, HasSubstr("x.yaml:3:18: ports[0].device: "));
}

}  // namespace
}  // namespace tw::config
