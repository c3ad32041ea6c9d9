// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/transcript.hpp"

#include <fmt/format.h>

namespace tw::sim {
namespace {

const char* name(IpIdPolicy policy) {
    switch (policy) {
        case IpIdPolicy::per_connection:
            return "counted per connection";
        case IpIdPolicy::per_host:
            return "counted per host";
        case IpIdPolicy::zero:
            return "zero";
        case IpIdPolicy::random:
            return "random";
    }
    return "";
}

std::string fate_of(const Transmission& one) {
    if (one.lost_before) {
        return "LOST before the tap";
    }
    std::string text;
    for (const Pass& pass : one.passes) {
        text += text.empty() ? "" : "; network copy: ";
        if (pass.wire == 0) {
            text += "on its way";
            continue;
        }
        text +=
            fmt::format("{}{:.6f}", pass.late ? "LATE " : "", static_cast<double>(pass.wire) / 1e9);
        for (const std::uint32_t number : pass.frames) {
            text += fmt::format(" #{}", number);
        }
        if (pass.missed()) {
            text += pass.missed_by_monitor ? " MISSED by the monitor" : " MISSED by the mirror";
        }
        text += pass.lost_after ? " LOST after the tap" : (pass.late_after ? " LATE after" : "");
        for (const Nanos time : pass.arrivals) {
            text += fmt::format(" > {:.6f}", static_cast<double>(time) / 1e9);
        }
    }
    return text;
}

std::string packet_line(const Transmission& one) {
    const Packet& p = one.packet;
    std::string text =
        fmt::format("{:.6f} c{} {} [{},{}) {}{}{}", static_cast<double>(p.sent) / 1e9, p.connection,
                    p.from == Side::client ? "C->S" : "C<-S", p.span.begin, p.span.end,
                    p.syn ? "SYN " : "", p.fin ? "FIN " : "", p.rst ? "RST " : "");
    if (p.has_ack) {
        text += fmt::format("ack {} ", p.ack);
    }
    for (std::size_t i = 0; i < p.sack_count; ++i) {
        text += fmt::format("{}[{},{}) ", i == 0 && p.dsack ? "dsack" : "sack", p.sack[i].begin,
                            p.sack[i].end);
    }
    if (p.timestamps) {
        text += fmt::format("ts {}/{} ", p.ts_value, p.ts_echo);
    }
    text += fmt::format("id {} win {} {} | {}", p.ip_id, p.window, name(p.why), fate_of(one));
    return text + "\n";
}

}  // namespace

std::string transcript(const Ground& ground, const Findings& findings, const Score& score) {
    const Plan& plan = ground.plan();
    std::string out = fmt::format("seed {}, profile {}\n", plan.seed, name(plan.profile));
    for (std::uint32_t i = 0; i < plan.connections.size(); ++i) {
        const ConnectionPlan& one = plan.connections[i];
        out += fmt::format("c{}: {} port {}, mss {}", i, one.v6 ? "IPv6" : "IPv4", one.client_port,
                           one.stack[0].mss);
        for (const Side side : {Side::client, Side::server}) {
            const StackOptions& stack = one.stack[index(side)];
            out += fmt::format("; {} {:.3f} ms to tap, IP-ID {}{}{}{}{}",
                               side == Side::client ? "client" : "server",
                               static_cast<double>(one.delay[index(side)]) / 1e6, name(stack.ip_id),
                               stack.timestamps ? ", timestamps" : "", stack.sack ? ", SACK" : "",
                               stack.dsack ? ", DSACK" : "", stack.tail_probe ? ", TLP" : "");
        }
        out += "\n";
    }
    for (const Transmission& one : ground.record().transmissions) {
        out += packet_line(one);
    }
    for (const EventScore& one : score.events) {
        const char* mark = one.proven_wrong ? "PROVEN BUT WRONG"
                           : one.right      ? (one.unwitnessed ? "unwitnessed" : "right")
                                            : "WRONG";
        out += fmt::format("event: {}\n    {}: {} ({})\n",
                           words_of(ground, findings.events[one.event]), mark, one.words,
                           event::name(one.truth));
    }
    for (const auto* list : {&score.missed_wrong, &score.unreported, &score.ledger_blamed}) {
        for (const std::string& sentence : *list) {
            out += sentence + "\n";
        }
    }
    return out;
}

}  // namespace tw::sim
