// SPDX-License-Identifier: BSD-3-Clause
// Every difference between the DPDK versions this program is built with: 22.11 and 24.11, tried,
// and 23.11, untried. The only file that looks at RTE_VERSION; no experimental API anywhere.
#pragma once

#include <rte_telemetry.h>
#include <rte_version.h>

#include <cstdint>

namespace tw::dpdk::compat {

// net_af_packet passes on what the kernel's packet socket dropped and when a frame came from 25.03
// on; before, drops are hidden and there is no time stamp.
inline constexpr bool kAfPacketIsOpen = RTE_VERSION >= RTE_VERSION_NUM(25, 3, 0, 0);

// net_mlx5 has the symmetric Toeplitz function from 23.11 on.
inline constexpr bool kMlx5IsSymmetric = RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0);

// Debian's name for the packages of drivers ends in this: librte-net-memif23.
#if RTE_VERSION >= RTE_VERSION_NUM(22, 11, 0, 0) && RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
inline constexpr int kAbi = 23;
#elif RTE_VERSION < RTE_VERSION_NUM(24, 11, 0, 0)
inline constexpr int kAbi = 24;
#elif RTE_VERSION < RTE_VERSION_NUM(25, 11, 0, 0)
inline constexpr int kAbi = 25;
#else
inline constexpr int kAbi = 26;
#endif

// A number of a telemetry answer; named after its width before 23.03, deprecated so since.
inline int add_number(rte_tel_data* answer, const char* name, std::uint64_t value) {
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
    return rte_tel_data_add_dict_uint(answer, name, value);
#else
    return rte_tel_data_add_dict_u64(answer, name, value);
#endif
}

}  // namespace tw::dpdk::compat
