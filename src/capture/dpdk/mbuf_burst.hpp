// SPDX-License-Identifier: BSD-3-Clause
// One burst of mbufs: taken from a receive queue, given its times, given back. Private to the two
// pollers, which are the only code that sees an mbuf.
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_prefetch.h>

#include <algorithm>

#include "capture/dpdk/cut_frame.hpp"
#include "capture/dpdk/packet_ring.hpp"
#include "capture/dpdk/poller.hpp"

namespace tw::dpdk {

struct MbufBurst {
    rte_mbuf* mbufs[kBurstMax];
    std::uint32_t count = 0;
    Nanos time = 0;                  // when it was taken
    std::uint64_t ticks = 0;         // the same
    std::uint64_t ticks_before = 0;  // not after the queue was polled the time before

    void free() { rte_pktmbuf_free_bulk(mbufs, count); }
};

// The driver's time where it has one, else when the burst was taken.
[[nodiscard]] inline Nanos time_of(const rte_mbuf& mbuf, const MbufBurst& burst,
                                   const RxQueue& queue, const MbufFields& fields) {
    if (queue.timestamp_unit == 0 || (mbuf.ol_flags & fields.driver_time_flag) == 0) {
        return burst.time;
    }
    const auto stamp =
        *RTE_MBUF_DYNFIELD(&mbuf, fields.driver_time_offset, const rte_mbuf_timestamp_t*);
    return static_cast<Nanos>(stamp) * queue.timestamp_unit;
}

[[nodiscard]] inline Nanos& carried_time(rte_mbuf& mbuf, const MbufFields& fields) {
    return *RTE_MBUF_DYNFIELD(&mbuf, fields.time_offset, Nanos*);
}

// Gives back all but the first segment of a long frame, so that frames in rings hold one mbuf each.
// pkt_len keeps the length of the whole frame.
inline void keep_first_segment(rte_mbuf& mbuf) {
    if (mbuf.nb_segs > 1) {
        rte_pktmbuf_free(mbuf.next);
        mbuf.next = nullptr;
        mbuf.nb_segs = 1;
    }
}

// For frames from a ring, of which only the first segment is ours: that of a bridged frame may
// still be linked to others, which the transmit queue gives back or has given back already.
inline void free_first_segments(rte_mbuf** mbufs, std::uint32_t count) {
    std::uint32_t single = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (mbufs[i]->nb_segs > 1) [[unlikely]] {
            rte_pktmbuf_free_seg(mbufs[i]);
        } else {
            mbufs[single++] = mbufs[i];
        }
    }
    rte_pktmbuf_free_bulk(mbufs, single);
}

// Only the first segment: headers are in it, and lengths come from the IP header.
[[nodiscard]] inline Frame frame_of(const rte_mbuf& mbuf, const RxQueue& queue, Nanos time) {
    Frame frame;
    frame.data = rte_pktmbuf_mtod(&mbuf, const std::uint8_t*);
    frame.captured_bytes = mbuf.data_len;
    frame.wire_bytes = mbuf.pkt_len;
    frame.time = time;
    frame.link = queue.link;
    frame.tap = queue.tap;
    return frame;
}

// Sets pkt_len to the length on the wire where the driver cut the frame; data_len stays what is
// here.
inline void restore_lengths(QueueReader& reader, const MbufBurst& burst) {
    const RxQueue& queue = reader.queue;
    if (queue.cut_frames != nullptr) {
        const std::vector<CutFrame>& cut = *queue.cut_frames;
        std::size_t& next = reader.next_cut_frame;
        for (; next < cut.size() && cut[next].index < reader.frames + burst.count; ++next) {
            burst.mbufs[cut[next].index - reader.frames]->pkt_len = cut[next].wire_bytes;
        }
        return;
    }
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_mbuf& mbuf = *burst.mbufs[i];
        if (mbuf.pkt_len >= queue.cut_from_bytes) [[unlikely]] {
            mbuf.pkt_len = std::max(mbuf.pkt_len, wire_bytes_of_cut(frame_of(mbuf, queue, 0)));
        }
    }
}

// As a driver would have left them.
inline void take_times(PacketRing& ring, const MbufFields& fields, const MbufBurst& burst) {
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_mbuf& mbuf = *burst.mbufs[i];
        *RTE_MBUF_DYNFIELD(&mbuf, fields.driver_time_offset, rte_mbuf_timestamp_t*) =
            static_cast<rte_mbuf_timestamp_t>(ring.time(i));
        mbuf.ol_flags |= fields.driver_time_flag;
    }
    ring.took(burst.count);
}

// False if the queue is empty.
[[nodiscard]] inline bool take(QueueReader& reader, const Clock& clock, const MbufFields& fields,
                               MbufBurst& burst) {
    const RxQueue& queue = reader.queue;
    const std::uint32_t most = queue.ring != nullptr ? queue.ring->look(kBurstMax) : kBurstMax;
    burst.count = most == 0 ? 0U
                            : rte_eth_rx_burst(queue.port_id, queue.queue, burst.mbufs,
                                               static_cast<std::uint16_t>(most));
    if (burst.count == 0) {
        return false;
    }
    if (queue.ring != nullptr) {
        take_times(*queue.ring, fields, burst);
    }
    burst.ticks = Clock::ticks();
    burst.time = clock.at(burst.ticks);
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_prefetch0(rte_pktmbuf_mtod(burst.mbufs[i], void*));
    }
    if (queue.cut_from_bytes != UINT32_MAX) {
        restore_lengths(reader, burst);
    }
    reader.frames += burst.count;
    return true;
}

}  // namespace tw::dpdk
