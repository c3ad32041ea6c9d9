// SPDX-License-Identifier: BSD-3-Clause
#include "config/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace tw::config {
namespace {

struct Objects {
    Config config;
    Port port;
    Tap tap;
    Translation translation;
    Named named;
    RuleKeys rule;
    Target target{&config, &port, &tap, &translation, &named, &rule};
};

TEST(OptionTable, paths_are_unique) {
    std::set<std::string_view> paths;
    for (const OptionInfo& info : option_table()) {
        EXPECT_TRUE(paths.insert(info.path).second) << info.path;
    }
}

TEST(OptionTable, every_row_explains_itself) {
    for (const OptionInfo& info : option_table()) {
        EXPECT_FALSE(info.help.empty()) << info.path;
        EXPECT_EQ(info.help.find('\n'), std::string_view::npos) << info.path;
        EXPECT_FALSE(kind_name(info.kind).empty()) << info.path;
        EXPECT_FALSE(info.fallback.empty()) << info.path;
        if (info.later.empty()) {
            EXPECT_FALSE(info.allowed.empty()) << info.path;
            EXPECT_TRUE(info.set && info.render) << info.path;
            EXPECT_EQ(static_cast<bool>(info.clear), is_list(info.kind)) << info.path;
        } else {
            EXPECT_FALSE(info.set || info.render) << info.path;
        }
    }
}

TEST(OptionTable, sections_stand_together) {
    std::set<std::string_view> closed;
    std::string_view open;
    for (const OptionInfo& info : option_table()) {
        const std::string_view section = info.path.substr(0, info.path.find_first_of(".["));
        if (section != open) {
            EXPECT_TRUE(closed.insert(section).second) << info.path << " is away from its section";
            open = section;
        }
    }
}

TEST(OptionTable, accepts_what_it_prints_and_prints_it_again) {
    for (const OptionInfo& info : option_table()) {
        if (!info.set || is_list(info.kind) || info.kind == Kind::text) {
            continue;
        }
        Objects objects;
        EXPECT_TRUE(info.set(objects.target, info.fallback)) << info.path << " " << info.fallback;
        EXPECT_EQ(info.render(objects.target), info.fallback) << info.path;
    }
}

TEST(OptionTable, refuses_nonsense_in_every_row_with_limits) {
    for (const OptionInfo& info : option_table()) {
        // What names are allowed in is for validate.cpp to say.
        const bool names =
            info.kind == Kind::text || info.kind == Kind::text_list || info.kind == Kind::pair_list;
        if (info.set && !names) {
            Objects objects;
            EXPECT_FALSE(info.set(objects.target, "nonsense")) << info.path;
            EXPECT_FALSE(info.set(objects.target, "")) << info.path;
        }
    }
}

TEST(OptionTable, numbers_end_at_the_limits_they_print) {
    for (const OptionInfo& info : option_table()) {
        if (info.kind != Kind::integer && info.kind != Kind::duration) {
            continue;
        }
        if (!info.later.empty()) {
            continue;
        }
        const std::size_t bar = info.allowed.find("| ");
        const std::string range =
            bar == std::string::npos ? info.allowed : info.allowed.substr(bar + 2);
        const std::size_t dots = range.find("..");
        ASSERT_NE(dots, std::string::npos) << info.path;
        Objects objects;
        EXPECT_TRUE(info.set(objects.target, range.substr(0, dots))) << info.path;
        EXPECT_TRUE(info.set(objects.target, range.substr(dots + 2))) << info.path;
        EXPECT_FALSE(info.set(objects.target, "9223372036854775807")) << info.path;
        EXPECT_FALSE(info.set(objects.target, "9223372036854775807ns")) << info.path;
    }
}

TEST(OptionTable, a_list_forgets_its_default) {
    const auto table = option_table();
    for (const OptionInfo& info : table) {
        if (info.clear) {
            Objects objects;
            info.clear(objects.target);
            EXPECT_EQ(info.render(objects.target), "[]") << info.path;
        }
    }
}

TEST(OptionTable, text_ends_at_a_zero_byte_and_at_four_kilobytes) {
    for (const OptionInfo& info : option_table()) {
        if (info.set && (info.kind == Kind::text || info.kind == Kind::text_list)) {
            Objects objects;
            EXPECT_FALSE(info.set(objects.target, std::string(1, '\0'))) << info.path;
            EXPECT_TRUE(info.set(objects.target, std::string(4096, 'a'))) << info.path;
            EXPECT_FALSE(info.set(objects.target, std::string(4097, 'a'))) << info.path;
        }
    }
}

}  // namespace
}  // namespace tw::config
