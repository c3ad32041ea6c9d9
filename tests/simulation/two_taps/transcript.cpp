// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/transcript.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tw::sim::two_taps {
namespace {

std::string frames_of(const Sighting& sighting) {
    std::string text;
    for (const std::uint32_t frame : sighting.frames) {
        text += fmt::format(" #{}", frame);
    }
    return text.empty() ? " MISSED" : text;
}

std::string fate_of(const Record& record, const Passing& passing) {
    switch (passing.fate) {
        case Fate::lost_outside:
            return "lost before the firewall";
        case Fate::on_its_way:
            return "on its way";
        case Fate::absorbed:
            return "absorbed";
        case Fate::dropped:
            return fmt::format("DROPPED by {}", name(passing.drop));
        case Fate::passed:
            break;
    }
    std::string text = passing.held_back ? "held back," : "";
    for (const std::uint32_t exit : passing.exits) {
        const Sighting& left = record.sightings[exit];
        text +=
            fmt::format(" left {:.6f}{}", static_cast<double>(left.wire) / 1e9, frames_of(left));
        if (left.packet.flip != 0 || left.packet.inserted != 0) {
            text += " ALTERED";
        }
        text += left.lost_beyond ? " lost beyond" : "";
        for (const Nanos time : left.arrivals) {
            text += fmt::format(" > {:.6f}", static_cast<double>(time) / 1e9);
        }
    }
    return text;
}

std::string line_of(const Record& record, const Passing& passing) {
    const bool entered = passing.entry != kNone;
    if (!entered && passing.exits.empty()) {
        return "";
    }
    const Sighting& first = record.sightings[entered ? passing.entry : passing.exits.front()];
    const std::string seen = entered ? frames_of(first) : std::string(" made by the firewall");
    return fmt::format("{:.6f} c{} {} {}: {}{} {}\n", static_cast<double>(first.wire) / 1e9,
                       first.packet.connection, taps::name(passing.way), words_of(first.packet),
                       entered ? "entered" : "", seen, fate_of(record, passing));
}

}  // namespace

std::string words_of(const Wire& wire) {
    std::string text = fmt::format("{}{} [{},{}) seq {}", wire.from == Side::client ? "C" : "S",
                                   wire.kind == WireKind::icmp_error ? " ICMP error about" : "",
                                   wire.span.begin, wire.span.end, wire.seq);
    text += wire.syn() ? " SYN" : "";
    text += wire.fin() ? " FIN" : "";
    text += wire.rst() ? " RST" : "";
    if (wire.has(flag::kAck)) {
        text += fmt::format(" ack {}", wire.ack);
    }
    for (std::size_t i = 0; i < wire.options.sack_count; ++i) {
        text += fmt::format(" {}[{},{})", i == 0 && wire.dsack ? "dsack" : "sack",
                            wire.options.sack[i][0], wire.options.sack[i][1]);
    }
    return text + fmt::format(" id {} ttl {}", wire.ip_id, wire.ttl);
}

std::string words_of(const Plan& plan, const Record& record) {
    std::string text = fmt::format("seed {}, {}, client {}:", plan.hosts.seed, name(plan.profile),
                                   taps::name(plan.client_side));
    for (const Deed deed : plan.firewall.deeds) {
        text += fmt::format(" {}", name(deed));
    }
    text += '\n';
    std::vector<const Passing*> all;
    for (const Passing& passing : record.passings) {
        all.push_back(&passing);
    }
    const auto time = [&](const Passing* one) {
        const std::uint32_t at = one->entry != kNone   ? one->entry
                                 : !one->exits.empty() ? one->exits.front()
                                                       : kNone;
        return at == kNone ? INT64_MAX : record.sightings[at].wire;
    };
    std::ranges::stable_sort(all, {}, time);
    for (const Passing* passing : all) {
        text += line_of(record, *passing);
    }
    return text;
}

}  // namespace tw::sim::two_taps
