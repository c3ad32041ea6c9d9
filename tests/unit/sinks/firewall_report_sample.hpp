// SPDX-License-Identifier: BSD-3-Clause
// A hand-made report about a firewall that leaks and drops, with names as nobody should give them.
#pragma once

#include <string>

#include "firewall/report.hpp"
#include "samples.hpp"

namespace tw::test {

inline const std::string kHostileName = "a<b>&\"'\x1b[31m\n\xff]]> \xc3\xbc";

inline taps::Conversation leaked_conversation() {
    taps::Conversation leak;
    leak.id = 4;
    leak.client = {v4(203, 0, 113, 7, 51234), v4(203, 0, 113, 7, 51234)};
    leak.server = {v4(192, 0, 2, 80, 2222), v4(10, 20, 0, 10, 22)};
    leak.outcome = taps::Outcome::established;
    leak.ending = taps::Ending::closed;
    leak.pairing = taps::Pairing::syn_fingerprint;
    leak.first = leak.last = kStart;
    leak.first_frame = {31, 32};
    return leak;
}

inline firewall::Evidence lost_response() {
    firewall::Evidence evidence;
    evidence.fact.id = 11;
    evidence.fact.kind = taps::FactKind::lost_between;
    evidence.fact.grade = evidence.grade = taps::Grade::proven;
    evidence.fact.proof = taps::Proof::no_copy_leaves;
    evidence.fact.way = taps::Way::outward;
    evidence.fact.client = {v4(203, 0, 113, 7, 50001), v4(203, 0, 113, 7, 50001)};
    evidence.fact.server = {v4(10, 20, 0, 10, 443), v4(10, 20, 0, 10, 443)};
    evidence.fact.conversation = 2;
    evidence.fact.time = kStart + 123;
    evidence.fact.packet.flags = 0x18;
    evidence.fact.packet.payload_bytes = 1010;
    evidence.fact.cites_count = 2;
    evidence.fact.cites[0] = {12, kStart + 123, taps::Side::inside, taps::Part::subject};
    evidence.fact.cites[1] = {0, kStart + kSecond, taps::Side::outside, taps::Part::asks};
    evidence.sentence = "client 203.0.113.7:50001: 1010 bytes entered at the inside and never left";
    evidence.fact.packet.time = evidence.fact.time;
    evidence.fact.packet.frame = 12;
    evidence.fact.packet.tap = taps::Side::inside;
    evidence.excerpt.count = 1;
    evidence.excerpt.packets[0] = evidence.fact.packet;
    evidence.excerpt.way[0] = evidence.fact.way;
    return evidence;
}

inline void add_policy(firewall::Report& report) {
    firewall::PolicyRow web;
    web.name = "web";
    web.expectation = "pass";
    web.result = firewall::RowResult::fail;
    web.why = "20 connections: established 20; loss is broken";
    web.connections = 20;
    web.outcomes[0] = 20;
    web.limits = {{"loss", "<= 0.001 %", "1 % (1 of 100 packets)", firewall::RowResult::fail, ""},
                  {"idle_timeout", ">= 1 h 0 min", "", firewall::RowResult::untested,
                   "no connection was silent so long"},
                  {"latency_p99", "<= 500 us", "p99 100 us", firewall::RowResult::pass, ""}};
    firewall::PolicyRow leak;
    leak.name = kHostileName;
    leak.expectation = "drop";
    leak.result = firewall::RowResult::fail;
    leak.why = "1 of 3 connections were not dropped in silence";
    leak.connections = 3;
    leak.against = 1;
    leak.examples = {leaked_conversation()};
    leak.findings = {1};
    firewall::PolicyRow unseen;
    unseen.name = "nobody came";
    unseen.expectation = "reject with tcp-reset";
    unseen.why = "no connection that this rule is about";
    firewall::PolicyRow open;
    open.name = "default in";
    open.is_default = true;
    open.expectation = "drop";
    open.result = firewall::RowResult::inconclusive;
    open.connections = 1;
    open.why = "none of 1 connection shows what became of it";
    firewall::PolicyRow spared = leak;
    spared.name = "known to leak";
    spared.report_only = true;
    report.policy = {web, leak, unseen, open, spared};
    report.checks = {{"proven_drop", firewall::RowResult::fail, "1 case lost between the taps"}};
}

inline firewall::Report sample_report() {
    firewall::Report report;
    report.version = "1.2.3";
    report.command = "tapwitness firewall --outside o.pcap --inside i.pcap";
    report.firewall = "fw-dc1";
    report.first = kStart;
    report.last = kStart + 90 * kSecond;
    report.verdict = "FAIL: 1 of 5 rules kept, 2 broken";
    report.exit_code = 1;
    report.why_exit = {"rule \"x\" expects drop"};
    report.confidence.taps[0] = {.name = "outside",
                                 .source = "o.pcap",
                                 .zone = "untrust",
                                 .frames = 1234,
                                 .dropped = 2,
                                 .drops_known = true};
    report.confidence.taps[1] = {
        .name = "inside", .source = kHostileName, .zone = {}, .frames = 99};
    report.confidence.miss_rate = {0, 0.0125};
    report.confidence.trust = firewall::Trust::reduced;
    report.confidence.doubts = {{"capture_loss", firewall::Trust::reduced,
                                 "tap inside missed 1.25 % of what passed", "a faster disk"}};
    report.totals.conversations = 24;
    report.totals.paired = 23;
    report.totals.pairings[1] = 23;
    report.totals.limits_reached = {{"taps.facts_dropped", 3}};
    add_policy(report);

    firewall::Finding finding;
    finding.id = 1;
    finding.behaviour = firewall::Behaviour::packet_dropped;
    finding.grade = taps::Grade::proven;
    finding.scope = "server 10.20.0.10:443";
    finding.sentence = "1 packet entered and did not leave";
    finding.excluded = {"missed by the capture: the sender repeated it and no copy left"};
    finding.advice = "the drop counters of the firewall";
    finding.cases = finding.proven = finding.conversations = 1;
    finding.bytes = 1010;
    finding.first = finding.last = kStart;
    finding.chance_of_error = 0.0001;
    finding.has_chance = true;
    finding.evidence = {lost_response()};
    report.findings = {finding};
    report.in_common = {{.predicate = "length_above",
                         .sentence = "all drops are above 1400 bytes",
                         .value = 1400,
                         .drops = 1,
                         .drops_total = 1,
                         .precision = 1,
                         .recall = 1}};
    report.parameters = {
        {"idle_timeout", "all", "between 3.00 s and 4.00 s", 3.0, 4.0, "s", 12, "from silences"}};
    report.latencies.resize(1);
    report.latencies[0].histogram.add(100 * kMicrosecond);
    report.latencies[0].histogram.add(-1);
    report.spikes = {{taps::Way::inward, kStart, kStart + kSecond, 5, kSecond, kMillisecond}};
    report.rewrites.resize(1);
    report.rewrites[0].count.of = 10;
    report.rewrites[0].count.changed = 10;
    report.rewrites[0].sentence = "TTL 64 becomes 63";
    report.differences = {"the MSS is clamped now"};
    report.bundle_path = "evidence.pcapng";
    report.bundle_sha256 = std::string(64, 'a');
    return report;
}

}  // namespace tw::test
