// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/driver_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tw::dpdk {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

[[nodiscard]] Device vdev(const std::string& name, const std::string& arguments = "") {
    Device device;
    device.name = name;
    device.arguments = arguments;
    return device;
}

TEST(DriverNames, mistyped_driver_gets_the_nearest_name) {
    EXPECT_EQ(no_driver_text(vdev("net_memi0")),
              "no driver is called net_memi; did you mean net_memif?");
    EXPECT_EQ(no_driver_text(vdev("net_virtio_usr0")),
              "no driver is called net_virtio_usr; did you mean net_virtio_user?");
}

TEST(DriverNames, known_driver_lacks_its_package) {
    EXPECT_THAT(no_driver_text(vdev("net_af_packet_tw0")),
                AllOf(HasSubstr("net_af_packet is not installed in /"),
                      HasSubstr("apt install librte-net-af-packet2")));
}

TEST(DriverNames, unknown_name_far_from_all_is_not_guessed) {
    EXPECT_THAT(no_driver_text(vdev("net_completely_else0")),
                AllOf(HasSubstr("no driver is called net_completely_else"),
                      Not(HasSubstr("did you mean"))));
}

TEST(DriverNames, arguments_nearly_right_are_mistakes) {
    EXPECT_EQ(mistyped_argument(vdev("net_memif0", "role=server,sokcet=x")),
              "net_memif has no argument sokcet; did you mean socket?");
    EXPECT_EQ(mistyped_argument(vdev("net_pcap_tw1", "rx_pcpa=file")),
              "net_pcap has no argument rx_pcpa; did you mean rx_pcap?");
}

TEST(DriverNames, arguments_right_or_of_another_version_pass) {
    EXPECT_EQ(mistyped_argument(vdev("net_memif0", "role=server,socket-abstract=no,bsize=2048")),
              std::nullopt);
    EXPECT_EQ(mistyped_argument(vdev("net_af_packet0", "iface=eth0,fanout_mode=cpu")),
              std::nullopt);
    EXPECT_EQ(mistyped_argument(vdev("net_unheard_of0", "rolle=x")), std::nullopt);
    EXPECT_EQ(mistyped_argument(vdev("net_null0")), std::nullopt);
}

TEST(DriverNames, maker_of_a_card_names_its_packages) {
    EXPECT_THAT(no_pci_driver_text(0x8086), HasSubstr("i40e"));
    EXPECT_THAT(no_pci_driver_text(0x15b3), HasSubstr("mlx5"));
    EXPECT_THAT(no_pci_driver_text(0xbeef), HasSubstr("vendor beef"));
}

}  // namespace
}  // namespace tw::dpdk
