// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/stages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>

#include "capture/dpdk/kernel_counters.hpp"

namespace tw::dpdk {
namespace {

[[nodiscard]] std::optional<StageTeller> teller(std::string_view driver, Stage stage,
                                                bool from_file = false) {
    for (const StageTeller& one : tellers_of(driver, from_file)) {
        if (one.stage == stage) {
            return one;
        }
    }
    return std::nullopt;
}

TEST(Stages, table_is_in_the_order_of_its_ids_and_names_differ) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kStages; ++i) {
        EXPECT_EQ(static_cast<std::size_t>(stage_table()[i].id), i);
        EXPECT_TRUE(names.insert(stage_table()[i].name).second);
    }
}

TEST(Stages, a_stage_has_one_teller_in_each_driver) {
    for (const std::string_view driver :
         {"net_ixgbe", "net_i40e", "mlx5_pci", "net_ena", "net_virtio", "net_vmxnet3",
          "net_af_packet", "net_af_xdp", "net_pcap", "net_memif", "net_ring", "net_null", "net_tap",
          "of_tomorrow"}) {
        std::set<Stage> stages;
        for (const StageTeller& one : tellers_of(driver, false)) {
            EXPECT_TRUE(stages.insert(one.stage).second) << driver;
        }
        EXPECT_TRUE(stages.contains(Stage::received)) << driver;
    }
}

TEST(Stages, want_of_buffers_loses_a_frame_only_behind_libpcap) {
    EXPECT_FALSE(teller("net_ixgbe", Stage::no_mbuf)->loses);
    EXPECT_TRUE(teller("net_pcap", Stage::no_mbuf)->loses);
    EXPECT_FALSE(teller("net_af_packet", Stage::no_mbuf));
}

TEST(Stages, ixgbe_tells_full_queues_apart_from_missed) {
    EXPECT_EQ(teller("net_ixgbe", Stage::queue_full)->teller, Teller::q_errors);
    EXPECT_EQ(teller("net_ixgbe", Stage::missed)->teller, Teller::imissed);
    EXPECT_FALSE(teller("net_i40e", Stage::queue_full));
}

TEST(Stages, mlx5_hides_its_packet_buffer_in_xstats) {
    EXPECT_EQ(teller("mlx5_pci", Stage::nic_full)->names, "rx_phy_discard_packets");
    EXPECT_EQ(teller("mlx5_pci", Stage::link_errors)->teller, Teller::xstats);
}

TEST(Stages, what_the_host_of_a_virtual_machine_loses_nobody_counts) {
    EXPECT_EQ(teller("net_virtio", Stage::host)->teller, Teller::nobody);
    EXPECT_EQ(teller("net_vmxnet3", Stage::host)->teller, Teller::nobody);
    EXPECT_FALSE(teller("net_ixgbe", Stage::host));
}

TEST(Stages, a_ring_between_processes_loses_nothing) {
    for (const StageTeller& one : tellers_of("net_memif", false)) {
        EXPECT_FALSE(one.loses) << info_of(one.stage).name;
        EXPECT_NE(one.teller, Teller::nobody);
    }
}

TEST(Stages, a_capture_file_loses_for_want_of_buffers_only) {
    for (const StageTeller& one : tellers_of("net_pcap", true)) {
        EXPECT_EQ(one.loses, one.stage == Stage::no_mbuf) << info_of(one.stage).name;
    }
    EXPECT_EQ(teller("net_pcap", Stage::backlog)->teller, Teller::nobody) << "on an interface";
}

TEST(KernelCounters, an_interface_that_is_there_has_counts) {
    ASSERT_TRUE(interface_counts("lo"));
    EXPECT_EQ(interface_counts("lo")->received_errors, 0U);
    EXPECT_FALSE(interface_counts("no-such-if0"));
    EXPECT_FALSE(interface_counts(""));
}

TEST(KernelCounters, drops_of_the_kernels_queues_are_the_second_column_of_every_cpu) {
    EXPECT_EQ(backlog_drops("0000a1b2 00000003 00000000\n00000001 0000001f 00000000\n"), 34U);
    EXPECT_EQ(backlog_drops("0000a1b2"), 0U);
    EXPECT_EQ(backlog_drops(""), 0U);
}

}  // namespace
}  // namespace tw::dpdk
