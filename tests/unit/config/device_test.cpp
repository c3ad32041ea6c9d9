// SPDX-License-Identifier: BSD-3-Clause
#include "config/device.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tw::config {
namespace {

TEST(Device, pci_address_gets_its_domain_and_lower_case) {
    for (const char* text : {"0000:3b:00.1", "3b:00.1", "3B:00.1", "0000:3B:00.1"}) {
        const auto device = parse_device(text);
        ASSERT_TRUE(device) << text;
        EXPECT_EQ(device->kind, DeviceKind::pci);
        EXPECT_EQ(device->value, "0000:3b:00.1");
        EXPECT_EQ(device->arguments, "");
    }
}

TEST(Device, pci_address_may_carry_driver_arguments) {
    const auto device = parse_device("3b:00.0,mprq_en=1");
    ASSERT_TRUE(device);
    EXPECT_EQ(device->value, "0000:3b:00.0");
    EXPECT_EQ(device->arguments, ",mprq_en=1");
}

TEST(Device, vdev_is_kept_whole) {
    const auto device = parse_device("net_memif0,role=server,socket=/run/a");
    ASSERT_TRUE(device);
    EXPECT_EQ(device->kind, DeviceKind::vdev);
    EXPECT_EQ(device->value, "net_memif0,role=server,socket=/run/a");
}

TEST(Device, interface_and_file_lose_their_prefix) {
    const auto interface = parse_device("iface:eth0.100");
    ASSERT_TRUE(interface);
    EXPECT_EQ(interface->kind, DeviceKind::interface);
    EXPECT_EQ(interface->value, "eth0.100");
    const auto file = parse_device("pcap:/tmp/with space, and comma.pcap");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->kind, DeviceKind::capture_file);
    EXPECT_EQ(file->value, "/tmp/with space, and comma.pcap");
}

TEST(Device, interface_name_has_at_most_fifteen_bytes) {
    EXPECT_TRUE(parse_device("iface:123456789012345"));
    EXPECT_FALSE(parse_device("iface:1234567890123456"));
}

TEST(Device, anything_else_is_refused) {
    for (const char* text :
         {"", "eth0", "net_", "net_ memif", "NET_memif0", "iface:", "iface:a b", "iface:a/b",
          "iface:..", "pcap:", "3b:00", "3b:00.8", "3g:00.0", "00000:3b:00.0", "0000:3b:00.0.0",
          "0000:3b:00:0", ":3b:00.0", "0000:3b:00.0 "}) {
        EXPECT_FALSE(parse_device(text)) << text;
    }
    EXPECT_FALSE(parse_device(std::string("pcap:a\0b", 8)));
}

}  // namespace
}  // namespace tw::config
