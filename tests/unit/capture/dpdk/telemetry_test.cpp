// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/telemetry.hpp"

#include <gtest/gtest.h>

namespace tw::dpdk {
namespace {

TEST(Telemetry, names_keep_only_what_dpdk_takes) {
    EXPECT_EQ(telemetry_name("net_tap0"), "net_tap0");
    EXPECT_EQ(telemetry_name("0000:3b:00.0"), "0000_3b_00_0");
    EXPECT_EQ(telemetry_name("eth0.7-x/y"), "eth0_7_x/y");
    EXPECT_EQ(telemetry_name(std::string(500, 'a')).size(), 127U);
}

}  // namespace
}  // namespace tw::dpdk
