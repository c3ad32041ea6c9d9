// SPDX-License-Identifier: BSD-3-Clause
// One run's configuration: plain values with their defaults. options.cpp describes each key to
// people, load.cpp reads YAML into this, validate.cpp holds the rules across keys.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/firewall_keys.hpp"
#include "config/places.hpp"
#include "core/options.hpp"
#include "firewall/policy.hpp"

namespace tw::config {

struct Port {
    std::string name;
    std::string device;  // PCI address | DPDK vdev string | "iface:eth0" | "pcap:file.pcap"
    // Name of the tap; default: the port's own name, or LEFT-RIGHT of a bridged pair.
    std::string tap;
    std::uint32_t descriptors = 0;  // 0 = auto
};

struct Tap {
    Nanos direction_skew = -1;  // -1: analysis.direction_skew
    bool vlan_key = false;
    bool tunnel_key = false;
    std::string zone;  // as policies call this side of the firewall; "": outside or inside
};

// Two ports, by name, that the monitor joins to one line.
struct Bridge {
    std::string left;
    std::string right;
};

enum class Poll : std::uint8_t { busy, adaptive };
enum class Distribution : std::uint8_t { automatic, rss, dispatcher };
enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct Workers {
    // CPU ids, repeats allowed; worker i owns RX queue i of every port.
    std::vector<std::uint32_t> cores{0};
    Poll poll = Poll::busy;
    Distribution distribution = Distribution::automatic;
    std::uint32_t ring = 4096;  // frames that may wait for one worker behind the dispatcher
};

struct Flows {
    std::uint32_t max_per_worker = 1'000'000;  // IPv4
    std::uint32_t max_ipv6_per_worker = 250'000;
    FlowTimeouts timeouts;
};

struct Analysis {
    Nanos direction_skew = 50 * kMillisecond;
    std::uint16_t decap = kDecapAll;
};

struct Output {
    std::string path;  // "" = off, "-" = standard output
};

struct Telemetry {
    bool enabled = false;  // DPDK's telemetry socket
};

struct Log {
    LogLevel level = LogLevel::info;
    std::string path = "-";         // "-" = standard error
    Nanos interval = 10 * kSecond;  // between counter lines; 0 = none
};

struct Config {
    std::vector<std::string> eal_args;
    std::vector<Port> ports;
    std::map<std::string, Tap> taps;
    Workers workers;
    std::vector<Bridge> bridges;  // "inline" in YAML
    Flows flows;
    Analysis analysis;
    std::string filter;
    Output events{"-"};
    Output flow_records{""};
    Telemetry telemetry;
    Log log;
    FirewallKeys firewall;
    ReportKeys report;
    // Made of `firewall` by load.cpp (policy.hpp); empty in a Config made without a file.
    firewall::Policy policy;
    std::vector<std::string> warnings;  // of what is allowed and hardly meant, with its place
    Places places;                      // empty if no file was read
};

}  // namespace tw::config
