// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/rss_check.hpp"

#include "capture/dpdk/rss_model.hpp"

namespace tw::dpdk {

void RssCheck::sample(const RxQueue& queue, const Frame& frame,
                      std::optional<std::uint32_t> nic_hash, PollerCounts& counts) {
    if (queue.rss == nullptr) {
        return;
    }
    const RssModel& model = *queue.rss;
    const auto input = rss_input_of(frame, model.types());
    // How drivers lay out the folded fields of the symmetric function differs, so there the NIC's
    // own hash is taken for granted, and only its way through the table is checked.
    const bool folded = model.hash() == RssHash::symmetric_toeplitz;
    if (!input || (folded && !nic_hash)) {
        return;
    }
    const std::uint16_t expected = folded ? model.queue_of_hash(*nic_hash) : model.queue_of(*input);
    counts.rss_checked[queue.port_id].add(1);
    counts.rss_elsewhere[queue.port_id].add(expected == queue.queue ? 0 : 1);
}

}  // namespace tw::dpdk
