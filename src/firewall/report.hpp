// SPDX-License-Identifier: BSD-3-Clause
// Everything a report says, as plain data: text, JSON, JUnit, HTML and the evidence bundle are made
// from this and from nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/health.hpp"
#include "core/taps/passage.hpp"
#include "firewall/finding.hpp"
#include "firewall/policy.hpp"

namespace tw::firewall {

// --- is the capture good?

enum class Trust : std::uint8_t {
    good,
    reduced,   // losses, skew: nothing single is called proven where it matters
    unusable,  // wiring, no overlap: no verdicts at all
};

struct Doubt {
    std::string name;  // stable word: one_direction, taps_swapped, same_capture, no_overlap,
                       // clock_offset, capture_loss, mirror_skew, no_pairs, …
    Trust trust = Trust::reduced;  // what it leads to
    std::string sentence;
    std::string advice;
};

struct TapReport {
    std::string name;
    std::string source;  // file or device
    std::string zone;
    std::uint64_t frames = 0;
    std::uint64_t dropped = 0;  // by the capture's own count
    bool drops_known = false;
    std::uint64_t ledger_faults = 0;  // live: intervals marked
    Nanos first = 0;
    Nanos last = 0;
};

struct Confidence {
    Trust trust = Trust::good;
    std::vector<Doubt> doubts;
    std::array<TapReport, taps::kSides> taps;
    taps::TapHealth health;
    // Share of the packets known to have passed that a tap lacks.
    std::array<double, taps::kSides> miss_rate{};
    Nanos clock_offset = 0;  // inside less outside, corrected before pairing; 0 = one clock
    bool clock_estimated = false;
    Nanos skew = 0;  // measured jitter between the taps: times closer than 4 x this prove nothing
};

// --- what was learnt

struct Parameter {
    std::string name;   // stable: idle_timeout, connection_limit, policer_rate, policer_burst, mtu,
                        // mss_clamp, isn, sack, half_close_timeout, time_wait, …
    std::string scope;  // "all", a service, a host
    std::string value;  // for people: "between 3.00 s and 4.00 s"
    std::optional<double> low;  // bracket, in `unit`
    std::optional<double> high;
    std::string unit;  // s, B, B/s, connections, …
    std::uint64_t samples = 0;
    std::string note;  // conflicts, what it rests on
};

struct Latency {
    taps::Way way = taps::Way::inward;
    bool setup = false;  // SYN and SYN/ACK, else all others
    taps::TransitHistogram histogram;
};

struct Spike {
    taps::Way way = taps::Way::inward;
    Nanos from = 0;
    Nanos until = 0;
    std::uint64_t packets = 0;
    Nanos worst = 0;
    Nanos usual = 0;  // p50 of the run
};

struct RewriteRow {
    taps::Way way = taps::Way::inward;
    taps::Rewrite rewrite = taps::Rewrite::ttl;
    taps::RewriteCount count;
    bool expected = false;  // by the policy, or routing itself (TTL - 1)
    std::string sentence;
};

// One explanation of the drops: "length above 1400".
struct Explanation {
    std::string predicate;    // stable: length_above, idle_above, sack_present, port, source, …
    std::string sentence;     // "all 212 drops and no passed packet had a length above 1400 bytes"
    double value = 0;         // the threshold, where there is one
    std::uint64_t drops = 0;  // that it covers
    std::uint64_t drops_total = 0;
    std::uint64_t passed = 0;  // packets that passed though it covers them
    double precision = 0;
    double recall = 0;
};

// --- does it do what it should?

enum class RowResult : std::uint8_t { pass, fail, untested, inconclusive };
[[nodiscard]] std::string_view name(RowResult result);
[[nodiscard]] std::string_view name(Trust trust);

struct LimitRow {
    std::string name;      // setup_success, loss, latency_p99, …
    std::string expected;  // ">= 99.99 %"
    std::string measured;
    RowResult result = RowResult::untested;
    std::string why;
};

struct PolicyRow {
    std::string name;
    std::string expectation;  // "pass", "reject with tcp-reset"
    bool is_default = false;
    bool report_only = false;
    bool required = false;  // coverage.require_seen
    RowResult result = RowResult::untested;
    std::string why;
    std::uint64_t connections = 0;
    std::array<std::uint64_t, taps::kOutcomes> outcomes{};
    std::uint64_t against = 0;                 // connections that contradict the rule
    std::uint64_t undecided = 0;               // neither for nor against it, as far as captured
    std::vector<taps::Conversation> examples;  // of those, at most 3
    std::vector<std::uint32_t> findings;       // ids
    std::vector<LimitRow> limits;
};

// What else report.fail_on asks for: capture_unhealthy, proven_drop, findings.
struct CheckRow {
    std::string name;
    RowResult result = RowResult::pass;
    std::string why;
};

struct Totals {
    std::uint64_t conversations = 0;
    std::uint64_t paired = 0;
    std::uint64_t translated = 0;
    std::uint64_t ambiguous =
        0;  // proxied, unpaired: several at the other tap carry the same bytes
    std::array<std::uint64_t, taps::kPairings> pairings{};
    std::array<std::uint64_t, taps::kOutcomes> outcomes{};
    std::array<std::uint64_t, taps::kEndings> endings{};
    std::array<taps::WayCounts, taps::kWays> ways{};
    std::uint64_t concurrent_max = 0;
    std::uint64_t lost_outside = 0;  // lost before the entry tap or beyond the exit tap: not the
                                     // firewall's; packets repeated that had left
    std::array<std::uint64_t, taps::kFactKinds> facts{};
    std::vector<std::pair<std::string, std::uint64_t>> limits_reached;  // counter, value
};

struct Report {
    static constexpr const char* kSchema = "tapwitness/firewall/1";

    std::string version;   // of the program
    std::string command;   // how it was made, for people
    std::string firewall;  // name
    Nanos first = 0;
    Nanos last = 0;
    Confidence confidence;
    Totals totals;
    std::vector<Finding> findings;       // the gravest first
    std::vector<Explanation> in_common;  // the best first
    std::vector<Parameter> parameters;
    std::vector<Latency> latencies;
    std::vector<Spike> spikes;
    std::vector<RewriteRow> rewrites;
    // Since a report given with --compare: what is new, gone, changed.
    std::vector<std::string> differences;
    std::vector<PolicyRow> policy;     // the rules, then the defaults
    std::uint64_t outside_policy = 0;  // connections that no rule and no default names
    std::vector<CheckRow> checks;      // of the whole run
    std::string verdict;               // the first line for people
    int exit_code = 0;                 // 0, 1 or 4
    std::vector<std::string> why_exit;
    // Evidence bundle, once written.
    std::string bundle_path;
    std::string bundle_sha256;
};

}  // namespace tw::firewall
