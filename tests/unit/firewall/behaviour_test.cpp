// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/behaviour.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "firewall/gates.hpp"

namespace tw::firewall {
namespace {

TEST(BehaviourTable, names_are_distinct_and_of_stable_form) {
    std::set<std::string_view> names;
    for (const BehaviourInfo& row : behaviour_table()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos)
            << row.name;
        EXPECT_EQ(name(row.id), row.name);
    }
}

TEST(BehaviourTable, every_section_of_the_catalogue_has_a_behaviour) {
    std::set<int> sections;
    for (const BehaviourInfo& row : behaviour_table()) {
        sections.insert(row.section);
    }
    for (int section = 0; section <= 25; ++section) {
        EXPECT_TRUE(sections.contains(section)) << section;
    }
    EXPECT_EQ(sections.size(), 26U);
}

TEST(BehaviourTable, what_weighs_something_says_what_to_look_at) {
    for (const BehaviourInfo& row : behaviour_table()) {
        EXPECT_FALSE(row.words.empty()) << row.name;
        EXPECT_FALSE(row.sentence.empty()) << row.name;
        EXPECT_FALSE(row.help.empty()) << row.name;
        EXPECT_EQ(row.advice.empty(), row.weight == Weight::benign) << row.name;
    }
}

TEST(DoubtTable, names_are_distinct_and_each_says_what_to_do) {
    std::set<std::string_view> names;
    for (const DoubtInfo& row : doubt_table()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_FALSE(row.help.empty()) << row.name;
        EXPECT_FALSE(row.advice.empty()) << row.name;
    }
}

}  // namespace
}  // namespace tw::firewall
