// SPDX-License-Identifier: BSD-3-Clause
#include "app/option_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tw;
using app::set_option;
using app::set_timeouts;
using testing::HasSubstr;

TEST(OptionText, a_value_is_parsed_by_its_row) {
    config::Config config;
    ASSERT_TRUE(set_option(config, "analysis.direction_skew", "--direction-skew", "7ms"));
    EXPECT_EQ(config.analysis.direction_skew, 7 * kMillisecond);
}

TEST(OptionText, a_list_replaces_its_default) {
    config::Config config;
    ASSERT_TRUE(set_option(config, "analysis.decap", "--decap", "vlan,gre"));
    EXPECT_EQ(config.analysis.decap,
              static_cast<unsigned>(Decap::vlan) | static_cast<unsigned>(Decap::gre));
}

TEST(OptionText, a_refused_value_names_option_value_and_what_is_allowed) {
    config::Config config;
    const auto refused = set_option(config, "analysis.decap", "--decap", "vlan,ipx");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ExitCode::operator_mistake);
    EXPECT_THAT(refused.error().text, HasSubstr("--decap: ipx is not allowed; allowed: "));
    EXPECT_THAT(refused.error().text, HasSubstr("geneve"));
}

TEST(OptionText, timeouts_that_are_not_named_keep_their_default) {
    config::Config config;
    const FlowTimeouts defaults;
    ASSERT_TRUE(set_timeouts(config, "closing=1s,established=2m"));
    EXPECT_EQ(config.flows.timeouts.closing, kSecond);
    EXPECT_EQ(config.flows.timeouts.established, 120 * kSecond);
    EXPECT_EQ(config.flows.timeouts.embryonic, defaults.embryonic);
}

TEST(OptionText, timeouts_need_a_known_name_and_a_value) {
    config::Config config;
    for (const char* text : {"", "5s", "idle=5s", "closing", "closing=", "closing=1s,", "=1s"}) {
        EXPECT_FALSE(set_timeouts(config, text)) << text;
    }
}

}  // namespace
