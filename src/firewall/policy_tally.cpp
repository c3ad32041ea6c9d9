// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/policy_tally.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "firewall/behaviour.hpp"

namespace tw::firewall {
namespace {

using taps::Conversation;
using taps::FactKind;
using taps::Grade;
using taps::Outcome;
using taps::Way;

using Proofs = std::unordered_map<std::uint64_t, AttemptProof>;

[[nodiscard]] Stand proven_or_doubtful(Grade grade) {
    return grade == Grade::proven ? Stand::contradicts : Stand::doubtful;
}

[[nodiscard]] std::uint64_t passed(const Conversation& conversation) {
    return conversation.ways[0].passed + conversation.ways[1].passed;
}

// Whether the attempt, or what was under way already, came through to the server.
[[nodiscard]] bool reached_server(const Conversation& conversation) {
    const Way forth = taps::way_into(conversation.client_side);
    switch (conversation.outcome) {
        case Outcome::established:
        case Outcome::refused_by_server:
        case Outcome::server_silent:
        case Outcome::syn_ack_dropped:
            return true;
        case Outcome::midway:
            return passed(conversation) != 0;
        case Outcome::answered_by_firewall:
            return conversation.ways[index(forth)].syns_left != 0;
        case Outcome::syn_dropped:
        case Outcome::rejected_rst:
        case Outcome::rejected_icmp:
        case Outcome::incomplete:
            return false;
    }
    return false;
}

// RFC 792 and RFC 4443: the codes of "destination unreachable" that say so.
[[nodiscard]] bool is_code(With with, const AttemptProof& proof) {
    const std::uint8_t code = proof.icmp_code;
    if (with == With::icmp_port) {
        return code == (proof.icmp_v6 ? 4 : 3);
    }
    return proof.icmp_v6 ? code == 1 : code == 9 || code == 10 || code == 13;
}

[[nodiscard]] Stand stand_of_rejection(With with, Outcome outcome, const AttemptProof& proof) {
    const bool by_reset = outcome == Outcome::rejected_rst;
    if (with == With::any || (with == With::tcp_reset && by_reset)) {
        return Stand::agrees;
    }
    if (with == With::tcp_reset || by_reset) {
        return proven_or_doubtful(proof.stopped);
    }
    if (!proof.icmp_known) {
        return Stand::doubtful;
    }
    return is_code(with, proof) ? Stand::agrees : proven_or_doubtful(proof.stopped);
}

// Where the rule wants nothing through.
[[nodiscard]] Stand stand_of_refusal(const Rule& rule, const Conversation& conversation,
                                     const AttemptProof& proof, Trust trust) {
    if (reached_server(conversation)) {
        const bool told = conversation.client_known && conversation.side_known;
        return told ? Stand::contradicts : Stand::doubtful;
    }
    const bool silence = conversation.outcome == Outcome::syn_dropped;
    const bool rejected = conversation.outcome == Outcome::rejected_rst ||
                          conversation.outcome == Outcome::rejected_icmp;
    if (rule.expect == Expect::drop && silence) {
        const Grade enough = trust == Trust::good ? Grade::probable : Grade::proven;
        return proof.stopped >= enough ? Stand::agrees : Stand::doubtful;
    }
    if (rule.expect == Expect::reject && rejected) {
        return stand_of_rejection(rule.with, conversation.outcome, proof);
    }
    return silence || rejected ? proven_or_doubtful(proof.stopped) : Stand::open;
}

void note_icmp(const taps::Packet& packet, AttemptProof& proof) {
    proof.icmp_known = true;
    proof.icmp_v6 = packet.v6;
    proof.icmp_code = packet.icmp_code;
}

// A reset that left and that the host it names did not send.
[[nodiscard]] bool is_reset(const Case& each) {
    return each.fact->kind == FactKind::reset_origin ||
           each.behaviour == Behaviour::reset_by_firewall;
}

[[nodiscard]] Proofs proofs_of(std::span<const Case> cases) {
    Proofs proofs;
    for (const Case& each : cases) {
        const taps::Fact& fact = *each.fact;
        const bool handshake = fact.kind == FactKind::lost_between && fact.in_handshake;
        const bool reset = is_reset(each);
        const bool icmp = fact.kind == FactKind::icmp_error;
        if (!handshake && !reset && !icmp) {
            continue;
        }
        AttemptProof& proof = proofs[fact.conversation];
        proof.stopped = std::max(proof.stopped, each.grade);
        if (reset) {
            proof.reset = std::max(proof.reset, each.grade);
        }
        if (icmp) {
            note_icmp(fact.packet, proof);
        }
    }
    return proofs;
}

void count_attempt(const Conversation& conversation, const AttemptProof& proof, Tally& tally) {
    switch (conversation.outcome) {
        case Outcome::established:
            ++tally.made;
            break;
        case Outcome::syn_dropped:
        case Outcome::syn_ack_dropped:
        case Outcome::rejected_rst:
        case Outcome::rejected_icmp:
            ++(proof.stopped == Grade::proven ? tally.stopped : tally.stopped_maybe);
            break;
        case Outcome::midway:
        case Outcome::refused_by_server:
        case Outcome::server_silent:
        case Outcome::answered_by_firewall:
        case Outcome::incomplete:
            break;
    }
    if (conversation.outcome == Outcome::established &&
        conversation.ending == taps::Ending::reset_by_firewall) {
        ++(proof.reset == Grade::proven ? tally.reset : tally.reset_maybe);
    }
}

void count_packets(const Conversation& conversation, Tally& tally) {
    for (const taps::WayCounts& way : conversation.ways) {
        const std::uint64_t setup =
            std::min<std::uint64_t>({way.syns_entered, way.syns_left, way.passed});
        tally.offered += way.entered;
        tally.lost_maybe += std::uint64_t{way.lost} + way.unproven;
        tally.pairs_setup += setup;
        tally.pairs_data += way.passed - setup;
    }
    tally.idle_passed = std::max(tally.idle_passed, conversation.idle_passed);
}

void count_stand(Stand stand, const Conversation& conversation, Tally& tally) {
    switch (stand) {
        case Stand::agrees:
            ++tally.agreeing;
            return;
        case Stand::open:
            ++tally.open;
            return;
        case Stand::doubtful:
            ++tally.doubtful;
            return;
        case Stand::contradicts:
            ++tally.contradicting;
            ++tally.contradicting_outcomes[static_cast<std::size_t>(conversation.outcome)];
            if (tally.examples.size() < Tally::kExamplesMax) {
                tally.examples.push_back(conversation);
            }
            return;
    }
}

[[nodiscard]] bool wants_none(const Rule& rule) {
    return rule.expect == Expect::drop || rule.expect == Expect::reject;
}

// A proven case counts for the run unless the policy wants it, or a limit of its rule judges it.
void count_case(const Policy& policy, const Case& each, TallyResult& result) {
    const taps::Fact& fact = *each.fact;
    const Weight weight = info(each.behaviour).weight;
    const std::uint64_t packets = std::max<std::uint64_t>(fact.attempts, 1);
    const auto matched = match_rule(policy, fact);
    // Of what no rule and no default names the policy says nothing.
    bool judged = each.expected || !matched;
    if (matched) {
        Tally& tally = result.rows[matched->row];
        const Rule& rule = *matched->rule;
        if (weight == Weight::drop && each.grade == Grade::proven && !is_reset(each) &&
            fact.kind != FactKind::icmp_error) {
            tally.lost += packets;
        }
        const Nanos idle = fact.circumstances.idle;
        if (each.behaviour == Behaviour::idle_timeout && each.grade == Grade::proven && idle > 0) {
            tally.idle_failed = std::min(tally.idle_failed.value_or(idle), idle);
        }
        const bool limited =
            (weight == Weight::drop && rule.limits.loss_max) ||
            (is_reset(each) && rule.limits.unexpected_rst_max) ||
            (each.behaviour == Behaviour::idle_timeout && rule.limits.idle_timeout_min);
        judged =
            judged || limited || wants_none(rule) || rule.expect == Expect::any || rule.report_only;
    }
    if (!judged && each.grade == Grade::proven) {
        result.drops += weight == Weight::drop ? packets : 0;
        result.harms += weight == Weight::harm ? 1 : 0;
    }
}

}  // namespace

Stand stand_of(const Rule& rule, const Conversation& conversation, const AttemptProof& proof,
               Trust trust) {
    if (rule.expect == Expect::any) {
        return Stand::agrees;
    }
    if (wants_none(rule)) {
        return stand_of_refusal(rule, conversation, proof, trust);
    }
    switch (conversation.outcome) {
        case Outcome::syn_dropped:
        case Outcome::syn_ack_dropped:
        case Outcome::rejected_rst:
        case Outcome::rejected_icmp:
            return proven_or_doubtful(proof.stopped);
        case Outcome::established:
        case Outcome::midway:
        case Outcome::refused_by_server:
        case Outcome::server_silent:
        case Outcome::answered_by_firewall:
        case Outcome::incomplete:
            return reached_server(conversation) ? Stand::agrees : Stand::open;
    }
    return Stand::open;
}

TallyResult tally(const PolicyRun& run, Trust trust) {
    const Policy& policy = run.policy;
    TallyResult result;
    result.rows.resize(policy.rules.size() + policy.defaults.size());
    const Proofs proofs = proofs_of(run.settled);
    for (const Conversation& conversation : run.conversations) {
        const auto matched = match_rule(policy, conversation);
        if (!matched) {
            ++result.outside_policy;
            continue;
        }
        const auto known = proofs.find(conversation.id);
        const AttemptProof proof = known == proofs.end() ? AttemptProof{} : known->second;
        Tally& row = result.rows[matched->row];
        ++row.connections;
        ++row.outcomes[static_cast<std::size_t>(conversation.outcome)];
        count_stand(stand_of(*matched->rule, conversation, proof, trust), conversation, row);
        count_attempt(conversation, proof, row);
        count_packets(conversation, row);
    }
    for (const Case& each : run.cases) {
        count_case(policy, each, result);
    }
    return result;
}

}  // namespace tw::firewall
