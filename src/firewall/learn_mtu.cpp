// SPDX-License-Identifier: BSD-3-Clause
// Path MTU black hole (catalogue 17): packets above a length never leave, shorter ones of the same
// conversations do, they may not be fragmented, and nobody tells their sender.
#include "firewall/learners.hpp"

#include "firewall/coincidence.hpp"
#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using taps::Way;

struct Group {
    std::vector<std::uint32_t> drops;
    std::set<std::uint64_t> conversations;
    std::uint32_t longest_passed = 0;
    flow::Endpoint client;
    flow::Endpoint server;
    Way way = Way::inward;
};

// ICMP "fragmentation needed" (RFC 1191) or "packet too big" (RFC 8201).
bool is_too_big(const taps::Packet& packet) {
    constexpr std::uint8_t kUnreachable = 3;
    constexpr std::uint8_t kFragmentationNeeded = 4;
    constexpr std::uint8_t kPacketTooBig = 2;
    return packet.kind == taps::PacketKind::icmp_error &&
           (packet.v6
                ? packet.icmp_type == kPacketTooBig
                : packet.icmp_type == kUnreachable && packet.icmp_code == kFragmentationNeeded);
}

// Of the ICMP errors that a sender got: seen at the tap where the packets entered.
struct Told {
    std::uint64_t errors = 0;
    std::uint16_t mtu = 0;
};

std::array<Told, taps::kWays> told_senders(const Study& study) {
    std::array<Told, taps::kWays> told;
    for (const Case& one : study.all().cases) {
        const taps::Packet& quote = one.fact->packet;
        if (one.fact->kind == taps::FactKind::icmp_error && is_too_big(quote)) {
            // It goes back to the sender: the tap it was seen at tells which way was refused.
            Told& way = told[taps::index(taps::way_into(quote.tap))];
            ++way.errors;
            way.mtu = std::max(way.mtu, quote.icmp_mtu);
        }
    }
    return told;
}

using Key = std::pair<Way, ScopeKey>;

std::map<Key, Group> gather(const Study& study, Scope scope) {
    std::map<Key, Group> groups;
    for (std::uint32_t i = 0; i < study.all().cases.size(); ++i) {
        const Case& one = study.at(i);
        if (!is_drop(one) || one.fact->packet.payload_bytes == 0) {
            continue;
        }
        const flow::Endpoint& client = client_of(*one.fact);
        const flow::Endpoint& server = server_of(*one.fact);
        Group& group = groups[{one.fact->way, scope_key(scope, client, server)}];
        group.drops.push_back(i);
        group.conversations.insert(one.fact->conversation);
        group.client = client;
        group.server = server;
        group.way = one.fact->way;
    }
    for (const taps::Conversation& conversation : study.all().conversations) {
        const ScopeKey key = scope_key(scope, client_of(conversation), server_of(conversation));
        for (const Way way : {Way::inward, Way::outward}) {
            if (const auto found = groups.find({way, key}); found != groups.end()) {
                found->second.longest_passed =
                    std::max<std::uint32_t>(found->second.longest_passed,
                                            conversation.ways[taps::index(way)].longest_passed);
            }
        }
    }
    return groups;
}

// What a drop may have to do with its length, and nothing else known explains. `again`: its
// conversation lost packets this way before; the silence since is its sender's own waiting.
bool may_be_too_long(const Study& study, const taps::Fact& fact, bool again) {
    constexpr std::uint32_t kShortestMtu = 576;  // of IPv4 (RFC 791)
    const taps::Conversation* const conversation = study.conversation_of(fact);
    // A path that is down, or a state that is gone, takes ACKs along.
    const bool dead =
        conversation == nullptr || conversation->ways[taps::index(fact.way)].pure_acks_lost != 0;
    // A packet that is answered by a reset was refused, and its sender knows.
    const bool refused = fact.proof == taps::Proof::answered_alone;
    const bool after_silence = !again && fact.circumstances.idle >= kSecond;
    return !dead && !refused && !after_silence && fact.packet.ip_bytes > kShortestMtu &&
           !fact.circumstances.after_fin && (fact.packet.v6 || fact.packet.dont_fragment);
}

struct Verdict {
    std::uint32_t shortest_lost = UINT32_MAX;
    std::vector<std::uint32_t> explained;
    std::set<std::uint64_t> conversations;
    std::uint64_t parted = 0;  // bytes that left later, in shorter packets
    bool shorter_lost_too = false;

    [[nodiscard]] bool holds() const {
        constexpr std::uint64_t kPartedMin = 3;
        return !shorter_lost_too && (conversations.size() > 1 || parted >= kPartedMin);
    }
};

Verdict judge(const Study& study, const Group& group) {
    Verdict verdict;
    for (const std::uint32_t index : group.drops) {
        const taps::Fact& fact = *study.at(index).fact;
        const bool again = verdict.conversations.contains(fact.conversation);
        if (fact.packet.ip_bytes <= group.longest_passed || !may_be_too_long(study, fact, again)) {
            verdict.shorter_lost_too = true;
            continue;
        }
        verdict.explained.push_back(index);
        verdict.conversations.insert(fact.conversation);
        verdict.parted += fact.cost != 0 ? 1U : 0U;
        verdict.shortest_lost =
            std::min<std::uint32_t>(verdict.shortest_lost, fact.packet.ip_bytes);
    }
    return verdict;
}

// Packets of nearly the length that was lost, and that passed: of the whole traffic all, of a part
// one for each conversation.
std::uint64_t passed_near(const Study& study, const Group& group, Scope kind,
                          std::uint32_t shortest_lost) {
    const std::uint32_t from = shortest_lost * 3 / 4;
    std::uint64_t count = 0;
    if (kind == Scope::all) {
        const std::uint32_t until = std::min(shortest_lost, taps::Passage::kLengthMax);
        for (std::uint32_t bytes = from; bytes < until; ++bytes) {
            count += study.all().passage.of_length(group.way, bytes);
        }
        return count;
    }
    const ScopeKey key = scope_key(kind, group.client, group.server);
    for (const taps::Conversation& one : study.all().conversations) {
        const bool near = one.ways[taps::index(group.way)].longest_passed >= from;
        count += near && scope_key(kind, client_of(one), server_of(one)) == key ? 1U : 0U;
    }
    return count;
}

void tell(const Study& study, const Group& group, Scope kind, const Verdict& verdict,
          const Told& told, Lessons& lessons) {
    const std::uint32_t low = group.longest_passed;
    const std::uint32_t high = verdict.shortest_lost;
    const std::string scope =
        fmt::format("{}, {}", scope_text(kind, group.client, group.server), taps::name(group.way));
    Parameter parameter{
        .name = "mtu",
        .scope = scope,
        .value = fmt::format("between {} and {} bytes", count_text(low), count_text(high)),
        .low = low,
        .high = high,
        .unit = "B",
        .samples = verdict.explained.size(),
        .note = "longest that passed, shortest that never left"};
    if (told.errors != 0) {
        parameter.note = fmt::format("the senders were told: {} with MTU {}",
                                     count_of(told.errors, "ICMP error"), told.mtu);
        lessons.parameters.push_back(std::move(parameter));
        return;
    }
    Lesson lesson;
    lesson.behaviour = Behaviour::pmtud_black_hole;
    lesson.scope = scope;
    lesson.explained = verdict.explained;
    // Between a short packet and a long one lies much else than a length; and of few packets the
    // longest may be lost by chance.
    const std::uint64_t near = passed_near(study, group, kind, high);
    const bool sure = chance_of_order(verdict.explained.size(), near) <= kChanceMax;
    lesson.grade_max = sure ? taps::Grade::proven : taps::Grade::probable;
    lesson.sentence = fmt::format(
        "{} of {} bytes or more never left, all up to {} bytes did, and no ICMP error told their "
        "sender",
        count_of(verdict.explained.size(), "packet"), count_text(high), count_text(low));
    lesson.excluded.push_back("shorter packets of the same service were not lost");
    lessons.parameters.push_back(std::move(parameter));
    lessons.lessons.push_back(std::move(lesson));
}

}  // namespace

void learn_mtu(const Study& study, Lessons& lessons) {
    const auto told = told_senders(study);
    // Something with a payload did pass: the path is not just down.
    constexpr std::uint32_t kLeastPassed = 100;
    std::set<Way> explained;
    for (const Scope scope : {Scope::all, Scope::server}) {
        for (const auto& [key, group] : gather(study, scope)) {
            const Verdict verdict = judge(study, group);
            if (group.longest_passed >= kLeastPassed && verdict.holds() &&
                !explained.contains(group.way)) {
                tell(study, group, scope, verdict, told[taps::index(group.way)], lessons);
                if (scope == Scope::all) {
                    explained.insert(group.way);
                }
            }
        }
    }
}

}  // namespace tw::firewall
