// SPDX-License-Identifier: BSD-3-Clause
#include "config/firewall_rows.hpp"

#include "config/rows.hpp"
#include "core/taps/passage.hpp"

namespace tw::config {
namespace {

using firewall::Expect;
using firewall::FailOn;
using firewall::Limits;
using firewall::Mode;
using firewall::With;
using rows::boolean;
using rows::Bound;
using rows::choice;
using rows::choice_list;
using rows::duration;
using rows::duration_limit;
using rows::integer;
using rows::one_or_many;
using rows::share_limit;
using rows::text;
using rows::text_list;
using Keys = FirewallKeys;
template <typename Value>
using Names = rows::Names<Value>;

constexpr std::string_view kSide = "outside | inside | a zone";
constexpr std::string_view kRuleName = "1..100 characters of one line";
constexpr std::string_view kPath = "a file; - : standard output; empty: not written";
constexpr std::string_view kSources = "names of networks, or ADDRESS[/BITS]; empty: any";
constexpr std::string_view kServices = "names of services, or tcp/PORT[-PORT]; empty: any";

[[nodiscard]] const Names<Expect>& expectations() {
    static const Names<Expect> names{{"pass", Expect::pass},
                                     {"drop", Expect::drop},
                                     {"reject", Expect::reject},
                                     {"any", Expect::any}};
    return names;
}

[[nodiscard]] const Names<With>& answers() {
    static const Names<With> names{{"any", With::any},
                                   {"tcp-reset", With::tcp_reset},
                                   {"icmp-admin-prohibited", With::icmp_admin_prohibited},
                                   {"icmp-port", With::icmp_port}};
    return names;
}

template <typename... Each>
[[nodiscard]] constexpr std::uint32_t rewrites(Each... each) {
    return ((std::uint32_t{1} << static_cast<unsigned>(each)) | ...);
}

// As an engineer asks for them: what one setting of a firewall changes together.
[[nodiscard]] Names<std::uint32_t> rewrite_words() {
    using enum taps::Rewrite;
    return {{"ttl", rewrites(ttl)},
            {"dscp", rewrites(dscp)},
            {"ecn", rewrites(ect_cleared, ce_cleared, ecn_other, tcp_ecn_flags)},
            {"mss", rewrites(mss)},
            {"window", rewrites(window, window_scale_removed)},
            {"sack", rewrites(sack_permitted_removed, sack_removed)},
            {"timestamps", rewrites(timestamps_removed, timestamps_changed)},
            {"options", rewrites(fast_open_removed, mptcp_removed, other_option_removed,
                                 option_added, options_reordered)},
            {"isn", rewrites(isn, ack_number, sack_translated)},
            {"ip_id", rewrites(ip_id, dont_fragment)},
            {"nat", rewrites(address, port)},
            {"urgent", rewrites(urgent_or_reserved)},
            {"payload", rewrites(payload, payload_length)}};
}

[[nodiscard]] std::vector<OptionInfo> device_rows() {
    return {
        text<&Config::firewall, &Keys::name>(
            {"firewall.name", "", "what reports call the firewall"}, kRuleName),
        choice<&Config::firewall, &Keys::mode>(
            {"firewall.mode", "", "whether it lowers the TTL, or ends connections itself"},
            Names<Mode>{{"routed", Mode::routed},
                        {"transparent", Mode::transparent},
                        {"proxy", Mode::proxy}}),
        text<&Config::firewall, &Keys::tap, 0>(
            {"firewall.outside", "", "name of the tap on the outside"}, kNameAllowed),
        text<&Config::firewall, &Keys::tap, 1>(
            {"firewall.inside", "", "name of the tap on the inside"}, kNameAllowed),
        text_list<&Config::firewall, &Keys::addresses>(
            {"firewall.addresses", "", "its own: resets and ICMP errors from here are its own"},
            "a list of addresses"),
        text<&Translation::inside>(
            {"firewall.nat[].inside", "", "a server or network as the inside knows it"},
            "ADDRESS or ADDRESS:PORT"),
        text<&Translation::outside>(
            {"firewall.nat[].outside", "", "the same as the outside knows it"},
            "ADDRESS or ADDRESS:PORT"),
        choice_list<&Config::firewall, &Keys::expect_rewrites>(
            {"firewall.expect_rewrites", "", "what it may change without being reported for it"},
            rewrite_words()),
        integer<&Config::firewall, &Keys::connections_max>(
            {"firewall.connections_max", "connections",
             "connections one worker follows at both taps"},
            {16, 50'000'000}),
        duration<&Config::firewall, &Keys::transit_max>(
            {"firewall.transit_max", "",
             "a packet not seen to leave within this, and 20 times the 99.9th percentile, is lost"},
            {kMillisecond, 60 * kSecond}),
        duration<&Config::firewall, &Keys::idle_max>(
            {"firewall.idle_max", "",
             "a connection is forgotten after this silence; longer idle timeouts are not learnt"},
            {kSecond, 30 * 86'400 * kSecond}),
        one_or_many(text_list<&Named::values>(
            {"networks.*", "", "a name for addresses, for source and destination"},
            "ADDRESS[/BITS], IPv4 and IPv6, one or a list")),
        one_or_many(text_list<&Named::values>({"services.*", "", "a name for ports of servers"},
                                              "tcp/PORT[-PORT], one or a list")),
    };
}

[[nodiscard]] std::vector<OptionInfo> rule_rows() {
    return {
        text<&RuleKeys::name>(
            {"policy[].name", "", "what reports call the rule; default: rule and its number"},
            kRuleName),
        text<&RuleKeys::from>({"policy[].from", "", "the side the client is on"}, kSide),
        text<&RuleKeys::to>({"policy[].to", "", "the side the server is on; default: the other"},
                            kSide),
        one_or_many(text_list<&RuleKeys::source>(
            {"policy[].source", "", "the client, as the tap on its side sees it"}, kSources)),
        one_or_many(text_list<&RuleKeys::destination>(
            {"policy[].destination", "", "the server, as either tap or a nat hint knows it"},
            kSources)),
        one_or_many(text_list<&RuleKeys::service>(
            {"policy[].service", "", "the server's port, as either tap or a nat hint knows it"},
            kServices)),
        choice<&RuleKeys::expect>(
            {"policy[].expect", "", "what must become of the attempt to connect"}, expectations()),
        choice<&RuleKeys::with>(
            {"policy[].with", "", "with expect: reject, how the client is told"}, answers()),
        boolean<&RuleKeys::report_only>(
            {"policy[].report-only", "", "true: its failure is shown and does not fail the run"}),
        share_limit<&RuleKeys::limits, &Limits::setup_success_min>(
            {"policy[].limits.setup_success", "",
             "connections made, of those made or stopped by the firewall"},
            Bound::least, "99.99%"),
        share_limit<&RuleKeys::limits, &Limits::loss_max>(
            {"policy[].limits.loss", "", "packets proven lost, of those offered"}, Bound::most,
            "0.001%"),
        share_limit<&RuleKeys::limits, &Limits::unexpected_rst_max>(
            {"policy[].limits.unexpected_rst", "",
             "connections that the firewall reset, of those made"},
            Bound::most, "0.001%"),
        duration_limit<&RuleKeys::limits, &Limits::latency_p50_max>(
            {"policy[].limits.latency_p50", "", "half of the packets take no longer"}, Bound::most,
            "100us"),
        duration_limit<&RuleKeys::limits, &Limits::latency_p99_max>(
            {"policy[].limits.latency_p99", "", "99 % of the packets take no longer"}, Bound::most,
            "500us"),
        duration_limit<&RuleKeys::limits, &Limits::latency_max>(
            {"policy[].limits.latency_max", "", "no packet takes longer"}, Bound::most, "5ms"),
        duration_limit<&RuleKeys::limits, &Limits::setup_latency_p99_max>(
            {"policy[].limits.setup_latency_p99", "", "99 % of SYN and SYN/ACK take no longer"},
            Bound::most, "1ms"),
        duration_limit<&RuleKeys::limits, &Limits::idle_timeout_min>(
            {"policy[].limits.idle_timeout", "", "a connection may be silent so long"},
            Bound::least, "3600s"),
    };
}

[[nodiscard]] std::vector<OptionInfo> default_rows() {
    return {
        text<&RuleKeys::name>(
            {"default[].name", "", "what reports call it; default: default FROM to TO"}, kRuleName),
        text<&RuleKeys::from>(
            {"default[].from", "", "for what no rule names: the side the client is on"}, kSide),
        text<&RuleKeys::to>({"default[].to", "", "the side the server is on; default: the other"},
                            kSide),
        choice<&RuleKeys::expect>(
            {"default[].expect", "", "what must become of the attempt to connect"}, expectations()),
        choice<&RuleKeys::with>(
            {"default[].with", "", "with expect: reject, how the client is told"}, answers()),
        boolean<&RuleKeys::report_only>(
            {"default[].report-only", "", "true: its failure is shown and does not fail the run"}),
        text_list<&Config::firewall, &Keys::require_seen>(
            {"coverage.require_seen", "", "rules that must have had traffic"},
            "a list of names of rules"),
        integer<&Config::firewall, &Keys::connections_min>(
            {"coverage.min_connections", "connections", "that each of these must have had"},
            {1, 1'000'000'000}),
    };
}

[[nodiscard]] std::vector<OptionInfo> report_rows() {
    using Format = ReportKeys::Format;
    return {
        choice_list<&Config::report, &ReportKeys::formats>(
            {"report.formats", "", "written to report.dir at the end, as firewall.EXTENSION"},
            Names<Format>{{"text", Format::text},
                          {"json", Format::json},
                          {"junit", Format::junit},
                          {"html", Format::html},
                          {"pcapng", Format::pcapng}}),
        text<&Config::report, &ReportKeys::dir>(
            {"report.dir", "", "where the files of report.formats are written"}, "a folder"),
        text<&Config::report, &ReportKeys::text>(
            {"report.text", "", "the report for a terminal, under a name of its own"}, kPath),
        text<&Config::report, &ReportKeys::json>({"report.json", "", "everything, for programs"},
                                                 kPath),
        text<&Config::report, &ReportKeys::junit>(
            {"report.junit", "", "rules and limits as test cases, for CI"}, kPath),
        text<&Config::report, &ReportKeys::html>(
            {"report.html", "", "one page for a browser, which needs nothing else"}, kPath),
        text<&Config::report, &ReportKeys::pcapng>(
            {"report.pcapng", "", "the packets cited, with comments that Wireshark shows"},
            "a file; empty: not written"),
        text<&Config::report, &ReportKeys::events>(
            {"report.events", "", "one JSON line per fact as soon as it is known"}, kPath),
        choice_list<&Config::firewall, &Keys::fail_on>(
            {"report.fail_on", "", "what makes the exit code 1, or 4 where nothing is proven"},
            Names<FailOn>{{"policy_leak", FailOn::policy_leak},
                          {"policy_block", FailOn::policy_block},
                          {"proven_drop", FailOn::proven_drop},
                          {"limits", FailOn::limits},
                          {"capture_unhealthy", FailOn::capture_unhealthy},
                          {"findings", FailOn::findings},
                          {"untested", FailOn::untested}}),
    };
}

}  // namespace

std::vector<OptionInfo> firewall_rows() {
    std::vector<OptionInfo> table;
    for (auto&& rows : {device_rows(), rule_rows(), default_rows(), report_rows()}) {
        table.insert(table.end(), rows.begin(), rows.end());
    }
    for (OptionInfo& info : table) {
        info.firewall = true;
    }
    return table;
}

std::string ReportKeys::path(Format format) const {
    struct Row {
        Format format;
        const std::string& path;
        std::string_view file;
    };
    const Row rows[] = {{Format::text, text, "firewall.txt"},
                        {Format::json, json, "firewall.json"},
                        {Format::junit, junit, "firewall.xml"},
                        {Format::html, html, "firewall.html"},
                        {Format::pcapng, pcapng, "firewall.pcapng"}};
    for (const Row& row : rows) {
        if (row.format == format) {
            const bool asked = (formats & std::to_underlying(format)) != 0;
            return !row.path.empty() || !asked ? row.path : fmt::format("{}/{}", dir, row.file);
        }
    }
    return {};
}

}  // namespace tw::config
