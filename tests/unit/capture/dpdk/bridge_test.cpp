// SPDX-License-Identifier: BSD-3-Clause
// A bridge behind the dispatcher, on ports whose queues are rings of the test: every frame must
// come out of the other side whatever the workers do, and be counted once.
#include "capture/dpdk/bridge.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstring>

#include "capture/dpdk/dispatcher.hpp"
#include "capture/dpdk/mbuf_burst.hpp"
#include "capture/dpdk/sizing.hpp"
#include "support/packet_builder.hpp"
#include "unit/capture/dpdk/live_environment.hpp"

namespace tw::dpdk {
namespace {

using test::LiveEnvironment;
using tw::test::Bytes;
using tw::test::PacketBuilder;

constexpr std::uint32_t kPoolMbufs = 16383;

// A port of net_ring: the test puts into `in` what the port receives, and finds in `out` what it
// sent.
class RingPort {
  public:
    RingPort(const std::string& name, unsigned out_frames) {
        in = rte_ring_create((name + "_in").c_str(), 8192, SOCKET_ID_ANY,
                             RING_F_SP_ENQ | RING_F_SC_DEQ);
        out = rte_ring_create((name + "_out").c_str(), out_frames, SOCKET_ID_ANY,
                              RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
        pool_ = rte_pktmbuf_pool_create((name + "_pool").c_str(), 63, 0, 0,
                                        RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
        const int made = rte_eth_from_rings(name.c_str(), &in, 1, &out, 1, 0);
        EXPECT_GE(made, 0);
        id = static_cast<std::uint16_t>(made);
        const rte_eth_conf config{};
        EXPECT_EQ(rte_eth_dev_configure(id, 1, 1, &config), 0);
        EXPECT_EQ(rte_eth_rx_queue_setup(id, 0, 64, 0, nullptr, pool_), 0);
        EXPECT_EQ(rte_eth_tx_queue_setup(id, 0, 64, 0, nullptr), 0);
        EXPECT_EQ(rte_eth_dev_start(id), 0);
    }
    ~RingPort() {
        rte_eth_dev_stop(id);
        char name[RTE_ETH_NAME_MAX_LEN] = {};
        rte_eth_dev_get_name_by_port(id, name);
        rte_eth_dev_close(id);
        rte_eal_hotplug_remove("vdev", name);
        rte_ring_free(in);
        rte_ring_free(out);
        rte_mempool_free(pool_);
    }
    RingPort(const RingPort&) = delete;
    RingPort& operator=(const RingPort&) = delete;

    // The next frame that was sent; nullptr if there is none.
    [[nodiscard]] rte_mbuf* sent() const {
        void* mbuf = nullptr;
        return rte_ring_sc_dequeue(out, &mbuf) == 0 ? static_cast<rte_mbuf*>(mbuf) : nullptr;
    }

    rte_ring* in;
    rte_ring* out;
    std::uint16_t id = 0;

  private:
    rte_mempool* pool_;
};

class Bridged : public ::testing::Test {
  protected:
    void SetUp() override {
        pool_ = rte_pktmbuf_pool_create("wire", kPoolMbufs, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                        SOCKET_ID_ANY);
        ASSERT_NE(pool_, nullptr);
    }
    void TearDown() override {
        dispatcher_.reset();
        for (RingPort* port : {left_.get(), right_.get()}) {
            for (rte_mbuf* mbuf = port->sent(); mbuf != nullptr; mbuf = port->sent()) {
                rte_pktmbuf_free(mbuf);
            }
        }
        EXPECT_EQ(rte_mempool_in_use_count(pool_), 0U) << "frames were never given back";
        left_.reset();
        right_.reset();
        rte_mempool_free(pool_);
    }

    // Two ports and a dispatcher with one worker, whose ring the test empties, or does not.
    void make(unsigned out_frames = 8192) {
        left_ = std::make_unique<RingPort>("bridge_left", out_frames);
        right_ = std::make_unique<RingPort>("bridge_right", out_frames);
        DispatcherOptions options;
        options.poller.queues = {queue_of(*left_), queue_of(*right_)};
        options.poller.clock = &clock_;
        options.poller.fields = live_.fields;
        options.poller.waiting = Waiting::adaptive;
        options.bridges = {{{.port_id = left_->id}, {.port_id = right_->id}}};
        auto made = Dispatcher::create(options);
        ASSERT_TRUE(made) << made.error().text;
        dispatcher_ = std::move(*made);
    }

    [[nodiscard]] static RxQueue queue_of(const RingPort& port) {
        RxQueue queue;
        queue.port_id = port.id;
        return queue;
    }

    // A frame in segments of at most `segment_bytes`.
    [[nodiscard]] rte_mbuf* frame(const Bytes& bytes, std::size_t segment_bytes = 2048) {
        rte_mbuf* head = nullptr;
        for (std::size_t at = 0; at < bytes.size(); at += segment_bytes) {
            const std::size_t count = std::min(segment_bytes, bytes.size() - at);
            rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
            EXPECT_NE(mbuf, nullptr);
            std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(count)),
                        bytes.data() + at, count);
            if (head == nullptr) {
                head = mbuf;
            } else {
                EXPECT_EQ(rte_pktmbuf_chain(head, mbuf), 0);
            }
        }
        return head;
    }
    static void receive(RingPort& port, rte_mbuf* mbuf) {
        ASSERT_EQ(rte_ring_sp_enqueue(port.in, mbuf), 0);
    }

    // All that waits in the ports is taken when this returns.
    void run() {
        RunControl control;
        control.stop = true;
        dispatcher_->run(control);
    }

    // What the worker would have analysed.
    [[nodiscard]] std::vector<rte_mbuf*> analysed() const {
        std::vector<rte_mbuf*> mbufs;
        void* mbuf = nullptr;
        while (rte_ring_sc_dequeue(dispatcher_->ring(0), &mbuf) == 0) {
            mbufs.push_back(static_cast<rte_mbuf*>(mbuf));
        }
        return mbufs;
    }

    [[nodiscard]] static Bytes bytes_of(const rte_mbuf& mbuf) {
        Bytes bytes(mbuf.pkt_len);
        const void* data = rte_pktmbuf_read(&mbuf, 0, mbuf.pkt_len, bytes.data());
        return {static_cast<const std::uint8_t*>(data),
                static_cast<const std::uint8_t*>(data) + mbuf.pkt_len};
    }

    LiveEnvironment& live_ = LiveEnvironment::instance();
    Clock clock_;
    rte_mempool* pool_ = nullptr;
    std::unique_ptr<RingPort> left_;
    std::unique_ptr<RingPort> right_;
    std::unique_ptr<Dispatcher> dispatcher_;
};

[[nodiscard]] Bytes segment(std::uint32_t seq, std::size_t payload_bytes = 10) {
    return PacketBuilder()
        .ethernet()
        .ipv4("10.0.0.1", "10.9.9.9")
        .tcp(1000, 80)
        .seq(seq)
        .payload(payload_bytes)
        .build();
}

TEST_F(Bridged, each_port_sends_what_the_other_received_and_the_worker_sees_both) {
    make();
    for (std::uint32_t i = 0; i < 100; ++i) {
        receive(*left_, frame(segment(i)));
        receive(*right_, frame(segment(1000 + i)));
    }
    run();
    for (std::uint32_t i = 0; i < 100; ++i) {
        rte_mbuf* out = right_->sent();
        ASSERT_NE(out, nullptr);
        EXPECT_EQ(bytes_of(*out), segment(i));
        rte_pktmbuf_free(out);
        out = left_->sent();
        ASSERT_NE(out, nullptr);
        EXPECT_EQ(bytes_of(*out), segment(1000 + i));
        rte_pktmbuf_free(out);
    }
    EXPECT_EQ(left_->sent(), nullptr);
    EXPECT_EQ(right_->sent(), nullptr);
    auto seen = analysed();
    EXPECT_EQ(seen.size(), 200U);
    free_first_segments(seen.data(), static_cast<std::uint32_t>(seen.size()));
    const BridgeCounts& counts = *dispatcher_->bridge().counts(left_->id);
    EXPECT_EQ(counts.forwarded.get(), 100U);
    EXPECT_EQ(counts.refused.get(), 0U);
    EXPECT_EQ(counts.cut.get(), 0U);
    EXPECT_EQ(counts.forwarding.reading().total(), 4U) << "one per burst of 32";
    EXPECT_EQ(counts.waiting.reading().total(), 4U);
}

TEST_F(Bridged, a_worker_that_never_works_costs_the_analysis_only) {
    make();
    const std::uint32_t room = DispatcherOptions{}.ring_frames;
    const std::uint32_t frames = 3 * room / 2;
    for (std::uint32_t i = 0; i < frames; ++i) {
        receive(*left_, frame(segment(i)));
    }
    run();
    for (std::uint32_t i = 0; i < frames; ++i) {
        rte_mbuf* out = right_->sent();
        ASSERT_NE(out, nullptr) << i;
        ASSERT_EQ(bytes_of(*out), segment(i));
        rte_pktmbuf_free(out);
    }
    auto seen = analysed();
    EXPECT_EQ(dispatcher_->dispatch_counts().ring_full[0][left_->id].get(), frames - room);
    EXPECT_EQ(seen.size(), room);
    EXPECT_EQ(dispatcher_->counts().frames[left_->id].get(), frames);
    EXPECT_EQ(dispatcher_->bridge().counts(left_->id)->forwarded.get(), frames);
    free_first_segments(seen.data(), static_cast<std::uint32_t>(seen.size()));
}

TEST_F(Bridged, what_the_transmit_queue_refuses_is_counted_and_still_analysed) {
    constexpr std::uint32_t kRoom = 50;
    make(kRoom);
    for (std::uint32_t i = 0; i < 100; ++i) {
        receive(*left_, frame(segment(i, 3000), 1000));
    }
    run();
    const BridgeCounts& counts = *dispatcher_->bridge().counts(left_->id);
    EXPECT_EQ(counts.forwarded.get(), kRoom);
    EXPECT_EQ(counts.refused.get(), 100 - kRoom);
    auto seen = analysed();
    EXPECT_EQ(seen.size(), 100U);
    free_first_segments(seen.data(), static_cast<std::uint32_t>(seen.size()));
}

// Whoever gives back a shared frame first: the other still has what it needs, and TearDown counts.
TEST_F(Bridged, long_frames_are_sent_whole_and_analysed_by_their_first_segment) {
    make();
    const Bytes jumbo = segment(7, 8900);
    for (int i = 0; i < 2; ++i) {
        receive(*left_, frame(jumbo, 2000));
    }
    run();
    auto seen = analysed();
    ASSERT_EQ(seen.size(), 2U);
    for (const rte_mbuf* mbuf : seen) {
        EXPECT_EQ(mbuf->pkt_len, jumbo.size());
        EXPECT_EQ(mbuf->data_len, 2000U);
    }
    free_first_segments(seen.data(), 1);  // the worker is first
    rte_mbuf* out = right_->sent();
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(bytes_of(*out), jumbo);
    rte_pktmbuf_free(out);
    out = right_->sent();  // the sender is first
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(bytes_of(*out), jumbo);
    rte_pktmbuf_free(out);
    EXPECT_EQ(Bytes(rte_pktmbuf_mtod(seen[1], const std::uint8_t*),
                    rte_pktmbuf_mtod(seen[1], const std::uint8_t*) + 2000),
              Bytes(jumbo.begin(), jumbo.begin() + 2000));
    free_first_segments(&seen[1], 1);
}

TEST_F(Bridged, tags_and_short_frames_pass_unchanged) {
    make();
    const Bytes tagged = PacketBuilder()
                             .ethernet()
                             .vlan(5)
                             .vlan(4094)
                             .ipv4("10.0.0.1", "10.9.9.9")
                             .tcp(1, 2)
                             .payload(1400)
                             .build();
    const Bytes runt{1, 2, 3};
    receive(*right_, frame(tagged));
    receive(*right_, frame(runt));
    run();
    for (const Bytes& bytes : {tagged, runt}) {
        rte_mbuf* out = left_->sent();
        ASSERT_NE(out, nullptr);
        EXPECT_EQ(bytes_of(*out), bytes);
        rte_pktmbuf_free(out);
    }
    auto seen = analysed();
    EXPECT_EQ(seen.size(), 2U);
    free_first_segments(seen.data(), static_cast<std::uint32_t>(seen.size()));
}

// net_af_packet hands over the first bytes of a frame that is longer than its ring's slots.
TEST_F(Bridged, a_frame_that_was_cut_on_receipt_is_not_sent_on) {
    make();
    rte_mbuf* cut = frame(segment(1, 500));
    cut->pkt_len += 1000;
    receive(*left_, cut);
    receive(*left_, frame(segment(2)));
    run();
    rte_mbuf* out = right_->sent();
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(bytes_of(*out), segment(2));
    rte_pktmbuf_free(out);
    EXPECT_EQ(right_->sent(), nullptr);
    const BridgeCounts& counts = *dispatcher_->bridge().counts(left_->id);
    EXPECT_EQ(counts.cut.get(), 1U);
    EXPECT_EQ(counts.forwarded.get(), 1U);
    auto seen = analysed();
    EXPECT_EQ(seen.size(), 2U);
    free_first_segments(seen.data(), static_cast<std::uint32_t>(seen.size()));
}

TEST(TickHistogram, tells_times_to_within_a_quarter_of_their_power_of_two) {
    for (const std::uint64_t ticks :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{4}, std::uint64_t{7},
          std::uint64_t{8}, std::uint64_t{1000}, std::uint64_t{1} << 40, UINT64_MAX - 1,
          UINT64_MAX}) {
        ASSERT_LT(bucket_of(ticks), kTickBuckets);
        const std::uint64_t end = bucket_end(bucket_of(ticks));
        EXPECT_GE(end, ticks);
        EXPECT_LE(end - ticks, ticks / 4) << ticks;
        if (end != UINT64_MAX) {
            EXPECT_EQ(bucket_of(end + 1), bucket_of(ticks) + 1) << ticks;
        }
    }
}

TEST(TickHistogram, quantiles_and_differences) {
    TickHistogram histogram;
    for (std::uint32_t i = 0; i < 99; ++i) {
        histogram.add(100);
    }
    const TickReading before = histogram.reading();
    EXPECT_EQ(before.at_most(0.5), 100U) << "never more than the longest";
    histogram.add(5000);
    const TickReading all = histogram.reading();
    EXPECT_EQ(all.at_most(0.5), bucket_end(bucket_of(100)));
    EXPECT_EQ(all.at_most(0.99), bucket_end(bucket_of(100)));
    EXPECT_EQ(all.at_most(1), 5000U);
    const TickReading between = all.since(before);
    EXPECT_EQ(between.total(), 1U);
    EXPECT_EQ(between.at_most(0.01), 5000U);
    EXPECT_EQ(TickHistogram().reading().at_most(0.5), 0U);
}

}  // namespace
}  // namespace tw::dpdk
