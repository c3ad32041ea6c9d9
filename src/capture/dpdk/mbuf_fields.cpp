// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/mbuf_fields.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>

#include "base/time.hpp"

namespace tw::dpdk {

std::expected<MbufFields, Error> register_mbuf_fields() {
    MbufFields fields;
    const rte_mbuf_dynfield ours{"tapwitness_time", sizeof(Nanos), alignof(Nanos), 0};
    const int time_offset = rte_mbuf_dynfield_register(&ours);
    int driver_time_offset = -1;
    const int failed =
        rte_mbuf_dyn_rx_timestamp_register(&driver_time_offset, &fields.driver_time_flag);
    if (time_offset < 0 || failed != 0) {
        return std::unexpected(Error{
            fmt::format("no room for time stamps in packet buffers: {}", rte_strerror(rte_errno)),
            ExitCode::environment_failed});
    }
    fields.time_offset = static_cast<std::size_t>(time_offset);
    fields.driver_time_offset = static_cast<std::size_t>(driver_time_offset);
    return fields;
}

}  // namespace tw::dpdk
