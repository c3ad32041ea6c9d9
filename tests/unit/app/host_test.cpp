// SPDX-License-Identifier: BSD-3-Clause
#include "app/host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/app/fake_host.hpp"

namespace tw::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CpuList, is_read_as_the_kernel_writes_it) {
    EXPECT_THAT(parse_cpu_list("0-3,8"), ElementsAre(0, 1, 2, 3, 8));
    EXPECT_THAT(parse_cpu_list("5"), ElementsAre(5));
    EXPECT_THAT(parse_cpu_list("0,2\n"), ElementsAre(0, 2));
    EXPECT_THAT(parse_cpu_list(""), IsEmpty());
    EXPECT_THAT(parse_cpu_list("\n"), IsEmpty());
    EXPECT_THAT(parse_cpu_list("(null)"), IsEmpty());
}

TEST(CpuList, cannot_be_made_endless) {
    EXPECT_THAT(parse_cpu_list("3-1,4"), ElementsAre(4));
    EXPECT_LE(parse_cpu_list("0-4294967295").size(), 8193U);
    EXPECT_THAT(parse_cpu_list("1-,2"), ElementsAre(1, 2));
}

TEST(Host, says_which_cpus_there_are) {
    const FakeHost fake;
    fake.write("sys/devices/system/cpu/isolated", "1");
    fake.write("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "0-1");
    fake.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave");
    fake.write("sys/devices/system/cpu/cpu1/node3/x", "");
    const Host host = fake.host();
    EXPECT_THAT(host.online_cpus(), ElementsAre(0, 1));
    EXPECT_THAT(host.allowed_cpus(), ElementsAre(0, 1));
    EXPECT_THAT(host.isolated_cpus(), ElementsAre(1));
    EXPECT_THAT(host.tickless_cpus(), IsEmpty());
    EXPECT_THAT(host.siblings_of(1), ElementsAre(0, 1));
    EXPECT_EQ(host.governor_of(1), "powersave");
    EXPECT_EQ(host.governor_of(0), "");
    EXPECT_EQ(host.node_of(1), 3);
    EXPECT_EQ(host.node_of(0), -1);
}

TEST(Host, counts_huge_pages_per_node_or_in_total) {
    const FakeHost fake;
    EXPECT_THAT(fake.host().huge_pages(), IsEmpty());
    fake.write("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "4");
    fake.write("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "3");
    const auto totals = fake.host().huge_pages();
    ASSERT_EQ(totals.size(), 1U);
    EXPECT_EQ(totals[0].node, -1);
    EXPECT_EQ(totals[0].page_bytes, std::uint64_t{1} << 30);
    EXPECT_EQ(totals[0].free, 3U);
    fake.huge_pages(0, 10, 7);
    fake.huge_pages(1, 20, 20);
    const auto nodes = fake.host().huge_pages();
    ASSERT_EQ(nodes.size(), 2U);
    EXPECT_EQ(nodes[0].node + nodes[1].node, 1);
    EXPECT_EQ(nodes[0].total + nodes[1].total, 30U);
}

TEST(Host, memory_ends_at_the_containers_limit) {
    const FakeHost fake;
    EXPECT_EQ(fake.host().available_bytes(), std::uint64_t{16} << 30);
    fake.write("sys/fs/cgroup/memory.max", "max");
    EXPECT_EQ(fake.host().available_bytes(), std::uint64_t{16} << 30);
    fake.write("sys/fs/cgroup/memory.max", "1000000");
    fake.write("sys/fs/cgroup/memory.current", "400000");
    EXPECT_EQ(fake.host().available_bytes(), 600'000U);
    fake.write("sys/fs/cgroup/memory.current", "2000000");
    EXPECT_EQ(fake.host().available_bytes(), 0U);
}

TEST(Host, knows_the_rights_of_this_process) {
    const FakeHost fake;
    EXPECT_FALSE(fake.host().locked_bytes_max());
    fake.write("proc/self/limits",
               "Max locked memory         8388608              8388608      bytes");
    EXPECT_EQ(fake.host().locked_bytes_max(), 8'388'608U);
    EXPECT_TRUE(fake.host().has(Capability::net_raw));
    fake.write("proc/self/status", "CapEff:\t0000000000001000");
    EXPECT_TRUE(fake.host().has(Capability::net_admin));
    EXPECT_FALSE(fake.host().has(Capability::net_raw));
}

TEST(Host, describes_a_pci_device) {
    const FakeHost fake;
    EXPECT_FALSE(fake.host().pci_device("0000:3b:00.0"));
    fake.pci_card("0000:3b:00.0", "ixgbe");
    const std::string folder = "sys/bus/pci/devices/0000:3b:00.0/";
    fake.write(folder + "net/eth7/x", "");
    fake.write(folder + "current_link_speed", "5.0 GT/s PCIe");
    fake.write(folder + "current_link_width", "4");
    fake.link(folder + "iommu_group", "../../kernel/iommu_groups/9");
    const auto device = fake.host().pci_device("0000:3b:00.0");
    ASSERT_TRUE(device);
    EXPECT_EQ(device->device_class, 0x020000U);
    EXPECT_EQ(device->driver, "ixgbe");
    EXPECT_EQ(device->node, 0);
    EXPECT_EQ(device->interface, "eth7");
    EXPECT_EQ(device->iommu_group, "9");
    EXPECT_FALSE(device->group_usable);
    EXPECT_EQ(device->link_speed, "5.0 GT/s PCIe x4");
    EXPECT_EQ(device->link_speed_max, "");
    EXPECT_THAT(fake.host().network_pci_addresses(), ElementsAre("0000:3b:00.0"));
}

TEST(Host, finds_the_interface_of_a_virtio_card) {
    const FakeHost fake;
    fake.pci_card("0000:00:03.0", "virtio-pci");
    fake.write("sys/bus/pci/devices/0000:00:03.0/virtio2/net/eth0/x", "");
    EXPECT_EQ(fake.host().pci_device("0000:00:03.0")->interface, "eth0");
}

TEST(Host, describes_an_interface) {
    const FakeHost fake;
    fake.interface("eth0", true, false);
    fake.interface("eth1", false, false);
    EXPECT_FALSE(fake.host().interface("eth2"));
    EXPECT_TRUE(fake.host().interface("eth0")->up);
    EXPECT_FALSE(fake.host().interface("eth0")->carrier);
    EXPECT_EQ(fake.host().interface("eth0")->mtu, 1500U);
    EXPECT_FALSE(fake.host().interface("eth1")->up);
    EXPECT_THAT(fake.host().interfaces(), ElementsAre("eth0", "eth1"));
}

TEST(Host, the_real_one_has_a_cpu_memory_and_a_loopback) {
    const Host host;
    EXPECT_FALSE(host.online_cpus().empty());
    EXPECT_FALSE(host.allowed_cpus().empty());
    EXPECT_GT(host.available_bytes(), 0U);
    const auto loopback = host.interface("lo");
    ASSERT_TRUE(loopback);
    EXPECT_TRUE(loopback->gro.has_value());
}

}  // namespace
}  // namespace tw::app
