// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

namespace tw::dpdk {
namespace {

using ::testing::HasSubstr;

TEST(Device, driver_is_the_name_without_its_number) {
    EXPECT_EQ(driver_of("net_memif0"), "net_memif");
    EXPECT_EQ(driver_of("net_pcap12"), "net_pcap");
    EXPECT_EQ(driver_of("net_pcap_tw0"), "net_pcap");
    EXPECT_EQ(driver_of("net_af_packet_tw3"), "net_af_packet");
    EXPECT_EQ(driver_of("net_null"), "net_null");
    EXPECT_EQ(driver_of(""), "");
}

TEST(Device, argument_is_found_among_others) {
    EXPECT_EQ(find_argument("a=1,iface=eth0,b=2", "iface").value, "eth0");
    EXPECT_EQ(find_argument("a=1,iface=eth0,b=2", "iface").count, 1U);
    EXPECT_EQ(find_argument("a=1,iface", "iface").count, 1U);
    EXPECT_EQ(find_argument("a=1,iface", "iface").value, "");
    EXPECT_EQ(find_argument("myiface=eth0", "iface").count, 0U);
    EXPECT_EQ(find_argument("iface=a,iface=b", "iface").count, 2U);
    EXPECT_EQ(find_argument("path=a=b", "path").value, "a=b");
    EXPECT_EQ(find_argument("", "iface").count, 0U);
    EXPECT_EQ(find_argument(",,", "iface").count, 0U);
}

TEST(Device, pci_arguments_come_with_or_without_comma) {
    EXPECT_EQ(pci_device("0000:3b:00.0", "").arguments, "");
    EXPECT_EQ(pci_device("0000:3b:00.0", ",mprq_en=1").arguments, "mprq_en=1");
    EXPECT_EQ(pci_device("0000:3b:00.0", "mprq_en=1").arguments, "mprq_en=1");
    EXPECT_EQ(pci_device("0000:3b:00.0", "").bus, Bus::pci);
}

TEST(Device, vdev_is_split_into_name_and_arguments) {
    const auto device = vdev_device("net_memif0,role=server,socket=x");
    ASSERT_TRUE(device);
    EXPECT_EQ(device->name, "net_memif0");
    EXPECT_EQ(device->arguments, "role=server,socket=x");
    EXPECT_EQ(device->file, "");
    EXPECT_EQ(device->interface, "");
    EXPECT_EQ(vdev_device("net_null0")->arguments, "");
}

TEST(Device, capture_file_of_net_pcap_ends_the_run) {
    EXPECT_EQ(vdev_device("net_pcap0,rx_pcap=/tmp/a.pcap")->file, "/tmp/a.pcap");
    EXPECT_EQ(vdev_device("net_pcap0,rx_pcap=a.pcap,infinite_rx=0")->file, "a.pcap");
    EXPECT_EQ(vdev_device("net_pcap0,rx_pcap=a.pcap,infinite_rx=1")->file, "") << "endless";
    EXPECT_EQ(vdev_device("net_pcap0,rx_iface=eth0")->file, "");
}

TEST(Device, two_files_on_one_port_are_refused) {
    const auto device = vdev_device("net_pcap0,rx_pcap=a,rx_pcap=b");
    ASSERT_FALSE(device);
    EXPECT_THAT(device.error().text, HasSubstr("one rx_pcap per port"));
    EXPECT_EQ(device.error().code, ExitCode::operator_mistake);
}

TEST(Device, kernel_fan_out_is_refused) {
    EXPECT_TRUE(vdev_device("net_af_packet0,iface=eth0"));
    EXPECT_TRUE(vdev_device("net_af_packet0,iface=eth0,qpairs=1"));
    const auto device = vdev_device("net_af_packet0,iface=eth0,qpairs=2");
    ASSERT_FALSE(device);
    EXPECT_THAT(device.error().text, HasSubstr("qpairs must be 1"));
}

TEST(Device, af_packet_knows_its_interface) {
    EXPECT_EQ(vdev_device("net_af_packet0,iface=eth0")->interface, "eth0");
    ASSERT_FALSE(vdev_device("net_af_packet0"));
    EXPECT_THAT(vdev_device("net_af_packet0").error().text, HasSubstr("iface=NAME"));
}

TEST(Device, interface_gets_one_queue_and_a_ring_of_whole_blocks) {
    const Device device = interface_device("eth0", InterfaceRing{4096}, 7);
    EXPECT_EQ(device.name, "net_af_packet_tw7");
    EXPECT_EQ(device.interface, "eth0");
    EXPECT_EQ(device.arguments,
              "iface=eth0,qpairs=1,blocksz=1048576,framesz=2048,framecnt=4096,qdisc_bypass=0");
}

TEST(Device, ring_fits_the_lockable_memory_twice) {
    constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
    EXPECT_EQ(interface_ring(UINT64_MAX).frames, 16384U);
    EXPECT_EQ(interface_ring(64 * kMebibyte).frames, 16384U);
    EXPECT_EQ(interface_ring(8 * kMebibyte).frames, 2048U);
    EXPECT_EQ(interface_ring(7 * kMebibyte).frames, 1024U) << "a power of two below the limit";
    EXPECT_EQ(interface_ring(0).frames, 512U) << "one block at least; the driver then says no";
    for (const std::uint64_t limit : {kMebibyte, 3 * kMebibyte, 100 * kMebibyte}) {
        const InterfaceRing ring = interface_ring(limit);
        EXPECT_TRUE(std::has_single_bit(ring.frames));
        EXPECT_EQ(ring.frames * InterfaceRing::kFrameBytes % InterfaceRing::kBlockBytes, 0U);
    }
}

TEST(Device, file_path_that_dpdk_would_split_is_refused) {
    ASSERT_TRUE(file_device("/tmp/trace.pcap", 0));
    EXPECT_EQ(file_device("/tmp/trace.pcap", 3)->name, "net_pcap_tw3");
    EXPECT_EQ(file_device("/tmp/trace.pcap", 3)->file, "/tmp/trace.pcap");
    for (const char* path : {"a,b.pcap", "a[1].pcap", "a\"b.pcap"}) {
        EXPECT_FALSE(file_device(path, 0)) << path;
    }
}

}  // namespace
}  // namespace tw::dpdk
