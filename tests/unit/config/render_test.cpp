// SPDX-License-Identifier: BSD-3-Clause
// What the program prints about its configuration can be loaded again and means the same; so do the
// files of config/.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "config/load.hpp"
#include "config/options.hpp"

namespace tw::config {
namespace {

std::filesystem::path examples() {
    const char* source = std::getenv("TAPWITNESS_SOURCE");
    return std::filesystem::path(source == nullptr ? "." : source) / "config";
}

std::string content(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(Effective, loads_again_to_the_same) {
    const std::string files[] = {
        "ports: [{device: \"iface:lo\"}]\n",
        "ports: [{device: \"pcap:a \\\"b\\\\ c.pcap\", name: \"1\", tap: \"-\"}]\n"
        "taps: {\"-\": {vlan_key: true, direction_skew: 1ms}}\n"
        "workers: {cores: [5, 5, 1023], poll: adaptive}\n"
        "flows: {timeouts: {enabled: false}}\n"
        "analysis: {decap: []}\n"
        "filter: \"host a && port \\\"x\\\"\"\n"
        "eal: {args: [\"-m\", \"1 2\", \"\", \"off\"]}\n"
        "outputs: {events: {path: \"\"}, flows: {path: \"ü/x: y\"}}\n"
        "log: {interval: 1ns}\n",
        "ports: [{name: l, device: \"iface:l\"}, {name: \"2\", device: \"iface:r\"}]\n"
        "inline: [[l, \"2\"]]\n",
        content(examples() / "firewall.yaml"),
    };
    for (const std::string& file : files) {
        const auto first = load_text(file, "x.yaml");
        ASSERT_TRUE(first) << first.error().front().text;
        const std::string printed = effective_yaml(*first);
        const auto second = load_text(printed, "y.yaml");
        ASSERT_TRUE(second) << second.error().front().text << "\n" << printed;
        EXPECT_EQ(effective_yaml(*second), printed);
    }
}

TEST(Effective, spells_every_key_out) {
    const auto config = load_text(
        "ports: [{device: \"iface:lo\"}]\ntaps: {port0: {}}\npolicy: [{}]\ndefault: [{}]\n"
        "firewall: {nat: [{inside: 10.0.0.1, outside: 192.0.2.1}]}\n",
        "x.yaml");
    ASSERT_TRUE(config);
    const std::string printed = effective_yaml(*config);
    for (const OptionInfo& info : option_table()) {
        std::string key(info.path.substr(info.path.find_last_of('.') + 1));
        key = key == "*" ? std::string(info.path.substr(0, info.path.find('.'))) : key;
        // The names of refused keys are free for other sections: outputs.evidence.dir, report.dir.
        if (info.later.empty()) {
            EXPECT_NE(printed.find(key + ": "), std::string::npos) << info.path;
        }
    }
    for (const char* refused : {"metrics:", "evidence:"}) {
        EXPECT_EQ(printed.find(refused), std::string::npos) << refused;
    }
}

TEST(DefaultYaml, holds_every_key_and_its_help) {
    const std::string yaml = default_yaml();
    for (const OptionInfo& info : option_table()) {
        EXPECT_NE(yaml.find(info.help), std::string::npos) << info.path;
        EXPECT_NE(yaml.find(info.allowed), std::string::npos) << info.path;
    }
}

TEST(DefaultYaml, means_the_defaults) {
    auto config = load_text(default_yaml(), "default.yaml");
    ASSERT_TRUE(config) << config.error().front().text;
    Config plain;
    plain.ports = config->ports;
    plain.taps = config->taps;
    EXPECT_EQ(effective_yaml(*config), effective_yaml(plain));
}

TEST(Examples, default_yaml_is_what_the_program_prints) {
    EXPECT_EQ(content(examples() / "default.yaml"), default_yaml())
        << "build/tapwitness list options --yaml > config/default.yaml";
}

TEST(Examples, all_load) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(examples())) {
        if (entry.path().extension() == ".yaml") {
            const auto config = load(entry.path());
            EXPECT_TRUE(config) << config.error().front().text;
            ++count;
        }
    }
    EXPECT_GE(count, 5);
}

}  // namespace
}  // namespace tw::config
