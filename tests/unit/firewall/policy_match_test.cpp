// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/policy_match.hpp"

#include <gtest/gtest.h>

#include "unit/firewall/policy_sample.hpp"

namespace tw::firewall {
namespace {

using taps::Outcome;
using taps::Side;
using test::at;
using test::conversation;
using test::rule_of;
using test::sample_policy;

[[nodiscard]] std::string matched(const Policy& policy, const taps::Conversation& conversation) {
    const auto found = match_rule(policy, conversation);
    return found ? found->rule->name : "";
}

TEST(MatchRule, the_first_that_fits_wins) {
    Policy policy = sample_policy();
    policy.rules = {rule_of("ssh", Expect::drop), rule_of("web", Expect::pass),
                    rule_of("rest", Expect::drop)};
    policy.rules[0].services = {1};
    policy.rules[1].destinations = {0};
    EXPECT_EQ(matched(policy, conversation(Outcome::established, 22)), "ssh");
    EXPECT_EQ(matched(policy, conversation(Outcome::established, 443)), "web");
    taps::Conversation other = conversation(Outcome::established);
    other.server = {at(10, 20, 1, 10, 443), at(10, 20, 1, 10, 443)};
    EXPECT_EQ(matched(policy, other), "rest");
}

TEST(MatchRule, what_no_rule_names_falls_to_the_default_of_its_direction) {
    Policy policy = sample_policy();
    policy.rules = {rule_of("ssh", Expect::drop)};
    policy.rules[0].services = {1};
    policy.defaults = {rule_of("out", Expect::pass), rule_of("in", Expect::drop)};
    policy.defaults[0].from = Side::inside;
    taps::Conversation inward = conversation(Outcome::established);
    const auto found = match_rule(policy, inward);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->is_default);
    EXPECT_EQ(found->row, 2U);
    taps::Conversation outward = inward;
    outward.client_side = Side::inside;
    EXPECT_EQ(matched(policy, outward), "out");
    policy.defaults.pop_back();
    EXPECT_FALSE(match_rule(policy, inward));
}

TEST(MatchRule, the_source_is_the_client_at_its_own_tap) {
    Policy policy = sample_policy();
    policy.rules = {rule_of("mgmt", Expect::pass)};
    policy.rules[0].from = Side::inside;
    policy.rules[0].sources = {1};
    taps::Conversation outward = conversation(Outcome::established);
    outward.client_side = Side::inside;
    outward.client = {at(192, 0, 2, 1, 4000), at(10, 99, 0, 5, 4000)};  // source NAT
    EXPECT_EQ(matched(policy, outward), "mgmt");
    outward.client = {at(10, 99, 0, 5, 4000), at(192, 0, 2, 1, 4000)};
    EXPECT_EQ(matched(policy, outward), "");
}

TEST(MatchRule, a_translated_server_goes_by_both_its_names) {
    Policy policy = sample_policy();
    policy.rules = {rule_of("web", Expect::pass)};
    policy.rules[0].destinations = {0};
    policy.rules[0].services = {0};
    taps::Conversation seen = conversation(Outcome::established);
    seen.server = {at(192, 0, 2, 80, 8443), at(10, 20, 0, 10, 443)};
    EXPECT_EQ(matched(policy, seen), "web");
    policy.networks[0].prefixes[0] = {at(192, 0, 2, 80, 0).address, 32, false};
    policy.services[0].ports[0] = {8443, 8443};
    EXPECT_EQ(matched(policy, seen), "web");
    // Address of one name and port of the other are nobody's.
    policy.services[0].ports[0] = {443, 443};
    EXPECT_EQ(matched(policy, seen), "");
}

TEST(MatchRule, a_hint_names_a_server_that_only_the_outside_saw) {
    Policy policy = sample_policy();
    policy.rules = {rule_of("web", Expect::pass)};
    policy.rules[0].destinations = {0};
    policy.rules[0].services = {0};
    taps::Conversation dropped = conversation(Outcome::syn_dropped);
    dropped.server[0] = at(192, 0, 2, 80, 8443);
    EXPECT_EQ(matched(policy, dropped), "");
    policy.nat = {{at(10, 20, 0, 10, 443), at(192, 0, 2, 80, 8443)}};
    EXPECT_EQ(matched(policy, dropped), "web");
    policy.nat = {{at(10, 20, 0, 10, 0), at(192, 0, 2, 80, 0)}};
    dropped.server[0].port = 443;
    EXPECT_EQ(matched(policy, dropped), "web");
    dropped.server[0].port = 444;
    EXPECT_EQ(matched(policy, dropped), "");
}

TEST(MatchRule, families_do_not_mix) {
    Policy policy = sample_policy();
    policy.networks[0].prefixes = {{{}, 0, false}};
    policy.rules = {rule_of("any IPv4", Expect::pass)};
    policy.rules[0].destinations = {0};
    taps::Conversation six = conversation(Outcome::established);
    six.server[0].v6 = six.server[1].v6 = true;
    EXPECT_EQ(matched(policy, six), "");
    policy.networks[0].prefixes.push_back({{}, 0, true});
    EXPECT_EQ(matched(policy, six), "any IPv4");
}

}  // namespace
}  // namespace tw::firewall
