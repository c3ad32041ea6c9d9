// SPDX-License-Identifier: BSD-3-Clause
#include "config/options.hpp"

#include "config/device.hpp"
#include "config/firewall_rows.hpp"
#include "config/rows.hpp"

namespace tw::config {

namespace {

using rows::boolean;
using rows::choice;
using rows::choice_list;
using rows::duration;
using rows::firewall;
using rows::fixed;
using rows::integer;
using rows::integer_list;
using rows::later;
using rows::live;
using rows::pair_list;
using rows::text;
using rows::text_list;
template <typename Value>
using Names = rows::Names<Value>;

constexpr Nanos kDay = 86'400 * kSecond;
// rte_hash takes 2^30 entries and needs 1.5 of them per connection.
constexpr std::uint32_t kFlowsMax = 500'000'000;
constexpr std::uint32_t kCoreMax = 1023;

[[nodiscard]] std::vector<OptionInfo> port_rows() {
    return {
        text<&Port::name>(
            {"ports[].name", "", "what outputs call this port; default: port and its index"},
            kNameAllowed),
        text<&Port::device>(
            {"ports[].device", "", "where frames come from; the only key without a default"},
            kDeviceForms),
        text<&Port::tap>(
            {"ports[].tap", "",
             "ports of one tap carry its two directions; default: the port, or LEFT-RIGHT inline"},
            kNameAllowed),
        integer<&Port::descriptors>(
            {"ports[].descriptors", "descriptors",
             "receive descriptors of a queue; auto: the most the device takes"},
            {64, 65'536, {"auto", 0}}),
        live(duration<&Tap::direction_skew>(
            {"taps.*.direction_skew", "", "analysis.direction_skew of this tap alone"},
            {0, 10 * kSecond, {"inherit", -1}})),
        boolean<&Tap::vlan_key>(
            {"taps.*.vlan_key", "", "the innermost VLAN id tells connections apart"}),
        boolean<&Tap::tunnel_key>({"taps.*.tunnel_key", "",
                                   "the innermost VNI, TEID or GRE key tells connections apart"}),
        firewall(text<&Tap::zone>(
            {"taps.*.zone", "", "what a policy may call this side of the firewall"},
            "1..32 letters, digits, . _ -; empty: outside or inside")),
    };
}

[[nodiscard]] std::vector<OptionInfo> run_rows() {
    return {
        integer_list<&Config::workers, &Workers::cores>(
            {"workers.cores", "CPU ids",
             "one worker each, repeats allowed; worker i owns receive queue i of every port"},
            kCoreMax),
        choice<&Config::workers, &Workers::poll>(
            {"workers.poll", "",
             "busy: a core at 100 %; adaptive: pause when the ports are silent"},
            Names<Poll>{{"busy", Poll::busy}, {"adaptive", Poll::adaptive}}),
        choice<&Config::workers, &Workers::distribution>(
            {"workers.distribution", "",
             "who spreads connections: the NIC or the peer of a memif (rss), or a core of ours"},
            Names<Distribution>{{"auto", Distribution::automatic},
                                {"rss", Distribution::rss},
                                {"dispatcher", Distribution::dispatcher}}),
        integer<&Config::workers, &Workers::ring>({"workers.ring", "frames",
                                                   "frames that may wait for a worker behind the "
                                                   "dispatcher; more are dropped and counted"},
                                                  {32, 1U << 20}),
        pair_list<&Config::bridges>(
            {"inline", "", "pairs of ports: what one receives is sent out of the other, at once"},
            "a list of [LEFT, RIGHT], names of ports"),
        integer<&Config::flows, &Flows::max_per_worker>(
            {"flows.max_per_worker", "connections",
             "IPv4 connections one worker remembers; the table is reserved at start"},
            {16, kFlowsMax}),
        integer<&Config::flows, &Flows::max_ipv6_per_worker>(
            {"flows.max_ipv6_per_worker", "connections", "the same for IPv6"}, {16, kFlowsMax}),
        live(boolean<&Config::flows, &Flows::timeouts, &FlowTimeouts::enabled>(
            {"flows.timeouts.enabled", "", "false: connections leave a full table only"})),
        live(duration<&Config::flows, &Flows::timeouts, &FlowTimeouts::embryonic>(
            {"flows.timeouts.embryonic", "", "handshake not finished"}, {kMillisecond, kDay})),
        live(duration<&Config::flows, &Flows::timeouts, &FlowTimeouts::established>(
            {"flows.timeouts.established", "", "no segment seen"}, {kMillisecond, 30 * kDay})),
        live(duration<&Config::flows, &Flows::timeouts, &FlowTimeouts::closing>(
            {"flows.timeouts.closing", "", "after a RST, or the FIN of both sides"},
            {kMillisecond, kDay})),
        live(duration<&Config::analysis, &Analysis::direction_skew>(
            {"analysis.direction_skew", "",
             "how late the other direction's data may arrive here; verdicts wait for it"},
            {0, 10 * kSecond})),
        fixed({"analysis.checksum", "", "whether TCP checksums are looked at"}, "off",
              {"hw", "sw"}),
        choice_list<&Config::analysis, &Analysis::decap>(
            {"analysis.decap", "", "encapsulations that are opened"},
            Names<Decap>{{"vlan", Decap::vlan},
                         {"mpls", Decap::mpls},
                         {"pppoe", Decap::pppoe},
                         {"gre", Decap::gre},
                         {"erspan", Decap::erspan},
                         {"vxlan", Decap::vxlan},
                         {"geneve", Decap::geneve},
                         {"gtpu", Decap::gtpu},
                         {"ipip", Decap::ipip}}),
        live(text<&Config::filter>(
            {"filter", "",
             "other frames are counted and skipped; tcp alone misses VLANs and tunnels"},
            "a libpcap expression; empty: every frame")),
    };
}

[[nodiscard]] std::vector<OptionInfo> output_rows() {
    return {
        text_list<&Config::eal_args>(
            {"eal.args", "",
             "extra arguments for DPDK's EAL; cores come from workers, devices from ports"},
            "a list of arguments"),
        live(text<&Config::events, &Output::path>(
            {"outputs.events.path", "", "one JSON line per episode"},
            "a file; - : standard output; empty: off")),
        fixed({"outputs.events.format", "", "how events are written"}, "jsonl", {}),
        live(text<&Config::flow_records, &Output::path>(
            {"outputs.flows.path", "", "one JSON line per connection, when it ends"},
            "a file; - : standard output; empty: off")),
        boolean<&Config::telemetry, &Telemetry::enabled>(
            {"outputs.telemetry.enabled", "",
             "DPDK's telemetry socket, with /tapwitness/... beside DPDK's own commands"}),
        later(Kind::text, {"outputs.metrics.listen", "", "address and port for Prometheus"}),
        later(Kind::text, {"outputs.evidence.dir", "", "where packets of episodes are kept"}),
        later(Kind::size, {"outputs.evidence.max_bytes", "", "disk space for them"}),
        later(Kind::integer,
              {"outputs.evidence.packets_per_episode", "packets", "kept of one episode"}),
        live(choice<&Config::log, &Log::level>({"log.level", "", "the least that is written"},
                                               Names<LogLevel>{{"debug", LogLevel::debug},
                                                               {"info", LogLevel::info},
                                                               {"warning", LogLevel::warning},
                                                               {"error", LogLevel::error}})),
        live(text<&Config::log, &Log::path>({"log.path", "", "where the program speaks"},
                                            "a file; - : standard error")),
        live(duration<&Config::log, &Log::interval>(
            {"log.interval", "", "between two lines of counters; 0: none but the last"},
            {0, kDay})),
    };
}

[[nodiscard]] std::vector<OptionInfo> build_table() {
    std::vector<OptionInfo> table;
    for (auto&& rows : {port_rows(), run_rows(), output_rows(), firewall_rows()}) {
        table.insert(table.end(), rows.begin(), rows.end());
    }
    // The default is the member's initialiser, and nowhere else.
    Config config;
    Port port;
    Tap tap;
    Translation translation;
    Named named;
    RuleKeys rule;
    for (OptionInfo& info : table) {
        if (info.render) {
            info.fallback = info.render({&config, &port, &tap, &translation, &named, &rule});
        }
    }
    return table;
}

}  // namespace

std::string_view kind_name(Kind kind) {
    switch (kind) {
        case Kind::text:
            return "text";
        case Kind::integer:
            return "integer";
        case Kind::duration:
            return "duration";
        case Kind::size:
            return "size";
        case Kind::boolean:
            return "boolean";
        case Kind::choice:
            return "choice";
        case Kind::text_list:
            return "list of text";
        case Kind::integer_list:
            return "list of integers";
        case Kind::choice_list:
            return "list of choices";
        case Kind::pair_list:
            return "list of pairs";
        case Kind::limit:
            return "limit";
    }
    return "";
}

bool is_list(Kind kind) {
    return kind == Kind::text_list || kind == Kind::integer_list || kind == Kind::choice_list ||
           kind == Kind::pair_list;
}

std::span<const OptionInfo> option_table() {
    static const std::vector<OptionInfo> table = build_table();
    return table;
}

}  // namespace tw::config
