// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/port_link.hpp"

#include <fmt/format.h>
#include <rte_ethdev.h>

#include <algorithm>

namespace tw::dpdk {
namespace {

// Both run in EAL's interrupt thread.
int count_interrupt(std::uint16_t, rte_eth_event_type, void* context, void*) {
    static_cast<std::atomic<std::uint64_t>*>(context)->fetch_add(1, std::memory_order_relaxed);
    return 0;
}

int note_removal(std::uint16_t, rte_eth_event_type, void* context, void*) {
    static_cast<std::atomic<bool>*>(context)->store(true, std::memory_order_relaxed);
    return 0;
}

}  // namespace

std::string link_text(const LinkState& state) {
    if (state.gone) {
        return "device removed";
    }
    if (!state.up) {
        return "down";
    }
    return state.megabits == 0 ? "up" : fmt::format("up, {} Mbit/s", state.megabits);
}

PortLink::PortLink(std::uint16_t port_id, unsigned ifindex)
    : port_id_(port_id), kernel_(ifindex == 0 ? nullptr : KernelLink::open(ifindex)) {
    // Refused by drivers without the interrupt: looking must do there.
    rte_eth_dev_callback_register(port_id_, RTE_ETH_EVENT_INTR_LSC, count_interrupt, &interrupts_);
    rte_eth_dev_callback_register(port_id_, RTE_ETH_EVENT_INTR_RMV, note_removal, &removed_);
}

PortLink::~PortLink() {
    rte_eth_dev_callback_unregister(port_id_, RTE_ETH_EVENT_INTR_LSC, count_interrupt,
                                    &interrupts_);
    rte_eth_dev_callback_unregister(port_id_, RTE_ETH_EVENT_INTR_RMV, note_removal, &removed_);
}

const LinkState& PortLink::read() {
    if (kernel_) {
        kernel_->update();
        state_.up = kernel_->up();
        state_.gone = kernel_->gone();
        state_.changes = kernel_->changes();
        return state_;
    }
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(port_id_, &link) != 0) {
        return state_;
    }
    const bool up = link.link_status != RTE_ETH_LINK_DOWN;
    const bool known_speed = link.link_speed != 0 && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
    const std::uint64_t interrupts = interrupts_.load(std::memory_order_relaxed);
    const std::uint64_t seen = known_ && up != state_.up ? 1 : 0;
    // The interrupts are the better count where they come: a flap ends where it began.
    state_.changes += std::max(seen, interrupts - interrupts_seen_);
    interrupts_seen_ = interrupts;
    known_ = true;
    state_.up = up;
    state_.gone = removed_.load(std::memory_order_relaxed);
    state_.megabits = up && known_speed ? link.link_speed : 0;
    return state_;
}

}  // namespace tw::dpdk
