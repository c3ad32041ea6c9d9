// SPDX-License-Identifier: BSD-3-Clause
// A policy's keys: what they become, and what is said of each mistake.
#include "config/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/options.hpp"
#include "core/taps/rewrite.hpp"

namespace tw::config {
namespace {

using firewall::Expect;
using firewall::FailOn;
using firewall::Policy;
using firewall::With;
using taps::Side;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config loaded(const std::string& text) {
    auto config = load_text(text, "x.yaml", Use::firewall_files);
    EXPECT_TRUE(config) << config.error().front().text;
    return config ? std::move(*config) : Config{};
}

std::vector<std::string> errors_of(const std::string& text, Use use = Use::firewall_files) {
    std::vector<std::string> texts;
    if (const auto config = load_text(text, "x.yaml", use); !config) {
        for (const Error& error : config.error()) {
            EXPECT_EQ(error.code, ExitCode::operator_mistake);
            texts.push_back(error.text);
        }
    }
    return texts;
}

constexpr const char* kEveryKey = R"(
taps: {outside: {zone: untrust}, inside: {zone: trust}}
firewall:
  name: fw
  mode: transparent
  addresses: [192.0.2.1, "2001:db8::1"]
  nat: [{inside: "10.20.0.10:443", outside: "192.0.2.80:8443"}, {inside: 10.0.0.1, outside: 192.0.2.9}]
  expect_rewrites: [ttl, isn]
networks: {web: [10.20.0.0/24, "2001:db8:20::/64"], one: 10.0.0.1}
services: {https: tcp/443, app: [tcp/8000-8099, tcp/9000]}
policy:
  - name: in
    from: untrust
    to: trust
    source: any
    destination: [web, 10.30.0.0/16]
    service: [https, tcp/8443]
    limits:
      setup_success: ">= 99.99%"
      loss: "<=0.001 %"
      unexpected_rst: "<= 1%"
      latency_p50: "<= 100us"
      latency_p99: "<= 500us"
      latency_max: "<= 1s"
      setup_latency_p99: "<= 2ms"
      idle_timeout: ">= 3600s"
  - {from: inside, expect: reject, with: icmp-port, report-only: true}
default: [{from: outside, expect: drop}]
coverage: {require_seen: [in], min_connections: 20}
report: {fail_on: [policy_leak, findings]}
)";

TEST(PolicyKeys, reach_the_policy) {
    const Policy policy = loaded(kEveryKey).policy;
    EXPECT_EQ(policy.name, "fw");
    EXPECT_EQ(policy.mode, firewall::Mode::transparent);
    EXPECT_THAT(policy.zone, ElementsAre("untrust", "trust"));
    ASSERT_EQ(policy.addresses.size(), 2U);
    EXPECT_TRUE(policy.addresses[1].v6);
    ASSERT_EQ(policy.nat.size(), 2U);
    EXPECT_EQ(policy.nat[0].inside.port, 443);
    EXPECT_EQ(policy.nat[0].outside.port, 8443);
    EXPECT_EQ(policy.nat[1].outside.port, 0);
    EXPECT_NE(policy.expect_rewrites & taps::bit(taps::Rewrite::ttl), 0U);
    EXPECT_NE(policy.expect_rewrites & taps::bit(taps::Rewrite::ack_number), 0U);
    EXPECT_EQ(policy.expect_rewrites & taps::bit(taps::Rewrite::mss), 0U);
    ASSERT_EQ(policy.rules.size(), 2U);
    const firewall::Rule& rule = policy.rules[0];
    EXPECT_EQ(rule.from, Side::outside);
    EXPECT_THAT(rule.sources, IsEmpty());
    ASSERT_EQ(rule.destinations.size(), 2U);
    EXPECT_EQ(policy.networks[rule.destinations[1]].name, "10.30.0.0/16");
    EXPECT_EQ(policy.networks[rule.destinations[1]].prefixes[0].bits, 16);
    ASSERT_EQ(rule.services.size(), 2U);
    EXPECT_EQ(policy.services[rule.services[1]].ports[0].low, 8443);
    EXPECT_EQ(rule.limits.setup_success_min, 0.9999);
    EXPECT_EQ(rule.limits.loss_max, 0.00001);
    EXPECT_EQ(rule.limits.unexpected_rst_max, 0.01);
    EXPECT_EQ(rule.limits.latency_p50_max, 100 * kMicrosecond);
    EXPECT_EQ(rule.limits.latency_p99_max, 500 * kMicrosecond);
    EXPECT_EQ(rule.limits.latency_max, kSecond);
    EXPECT_EQ(rule.limits.setup_latency_p99_max, 2 * kMillisecond);
    EXPECT_EQ(rule.limits.idle_timeout_min, 3600 * kSecond);
    EXPECT_EQ(policy.rules[1].name, "rule 2");
    EXPECT_EQ(policy.rules[1].from, Side::inside);
    EXPECT_EQ(policy.rules[1].to, Side::outside);
    EXPECT_EQ(policy.rules[1].expect, Expect::reject);
    EXPECT_EQ(policy.rules[1].with, With::icmp_port);
    EXPECT_TRUE(policy.rules[1].report_only);
    ASSERT_EQ(policy.defaults.size(), 1U);
    EXPECT_EQ(policy.defaults[0].name, "default untrust to trust");
    EXPECT_THAT(policy.require_seen, ElementsAre(0U));
    EXPECT_EQ(policy.connections_min, 20U);
    EXPECT_TRUE(policy.fails_on(FailOn::findings));
    EXPECT_FALSE(policy.fails_on(FailOn::limits));
}

TEST(PolicyKeys, absent_mean_no_policy) {
    const Config config = loaded("");
    EXPECT_TRUE(config.policy.empty());
    EXPECT_EQ(config.policy.fail_on, firewall::kFailOnDefault);
    EXPECT_EQ(config.report.path(ReportKeys::Format::json), "");
}

TEST(PolicyKeys, a_report_goes_where_its_own_key_says_before_the_folder) {
    const Config config = loaded("report: {formats: [json, html], dir: /tmp/r, html: page.html}\n");
    EXPECT_EQ(config.report.path(ReportKeys::Format::json), "/tmp/r/firewall.json");
    EXPECT_EQ(config.report.path(ReportKeys::Format::html), "page.html");
    EXPECT_EQ(config.report.path(ReportKeys::Format::junit), "");
}

struct MistakeRow {
    const char* text;
    const char* error;
};

// Each has one mistake, in its first line.
constexpr MistakeRow kMistakes[] = {
    {"networks: {web: [10.20.0.5/24]}",
     "x.yaml:1:18: networks.web[0]: 10.20.0.5/24 has bits beyond /24; the network is 10.20.0.0/24, "
     "the host 10.20.0.5/32"},
    {"networks: {web: []}",
     "x.yaml:1:17: networks.web: no address; allowed: at least one, as in [10.0.0.0/8]"},
    {"networks: {web: 10.0.0.0/33}",
     "x.yaml:1:17: networks.web[0]: 10.0.0.0/33 is not allowed; allowed after the slash: 0..32"},
    {"networks: {web: example.org}",
     "x.yaml:1:17: networks.web[0]: example.org is not allowed; allowed: ADDRESS or ADDRESS/BITS, "
     "IPv4 or IPv6"},
    {"networks: {a b: 10.0.0.1}",
     "x.yaml:1:17: networks.a b: not allowed as a name; allowed: 1..32 letters, digits, . _ -"},
    {"networks: {10.0.0.1: 10.0.0.1}",
     "x.yaml:1:22: networks.10.0.0.1: an address is not allowed as a name"},
    {"networks: {web: {}}",
     "x.yaml:1:17: networks.web: a group of keys is not allowed; allowed: ADDRESS[/BITS], IPv4 and "
     "IPv6, one or a list"},
    {"services: {bad: tcp/90-80}",
     "x.yaml:1:17: services.bad[0]: tcp/90-80 is empty; did you mean tcp/80-90?"},
    {"services: {dns: udp/53}",
     "x.yaml:1:17: services.dns[0]: udp/53 is not followed, only TCP is; allowed: tcp/PORT"},
    {"services: {bad: tcp/0}",
     "x.yaml:1:17: services.bad[0]: tcp/0 is not allowed; allowed: tcp/PORT or tcp/LOW-HIGH, "
     "1..65535"},
    {"policy: [{source: wbe}]", "policy[0].source[0]: no network is called wbe; known: any"},
    {"{networks: {web: 10.0.0.1}, policy: [{source: wbe}]}",
     "x.yaml:1:47: policy[0].source[0]: no network is called wbe; did you mean web?"},
    {"{services: {https: tcp/443}, policy: [{service: [htps]}]}",
     "x.yaml:1:50: policy[0].service[0]: no service is called htps; did you mean https?"},
    {"policy: [{name: a}, {name: a}]",
     "x.yaml:1:28: policy[1].name: a is the name of policy[0] too; names differ"},
    {"policy: [{from: dmz}]",
     "x.yaml:1:17: policy[0].from: dmz is not allowed; allowed: outside | inside"},
    {"policy: [{from: inside, to: inside}]",
     "x.yaml:1:29: policy[0].to: inside is where it comes from; a rule is about what crosses the "
     "firewall"},
    {"policy: [{with: tcp-reset}]",
     "x.yaml:1:17: policy[0].with: allowed only with expect: reject"},
    {"policy: [{expect: drop, limits: {loss: \"<= 1%\"}}]",
     "x.yaml:1:25: policy[0].limits: allowed only with expect: pass or any; nothing else passes"},
    {"policy: [{expects: drop}]",
     "x.yaml:1:11: policy[0].expects: unknown key; did you mean expect?"},
    {"policy: [{report_only: true}]",
     "x.yaml:1:11: policy[0].report_only: unknown key; did you mean report-only?"},
    {"policy: [{limits: {los: \"<= 1%\"}}]",
     "x.yaml:1:20: policy[0].limits.los: unknown key; did you mean loss?"},
    {"policy: [{limits: {loss: \">= 1%\"}}]",
     "x.yaml:1:26: policy[0].limits.loss: >= 1% is not allowed; allowed: off | \"<= 0.001%\", "
     "0%..100%"},
    {"policy: [{limits: {loss: \"<= 101%\"}}]", "<= 101% is not allowed"},
    {"policy: [{limits: {latency_p99: \"<= 500\"}}]",
     "<= 500 is not allowed; allowed: off | \"<= 500us\", a duration with its unit"},
    {"policy: [{limits: {latency_p99: 500us}}]", "500us is not allowed"},
    {"default: [{from: outside}, {from: outside}]",
     "x.yaml:1:28: default[1]: default[0] is from outside too; allowed: one a direction"},
    {"default: [{source: any}]", "default[0].source: unknown key; did you mean policy[].source?"},
    {"coverage: {require_seen: [a]}",
     "x.yaml:1:27: coverage.require_seen[0]: no rule of policy is called a"},
    {"{policy: [{name: web in}], coverage: {require_seen: [web on]}}",
     "x.yaml:1:54: coverage.require_seen[0]: no rule is called web on; did you mean web in?"},
    {"firewall: {addresses: [10.0.0.0/8]}",
     "x.yaml:1:24: firewall.addresses[0]: 10.0.0.0/8 is not allowed; allowed: an IPv4 or IPv6 "
     "address"},
    {"firewall: {nat: [{inside: \"10.0.0.1:443\", outside: 192.0.2.1}]}",
     "x.yaml:1:18: firewall.nat[0]: one has a port and the other has none; allowed: both or "
     "neither"},
    {"firewall: {nat: [{inside: 10.0.0.1}]}",
     "firewall.nat[0].outside: missing; allowed: ADDRESS or ADDRESS:PORT"},
    {"firewall: {nat: [{inside: \"10.0.0.1:0\", outside: \"192.0.2.1:1\"}]}",
     "firewall.nat[0].inside: 10.0.0.1:0 is not allowed"},
    {"firewall: {outside: t, inside: t}",
     "x.yaml:1:32: firewall.inside: t is firewall.outside too; a firewall has two taps"},
    {"taps: {outside: {zone: a}, inside: {zone: a}}",
     "x.yaml:1:24: taps.outside.zone: a is the inside side; the zones differ"},
    {"taps: {outside: {zone: inside}}", "taps.outside.zone: inside is the inside side"},
    {"report: {formats: [txt]}",
     "x.yaml:1:20: report.formats[0]: txt is not allowed; allowed: a list of text, json, junit, "
     "html, pcapng"},
    {"report: {fail_on: [leaks]}", "report.fail_on[0]: leaks is not allowed"},
    {"report: {dir: \"\"}", "report.dir: \"\" is not allowed; allowed: a folder"},
    {"policy: {name: a}",
     "x.yaml:1:9: policy: a group of keys is not allowed; allowed: a list of at most 256 rules"},
    {"policy: [{name: \"a\\nb\"}]", "policy[0].name: a\\x0ab is not allowed"},
};

TEST(PolicyKeys, each_mistake_is_one_error_with_its_place) {
    for (const MistakeRow& row : kMistakes) {
        EXPECT_THAT(errors_of(row.text), ElementsAre(HasSubstr(row.error))) << row.text;
    }
}

TEST(PolicyKeys, a_rule_that_an_earlier_one_covers_is_a_warning) {
    const std::string networks =
        "networks: {ten: 10.0.0.0/8, two: [10.1.0.0/16, 192.0.2.0/24]}\n"
        "services: {low: tcp/1-100, ssh: tcp/22, parts: [tcp/1-50, tcp/51-200]}\n";
    const auto warned = [&](const std::string& first, const std::string& second) {
        const Config config = loaded(networks + "policy:\n- {name: first, " + first +
                                     "}\n- {name: second, " + second + "}\n");
        EXPECT_LE(config.warnings.size(), 1U);
        return !config.warnings.empty() &&
               config.warnings[0] ==
                   "x.yaml:5:3: policy[1]: second can never be reached: first (line 4) covers it "
                   "wholly";
    };
    EXPECT_TRUE(warned("source: any", "source: ten, service: ssh"));
    EXPECT_TRUE(warned("source: ten, service: low", "source: 10.1.0.0/16, service: ssh"));
    EXPECT_TRUE(warned("service: parts", "service: low"));
    EXPECT_TRUE(warned("destination: 0.0.0.0/0", "destination: ten"));
    // Near misses: one network of two, one port more, the other direction, IPv6 beside IPv4.
    EXPECT_FALSE(warned("source: ten", "source: two"));
    EXPECT_FALSE(warned("service: low", "service: [ssh, tcp/101]"));
    EXPECT_FALSE(warned("from: outside", "from: inside"));
    EXPECT_FALSE(warned("source: 0.0.0.0/0", "service: ssh"));
    EXPECT_FALSE(warned("service: ssh", "source: any"));
}

TEST(PolicyUse, files_need_no_ports_and_a_run_does) {
    EXPECT_THAT(errors_of("policy: [{}]\n", Use::firewall_files), IsEmpty());
    EXPECT_THAT(errors_of("policy: [{}]\n", Use::any), IsEmpty());
    EXPECT_THAT(errors_of("log: {level: info}\n", Use::any),
                ElementsAre(HasSubstr("ports: no port")));
    for (const Use use : {Use::run, Use::firewall}) {
        EXPECT_THAT(errors_of("policy: [{}]\n", use), ElementsAre(HasSubstr("ports: no port")));
    }
}

TEST(PolicyUse, what_check_prints_of_a_monitor_is_a_monitor_again) {
    const std::string port = "ports: [{device: \"iface:lo\"}]\n";
    const auto config = load_text(port, "x.yaml", Use::any);
    ASSERT_TRUE(config);
    EXPECT_THAT(errors_of(effective_yaml(*config), Use::any), IsEmpty());
    EXPECT_THAT(
        errors_of(port + "firewall: {name: fw}\n", Use::any),
        ElementsAre(HasSubstr("no tap is called outside"), HasSubstr("no tap is called inside")));
}

TEST(PolicyUse, live_needs_a_tap_on_each_side) {
    const std::string ports =
        "ports: [{name: a, device: \"iface:a\"}, {name: b, device: \"iface:b\"}]\n";
    EXPECT_THAT(errors_of(ports, Use::firewall),
                ElementsAre("x.yaml: firewall.outside: no tap is called outside; taps of the "
                            "ports: a, b",
                            "x.yaml: firewall.inside: no tap is called inside; taps of the ports: "
                            "a, b"));
    EXPECT_THAT(errors_of(ports + "firewall: {outside: b, inside: a}\n", Use::firewall), IsEmpty());
    EXPECT_THAT(errors_of(ports + "firewall: {outside: b, inside: c}\n", Use::any),
                ElementsAre(HasSubstr("x.yaml:2:32: firewall.inside: no tap is called c")));
    EXPECT_THAT(errors_of(ports, Use::run), IsEmpty());
}

TEST(PolicyUse, a_run_holds_the_policy_to_be_right_and_leaves_it_aside) {
    const std::string port = "ports: [{device: \"iface:lo\"}]\n";
    EXPECT_THAT(errors_of(port + "policy: [{source: nobody}]\n", Use::run),
                ElementsAre(HasSubstr("no network is called nobody")));
    EXPECT_THAT(errors_of(port + "policy: [{expect: drop}]\n", Use::run), IsEmpty());
}

}  // namespace
}  // namespace tw::config
