// SPDX-License-Identifier: BSD-3-Clause
// What the firewall is meant to do, as plain data: networks, services, ordered rules, defaults,
// coverage, and what fails the run. config/ fills it from YAML; policy_run.hpp holds the traffic
// against it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "core/flow/key.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/side.hpp"

namespace tw::firewall {

enum class Mode : std::uint8_t { routed, transparent, proxy };
enum class Expect : std::uint8_t { pass, drop, reject, any };
enum class With : std::uint8_t { any, tcp_reset, icmp_admin_prohibited, icmp_port };

struct Prefix {
    flow::AddressV6 address{};  // IPv4: the first four bytes
    std::uint8_t bits = 0;
    bool v6 = false;
};

struct Network {
    std::string name;
    std::vector<Prefix> prefixes;
};

struct PortRange {
    std::uint16_t low = 0;
    std::uint16_t high = 65535;
};

struct Service {
    std::string name;
    std::vector<PortRange> ports;  // TCP, of the server
};

// Quality a rule asks for. Absent = not asked.
struct Limits {
    std::optional<double> setup_success_min;   // shares: 0..1
    std::optional<double> loss_max;            // proven drops of the packets offered
    std::optional<double> unexpected_rst_max;  // resets by the firewall of the connections
    std::optional<Nanos> latency_p50_max;
    std::optional<Nanos> latency_p99_max;
    std::optional<Nanos> latency_max;
    std::optional<Nanos> setup_latency_p99_max;
    std::optional<Nanos> idle_timeout_min;
    [[nodiscard]] bool asks_times() const {
        return latency_p50_max || latency_p99_max || latency_max || setup_latency_p99_max;
    }
    [[nodiscard]] bool asked() const {
        return setup_success_min || loss_max || unexpected_rst_max || asks_times() ||
               idle_timeout_min;
    }
};

struct Rule {
    std::string name;
    taps::Side from = taps::Side::outside;  // where the client is
    taps::Side to = taps::Side::inside;
    std::vector<std::uint32_t> sources;  // indexes into Policy::networks; empty = any
    std::vector<std::uint32_t> destinations;
    std::vector<std::uint32_t> services;  // indexes into Policy::services; empty = any
    Expect expect = Expect::pass;
    With with = With::any;
    bool report_only = false;  // its failure does not fail the run
    Limits limits;
    int line = 0;  // in the file, for messages
};

enum class FailOn : std::uint8_t {
    policy_leak = 1U << 0,   // passed what must not
    policy_block = 1U << 1,  // did not pass what must
    proven_drop = 1U << 2,
    limits = 1U << 3,
    capture_unhealthy = 1U << 4,  // exit 4 instead of 0
    findings = 1U << 5,           // any proven harm, not only drops
    untested = 1U << 6,           // a rule of coverage.require_seen without traffic: exit 4
};
inline constexpr std::uint8_t kFailOnDefault =
    static_cast<std::uint8_t>(FailOn::policy_leak) |
    static_cast<std::uint8_t>(FailOn::policy_block) |
    static_cast<std::uint8_t>(FailOn::proven_drop) | static_cast<std::uint8_t>(FailOn::limits) |
    static_cast<std::uint8_t>(FailOn::capture_unhealthy) |
    static_cast<std::uint8_t>(FailOn::untested);

struct Policy {
    std::string name;  // of the firewall
    Mode mode = Mode::routed;
    std::vector<flow::Endpoint> addresses;  // the firewall's own; port 0
    std::vector<taps::NatHint> nat;
    std::uint32_t expect_rewrites = 0;  // bits by taps::Rewrite: allowed, so not reported
    std::array<std::string, taps::kSides> zone{"outside", "inside"};
    std::vector<Network> networks;
    std::vector<Service> services;
    std::vector<Rule> rules;
    std::vector<Rule> defaults;               // after the rules; at most one per direction
    std::vector<std::uint32_t> require_seen;  // indexes into rules
    std::uint32_t connections_min = 1;        // of a required rule
    std::uint8_t fail_on = kFailOnDefault;
    [[nodiscard]] bool fails_on(FailOn reason) const {
        return (fail_on & static_cast<std::uint8_t>(reason)) != 0;
    }
    // No rules and no defaults: findings are reported, nothing is validated.
    [[nodiscard]] bool empty() const { return rules.empty() && defaults.empty(); }
};

}  // namespace tw::firewall
