// SPDX-License-Identifier: BSD-3-Clause
// A row per behaviour that a fact must raise, and near misses that must not.
#include "firewall/classify.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "unit/firewall/fact_sample.hpp"

namespace tw::firewall {
namespace {

using namespace sample;
using enum Behaviour;

TEST(BehaviourOf, syns_that_never_leave_are_dropped) {
    Fact fact = lost(packet(flag::kSyn));
    fact.proof = Proof::no_copy_leaves;
    EXPECT_EQ(behaviour_of(fact), syn_dropped);
    fact.packet.flags = flag::kSyn | flag::kAck;
    EXPECT_EQ(behaviour_of(fact), syn_ack_dropped);
}

TEST(BehaviourOf, a_syn_that_a_later_one_followed_is_a_packet_like_any_other) {
    Fact fact = lost(packet(flag::kSyn));
    fact.proof = Proof::left_later;
    EXPECT_EQ(behaviour_of(fact), packet_dropped);
}

TEST(BehaviourOf, nothing_is_said_of_what_only_the_capture_did) {
    EXPECT_EQ(behaviour_of(fact(FactKind::missed_at_exit, data())), std::nullopt);
    EXPECT_EQ(behaviour_of(fact(FactKind::missed_at_entry, data())), std::nullopt);
    Fact unproven = fact(FactKind::unproven, data());
    unproven.grade = Grade::unproven;
    EXPECT_EQ(behaviour_of(unproven), std::nullopt);
    unproven.kind = FactKind::lost_between;
    EXPECT_EQ(behaviour_of(unproven), std::nullopt);
}

TEST(BehaviourOf, a_loss_outside_the_window_is_window_tracking) {
    Fact fact = lost(data());
    fact.circumstances.window_known = true;
    EXPECT_EQ(behaviour_of(fact), packet_dropped);
    fact.circumstances.in_window = false;
    EXPECT_EQ(behaviour_of(fact), out_of_window_dropped);
    fact.circumstances.window_known = false;
    EXPECT_EQ(behaviour_of(fact), packet_dropped);
    fact.circumstances.acks_unseen = true;
    EXPECT_EQ(behaviour_of(fact), out_of_window_dropped);
}

TEST(BehaviourOf, flags_that_no_tcp_sends_are_dropped_as_invalid) {
    Fact fact = lost(packet(flag::kSyn | flag::kFin));
    fact.circumstances.bad_flags = true;
    EXPECT_EQ(behaviour_of(fact), out_of_window_dropped);
}

TEST(BehaviourOf, a_loss_inside_the_scaled_window_is_a_scale_mismatch) {
    Fact fact = lost(data());
    fact.circumstances.window_known = true;
    fact.circumstances.scale_mismatch = true;
    EXPECT_EQ(behaviour_of(fact), window_scale_mismatch);
}

TEST(BehaviourOf, icmp_errors_by_where_they_were_seen) {
    struct Row {
        std::uint8_t type;
        std::uint8_t code;
        std::vector<Side> seen;
        std::optional<Behaviour> behaviour;
    };
    // It goes outward: enters at the inside tap, leaves at the outside tap.
    const std::vector<Row> rows{
        {3, 13, {Side::outside}, rejected_by_icmp},
        {3, 1, {Side::outside}, rejected_by_icmp},
        {3, 13, {Side::inside, Side::outside}, std::nullopt},  // the server's own word
        {3, 13, {Side::inside}, std::nullopt},                 // dropped, and nothing needs it
        {11, 0, {Side::outside}, std::nullopt},                // time exceeded rejects nothing
        {3, 4, {Side::inside}, icmp_needed_dropped},
        {3, 4, {Side::inside, Side::outside}, std::nullopt},
        {3, 4, {Side::outside}, too_big_told},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(behaviour_of(icmp(row.type, row.code, 1000, row.seen)), row.behaviour)
            << int{row.type} << '/' << int{row.code} << " at " << row.seen.size();
    }
    Fact v6 = icmp(2, 0, 1000, {Side::inside});
    v6.packet.v6 = true;
    EXPECT_EQ(behaviour_of(v6), icmp_needed_dropped);
    v6 = icmp(1, 1, 1000, {Side::outside});
    v6.packet.v6 = true;
    EXPECT_EQ(behaviour_of(v6), rejected_by_icmp);
}

TEST(BehaviourOf, fragments_by_what_else_of_the_datagram_passed) {
    taps::Packet later;
    later.kind = taps::PacketKind::later_fragment;
    Fact fact_of_later = fact(FactKind::fragment_lost, later);
    EXPECT_EQ(behaviour_of(fact_of_later), fragment_dropped);
    fact_of_later.twin.kind = taps::PacketKind::first_fragment;
    fact_of_later.twin_known = true;
    EXPECT_EQ(behaviour_of(fact_of_later), first_fragment_only);
    EXPECT_EQ(behaviour_of(fact(FactKind::fragments_joined, data())), fragments_reassembled);
}

TEST(BehaviourOf, each_other_kind_has_its_behaviour) {
    EXPECT_EQ(behaviour_of(fact(FactKind::late_lost, data())), late_after_close);
    EXPECT_EQ(behaviour_of(fact(FactKind::duplicated, data())), duplicated);
    EXPECT_EQ(behaviour_of(fact(FactKind::altered, data())), payload_altered);
    EXPECT_EQ(behaviour_of(fact(FactKind::length_changed, data())), payload_length_changed);
    EXPECT_EQ(behaviour_of(fact(FactKind::reordered, data())), reordered);
    EXPECT_EQ(behaviour_of(fact(FactKind::ecn_mark_lost, data())), congestion_mark_cleared);
    EXPECT_EQ(behaviour_of(fact(FactKind::sack_untranslated, data())), sack_not_translated);
    EXPECT_EQ(behaviour_of(fact(FactKind::reset_blocked, packet(flag::kRst))), reset_blocked);
    EXPECT_EQ(behaviour_of(fact(FactKind::asymmetric, data())), asymmetric_path);
    EXPECT_EQ(behaviour_of(fact(FactKind::resegmented, data())), resegmented);
    EXPECT_EQ(behaviour_of(fact(FactKind::suppressed, data())), retransmission_suppressed);
    EXPECT_EQ(behaviour_of(fact(FactKind::injected, data())), packet_injected);
    EXPECT_EQ(behaviour_of(fact(FactKind::injected, packet(flag::kSyn | flag::kAck))), syn_proxy);
    EXPECT_EQ(behaviour_of(reset_to_client()), reset_by_firewall);
}

// --- within a conversation

struct Outcome {
    std::vector<Behaviour> told;  // of those not silent, in order
};

Outcome told_of(Scene& scene, std::vector<Lesson> lessons = {}) {
    const Cases cases = scene.cases();
    Outcome outcome;
    for (const Told& told : classify(cases, lessons)) {
        if (!told.silent) {
            outcome.told.push_back(told.behaviour);
        }
    }
    return outcome;
}

using Behaviours = std::vector<Behaviour>;

TEST(Classify, a_packet_answered_by_icmp_is_told_once) {
    Scene scene;
    scene.facts = {lost(data(7000), 0), icmp(3, 13, 7000, {Side::outside}, 0.001)};
    EXPECT_EQ(told_of(scene).told, Behaviours{rejected_by_icmp});
}

TEST(Classify, icmp_about_another_packet_explains_nothing) {
    Scene scene;
    scene.facts = {lost(data(7000), 0), icmp(3, 13, 9000, {Side::outside}, 0.001)};
    EXPECT_EQ(told_of(scene).told, (Behaviours{packet_dropped, rejected_by_icmp}));
    scene.facts = {lost(data(7000), 0, 1), icmp(3, 13, 7000, {Side::outside}, 0.001, 2)};
    EXPECT_EQ(told_of(scene).told, (Behaviours{packet_dropped, rejected_by_icmp}));
}

TEST(Classify, too_big_and_told_is_no_drop_even_where_one_error_speaks_for_several) {
    Scene scene;
    Fact told = icmp(3, 4, 7000, {Side::outside}, 0.001);
    told.packet.icmp_mtu = 1000;
    scene.facts = {lost(data(7000, 1400), 0), told, lost(data(8400, 1400), 0.002)};
    EXPECT_EQ(told_of(scene).told, Behaviours{too_big_told});
    scene.facts.push_back(lost(data(9800, 100), 0.003));  // fits, and was lost all the same
    EXPECT_EQ(told_of(scene).told, (Behaviours{too_big_told, packet_dropped}));
}

TEST(Classify, a_packet_answered_by_a_reset_is_told_once) {
    Scene scene;
    scene.conversations = {conversation()};
    scene.facts = {lost(data(), 0), reset_to_client(0.001)};
    EXPECT_EQ(told_of(scene).told, Behaviours{reset_by_firewall});
}

TEST(Classify, a_loss_long_before_the_reset_is_told_beside_it) {
    Scene scene;
    scene.conversations = {conversation()};
    scene.facts = {lost(data(), 0), reset_to_client(2)};
    EXPECT_EQ(told_of(scene).told, (Behaviours{packet_dropped, reset_by_firewall}));
}

Scene reset_one_side() {
    Scene scene;
    scene.conversations = {conversation()};
    Fact from_server = lost(data(), 1);
    from_server.way = Way::outward;
    scene.facts = {reset_to_client(0), from_server};
    scene.conversations[0].ways[taps::index(Way::outward)].resets_left = 1;
    return scene;
}

TEST(Classify, a_side_that_was_never_told_goes_on_in_vain) {
    Scene scene = reset_one_side();
    EXPECT_EQ(told_of(scene).told, (Behaviours{reset_by_firewall, closed_one_sided}));
}

TEST(Classify, a_side_that_was_never_told_and_says_nothing_hangs_all_the_same) {
    Scene scene = reset_one_side();
    scene.facts.pop_back();
    EXPECT_EQ(classify(scene.cases(), {})[0].one_sided, Grade::proven);
    // Its tap may have missed the other reset, or the capture may have ended before it.
    scene.conversations[0].ways[taps::index(Way::outward)].missed_at_entry = 1;
    EXPECT_EQ(classify(scene.cases(), {})[0].one_sided, Grade::probable);
    scene.conversations[0].last = scene.facts[0].time;
    EXPECT_EQ(classify(scene.cases(), {})[0].one_sided, Grade::unproven);
}

TEST(Classify, not_one_sided_where_the_other_side_was_told) {
    Scene scene = reset_one_side();
    scene.conversations[0].ways[taps::index(Way::inward)].resets_left = 1;
    EXPECT_EQ(told_of(scene).told, (Behaviours{reset_by_firewall, packet_dropped}));
    scene = reset_one_side();
    scene.conversations[0].ways[taps::index(Way::inward)].fins_left = 1;
    EXPECT_EQ(told_of(scene).told, (Behaviours{reset_by_firewall, packet_dropped}));
}

TEST(Classify, not_one_sided_where_no_connection_stood) {
    Scene scene = reset_one_side();
    scene.facts[0].in_handshake = true;
    EXPECT_EQ(told_of(scene).told, (Behaviours{reset_by_firewall, packet_dropped}));
}

TEST(Classify, syns_of_which_one_left_at_last_are_packets_like_any_other) {
    Scene scene;
    scene.conversations = {conversation()};
    Fact syn_ack = lost(packet(flag::kSyn | flag::kAck));
    syn_ack.way = Way::outward;
    scene.facts = {syn_ack};
    EXPECT_EQ(told_of(scene).told, Behaviours{packet_dropped});
    scene.conversations[0].ways[taps::index(Way::outward)].syns_left = 0;
    EXPECT_EQ(told_of(scene).told, Behaviours{syn_ack_dropped});
}

TEST(Classify, repeats_held_back_are_told_of_a_habit_only) {
    Scene scene;
    scene.conversations = {conversation()};
    scene.facts = {fact(FactKind::suppressed, data(), 0), fact(FactKind::suppressed, data(), 1)};
    EXPECT_EQ(told_of(scene).told, Behaviours{});
    scene.facts.push_back(fact(FactKind::suppressed, data(), 2));
    EXPECT_EQ(told_of(scene).told, Behaviours(3, retransmission_suppressed));
    scene.conversations[0].ways[0].lost_beyond = 3;  // as many were sent on
    EXPECT_EQ(told_of(scene).told, Behaviours{});
}

TEST(Classify, repeats_that_were_waited_for_are_lost_packets_where_none_is_held_back_by_habit) {
    Scene scene;
    scene.conversations = {conversation()};
    for (int i = 0; i < 3; ++i) {
        scene.facts.push_back(fact(FactKind::suppressed, data(), i));
        scene.facts.back().proof = Proof::no_copy_leaves;
    }
    EXPECT_EQ(told_of(scene).told, Behaviours(3, retransmission_suppressed));
    scene.facts.pop_back();
    EXPECT_EQ(told_of(scene).told, Behaviours(2, packet_dropped));
}

TEST(Classify, where_packets_are_lost_nobody_holds_repeats_back) {
    Scene scene;
    scene.conversations = {conversation()};
    scene.facts = {fact(FactKind::suppressed, data(), 0), fact(FactKind::suppressed, data(), 1),
                   fact(FactKind::suppressed, data(), 2), lost(data(), 3)};
    EXPECT_EQ(told_of(scene).told, Behaviours{packet_dropped});
}

TEST(Classify, one_answer_that_nobody_sent_may_be_a_miss_several_are_not) {
    Scene scene;
    for (std::uint64_t id = 1; id <= 2; ++id) {
        scene.facts.push_back(fact(FactKind::injected, packet(flag::kSyn | flag::kAck), 0, id));
    }
    EXPECT_EQ(classify(scene.cases(), {})[0].grade, Grade::probable);
    scene.facts.push_back(fact(FactKind::injected, packet(flag::kSyn | flag::kAck), 0, 3));
    EXPECT_EQ(classify(scene.cases(), {})[0].grade, Grade::proven);
}

TEST(Classify, what_a_proxy_does_to_packets_is_no_behaviour_of_its_own) {
    Scene scene;
    scene.conversations = {conversation()};
    scene.conversations[0].pairing = taps::Pairing::byte_stream;
    scene.facts = {fact(FactKind::resegmented, data(), 0), lost(data(), 1)};
    EXPECT_EQ(told_of(scene).told, Behaviours{packet_dropped});
    scene.conversations[0].pairing = taps::Pairing::same_tuple;
    EXPECT_EQ(told_of(scene).told, (Behaviours{resegmented, packet_dropped}));
}

// --- lessons

Lesson lesson(Behaviour behaviour, std::vector<std::uint32_t> explained) {
    Lesson made;
    made.behaviour = behaviour;
    made.explained = std::move(explained);
    return made;
}

TEST(Classify, what_a_lesson_explains_is_told_as_that) {
    Scene scene;
    scene.facts = {lost(data(), 0), lost(data(), 1)};
    EXPECT_EQ(told_of(scene, {lesson(idle_timeout, {1})}).told,
              (Behaviours{packet_dropped, idle_timeout}));
}

TEST(Classify, of_two_lessons_the_more_specific_tells_it_whatever_their_order) {
    Scene scene;
    scene.facts = {lost(data(), 0)};
    const Lesson rate = lesson(rate_limited, {0});
    const Lesson size = lesson(pmtud_black_hole, {0});
    EXPECT_EQ(told_of(scene, {rate, size}).told, Behaviours{pmtud_black_hole});
    EXPECT_EQ(told_of(scene, {size, rate}).told, Behaviours{pmtud_black_hole});
}

TEST(Classify, of_two_lessons_the_better_proven_tells_it) {
    Scene scene;
    scene.facts = {lost(data(), 0)};
    Lesson size = lesson(pmtud_black_hole, {0});
    size.grade_max = Grade::probable;
    EXPECT_EQ(told_of(scene, {size, lesson(idle_timeout, {0})}).told, Behaviours{idle_timeout});
}

TEST(Classify, a_lesson_cannot_take_what_a_packet_shows_beyond_doubt) {
    Scene scene;
    scene.facts = {fact(FactKind::altered, data(), 0)};
    EXPECT_EQ(told_of(scene, {lesson(rate_limited, {0})}).told, Behaviours{payload_altered});
}

TEST(Classify, a_lesson_lowers_grades_and_never_raises_them) {
    Scene scene;
    scene.facts = {lost(data(), 0, 1), lost(data(), 1, 2)};
    scene.facts[1].grade = Grade::probable;
    Lesson weak = lesson(idle_timeout, {0, 1});
    const Cases cases = scene.cases();
    EXPECT_EQ(classify(cases, std::vector{weak})[0].grade, Grade::proven);
    EXPECT_EQ(classify(cases, std::vector{weak})[1].grade, Grade::probable);
    weak.grade_max = Grade::probable;
    EXPECT_EQ(classify(cases, std::vector{weak})[0].grade, Grade::probable);
}

TEST(Classify, what_one_connection_alone_teaches_is_probable) {
    Scene scene;
    scene.facts = {lost(data(), 0, 1), lost(data(), 1, 1)};
    for (const Behaviour behaviour : {idle_timeout, half_close_cut}) {
        EXPECT_EQ(classify(scene.cases(), std::vector{lesson(behaviour, {0, 1})})[0].grade,
                  Grade::probable);
    }
    EXPECT_EQ(classify(scene.cases(), std::vector{lesson(rate_limited, {0, 1})})[0].grade,
              Grade::proven);
}

// --- traits

TEST(Traits, a_connection_that_passes_unchanged_has_none) {
    const Traits traits = traits_of(conversation());
    EXPECT_FALSE(traits.syn_proxy || traits.tcp_proxy || traits.isn_rewritten ||
                 traits.mss_clamped || traits.mss_raised || traits.options_stripped ||
                 traits.options_disagree || traits.undelivered);
}

taps::WayCounts& of_client(taps::Conversation& one) {
    return one.ways[taps::index(Way::inward)];
}
taps::WayCounts& of_server(taps::Conversation& one) {
    return one.ways[taps::index(Way::outward)];
}

TEST(Traits, mss_lowered_and_raised) {
    taps::Conversation one = conversation();
    of_client(one).mss_left = 1200;
    EXPECT_TRUE(traits_of(one).mss_clamped);
    EXPECT_FALSE(traits_of(one).mss_raised);
    of_client(one).mss_left = 1461;
    EXPECT_TRUE(traits_of(one).mss_raised);
    of_client(one).mss_left = 0;  // taken off: not the MSS's matter
    EXPECT_FALSE(traits_of(one).mss_raised || traits_of(one).mss_clamped);
}

TEST(Traits, numbers_rewritten_either_way) {
    taps::Conversation one = conversation();
    of_client(one).isn_left = 78;  // a later SYN of the same ports, which did not leave
    EXPECT_FALSE(traits_of(one).isn_rewritten);
    one.pairing = taps::Pairing::same_tuple_isn;
    EXPECT_TRUE(traits_of(one).isn_rewritten);
    of_client(one).isn_known = false;
    EXPECT_FALSE(traits_of(one).isn_rewritten);
}

TEST(Traits, options_taken_off_both_leave_the_ends_agreeing) {
    taps::Conversation one = conversation();
    const auto without = static_cast<std::uint16_t>(of_client(one).options_entered &
                                                    ~taps::option_bit::kWindowScale);
    of_client(one).options_left = without;
    of_server(one).options_entered = without;  // the server answers what it got
    of_server(one).options_left = without;
    EXPECT_TRUE(traits_of(one).options_stripped);
    EXPECT_FALSE(traits_of(one).options_disagree);
}

TEST(Traits, options_taken_off_the_syn_ack_alone_make_the_ends_disagree) {
    taps::Conversation one = conversation();
    of_server(one).options_left =
        static_cast<std::uint16_t>(of_server(one).options_left & ~taps::option_bit::kWindowScale);
    EXPECT_TRUE(traits_of(one).options_disagree);
    EXPECT_FALSE(traits_of(one).options_stripped);
    one = conversation();  // an option that nothing hangs on
    of_server(one).options_entered |= taps::option_bit::kFastOpen;
    EXPECT_FALSE(traits_of(one).options_disagree);
}

TEST(Traits, syn_proxy_by_the_servers_numbers_and_options_never_by_one_alone) {
    taps::Conversation one = conversation();
    of_server(one).isn_left = 78;
    EXPECT_FALSE(traits_of(one).syn_proxy);
    EXPECT_TRUE(traits_of(one).isn_rewritten);
    of_server(one).scale_left = 9;
    EXPECT_TRUE(traits_of(one).syn_proxy);
    EXPECT_FALSE(traits_of(one).isn_rewritten);
    one = conversation();
    of_server(one).scale_left = 9;
    EXPECT_FALSE(traits_of(one).syn_proxy);
}

TEST(Traits, an_answer_by_the_firewall_counts_only_where_both_taps_know_the_connection) {
    taps::Conversation one = conversation();
    one.outcome = taps::Outcome::answered_by_firewall;
    EXPECT_TRUE(traits_of(one).syn_proxy);
    one.pairing = taps::Pairing::unpaired;  // translated, and not recognised
    EXPECT_FALSE(traits_of(one).syn_proxy);
}

TEST(Traits, tcp_proxy_is_proven_by_early_acks_and_probable_by_numbers_and_options) {
    taps::Conversation one = conversation();
    one.pairing = taps::Pairing::same_tuple_isn;
    of_client(one).isn_left = 78;
    of_server(one).isn_left = 79;
    EXPECT_FALSE(traits_of(one).tcp_proxy);
    one.acknowledged_early[0] = 500;
    EXPECT_TRUE(traits_of(one).tcp_proxy);
    EXPECT_EQ(traits_of(one).grade, Grade::proven);
    one.acknowledged_early[0] = 0;
    of_server(one).scale_left = 9;
    EXPECT_TRUE(traits_of(one).tcp_proxy);
    EXPECT_EQ(traits_of(one).grade, Grade::probable);
    of_client(one).scale_left = 9;
    EXPECT_EQ(traits_of(one).grade, Grade::proven);
}

TEST(Traits, two_connections_with_the_same_bytes_are_a_proxys_if_the_client_was_answered_ahead) {
    taps::Conversation one = conversation();
    one.pairing = taps::Pairing::byte_stream;
    EXPECT_TRUE(traits_of(one).tcp_proxy);
    EXPECT_EQ(traits_of(one).grade, Grade::probable);
    one.answered_ahead = 5 * kMillisecond;
    EXPECT_EQ(traits_of(one, kMillisecond).grade, Grade::proven);
    EXPECT_EQ(traits_of(one, 2 * kMillisecond).grade, Grade::probable);
    of_server(one).scale_left = 9;  // an end's own
    EXPECT_EQ(traits_of(one, 2 * kMillisecond).grade, Grade::proven);
    EXPECT_FALSE(traits_of(one).isn_rewritten || traits_of(one).undelivered);
    one.undelivered[0] = 100;
    EXPECT_TRUE(traits_of(one).undelivered);
    EXPECT_EQ(traits_of(one).undelivered_grade, Grade::proven);
}

TEST(Traits, numbers_made_random_beside_a_clamp_and_stripped_options_are_no_proxy) {
    taps::Conversation one = conversation();
    one.pairing = taps::Pairing::same_tuple_isn;
    for (taps::WayCounts& way : one.ways) {
        way.isn_left = 99;
        way.mss_left = 1380;
        way.options_left = taps::option_bit::kMss | taps::option_bit::kWindowScale;
    }
    const Traits traits = traits_of(one);
    EXPECT_FALSE(traits.tcp_proxy || traits.syn_proxy);
    EXPECT_TRUE(traits.isn_rewritten && traits.mss_clamped && traits.options_stripped);
}

TEST(Traits, an_early_ack_alone_is_one_that_the_capture_missed) {
    taps::Conversation one = conversation();
    one.acknowledged_early[0] = 500;
    EXPECT_FALSE(traits_of(one).tcp_proxy);
    EXPECT_FALSE(traits_of(one).undelivered);
}

TEST(Traits, acknowledged_and_never_delivered_where_a_proxy_died) {
    taps::Conversation one = conversation();
    one.pairing = taps::Pairing::same_tuple_isn;
    of_client(one).isn_left = 78;
    of_server(one).isn_left = 79;
    one.acknowledged_early[0] = 500;
    EXPECT_FALSE(traits_of(one).undelivered);
    one.ending = taps::Ending::reset_by_server;
    EXPECT_TRUE(traits_of(one).undelivered);
}

}  // namespace
}  // namespace tw::firewall
