// SPDX-License-Identifier: BSD-3-Clause
#include "support/tap_script.hpp"

#include <algorithm>

namespace tw::test {
namespace {

using taps::Side;
using taps::Way;

constexpr Nanos kStep = 50 * kMillisecond;

}  // namespace

taps::EngineOptions TapScript::small() {
    taps::EngineOptions options;
    options.backing = Backing::lazy;
    options.conversations_max = 4;
    options.in_flight_max = 1024;
    options.open_losses_max = 256;
    return options;
}

TapScript::TapScript(const taps::EngineOptions& options)
    : options_(options), evidence_(options, *this, passage_, health, counters) {
    evidence_.begin(of_, 0);
}

std::size_t TapScript::add(const Sent& sent, Side tap, Nanos at, bool is_entry) {
    Sighting sighting;
    taps::Packet& packet = sighting.packet;
    packet.time = at + (tap == Side::outside ? sent.late_outside : sent.late_inside);
    packet.frame = sightings_.size() + 1;
    packet.seq = sent.seq;
    packet.ack = sent.ack;
    packet.payload_bytes = sent.bytes;
    packet.ip_bytes = static_cast<std::uint16_t>(40 + sent.bytes);
    packet.flags = sent.flags;
    packet.window = sent.window;
    packet.window_scale = sent.scale;
    packet.ttl = is_entry ? sent.ttl : static_cast<std::uint8_t>(sent.ttl - 1);
    packet.ip_id = sent.no_ip_id ? 0 : ip_id_;
    packet.tap = tap;
    packet.header_complete = true;
    if (sent.tsval != 0) {
        packet.options |= taps::option_bit::kTimestamps;
        packet.tsval = sent.tsval;
        packet.tsecr = sent.tsecr;
    }
    sighting.numbers = {.seq = sent.seq, .ack = sent.ack, .known = true};
    if (!sent.sack.empty()) {
        packet.options |= taps::option_bit::kSack;
        packet.sack_count = static_cast<std::uint8_t>(sent.sack.size());
        std::copy(sent.sack.begin(), sent.sack.end(), packet.sack.begin());
        sighting.numbers.sack = packet.sack;
    }
    sighting.way = sent.way;
    sighting.is_entry = is_entry;
    sightings_.push_back(sighting);
    return sightings_.size();
}

void TapScript::send(const Sent& sent, Fate fate) {
    const Side from = entry(sent.way);
    const Side to = exit(sent.way);
    const auto sees = [fate](Side side) {
        const Fate misses = side == Side::outside ? Fate::unseen_outside : Fate::unseen_inside;
        const Fate other = side == Side::outside ? Fate::made_inside : Fate::made_outside;
        return fate != misses && fate != Fate::unseen && fate != other;
    };
    ++ip_id_;
    std::size_t entered = 0;
    std::size_t left = 0;
    const bool made = fate == Fate::made_inside || fate == Fate::made_outside;
    if (sees(from) && !made) {
        entered = add(sent, from, sent.at, true);
    }
    if (sees(to) && fate != Fate::dropped) {
        left = add(sent, to, sent.at + (made ? 0 : sent.transit), false);
    }
    if (entered != 0 && left != 0) {
        sightings_[entered - 1].twin = left;
        sightings_[left - 1].twin = entered;
    }
}

void TapScript::send_same(const Sent& sent, Fate fate) {
    --ip_id_;
    send(sent, fate);
}

void TapScript::send_doubled(const Sent& sent) {
    send(sent);
    const std::size_t second =
        add(sent, exit(sent.way), sent.at + sent.transit + 20 * kMicrosecond, false);
    sightings_[second - 1].copy = true;
}

void TapScript::send_split(const Sent& sent) {
    ++ip_id_;
    add(sent, entry(sent.way), sent.at, true);
    Sent half = sent;
    half.bytes = sent.bytes / 2;
    add(half, exit(sent.way), sent.at + sent.transit, false);
    half.seq += half.bytes;
    half.bytes = sent.bytes - half.bytes;
    add(half, exit(sent.way), sent.at + sent.transit + kMicrosecond, false);
}

void TapScript::icmp(Nanos at, Way quoted_way, std::uint32_t seq, bool at_entry, bool at_exit,
                     std::uint16_t mtu) {
    Sent quote{.at = at, .way = quoted_way, .seq = seq};
    for (const Side tap : {exit(quoted_way), entry(quoted_way)}) {
        if (tap == exit(quoted_way) ? at_entry : at_exit) {
            Sighting& made = sightings_[add(quote, tap, at, false) - 1];
            made.packet.kind = taps::PacketKind::icmp_error;
            made.packet.icmp_type = 3;
            made.packet.icmp_code = mtu != 0 ? 4 : 13;
            made.packet.icmp_mtu = mtu;
            made.is_icmp = true;
            quote.at += 50 * kMicrosecond;
        }
    }
}

void TapScript::handshake(Nanos at, bool scales) {
    namespace flag = decode::tcp_flag;
    const std::int8_t scale = scales ? std::int8_t{7} : std::int8_t{-1};
    send({.at = at, .way = kClient, .flags = flag::kSyn, .scale = scale});
    send({.at = at + kMillisecond,
          .way = kServer,
          .ack = 1,
          .flags = flag::kSyn | flag::kAck,
          .scale = scale});
    send({.at = at + 2 * kMillisecond, .way = kClient, .seq = 1, .ack = 1});
}

taps::Seen TapScript::seen(const Sighting& sighting) const {
    return {.of = of_,
            .packet = sighting.packet,
            .numbers = sighting.numbers,
            .way = sighting.way,
            .serial = sighting.serial,
            .copy = sighting.copy};
}

void TapScript::show(Sighting& sighting) {
    sighting.shown = true;
    sighting.serial = ++serial_;
    if (sighting.is_icmp) {
        sighting.concluded = true;
        evidence_.icmp_error(of_, sighting.way, sighting.packet);
        return;
    }
    if (sighting.is_entry) {
        evidence_.entered(seen(sighting));
    } else {
        evidence_.left(seen(sighting));
    }
    if (sighting.twin != 0 && sightings_[sighting.twin - 1].shown) {
        Sighting& twin = sightings_[sighting.twin - 1];
        sighting.concluded = twin.concluded = true;
        evidence_.paired(seen(sighting.is_entry ? sighting : twin),
                         seen(sighting.is_entry ? twin : sighting), taps::KeyLevel::whole);
    }
}

void TapScript::conclude(Nanos now) {
    for (Sighting& sighting : sightings_) {
        if (!sighting.shown || sighting.concluded || sighting.packet.time + kWait > now) {
            continue;
        }
        sighting.concluded = true;
        if (sighting.is_entry) {
            evidence_.entered_alone(seen(sighting));
        } else {
            evidence_.left_alone(seen(sighting));
        }
    }
}

void TapScript::pass_time(Nanos until) {
    while (now_ < until) {
        now_ = std::min(until, std::max(now_ + kStep, until - 60 * kSecond));
        conclude(now_);
        evidence_.advance({now_, now_}, kWait);
    }
}

void TapScript::run(Nanos until) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < sightings_.size(); ++i) {
        if (!sightings_[i].shown && sightings_[i].packet.time <= until) {
            order.push_back(i);
        }
    }
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
        return sightings_[a].packet.time < sightings_[b].packet.time;
    });
    for (const std::size_t i : order) {
        pass_time(sightings_[i].packet.time);
        show(sightings_[i]);
    }
    pass_time(until);
}

taps::Conversation TapScript::end(Nanos at) {
    run(at);
    taps::Conversation record;
    evidence_.end(of_, at, record);
    return record;
}

void TapScript::take(taps::Fact& fact, const taps::Witnessed& of) {
    fact.id = facts_.size() + 1;
    fact.conversation = of.conversation;
    facts_.push_back(fact);
}

std::vector<taps::Fact> TapScript::facts(taps::FactKind kind) const {
    std::vector<taps::Fact> found;
    std::copy_if(facts_.begin(), facts_.end(), std::back_inserter(found),
                 [kind](const taps::Fact& fact) { return fact.kind == kind; });
    return found;
}

std::string TapScript::told() const {
    std::string text;
    for (const taps::Fact& fact : facts_) {
        text += text.empty() ? "" : "; ";
        text += name(fact.kind);
        text += " ";
        text += name(fact.grade);
        text += " ";
        text += name(fact.proof);
    }
    return text;
}

}  // namespace tw::test
