// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/explain.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <set>

#include "core/taps/packet.hpp"

namespace tw::firewall {
namespace {

using enum Behaviour;
using taps::Conversation;
using taps::Fact;

// So many make a habit; of repeats held back, if they are more than were sent on.
constexpr std::uint64_t kHabitMin = 3;

// What is known of the captures as a whole.
struct Captured {
    Nanos last = INT64_MIN;
    std::array<bool, taps::kSides> misses{};  // by tap: it lacks packets
};

[[nodiscard]] Captured captured_of(std::span<const Conversation> conversations) {
    Captured captured;
    for (const Conversation& one : conversations) {
        captured.last = std::max(captured.last, one.last);
        for (const taps::Way way : {taps::Way::inward, taps::Way::outward}) {
            const taps::WayCounts& counts = one.ways[taps::index(way)];
            captured.misses[taps::index(taps::exit(way))] |= counts.missed_at_exit != 0;
            captured.misses[taps::index(taps::entry(way))] |= counts.missed_at_entry != 0;
        }
    }
    return captured;
}

// The cases of one conversation, in order of time.
struct Group {
    const Cases& cases;
    const Captured& captured;
    std::span<const std::uint32_t> members;
    std::vector<Told>& told;
    const Conversation* conversation = nullptr;  // its record, if kept

    [[nodiscard]] const Fact& fact(std::uint32_t at) const { return *cases.cases[at].fact; }
    // Not yet told by a lesson or by another case.
    [[nodiscard]] bool open(std::uint32_t at, Behaviour behaviour) const {
        return !told[at].silent && told[at].lesson == Told::kNone &&
               told[at].behaviour == behaviour;
    }
    [[nodiscard]] bool is_loss(std::uint32_t at) const {
        return open(at, packet_dropped) || open(at, syn_dropped) ||
               open(at, out_of_window_dropped) || open(at, window_scale_mismatch);
    }
};

[[nodiscard]] bool answers(const Fact& icmp, const Fact& loss) {
    if (icmp.way != taps::back(loss.way)) {
        return false;
    }
    if (icmp.packet.seq == loss.packet.seq) {
        return true;
    }
    // A limit on the rate of ICMP errors leaves some packets without their own.
    return icmp.packet.icmp_mtu != 0 && loss.packet.ip_bytes > icmp.packet.icmp_mtu;
}

// SYNs that were lost until one left were lost like any other packet.
void find_late_handshakes(const Group& group) {
    if (group.conversation == nullptr) {
        return;
    }
    for (const std::uint32_t at : group.members) {
        const bool syn = group.open(at, syn_dropped) || group.open(at, syn_ack_dropped);
        if (syn && group.conversation->ways[taps::index(group.fact(at).way)].syns_left != 0) {
            group.told[at].behaviour = packet_dropped;
        }
    }
}

void explain_by_icmp(const Group& group) {
    for (const std::uint32_t at : group.members) {
        if (!group.open(at, rejected_by_icmp) && !group.open(at, too_big_told)) {
            continue;
        }
        for (const std::uint32_t other : group.members) {
            if (group.is_loss(other) && answers(group.fact(at), group.fact(other))) {
                group.told[other].silent = true;
            }
        }
    }
}

// A packet that is answered by a reset was refused: the reset tells it.
void explain_by_reset(const Group& group) {
    for (const std::uint32_t at : group.members) {
        if (!group.open(at, reset_by_firewall)) {
            continue;
        }
        const Fact& reset = group.fact(at);
        for (const std::uint32_t other : group.members) {
            const Fact& loss = group.fact(other);
            if (group.is_loss(other) && loss.way == taps::back(reset.way) &&
                loss.time >= reset.time - kAnswerTime) {
                group.told[other].silent = true;
            }
        }
    }
}

// Whether something that ends the connection left towards this side.
[[nodiscard]] bool was_told(const Conversation& conversation, taps::Side side) {
    const taps::WayCounts& towards = conversation.ways[taps::index(taps::way_into(other(side)))];
    return towards.resets_left != 0 || towards.fins_left != 0;
}

void find_closed_one_sided(const Group& group) {
    if (group.conversation == nullptr) {
        return;
    }
    for (const std::uint32_t at : group.members) {
        const Fact& reset = group.fact(at);
        const taps::Side told_side = taps::exit(reset.way);
        const taps::Side other_side = taps::other(told_side);
        if (!group.open(at, reset_by_firewall) || reset.in_handshake ||
            was_told(*group.conversation, other_side)) {
            continue;
        }
        // The reset of the other side may lie behind the end of the capture, or have been missed.
        if (reset.time + kAnswerTime <= group.captured.last) {
            const bool missed = group.captured.misses[taps::index(other_side)];
            group.told[at].one_sided = std::min(
                group.told[at].grade, missed ? taps::Grade::probable : taps::Grade::proven);
        }
        for (const std::uint32_t other : group.members) {
            const Fact& loss = group.fact(other);
            if (group.is_loss(other) && loss.way == taps::way_into(other_side) &&
                loss.time >= reset.time) {
                group.told[other].behaviour = closed_one_sided;
            }
        }
    }
}

// What a proxy does to packets is no behaviour of its own.
void explain_by_proxy(const Group& group) {
    if (group.conversation == nullptr) {
        return;
    }
    const Traits traits = traits_of(*group.conversation);
    for (const std::uint32_t at : group.members) {
        const bool cut = group.open(at, resegmented) || group.open(at, retransmission_suppressed) ||
                         group.open(at, packet_injected) || group.open(at, syn_proxy) ||
                         group.open(at, duplicated);
        const bool unanswered_syn = group.open(at, syn_dropped) || group.open(at, packet_injected);
        if ((traits.tcp_proxy && cut) || (traits.syn_proxy && unanswered_syn)) {
            group.told[at].silent = true;
        }
    }
}

// Nobody holds repeats back: one that the receiver still waited for was lost like any other packet,
// one that it did not need may have been missed.
void tell_as_loss(const Fact& fact, Told& told) {
    if (fact.proof == taps::Proof::no_copy_leaves) {
        told.behaviour = packet_dropped;
    } else {
        told.silent = true;
    }
}

// Where packets are lost so are repeats.
void explain_suppressed_by_losses(const Group& group) {
    const bool loses = std::ranges::any_of(group.members, [&](std::uint32_t at) {
        return group.is_loss(at) || group.told[at].lesson != Told::kNone;
    });
    for (const std::uint32_t at : group.members) {
        if (loses && group.open(at, retransmission_suppressed)) {
            tell_as_loss(group.fact(at), group.told[at]);
        }
    }
}

// A single one says nothing of what the firewall does with repeats: that is said only of a habit.
void drop_single_suppressions(const Cases& cases, std::vector<Told>& told) {
    std::uint64_t sent_on = 0;
    for (const Conversation& conversation : cases.conversations) {
        for (const taps::WayCounts& way : conversation.ways) {
            sent_on += way.lost_beyond;
        }
    }
    const auto held = static_cast<std::uint64_t>(std::ranges::count_if(told, [](const Told& one) {
        return one.behaviour == retransmission_suppressed && !one.silent;
    }));
    if (held >= kHabitMin && held > sent_on) {
        return;
    }
    for (std::size_t i = 0; i < told.size(); ++i) {
        if (told[i].behaviour == retransmission_suppressed && told[i].lesson == Told::kNone) {
            tell_as_loss(*cases.cases[i].fact, told[i]);
        }
    }
}

// A SYN/ACK whose entry the capture missed looks like one that the firewall made: proven only of
// several connections.
void weigh_answers(const Cases& cases, std::vector<Told>& told) {
    std::set<std::uint64_t> answered;
    for (std::size_t i = 0; i < told.size(); ++i) {
        if (told[i].behaviour == syn_proxy) {
            answered.insert(cases.cases[i].fact->conversation);
        }
    }
    for (Told& one : told) {
        if (one.behaviour == syn_proxy && answered.size() < kHabitMin) {
            one.grade = std::min(one.grade, taps::Grade::probable);
        }
    }
}

}  // namespace

void explain_within_conversations(const Cases& cases, std::vector<Told>& told) {
    std::vector<std::uint32_t> order(cases.cases.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto conversation_of = [&](std::uint32_t at) {
        return cases.cases[at].fact->conversation;
    };
    std::ranges::stable_sort(order, {}, conversation_of);
    std::vector<const Conversation*> records;
    records.reserve(cases.conversations.size());
    for (const Conversation& conversation : cases.conversations) {
        records.push_back(&conversation);
    }
    std::ranges::stable_sort(records, {}, &Conversation::id);
    const Captured captured = captured_of(cases.conversations);
    auto record = records.begin();
    for (auto begin = order.begin(); begin != order.end();) {
        const std::uint64_t id = conversation_of(*begin);
        const auto end = std::find_if(begin, order.end(),
                                      [&](std::uint32_t at) { return conversation_of(at) != id; });
        record = std::lower_bound(
            record, records.end(), id,
            [](const Conversation* one, std::uint64_t wanted) { return one->id < wanted; });
        const bool known = record != records.end() && (*record)->id == id;
        const Group group{cases, captured, {begin, end}, told, known ? *record : nullptr};
        find_late_handshakes(group);
        explain_by_icmp(group);
        find_closed_one_sided(group);
        explain_by_reset(group);
        explain_suppressed_by_losses(group);
        explain_by_proxy(group);
        begin = end;
    }
    drop_single_suppressions(cases, told);
    weigh_answers(cases, told);
}

}  // namespace tw::firewall
