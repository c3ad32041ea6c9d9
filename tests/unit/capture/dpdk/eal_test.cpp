// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/eal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "unit/capture/dpdk/live_environment.hpp"

namespace tw::dpdk {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

[[nodiscard]] EalOptions options_with(std::vector<std::uint32_t> worker_cpus, bool dispatcher) {
    EalOptions options;
    options.worker_cpus = std::move(worker_cpus);
    options.dispatcher = dispatcher;
    options.memory_bytes = std::uint64_t{300} << 20;
    return options;
}

[[nodiscard]] std::vector<std::string> arguments_for(const EalOptions& options, Memory memory) {
    const std::vector<std::uint32_t> cpus{0, 1, 2, 3};
    return eal_arguments(options, *place_threads(options, cpus), memory, 4711);
}

[[nodiscard]] std::string value_after(const std::vector<std::string>& arguments,
                                      const std::string& name) {
    const auto found = std::find(arguments.begin(), arguments.end(), name);
    return found == arguments.end() || found + 1 == arguments.end() ? "" : *(found + 1);
}

TEST(PlaceThreads, spare_cpus_go_to_dispatcher_then_control) {
    const std::vector<std::uint32_t> cpus{4, 5, 6, 7};
    const auto placement = place_threads(options_with({6, 7}, true), cpus);
    ASSERT_TRUE(placement);
    EXPECT_THAT(placement->worker_cpus, ElementsAre(6, 7));
    EXPECT_THAT(placement->dispatcher_cpus, ElementsAre(4));
    EXPECT_THAT(placement->control_cpus, ElementsAre(5));
    EXPECT_FALSE(placement->crowded);
}

TEST(PlaceThreads, without_dispatcher_control_gets_all_spare_cpus) {
    const std::vector<std::uint32_t> cpus{0, 1, 2};
    const auto placement = place_threads(options_with({1}, false), cpus);
    ASSERT_TRUE(placement);
    EXPECT_TRUE(placement->dispatcher_cpus.empty());
    EXPECT_THAT(placement->control_cpus, ElementsAre(0, 2));
}

TEST(PlaceThreads, repeated_cpus_are_crowded) {
    const std::vector<std::uint32_t> cpus{0, 1, 2};
    const auto placement = place_threads(options_with({1, 1}, false), cpus);
    ASSERT_TRUE(placement);
    EXPECT_THAT(placement->worker_cpus, ElementsAre(1, 1));
    EXPECT_TRUE(placement->crowded);
}

TEST(PlaceThreads, no_spare_cpu_means_everyone_everywhere_and_crowded) {
    const std::vector<std::uint32_t> cpus{0, 1};
    const auto placement = place_threads(options_with({0, 1}, true), cpus);
    ASSERT_TRUE(placement);
    EXPECT_THAT(placement->dispatcher_cpus, ElementsAre(0, 1));
    EXPECT_THAT(placement->control_cpus, ElementsAre(0, 1));
    EXPECT_TRUE(placement->crowded);
}

TEST(PlaceThreads, cpu_of_others_is_refused_with_the_allowed_ones) {
    const std::vector<std::uint32_t> cpus{2, 3};
    const auto placement = place_threads(options_with({2, 5}, false), cpus);
    ASSERT_FALSE(placement);
    EXPECT_THAT(placement.error().text, HasSubstr("CPU 5"));
    EXPECT_THAT(placement.error().text, HasSubstr("allowed: 2, 3"));
    EXPECT_EQ(placement.error().code, ExitCode::operator_mistake);
}

TEST(PlaceThreads, more_threads_than_dpdk_has_are_refused) {
    const std::vector<std::uint32_t> cpus{0};
    EXPECT_FALSE(place_threads(options_with(std::vector<std::uint32_t>(128, 0), false), cpus));
}

TEST(ChooseMemory, pci_device_without_huge_pages_is_refused_with_the_command_that_helps) {
    EalOptions options = options_with({0}, false);
    options.pci_devices = {"0000:3b:00.0,mprq_en=1"};
    const auto refused = choose_memory(options, std::uint64_t{100} << 20);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text,
              "PCI device 0000:3b:00.0 needs huge pages: 301 MiB, of which 100 MiB are free; "
              "reserve them with: dpdk-hugepages.py --setup 302M");
    EXPECT_EQ(choose_memory(options, std::uint64_t{300} << 20), Memory::huge_pages);
}

TEST(ChooseMemory, virtual_devices_do_without_huge_pages) {
    const EalOptions options = options_with({0}, false);
    EXPECT_EQ(choose_memory(options, 0), Memory::ordinary);
    EXPECT_EQ(choose_memory(options, std::uint64_t{300} << 20), Memory::huge_pages);
}

TEST(ChooseMemory, extra_arguments_decide) {
    EalOptions options = options_with({0}, false);
    options.extra_arguments = {"--no-huge"};
    EXPECT_EQ(choose_memory(options, std::uint64_t{300} << 20), Memory::ordinary);
    options.extra_arguments = {"--in-memory"};
    EXPECT_EQ(choose_memory(options, 0), Memory::huge_pages);
}

TEST(EalArguments, cpus_repeat_and_need_not_start_at_zero) {
    const auto arguments = arguments_for(options_with({3, 3}, true), Memory::ordinary);
    EXPECT_EQ(value_after(arguments, "--lcores"), "0@(1,2),1@3,2@3,3@(0)");
}

TEST(EalArguments, without_pci_devices_none_is_looked_at) {
    const auto arguments = arguments_for(options_with({0}, false), Memory::ordinary);
    EXPECT_THAT(arguments, Contains("--no-pci"));
    EXPECT_THAT(arguments, Not(Contains("-a")));
}

TEST(EalArguments, pci_devices_are_an_allow_list) {
    EalOptions options = options_with({0}, false);
    options.pci_devices = {"0000:3b:00.0", "0000:3b:00.1,mprq_en=1"};
    const auto arguments = arguments_for(options, Memory::huge_pages);
    EXPECT_THAT(arguments, Not(Contains("--no-pci")));
    EXPECT_EQ(std::count(arguments.begin(), arguments.end(), "-a"), 2);
    EXPECT_THAT(arguments, Contains("0000:3b:00.1,mprq_en=1"));
}

TEST(EalArguments, ordinary_memory_is_sized_from_need) {
    const auto arguments = arguments_for(options_with({0}, false), Memory::ordinary);
    EXPECT_THAT(arguments, Contains("--no-huge"));
    EXPECT_THAT(arguments, Contains("--no-shconf"));
    EXPECT_THAT(arguments, Not(Contains("--in-memory"))) << "22.11 refuses both together";
    EXPECT_EQ(value_after(arguments, "-m"), "601") << "a buffer takes an ordinary page for itself";
}

TEST(EalArguments, huge_pages_leave_nothing_behind) {
    const auto arguments = arguments_for(options_with({0}, false), Memory::huge_pages);
    EXPECT_THAT(arguments, Contains("--in-memory"));
    EXPECT_THAT(arguments, Not(Contains("--no-huge")));
    EXPECT_EQ(value_after(arguments, "-m"), "");
}

TEST(EalArguments, two_runs_never_share_their_files) {
    const auto arguments = arguments_for(options_with({0}, false), Memory::huge_pages);
    EXPECT_THAT(arguments, Contains("--file-prefix=tapwitness-4711"));
}

TEST(EalArguments, the_operators_come_last_and_are_not_doubled) {
    EalOptions options = options_with({0}, false);
    options.extra_arguments = {"--no-huge", "-m", "128"};
    const auto arguments = arguments_for(options, Memory::ordinary);
    EXPECT_EQ(std::count(arguments.begin(), arguments.end(), "--no-huge"), 1);
    EXPECT_EQ(std::count(arguments.begin(), arguments.end(), "-m"), 1);
    EXPECT_EQ(arguments.back(), "128");
}

TEST(Eal, tasks_run_on_their_threads_and_finish) {
    auto& live = test::LiveEnvironment::instance();
    struct Seen {
        std::atomic<int> runs{0};
        std::atomic<bool> go{false};
    } seen;
    const Task task{[](void* context) {
                        auto& shared = *static_cast<Seen*>(context);
                        while (!shared.go.load()) {
                            std::this_thread::sleep_for(std::chrono::microseconds(50));
                        }
                        ++shared.runs;
                        return 0;
                    },
                    &seen};
    live.eal->launch_worker(0, task);
    live.eal->launch_worker(1, task);
    live.eal->launch_dispatcher(task);
    EXPECT_FALSE(live.eal->all_finished());
    seen.go = true;
    while (!live.eal->all_finished()) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    EXPECT_EQ(seen.runs, 3);
    EXPECT_EQ(live.eal->memory(), Memory::ordinary);
}

}  // namespace
}  // namespace tw::dpdk
