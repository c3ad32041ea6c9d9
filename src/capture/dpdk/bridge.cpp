// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/bridge.hpp"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include "base/check.hpp"
#include "capture/dpdk/mbuf_burst.hpp"
#include "capture/dpdk/packet_socket.hpp"

namespace tw::dpdk {
namespace {

// Half a frame would be worse than none: the receiver could not tell.
[[nodiscard]] bool can_be_sent(const rte_mbuf& mbuf, const TxQueue& to) {
    return mbuf.nb_segs == 1 ? mbuf.pkt_len == mbuf.data_len : to.takes_segments;
}

}  // namespace

Bridge::Bridge(const std::vector<BridgePair>& pairs, const Clock& clock)
    : retry_ticks_(clock.ticks_per_second() / (kSecond / kRetryMax)) {
    const auto connect = [this](const TxQueue& from, const TxQueue& to) {
        TW_CHECK(from.port_id < kPortsMax && by_port_[from.port_id] == nullptr);
        by_port_[from.port_id] = std::make_unique<Direction>();
        by_port_[from.port_id]->to = to;
        if (to.socket >= 0) {
            through_kernel_.push_back(by_port_[from.port_id].get());
        }
    };
    for (const BridgePair& pair : pairs) {
        connect(pair.left, pair.right);
        connect(pair.right, pair.left);
    }
}

const BridgeCounts* Bridge::counts(std::uint16_t port_id) const {
    return by_port_[port_id] == nullptr ? nullptr : &by_port_[port_id]->counts;
}

bool Bridge::forward(std::uint16_t port_id, const MbufBurst& burst) {
    if (by_port_[port_id] == nullptr) {
        return false;
    }
    Direction& direction = *by_port_[port_id];
    rte_mbuf* whole[kBurstMax];
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_mbuf* mbuf = burst.mbufs[i];
        if (can_be_sent(*mbuf, direction.to)) [[likely]] {
            // The analysis keeps the first segment, which holds the headers; the sender gives back
            // all of them. Whoever is last frees it, and only the sender follows the chain.
            rte_mbuf_refcnt_update(mbuf, 1);
            whole[count++] = mbuf;
        } else if (mbuf->nb_segs > 1) {
            rte_mbuf_refcnt_update(mbuf, 1);
            rte_pktmbuf_free(mbuf);
        }
    }
    if (count != 0) {
        send(direction, whole, count);
    }
    direction.counts.cut.add(burst.count - count);
    direction.counts.forwarding.add(Clock::ticks() - burst.ticks);
    direction.counts.waiting.add(burst.ticks - burst.ticks_before);
    return true;
}

void Bridge::send(Direction& direction, rte_mbuf** mbufs, std::uint32_t count) {
    const TxQueue& to = direction.to;
    const bool kernel = to.socket >= 0;
    std::uint32_t sent = 0;
    std::uint64_t deadline = 0;
    for (;;) {
        if (!kernel || has_room(to.socket)) {
            sent += rte_eth_tx_burst(to.port_id, to.queue, mbufs + sent,
                                     static_cast<std::uint16_t>(count - sent));
            direction.sent_this_round = direction.left_behind = kernel;
        }
        if (sent == count) [[likely]] {
            break;
        }
        const std::uint64_t now = Clock::ticks();
        if (deadline == 0) {
            deadline = now + retry_ticks_;
        } else if (now >= deadline) {
            break;
        }
        rte_pause();
    }
    direction.counts.forwarded.add(sent);
    if (sent < count) {
        direction.counts.refused.add(count - sent);
        for (std::uint32_t i = sent; i < count; ++i) {
            rte_pktmbuf_free(mbufs[i]);
        }
    }
}

void Bridge::after_round() {
    for (Direction* direction : through_kernel_) {
        if (direction->sent_this_round) {
            direction->sent_this_round = false;
        } else if (direction->left_behind) {
            direction->left_behind = send_rest(direction->to.socket);
        }
    }
}

}  // namespace tw::dpdk
