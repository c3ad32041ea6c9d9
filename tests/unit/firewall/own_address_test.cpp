// SPDX-License-Identifier: BSD-3-Clause
// What leaves from the firewall's own address is the firewall's, and nothing else becomes so.
#include "firewall/own_address.hpp"

#include <gtest/gtest.h>

#include "firewall/investigation.hpp"
#include "unit/firewall/fact_sample.hpp"

namespace tw::firewall {
namespace {

using namespace sample;

constexpr std::array<std::uint8_t, 4> kOwn{192, 0, 2, 1};

[[nodiscard]] Policy with_address() {
    Policy policy;
    policy.addresses = {endpoint(kOwn, 0)};
    return policy;
}

// An error that goes outward; probable, as one tap alone shows it.
[[nodiscard]] Fact error_from(std::array<std::uint8_t, 4> source, std::vector<Side> seen_at) {
    Fact made = icmp(3, 13, 1000, seen_at);
    made.grade = Grade::probable;
    made.proof = Proof::nothing_decides;
    made.single_fault = true;
    std::copy(source.begin(), source.end(), made.packet.icmp_source.begin());
    return made;
}

TEST(OwnAddress, an_error_that_leaves_from_it_is_the_firewalls_beyond_doubt) {
    const Fact own = attributed(with_address(), error_from(kOwn, {Side::outside}));
    EXPECT_EQ(own.grade, Grade::proven);
    EXPECT_EQ(own.proof, Proof::own_address);
    EXPECT_FALSE(own.single_fault);
    EXPECT_EQ(behaviour_of(own), Behaviour::rejected_by_icmp);
}

TEST(OwnAddress, other_sources_and_errors_that_entered_stay_as_they_are) {
    for (const Fact& other :
         {error_from({192, 0, 2, 99}, {Side::outside}), error_from(kOwn, {Side::inside}),
          error_from(kOwn, {Side::outside, Side::inside})}) {
        EXPECT_EQ(attributed(with_address(), other).grade, Grade::probable);
        EXPECT_EQ(attributed(with_address(), other).proof, Proof::nothing_decides);
    }
    EXPECT_EQ(attributed(Policy{}, error_from(kOwn, {Side::outside})).grade, Grade::probable);
}

// Of a connection to 192.0.2.1:443 that only the outside tap knows, or that is translated.
[[nodiscard]] Fact reset_from(bool translated) {
    Fact made = reset_to_client();
    made.grade = Grade::probable;
    made.server[taps::index(Side::outside)] = endpoint(kOwn, 443);
    if (!translated) {
        made.client[taps::index(Side::inside)] = {};
        made.server[taps::index(Side::inside)] = {};
    }
    return made;
}

TEST(OwnAddress, a_reset_of_a_connection_to_the_firewall_itself_is_its_own) {
    EXPECT_EQ(attributed(with_address(), reset_from(false)).grade, Grade::proven);
    EXPECT_EQ(attributed(with_address(), reset_from(false)).proof, Proof::own_address);
}

TEST(OwnAddress, behind_a_translated_address_another_host_may_have_sent_the_reset) {
    EXPECT_EQ(attributed(with_address(), reset_from(true)).grade, Grade::probable);
}

TEST(OwnAddress, the_investigation_goes_by_it) {
    const Policy policy = with_address();
    Investigation investigation(policy, {});
    investigation.add(error_from(kOwn, {Side::outside}));
    const auto notice = investigation.next_notice();
    ASSERT_TRUE(notice);
    EXPECT_EQ(notice->grade, Grade::proven);
    EXPECT_EQ(notice->behaviour, Behaviour::rejected_by_icmp);
}

}  // namespace
}  // namespace tw::firewall
