// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_fact_json.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include "core/decode/decoded.hpp"
#include "firewall/behaviour.hpp"
#include "sinks/format/human.hpp"
#include "sinks/version.hpp"

namespace tw::sinks {
namespace {

// Bits that no rule looks at (RFC 9293 3.1, RFC 3168 6.1).
constexpr std::uint8_t kUrg = 0x20;
constexpr std::uint8_t kEce = 0x40;
constexpr std::uint8_t kCwr = 0x80;

using flow::Endpoint;
using format::JsonWriter;
using taps::Fact;
using taps::FactKind;
using taps::Side;

void write_address(JsonWriter& json, std::string_view name, const Endpoint& endpoint) {
    std::string text;
    format::append_address(text, endpoint);
    json.key(name);
    json.plain_string(text);
}

// "src", "sport", "dst", "dport", as --events of `read` names a connection.
void write_flow(JsonWriter& json, std::string_view name, const Endpoint& client,
                const Endpoint& server) {
    json.begin_object(name);
    write_address(json, "src", client);
    json.key("sport");
    json.number(client.port);
    write_address(json, "dst", server);
    json.key("dport");
    json.number(server.port);
    json.end_object();
}

[[nodiscard]] const Endpoint& near(const std::array<Endpoint, taps::kSides>& seen, Side side) {
    return seen[index(side)].port != 0 ? seen[index(side)] : seen[index(other(side))];
}

void write_cites(JsonWriter& json, const Fact& fact) {
    json.begin_array("cites");
    for (const taps::Cite& cite : std::span(fact.cites).first(fact.cites_count)) {
        json.begin_object();
        json.key("tap");
        json.plain_string(name(cite.tap));
        json.key("frame");
        if (cite.frame == 0) {
            json.null();
        } else {
            json.number(cite.frame);
        }
        json.key("time");
        json.time(cite.time);
        json.key("part");
        json.plain_string(name(cite.part));
        json.end_object();
    }
    json.end_array();
}

void write_packet(JsonWriter& json, const Fact& fact) {
    const taps::Packet& packet = fact.packet;
    json.begin_object("packet");
    json.key("flags");
    json.plain_string(flags_text(packet.flags));
    json.key("seq");
    json.number(packet.seq);
    json.key("ack");
    json.number(packet.ack);
    json.key("bytes");
    json.number(packet.payload_bytes);
    json.key("ip_bytes");
    json.number(packet.ip_bytes);
    json.key("ip_id");
    json.number(packet.ip_id);
    json.key("ttl");
    json.number(packet.ttl);
    if (fact.kind == FactKind::icmp_error) {
        write_address(json, "icmp_source", {packet.icmp_source, 0, packet.v6});
        json.key("icmp_type");
        json.number(packet.icmp_type);
        json.key("icmp_code");
        json.number(packet.icmp_code);
    }
    json.end_object();
}

[[nodiscard]] std::string sentence_of(const firewall::Notice& notice) {
    std::string text(notice.behaviour ? firewall::info(*notice.behaviour).sentence
                                      : format::spoken(name(notice.fact.kind)));
    const std::string_view how = help(notice.fact.proof);
    return how.empty() ? text : fmt::format("{}: {}", text, how);
}

}  // namespace

std::string flags_text(std::uint8_t flags) {
    namespace flag = decode::tcp_flag;
    constexpr std::array<std::pair<std::uint8_t, std::string_view>, 8> kFlags{{{flag::kSyn, "SYN"},
                                                                               {flag::kFin, "FIN"},
                                                                               {flag::kRst, "RST"},
                                                                               {flag::kPsh, "PSH"},
                                                                               {flag::kAck, "ACK"},
                                                                               {kUrg, "URG"},
                                                                               {kEce, "ECE"},
                                                                               {kCwr, "CWR"}}};
    std::string text;
    for (const auto& [bit, word] : kFlags) {
        if ((flags & bit) != 0) {
            text += text.empty() ? "" : ",";
            text += word;
        }
    }
    return text;
}

void write_ends(JsonWriter& json, const std::array<Endpoint, taps::kSides>& client,
                const std::array<Endpoint, taps::kSides>& server, Side client_side) {
    write_flow(json, "flow", near(client, client_side), near(server, other(client_side)));
    json.key("client_side");
    json.plain_string(name(client_side));
    json.begin_object("seen_as");
    for (const Side side : {Side::outside, Side::inside}) {
        if (client[index(side)].port != 0 || server[index(side)].port != 0) {
            write_flow(json, name(side), client[index(side)], server[index(side)]);
        }
    }
    json.end_object();
}

void write_fact(JsonWriter& json, const Fact& fact, taps::Grade grade) {
    json.key("kind");
    json.plain_string(name(fact.kind));
    json.key("grade");
    json.plain_string(name(grade));
    json.key("proof");
    json.plain_string(name(fact.proof));
    json.key("way");
    json.plain_string(name(fact.way));
    json.key("time");
    json.time(fact.time);
    json.key("decided");
    json.time(fact.decided);
    json.key("conversation");
    json.number(fact.conversation);
    write_ends(json, fact.client, fact.server, fact.client_side);
    json.key("handshake");
    json.boolean(fact.in_handshake);
    json.key("attempts");
    json.number(fact.attempts);
    json.key("cost");
    json.seconds(fact.cost);
    json.key("idle");
    json.seconds(fact.circumstances.idle);
    write_packet(json, fact);
    write_cites(json, fact);
}

std::string firewall_notice_header() {
    std::string line;
    JsonWriter json(line);
    json.begin_object();
    json.key("schema");
    json.plain_string(kFirewallEventsSchema);
    json.key("version");
    json.plain_string(version());
    json.end_object();
    return line;
}

std::string firewall_notice_json(const firewall::Notice& notice) {
    std::string line;
    JsonWriter json(line);
    json.begin_object();
    json.key("id");
    json.number(notice.id);
    json.key("settled");
    json.boolean(notice.settled);
    json.key("behaviour");
    if (notice.behaviour) {
        json.plain_string(name(*notice.behaviour));
    } else {
        json.null();
    }
    write_fact(json, notice.fact, notice.grade);
    json.key("sentence");
    json.string(sentence_of(notice));
    json.end_object();
    return line;
}

}  // namespace tw::sinks
