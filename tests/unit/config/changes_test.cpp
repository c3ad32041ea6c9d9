// SPDX-License-Identifier: BSD-3-Clause
#include "config/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/load.hpp"
#include "config/options.hpp"

namespace tw::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

[[nodiscard]] Config loaded(const std::string& text) {
    auto config = load_text(text, "file");
    EXPECT_TRUE(config) << config.error().front().text;
    return config.value_or(Config{});
}

[[nodiscard]] std::vector<std::string> told(const Config& before, const Config& after) {
    std::vector<std::string> lines;
    for (const Change& change : changes(before, after)) {
        lines.push_back(change.key + ": " + change.before + " -> " + change.after +
                        (change.live ? "" : " (restart)"));
    }
    return lines;
}

constexpr const char* kPort = "ports: [{device: net_ring0}]\n";

// Every live key with a value that is not its default.
constexpr const char* kEveryLiveKey = R"(
ports: [{device: net_ring0, tap: core}]
taps: {core: {direction_skew: 7ms}}
flows: {timeouts: {enabled: false, embryonic: 1s, established: 2s, closing: 3s}}
analysis: {direction_skew: 9ms}
filter: udp
outputs: {events: {path: events}, flows: {path: flows}}
log: {level: debug, path: log, interval: 3s}
)";

TEST(Changes, equal_files_differ_in_nothing) {
    EXPECT_THAT(told(loaded(kEveryLiveKey), loaded(kEveryLiveKey)), IsEmpty());
}

TEST(Changes, order_and_spelling_of_a_file_do_not_matter) {
    EXPECT_THAT(told(loaded("ports: [{device: net_ring0}]\nlog: {interval: 1s}\nfilter: tcp"),
                     loaded("filter: 'tcp'\nlog: {interval: 1000ms}\nports:\n- device: net_ring0")),
                IsEmpty());
}

TEST(Changes, each_key_comes_with_both_values_and_what_it_takes) {
    EXPECT_THAT(told(loaded(kPort),
                     loaded(std::string(kPort) + "workers: {cores: [0, 0]}\nlog: {level: debug}")),
                ElementsAre("workers.cores: [0] -> [0, 0] (restart)", "log.level: info -> debug"));
}

TEST(Changes, ports_are_told_apart_by_place) {
    const Config two = loaded("ports: [{device: net_ring0}, {device: net_null0}]");
    EXPECT_THAT(told(two, loaded("ports: [{device: net_ring0, descriptors: 128}]")),
                ElementsAre("ports[0].descriptors: auto -> 128 (restart)",
                            "ports[1]: net_null0 ->  (restart)"));
    EXPECT_THAT(told(loaded(kPort), two), ElementsAre("ports[1]:  -> net_null0 (restart)"));
}

TEST(Changes, tap_that_is_not_written_has_the_defaults) {
    const Config plain = loaded("ports: [{device: net_ring0, tap: core}]");
    EXPECT_THAT(told(plain, loaded("ports: [{device: net_ring0, tap: core}]\n"
                                   "taps: {core: {direction_skew: inherit, vlan_key: true}}")),
                ElementsAre("taps.core.vlan_key: false -> true (restart)"));
}

TEST(TakeLive, every_live_key_is_taken_over_and_no_other) {
    const Config before = loaded("ports: [{device: net_ring0, tap: core}]");
    Config after = loaded(kEveryLiveKey);
    std::size_t live_keys = 0;
    for (const OptionInfo& info : option_table()) {
        live_keys += info.live ? 1 : 0;
    }
    EXPECT_EQ(changes(before, after).size(), live_keys) << "kEveryLiveKey is not complete";

    after.workers.cores = {0, 0};
    after.taps["core"].vlan_key = true;
    Config running = before;
    take_live(running, after);
    EXPECT_THAT(told(running, after), ElementsAre("taps.core.vlan_key: false -> true (restart)",
                                                  "workers.cores: [0] -> [0, 0] (restart)"));
}

TEST(TakeLive, what_is_no_longer_written_goes_back_to_its_default) {
    const Config before = loaded("ports: [{device: net_ring0, tap: core}]");
    Config running = loaded(kEveryLiveKey);
    take_live(running, before);
    EXPECT_THAT(told(running, before), IsEmpty());
}

}  // namespace
}  // namespace tw::config
