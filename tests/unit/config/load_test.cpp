// SPDX-License-Identifier: BSD-3-Clause
#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "config/options.hpp"

namespace tw::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A file needs this and nothing else; mistakes under test begin in line 2.
const std::string kPort = "ports: [{device: \"iface:lo\"}]\n";

Config loaded(const std::string& text) {
    auto config = load_text(text, "x.yaml");
    EXPECT_TRUE(config) << config.error().front().text;
    return config ? std::move(*config) : Config{};
}

std::vector<std::string> errors_of(const std::string& text) {
    std::vector<std::string> texts;
    if (const auto config = load_text(text, "x.yaml"); !config) {
        for (const Error& error : config.error()) {
            EXPECT_EQ(error.code, ExitCode::operator_mistake);
            EXPECT_EQ(error.text.find('\n'), std::string::npos) << error.text;
            texts.push_back(error.text);
        }
    }
    return texts;
}

TEST(Load, a_port_alone_is_enough_and_the_rest_is_default) {
    const Config config = loaded(kPort);
    ASSERT_EQ(config.ports.size(), 1U);
    EXPECT_EQ(config.ports[0].name, "port0");
    EXPECT_EQ(config.ports[0].tap, "port0");
    EXPECT_EQ(config.ports[0].descriptors, 0U);
    EXPECT_THAT(config.workers.cores, ElementsAre(0));
    EXPECT_EQ(config.flows.max_per_worker, 1'000'000U);
    EXPECT_EQ(config.analysis.direction_skew, 50 * kMillisecond);
    EXPECT_EQ(config.analysis.decap, kDecapAll);
    EXPECT_EQ(config.events.path, "-");
    EXPECT_EQ(config.flow_records.path, "");
}

TEST(Load, every_key_reaches_its_member) {
    const Config config = loaded(R"(
eal: {args: [--no-huge, "-m", "512"]}
ports:
  - {name: left, device: "3b:00.0", tap: wire, descriptors: 1024}
  - {name: right, device: "3b:00.1", tap: wire}
taps: {wire: {direction_skew: 5ms, vlan_key: true, tunnel_key: on}}
workers: {cores: [2, 3, 2], poll: adaptive, distribution: dispatcher}
inline: [[left, right]]
flows:
  max_per_worker: 2_000
  max_ipv6_per_worker: 500
  timeouts: {enabled: no, embryonic: 1s, established: 2m, closing: 3ms}
analysis: {direction_skew: 0, checksum: off, decap: [vlan, gtpu]}
filter: "tcp port 80 # not a comment"
outputs:
  events: {path: e.jsonl, format: jsonl}
  flows: {path: "-"}
log: {level: debug, path: /tmp/log, interval: 0}
)");
    EXPECT_THAT(config.eal_args, ElementsAre("--no-huge", "-m", "512"));
    ASSERT_EQ(config.ports.size(), 2U);
    EXPECT_EQ(config.ports[0].name, "left");
    EXPECT_EQ(config.ports[0].device, "3b:00.0");
    EXPECT_EQ(config.ports[0].descriptors, 1024U);
    EXPECT_EQ(config.ports[1].tap, "wire");
    ASSERT_TRUE(config.taps.contains("wire"));
    EXPECT_EQ(config.taps.at("wire").direction_skew, 5 * kMillisecond);
    EXPECT_TRUE(config.taps.at("wire").vlan_key);
    EXPECT_TRUE(config.taps.at("wire").tunnel_key);
    EXPECT_THAT(config.workers.cores, ElementsAre(2, 3, 2));
    EXPECT_EQ(config.workers.poll, Poll::adaptive);
    EXPECT_EQ(config.workers.distribution, Distribution::dispatcher);
    ASSERT_EQ(config.bridges.size(), 1U);
    EXPECT_EQ(config.bridges[0].left, "left");
    EXPECT_EQ(config.bridges[0].right, "right");
    EXPECT_EQ(config.flows.max_per_worker, 2'000U);
    EXPECT_EQ(config.flows.max_ipv6_per_worker, 500U);
    EXPECT_FALSE(config.flows.timeouts.enabled);
    EXPECT_EQ(config.flows.timeouts.embryonic, kSecond);
    EXPECT_EQ(config.flows.timeouts.established, 120 * kSecond);
    EXPECT_EQ(config.flows.timeouts.closing, 3 * kMillisecond);
    EXPECT_EQ(config.analysis.direction_skew, 0);
    EXPECT_EQ(config.analysis.decap, 1U << 0 | 1U << 7);
    EXPECT_EQ(config.filter, "tcp port 80 # not a comment");
    EXPECT_EQ(config.events.path, "e.jsonl");
    EXPECT_EQ(config.flow_records.path, "-");
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_EQ(config.log.path, "/tmp/log");
    EXPECT_EQ(config.log.interval, 0);
}

TEST(Load, a_bridged_pair_is_one_tap) {
    const std::string ports =
        "ports: [{name: a, device: \"iface:a\"}, {name: b, device: \"iface:b\"}, "
        "{name: c, device: \"iface:c\"}, {name: d, device: \"iface:d\", tap: core}, "
        "{device: \"iface:e\"}]\n";
    const Config config = loaded(ports + "inline: [[a, b], [c, d]]\n");
    EXPECT_EQ(config.ports[0].tap, "a-b");
    EXPECT_EQ(config.ports[1].tap, "a-b");
    EXPECT_EQ(config.ports[2].tap, "core");
    EXPECT_EQ(config.ports[3].tap, "core");
    EXPECT_EQ(config.ports[4].tap, "port4");
}

TEST(Load, a_pair_is_a_list_of_two_names) {
    for (const char* wrong : {"[a]", "[[a]]", "[[a, b, c]]", "[[a, [b]]]", "[[a, \"\"]]",
                              "[{a: b}]", "a", "[[a, b], c]"}) {
        EXPECT_THAT(errors_of(kPort + "inline: " + wrong + "\n"),
                    ElementsAre(AllOf(HasSubstr("x.yaml:2:"), HasSubstr(": inline"),
                                      HasSubstr("allowed: a list of [LEFT, RIGHT]"))))
            << wrong;
    }
}

TEST(Load, empty_sections_mean_their_defaults) {
    const Config config = loaded(kPort + "taps:\nworkers: {}\nflows: {timeouts: }\noutputs:\n");
    EXPECT_EQ(effective_yaml(config), effective_yaml(loaded(kPort)));
}

TEST(Load, a_wrong_value_is_named_with_place_and_what_is_allowed) {
    EXPECT_THAT(
        errors_of(kPort + "workers:\n  poll: lazy\n"),
        ElementsAre("x.yaml:3:9: workers.poll: lazy is not allowed; allowed: busy | adaptive"));
    EXPECT_THAT(errors_of(kPort + "flows: {max_per_worker: 15}\n"),
                ElementsAre("x.yaml:2:25: flows.max_per_worker: 15 is not allowed; allowed: "
                            "16..500000000"));
    EXPECT_THAT(errors_of(kPort + "flows: {max_per_worker: many}\n"),
                ElementsAre(HasSubstr("x.yaml:2:25: flows.max_per_worker: many is not allowed")));
    EXPECT_THAT(errors_of(kPort + "log: {interval: 25h}\n"),
                ElementsAre("x.yaml:2:17: log.interval: 25h is not allowed; allowed: 0..1d"));
    EXPECT_THAT(errors_of("ports: [{device: \"iface:lo\", descriptors: 63}]"),
                ElementsAre("x.yaml:1:43: ports[0].descriptors: 63 is not allowed; allowed: auto | "
                            "64..65536"));
    EXPECT_THAT(
        errors_of(kPort + "flows: {timeouts: {enabled: maybe}}\n"),
        ElementsAre(HasSubstr("flows.timeouts.enabled: maybe is not allowed; allowed: true | "
                              "false")));
}

TEST(Load, a_duration_without_unit_says_so) {
    EXPECT_THAT(
        errors_of(kPort + "flows: {timeouts: {embryonic: 5}}\n"),
        ElementsAre("x.yaml:2:31: flows.timeouts.embryonic: 5 has no unit (ms, s, m, h, d); "
                    "allowed: 1ms..1d"));
}

TEST(Load, an_element_of_a_list_has_its_own_place) {
    EXPECT_THAT(errors_of(kPort + "workers:\n  cores:\n    - 1\n    - x\n    - 1024\n"),
                ElementsAre("x.yaml:5:7: workers.cores[1]: x is not allowed; allowed: a list of "
                            "0..1023",
                            "x.yaml:6:7: workers.cores[2]: 1024 is not allowed; allowed: a list of "
                            "0..1023"));
    EXPECT_THAT(errors_of(kPort + "analysis: {decap: [vlan, wlan]}\n"),
                ElementsAre(HasSubstr("x.yaml:2:26: analysis.decap[1]: wlan is not allowed")));
}

TEST(Load, a_wrong_shape_is_named) {
    EXPECT_THAT(errors_of(kPort + "workers: {cores: 2}\n"),
                ElementsAre("x.yaml:2:18: workers.cores: a single value is not allowed; allowed: a "
                            "list of 0..1023"));
    EXPECT_THAT(errors_of(kPort + "filter: [tcp]\n"),
                ElementsAre(HasSubstr("x.yaml:2:9: filter: a list is not allowed")));
    EXPECT_THAT(errors_of(kPort + "log: {level: {a: b}}\n"),
                ElementsAre(HasSubstr("log.level: a group of keys is not allowed")));
    EXPECT_THAT(errors_of(kPort + "log: {level: }\n"),
                ElementsAre(HasSubstr("log.level: nothing is not allowed")));
    EXPECT_THAT(
        errors_of(kPort + "log: info\n"),
        ElementsAre("x.yaml:2:6: log: a single value is not allowed; allowed: the keys level, "
                    "path, interval"));
    EXPECT_THAT(errors_of(kPort + "taps: [a]\n"),
                ElementsAre("x.yaml:2:7: taps: a list is not allowed; allowed: names of taps"));
    EXPECT_THAT(
        errors_of("ports: {device: \"iface:lo\"}\n"),
        ElementsAre("x.yaml:1:8: ports: a group of keys is not allowed; allowed: a list of at "
                    "most 32 ports"));
    EXPECT_THAT(errors_of("- a\n"),
                ElementsAre(HasSubstr("x.yaml:1:1: a list is not allowed here")));
}

TEST(Load, an_unknown_key_gets_the_nearest_known_name) {
    EXPECT_THAT(errors_of(kPort + "worker: {}\n"),
                ElementsAre("x.yaml:2:1: worker: unknown key; did you mean workers?"));
    EXPECT_THAT(errors_of(kPort + "flows: {max-per-worker: 5}\n"),
                ElementsAre("x.yaml:2:9: flows.max-per-worker: unknown key; did you mean "
                            "max_per_worker?"));
    EXPECT_THAT(errors_of("ports: [{devise: \"iface:lo\"}]"),
                ElementsAre("x.yaml:1:10: ports[0].devise: unknown key; did you mean device?"));
}

TEST(Load, a_key_in_the_wrong_section_is_sent_to_its_own) {
    EXPECT_THAT(errors_of(kPort + "max_per_worker: 5\n"),
                ElementsAre("x.yaml:2:1: max_per_worker: unknown key; did you mean "
                            "flows.max_per_worker?"));
    EXPECT_THAT(errors_of(kPort + "log: {poll: busy}\n"),
                ElementsAre(HasSubstr("log.poll: unknown key; did you mean workers.poll?")));
}

TEST(Load, a_key_like_no_other_gets_the_list) {
    EXPECT_THAT(errors_of(kPort + "log: {zebra: 1}\n"),
                ElementsAre("x.yaml:2:7: log.zebra: unknown key; allowed: level, path, interval"));
}

TEST(Load, patterns_of_the_table_are_not_keys) {
    EXPECT_THAT(errors_of(kPort + "flows.max_per_worker: 100\n"),
                ElementsAre(HasSubstr("x.yaml:2:1: flows.max_per_worker: unknown key")));
    EXPECT_THAT(errors_of(kPort + "\"ports[]\": {}\n"), ElementsAre(HasSubstr("unknown key")));
    EXPECT_THAT(errors_of(kPort + "\"\": {}\n"), ElementsAre(HasSubstr("unknown key")));
}

TEST(Load, a_key_written_twice_is_refused) {
    EXPECT_THAT(errors_of(kPort + "filter: a\nlog: {}\nfilter: b\n"),
                ElementsAre("x.yaml:4:1: filter: written twice; first in line 2"));
    EXPECT_THAT(errors_of(kPort + "taps: {port0: {}, port0: {}}\n"),
                ElementsAre(HasSubstr("x.yaml:2:19: taps.port0: written twice")));
}

TEST(Load, what_is_not_built_yet_is_refused_and_never_ignored) {
    for (const OptionInfo& info : option_table()) {
        if (info.later.empty()) {
            continue;
        }
        std::string text = kPort;
        std::string_view rest = info.path;
        for (std::size_t dot = rest.find('.'); dot != std::string_view::npos;
             dot = rest.find('.')) {
            text += std::string(rest.substr(0, dot)) + ": {";
            rest.remove_prefix(dot + 1);
        }
        text += std::string(rest) + ": [x]";
        for (const char c : info.path) {
            text += c == '.' ? "}" : "";
        }
        EXPECT_THAT(errors_of(text),
                    ElementsAre(HasSubstr(std::string(info.path) + ": not in this version")))
            << text;
    }
    EXPECT_THAT(errors_of(kPort + "analysis: {checksum: hw}\n"),
                ElementsAre("x.yaml:2:22: analysis.checksum: hw is not in this version; allowed: "
                            "off"));
}

TEST(Load, what_is_not_built_yet_may_be_written_as_off) {
    EXPECT_EQ(errors_of(kPort + "inline: []\noutputs: {metrics: {listen: \"\"}, evidence: {}}\n"),
              std::vector<std::string>{});
}

TEST(Load, reports_all_mistakes_in_the_order_of_the_file) {
    EXPECT_THAT(errors_of("log: {level: x}\n" + kPort + "filter: []\nzebra: 1\n"),
                ElementsAre(HasSubstr("x.yaml:1:14: "), HasSubstr("x.yaml:3:9: "),
                            HasSubstr("x.yaml:4:1: ")));
}

TEST(Load, stops_reporting_at_twenty) {
    std::string text = kPort + "workers: {cores: [";
    for (int i = 0; i < 25; ++i) {
        text += "x, ";
    }
    const auto errors = errors_of(text + "]}\n");
    ASSERT_EQ(errors.size(), kErrorsMax + 1);
    EXPECT_EQ(errors.back(), "x.yaml: 5 more mistakes");
}

TEST(Load, lists_and_ports_have_an_end) {
    std::string cores = kPort + "workers: {cores: [";
    std::string ports = "ports:\n";
    for (int i = 0; i < 65; ++i) {
        cores += "0,";
        ports += "  - {device: net_null" + std::to_string(i) + "}\n";
    }
    EXPECT_THAT(errors_of(cores + "]}\n"),
                ElementsAre(HasSubstr("65 elements are not allowed; allowed: at most 64")));
    EXPECT_THAT(errors_of(ports), ElementsAre(HasSubstr("ports: this number is not allowed")));
}

TEST(Load, a_message_stays_one_line_whatever_the_value_holds) {
    EXPECT_THAT(errors_of(kPort + "log: {level: \"a\\nb\\e[31m\"}\n"),
                ElementsAre(HasSubstr("log.level: a\\x0ab\\x1b[31m is not allowed")));
    EXPECT_THAT(errors_of(kPort + "\"a\\nb\": 1\n"),
                ElementsAre(HasSubstr("a\\x0ab: unknown key")));
}

TEST(Load, an_empty_file_asks_for_a_port) {
    EXPECT_THAT(errors_of(""),
                ElementsAre(HasSubstr("x.yaml: ports: no port; allowed: at least one")));
}

TEST(Load, remembers_where_keys_were_written) {
    const Config config = loaded("ports:\n  - device: \"iface:lo\"\nworkers: {cores: [0, 1]}\n");
    EXPECT_EQ(config.places.prefix("ports[0].device"), "x.yaml:2:13: ports[0].device: ");
    EXPECT_EQ(config.places.prefix("workers.cores[1]"), "x.yaml:3:22: workers.cores[1]: ");
    EXPECT_EQ(config.places.prefix("ports[0].tap"), "x.yaml:2:5: ports[0].tap: ");
    EXPECT_EQ(config.places.prefix("filter"), "x.yaml: filter: ");
    EXPECT_EQ(Config{}.places.prefix("filter"), "filter: ");
}

class LoadFile : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "/tapwitness-load-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override {
        unlink(path().c_str());
        rmdir(folder_.c_str());
    }
    [[nodiscard]] std::string path() const { return folder_ + "/c.yaml"; }
    void write(const std::string& text) const { std::ofstream(path()) << text; }
    [[nodiscard]] static std::string first_error(const std::string& path) {
        const auto config = load(path);
        return config ? "" : config.error().front().text;
    }

    std::string folder_;
};

TEST_F(LoadFile, is_read) {
    write(kPort);
    const auto config = load(path());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->places.name, path());
}

TEST_F(LoadFile, that_is_missing_a_folder_or_forbidden_is_one_clear_error) {
    EXPECT_EQ(first_error(path()), path() + ": cannot be read: No such file or directory");
    EXPECT_EQ(first_error(folder_), folder_ + ": cannot be read: Is a directory");
    write(kPort);
    if (geteuid() != 0) {
        chmod(path().c_str(), 0);
        EXPECT_EQ(first_error(path()), path() + ": cannot be read: Permission denied");
    }
}

TEST_F(LoadFile, ends_at_one_mebibyte) {
    write(kPort + "#" + std::string(kFileBytesMax - kPort.size() - 1, 'x'));
    EXPECT_EQ(first_error(path()), "");
    write(kPort + "#" + std::string(kFileBytesMax - kPort.size(), 'x'));
    EXPECT_EQ(first_error(path()), path() + ": larger than 1MiB");
    EXPECT_EQ(first_error("/dev/zero"), "/dev/zero: larger than 1MiB");
}

}  // namespace
}  // namespace tw::config
