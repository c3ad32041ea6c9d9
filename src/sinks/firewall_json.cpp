// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "sinks/format/human.hpp"
#include "sinks/format/json_writer.hpp"

namespace tw::sinks {
namespace {

using firewall::Report;
using format::JsonWriter;
using taps::Side;
using taps::Way;

// A JsonWriter that takes a name and a value at once: the report is little else.
class Fields : public JsonWriter {
  public:
    explicit Fields(std::string& out) : JsonWriter(out), out_(out) {}

    template <typename Value>
    void field(std::string_view name, const Value& value) {
        key(name);
        if constexpr (std::is_same_v<Value, bool>) {
            boolean(value);
        } else if constexpr (std::is_integral_v<Value>) {
            number(value);
        } else if constexpr (std::is_floating_point_v<Value>) {
            real(value);
        } else {
            string(value);
        }
    }
    void time_field(std::string_view name, Nanos value) {
        key(name);
        time(value);
    }
    void seconds_field(std::string_view name, Nanos value) {
        key(name);
        seconds(value);
    }
    void real_field(std::string_view name, const std::optional<double>& value) {
        key(name);
        value ? real(*value) : null();
    }
    void strings(std::string_view name, std::span<const std::string> values) {
        begin_array(name);
        for (const std::string& value : values) {
            string(value);
        }
        end_array();
    }
    // An object of counts by name; those that are zero are left out.
    template <typename Enum, std::size_t N>
    void counts(std::string_view title, const std::array<std::uint64_t, N>& values) {
        begin_object(title);
        for (std::size_t i = 0; i < N; ++i) {
            if (values[i] != 0) {
                field(name(static_cast<Enum>(i)), values[i]);
            }
        }
        end_object();
    }
    void object() { begin_object(); }
    void end() { end_object(); }

  private:
    // Comes after key() alone, so that no comma is due. JSON has no infinity and no NaN.
    void real(double value) {
        if (std::isfinite(value)) {
            out_ += fmt::format("{}", value);
        } else {
            null();
        }
    }

    std::string& out_;
};

void write_tap(Fields& json, const firewall::Confidence& confidence, Side side) {
    const firewall::TapReport& tap = confidence.taps[index(side)];
    json.object();
    json.field("side", name(side));
    json.field("name", tap.name);
    json.field("source", tap.source);
    json.field("zone", tap.zone);
    json.field("frames", tap.frames);
    json.key("dropped");
    tap.drops_known ? json.number(tap.dropped) : json.null();
    json.field("ledger_faults", tap.ledger_faults);
    json.time_field("first", tap.first);
    json.time_field("last", tap.last);
    json.field("miss_rate", confidence.miss_rate[index(side)]);
    json.field("conversations_here_only", confidence.health.conversations_at_one[index(side)]);
    for (const Way way : {Way::inward, Way::outward}) {
        const taps::TapWay& counts = confidence.health.taps[index(side)][index(way)];
        json.begin_object(name(way));
        json.field("packets", counts.packets);
        json.field("copies", counts.copies);
        json.field("paired", counts.paired);
        json.field("missed_packets", counts.missed_packets);
        json.field("missed_bytes", counts.missed_bytes);
        json.end();
    }
    json.end();
}

void write_confidence(Fields& json, const firewall::Confidence& confidence) {
    json.begin_object("confidence");
    json.field("trust", name(confidence.trust));
    json.begin_array("doubts");
    for (const firewall::Doubt& doubt : confidence.doubts) {
        json.object();
        json.field("name", doubt.name);
        json.field("trust", name(doubt.trust));
        json.field("sentence", doubt.sentence);
        json.field("advice", doubt.advice);
        json.end();
    }
    json.end_array();
    json.begin_array("taps");
    write_tap(json, confidence, Side::outside);
    write_tap(json, confidence, Side::inside);
    json.end_array();
    json.seconds_field("clock_offset", confidence.clock_offset);
    json.field("clock_estimated", confidence.clock_estimated);
    json.seconds_field("skew", confidence.skew);
    const taps::TapHealth& health = confidence.health;
    json.field("conversations_at_both", health.conversations_at_both);
    json.field("untold_sides", health.untold_sides);
    json.field("checksum_unset", health.checksum_unset);
    for (const Way way : {Way::inward, Way::outward}) {
        json.begin_object(name(way));
        json.seconds_field("least_transit", health.least_transit[index(way)]);
        json.field("negative_transits", health.negative_transits[index(way)]);
        json.begin_object("ttl_fall");
        for (std::size_t i = 0; i < taps::TapHealth::kTtlFalls; ++i) {
            const int fall = taps::TapHealth::kTtlFallMin + static_cast<int>(i);
            const bool other = i + 1 == taps::TapHealth::kTtlFalls;
            json.field(other ? "other" : fmt::format("{}", fall), health.ttl_fall[index(way)][i]);
        }
        json.end();
        json.end();
    }
    json.end();
}

void write_way(Fields& json, const taps::WayCounts& counts) {
    json.field("entered", counts.entered);
    json.field("entered_bytes", counts.entered_bytes);
    json.field("passed", counts.passed);
    json.field("passed_bytes", counts.passed_bytes);
    json.field("lost", counts.lost);
    json.field("missed_at_entry", counts.missed_at_entry);
    json.field("missed_at_exit", counts.missed_at_exit);
    json.field("unproven", counts.unproven);
    json.field("pure_acks_lost", counts.pure_acks_lost);
}

void write_totals(Fields& json, const firewall::Totals& totals) {
    json.begin_object("totals");
    json.field("conversations", totals.conversations);
    json.field("paired", totals.paired);
    json.field("translated", totals.translated);
    json.field("ambiguous", totals.ambiguous);
    json.field("concurrent_max", totals.concurrent_max);
    json.field("lost_outside", totals.lost_outside);
    json.counts<taps::Pairing>("pairings", totals.pairings);
    json.counts<taps::Outcome>("outcomes", totals.outcomes);
    json.counts<taps::Ending>("endings", totals.endings);
    json.counts<taps::FactKind>("facts", totals.facts);
    for (const Way way : {Way::inward, Way::outward}) {
        json.begin_object(name(way));
        write_way(json, totals.ways[index(way)]);
        json.end();
    }
    json.begin_object("limits_reached");
    for (const auto& [counter, value] : totals.limits_reached) {
        json.field(counter, value);
    }
    json.end();
    json.end();
}

void write_example(Fields& json, const taps::Conversation& conversation) {
    json.object();
    json.field("conversation", conversation.id);
    write_ends(json, conversation.client, conversation.server, conversation.client_side);
    json.field("outcome", name(conversation.outcome));
    json.field("ending", name(conversation.ending));
    json.field("pairing", name(conversation.pairing));
    json.begin_object("first_frame");
    for (const Side side : {Side::outside, Side::inside}) {
        if (const std::uint64_t frame = conversation.first_frame[index(side)]; frame != 0) {
            json.field(name(side), frame);
        }
    }
    json.end();
    json.time_field("first", conversation.first);
    json.time_field("last", conversation.last);
    json.end();
}

void write_rule(Fields& json, const firewall::PolicyRow& row) {
    json.object();
    json.field("name", row.name);
    json.field("expectation", row.expectation);
    json.field("default", row.is_default);
    json.field("report_only", row.report_only);
    json.field("required", row.required);
    json.field("result", name(row.result));
    json.field("why", row.why);
    json.field("connections", row.connections);
    json.field("against", row.against);
    json.field("undecided", row.undecided);
    json.counts<taps::Outcome>("outcomes", row.outcomes);
    json.begin_array("findings");
    for (const std::uint32_t finding : row.findings) {
        json.number(finding);
    }
    json.end_array();
    json.begin_array("examples");
    for (const taps::Conversation& example : row.examples) {
        write_example(json, example);
    }
    json.end_array();
    json.begin_array("limits");
    for (const firewall::LimitRow& limit : row.limits) {
        json.object();
        json.field("name", limit.name);
        json.field("expected", limit.expected);
        json.field("measured", limit.measured);
        json.field("result", name(limit.result));
        json.field("why", limit.why);
        json.end();
    }
    json.end_array();
    json.end();
}

void write_policy(Fields& json, const Report& report) {
    json.begin_array("policy");
    for (const firewall::PolicyRow& row : report.policy) {
        write_rule(json, row);
    }
    json.end_array();
    json.field("outside_policy", report.outside_policy);
    json.begin_array("checks");
    for (const firewall::CheckRow& check : report.checks) {
        json.object();
        json.field("name", check.name);
        json.field("result", name(check.result));
        json.field("why", check.why);
        json.end();
    }
    json.end_array();
}

void write_excerpt(Fields& json, const taps::Excerpt& excerpt) {
    json.begin_array("packets");
    for (std::uint8_t i = 0; i < excerpt.count; ++i) {
        const taps::Packet& packet = excerpt.packets[i];
        json.object();
        json.field("tap", name(packet.tap));
        json.key("frame");
        packet.frame == 0 ? json.null() : json.number(packet.frame);
        json.time_field("time", packet.time);
        json.field("way", name(excerpt.way[i]));
        json.field("flags", flags_text(packet.flags));
        json.field("seq", packet.seq);
        json.field("ack", packet.ack);
        json.field("bytes", packet.payload_bytes);
        json.key("twin");
        excerpt.twin[i] == i ? json.null() : json.number(excerpt.twin[i]);
        json.end();
    }
    json.end_array();
    json.field("more_before", excerpt.more_before);
    json.field("more_after", excerpt.more_after);
}

void write_finding(Fields& json, const firewall::Finding& finding) {
    constexpr std::array<std::string_view, 4> kWeights{"drop", "harm", "notice", "benign"};
    const firewall::BehaviourInfo& info = firewall::info(finding.behaviour);
    json.object();
    json.field("id", finding.id);
    json.field("behaviour", info.name);
    json.field("section", info.section);
    json.field("weight", kWeights[static_cast<std::size_t>(info.weight)]);
    json.field("grade", name(finding.grade));
    json.field("expected", finding.expected);
    json.field("scope", finding.scope);
    json.field("sentence", finding.sentence);
    json.field("advice", finding.advice);
    json.field("standard", info.standard);
    json.strings("excluded", finding.excluded);
    json.field("cases", finding.cases);
    json.field("proven", finding.proven);
    json.field("probable", finding.probable);
    json.field("conversations", finding.conversations);
    json.field("bytes", finding.bytes);
    json.time_field("first", finding.first);
    json.time_field("last", finding.last);
    json.seconds_field("cost", finding.cost);
    json.real_field("chance_of_error",
                    finding.has_chance ? std::optional(finding.chance_of_error) : std::nullopt);
    json.begin_array("evidence");
    for (const firewall::Evidence& evidence : finding.evidence) {
        json.object();
        json.field("id", evidence.fact.id);
        write_fact(json, evidence.fact, evidence.grade);
        json.field("sentence", evidence.sentence);
        write_excerpt(json, evidence.excerpt);
        json.end();
    }
    json.end_array();
    json.end();
}

void write_learnt(Fields& json, const Report& report) {
    json.begin_array("in_common");
    for (const firewall::Explanation& each : report.in_common) {
        json.object();
        json.field("predicate", each.predicate);
        json.field("sentence", each.sentence);
        json.field("value", each.value);
        json.field("drops", each.drops);
        json.field("drops_total", each.drops_total);
        json.field("passed", each.passed);
        json.field("precision", each.precision);
        json.field("recall", each.recall);
        json.end();
    }
    json.end_array();
    json.begin_array("parameters");
    for (const firewall::Parameter& each : report.parameters) {
        json.object();
        json.field("name", each.name);
        json.field("scope", each.scope);
        json.field("value", each.value);
        json.real_field("low", each.low);
        json.real_field("high", each.high);
        json.field("unit", each.unit);
        json.field("samples", each.samples);
        json.field("note", each.note);
        json.end();
    }
    json.end_array();
}

void write_latencies(Fields& json, const Report& report) {
    using Histogram = taps::TransitHistogram;
    json.begin_array("latencies");
    for (const firewall::Latency& latency : report.latencies) {
        const Histogram& times = latency.histogram;
        json.object();
        json.field("way", name(latency.way));
        json.field("setup", latency.setup);
        json.field("count", times.count());
        json.field("negative", times.negative());
        json.seconds_field("least", times.least());
        json.seconds_field("p50", times.quantile(0.5));
        json.seconds_field("p90", times.quantile(0.9));
        json.seconds_field("p99", times.quantile(0.99));
        json.seconds_field("p999", times.quantile(0.999));
        json.seconds_field("most", times.most());
        json.begin_array("histogram");
        for (std::uint32_t i = 0; i < Histogram::kBuckets; ++i) {
            if (times.bucket(i) != 0) {
                json.object();
                json.seconds_field("from", Histogram::bucket_begin(i));
                json.field("count", times.bucket(i));
                json.end();
            }
        }
        json.end_array();
        json.end();
    }
    json.end_array();
    json.begin_array("spikes");
    for (const firewall::Spike& spike : report.spikes) {
        json.object();
        json.field("way", name(spike.way));
        json.time_field("from", spike.from);
        json.time_field("until", spike.until);
        json.field("packets", spike.packets);
        json.seconds_field("worst", spike.worst);
        json.seconds_field("usual", spike.usual);
        json.end();
    }
    json.end_array();
}

void write_rewrites(Fields& json, const Report& report) {
    json.begin_array("rewrites");
    for (const firewall::RewriteRow& row : report.rewrites) {
        json.object();
        json.field("way", name(row.way));
        json.field("rewrite", name(row.rewrite));
        json.field("of", row.count.of);
        json.field("changed", row.count.changed);
        json.field("before", row.count.before);
        json.field("after", row.count.after);
        json.field("same_values", row.count.same_values);
        json.field("expected", row.expected);
        json.field("sentence", row.sentence);
        json.end();
    }
    json.end_array();
    json.strings("differences", report.differences);
}

}  // namespace

std::string firewall_json(const Report& report) {
    std::string text;
    Fields json(text);
    json.object();
    json.field("schema", std::string_view(Report::kSchema));
    json.field("version", report.version);
    json.field("command", report.command);
    json.field("firewall", report.firewall);
    json.time_field("first", report.first);
    json.time_field("last", report.last);
    json.field("verdict", report.verdict);
    json.field("exit_code", report.exit_code);
    json.strings("why_exit", report.why_exit);
    write_confidence(json, report.confidence);
    write_totals(json, report.totals);
    write_policy(json, report);
    json.begin_array("findings");
    for (const firewall::Finding& finding : report.findings) {
        write_finding(json, finding);
    }
    json.end_array();
    write_learnt(json, report);
    write_latencies(json, report);
    write_rewrites(json, report);
    json.begin_object("bundle");
    json.field("path", report.bundle_path);
    json.field("sha256", report.bundle_sha256);
    json.end();
    json.end();
    text += '\n';
    return text;
}

}  // namespace tw::sinks
