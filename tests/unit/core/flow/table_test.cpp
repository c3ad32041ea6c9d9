// SPDX-License-Identifier: BSD-3-Clause
// The limit of the table, by real packets: who gives way, what is counted, what survives a flood.
#include "core/flow/table.hpp"

#include <gtest/gtest.h>

#include "support/packet_builder.hpp"
#include "support/pipeline_run.hpp"

namespace tw::flow {
namespace {

using stats::Counter;
using test::PacketBuilder;

test::Bytes segment(std::uint32_t client, std::string_view flags, std::uint32_t seq,
                    std::uint32_t ack, bool from_client, std::size_t bytes = 0) {
    const test::Ipv4Bytes a{10, static_cast<std::uint8_t>(client >> 16),
                            static_cast<std::uint8_t>(client >> 8),
                            static_cast<std::uint8_t>(client)};
    const test::Ipv4Bytes b{192, 0, 2, 1};
    PacketBuilder packet;
    packet.ethernet().ipv4(from_client ? a : b, from_client ? b : a);
    packet.tcp(from_client ? 40000 : 443, from_client ? 443 : 40000);
    return packet.seq(seq).ack(ack).flags(flags).payload(bytes).build();
}

void establish(test::PipelineRun& run, std::uint32_t client, Nanos now) {
    run.feed(segment(client, "S", 0, 0, true), now);
    run.feed(segment(client, "SA", 0, 1, false), now + 1);
    run.feed(segment(client, "A", 1, 1, true), now + 2);
    run.feed(segment(client, "PA", 1, 1, true, 10), now + 3);
}

PipelineOptions small_table(std::uint32_t flows) {
    PipelineOptions options = test::read_options(flows);
    return options;
}

TEST(FlowTable, syn_flood_never_pushes_out_an_established_connection) {
    test::PipelineRun run(small_table(256));
    for (std::uint32_t client = 0; client < 200; ++client) {
        establish(run, client, kSecond + client);
    }
    for (std::uint32_t client = 1000; client < 21000; ++client) {
        run.feed(segment(client, "S", client, 0, true), 2 * kSecond + client);
    }
    EXPECT_EQ(run.count(Counter::flows_evicted_established), 0U);
    EXPECT_GT(run.count(Counter::flows_evicted_embryonic), 0U);
    EXPECT_EQ(run.pipeline().live_flows(), 256U);
    // Every SYN is accounted for: in the table, put out, or refused.
    EXPECT_EQ(run.count(Counter::flows_created) + run.count(Counter::flows_refused), 20200U);
    EXPECT_EQ(run.count(Counter::flows_created), 256 + run.count(Counter::flows_evicted_embryonic));
    for (std::uint32_t client = 0; client < 200; ++client) {
        const auto seen = run.feed(segment(client, "A", 11, 1, true), 3 * kSecond);
        ASSERT_EQ(seen.completeness, 15) << "client " << client << " was forgotten";
    }
}

TEST(FlowTable, full_of_established_refuses_a_bare_syn_but_takes_data) {
    test::PipelineRun run(small_table(32));
    for (std::uint32_t client = 0; client < 32; ++client) {
        establish(run, client, kSecond * (client + 1));
    }
    EXPECT_FALSE(run.feed(segment(100, "S", 0, 0, true), 100 * kSecond).tcp);
    EXPECT_EQ(run.count(Counter::flows_refused), 1U);
    EXPECT_TRUE(run.feed(segment(101, "PA", 5, 5, true, 10), 100 * kSecond).tcp);
    EXPECT_EQ(run.count(Counter::flows_evicted_established), 1U);
    // The longest idle one went.
    EXPECT_EQ(run.flows().size(), 1U);
    EXPECT_EQ(run.flows()[0].flow.client.address[3], 0);
}

TEST(FlowTable, closed_connections_give_way_first) {
    test::PipelineRun run(small_table(32));
    for (std::uint32_t client = 0; client < 32; ++client) {
        establish(run, client, kSecond * (client + 1));
    }
    run.feed(segment(20, "R", 11, 0, true), 50 * kSecond);
    EXPECT_TRUE(run.feed(segment(100, "S", 0, 0, true), 51 * kSecond).tcp);
    EXPECT_EQ(run.count(Counter::flows_evicted_closed), 1U);
    EXPECT_EQ(run.flows()[0].flow.client.address[3], 20);
}

TEST(FlowTable, sweep_ages_by_state_and_zero_means_never) {
    PipelineOptions options = small_table(64);
    options.flows.timeouts = {true, 5 * kSecond, 0, 10 * kSecond};
    test::PipelineRun run(options);
    establish(run, 1, kSecond);                      // established: never
    run.feed(segment(2, "S", 0, 0, true), kSecond);  // embryonic: 5 s
    establish(run, 3, kSecond);
    run.feed(segment(3, "R", 11, 0, true), kSecond);  // closing: 10 s
    const auto sweep = [&](Nanos now) {
        for (int i = 0; i < 4; ++i) {
            run.pipeline().tick(now);
        }
        run.collect();
        return run.pipeline().live_flows();
    };
    EXPECT_EQ(sweep(4 * kSecond), 3U);
    EXPECT_EQ(sweep(7 * kSecond), 2U);
    EXPECT_EQ(sweep(12 * kSecond), 1U);
    EXPECT_EQ(sweep(100000 * kSecond), 1U);
    EXPECT_EQ(run.count(Counter::flows_expired), 2U);
    EXPECT_EQ(run.flows().size(), 2U);
}

TEST(FlowTable, connections_of_which_one_direction_was_seen_are_counted_when_they_end) {
    test::PipelineRun run(small_table(64));
    establish(run, 1, kSecond);
    // A server that never answers and a scan: both directions may well have been here.
    run.feed(segment(2, "S", 0, 0, true), kSecond);
    run.feed(segment(2, "S", 0, 0, true), 2 * kSecond);
    // Their answers took another way.
    run.feed(segment(3, "S", 0, 0, true), kSecond);
    run.feed(segment(3, "A", 1, 1, true), kSecond + 1);
    run.feed(segment(4, "PA", 1, 1, false, 10), kSecond);
    run.feed(segment(5, "SA", 0, 1, false), kSecond);
    EXPECT_EQ(run.count(Counter::flows_one_sided), 0U) << "they may still come";
    run.finish();
    EXPECT_EQ(run.count(Counter::flows_one_sided), 3U);
}

TEST(FlowTable, connections_of_one_burst_share_its_new_records) {
    test::PipelineRun run(small_table(4));
    std::vector<test::Bytes> bytes;
    std::vector<Frame> frames;
    for (std::uint32_t i = 0; i < kBurstMax; ++i) {
        bytes.push_back(segment(i % 8, "PA", 1 + i / 8 * 10, 1, true, 10));
    }
    for (const auto& packet : bytes) {
        Frame frame;
        frame.data = packet.data();
        frame.captured_bytes = frame.wire_bytes = static_cast<std::uint32_t>(packet.size());
        frame.time = kSecond;
        frame.number = frames.size() + 1;
        frames.push_back(frame);
    }
    // Eight connections in a table of four: evictions inside the burst must not mix them up.
    const auto seen = run.feed(frames);
    run.finish();
    std::uint64_t packets = 0;
    for (const auto& flow : run.flows()) {
        packets += flow.packets[0] + flow.packets[1];
    }
    EXPECT_EQ(packets, kBurstMax);
    EXPECT_EQ(seen.size(), kBurstMax);
    EXPECT_EQ(run.count(Counter::frames), kBurstMax);
}

TEST(FlowTable, ipv4_connection_stays_within_its_budget) {
    FlowOptions options;
    options.v4_max = 1'000'000;
    options.v6_max = 0;
    // Plus rte_hash: 70 bytes a key here, 92 for IPv6 (RteHashIndex::memory_bytes).
    const double bytes = static_cast<double>(Pipeline::memory_bytes(options)) / 1e6 + 70;
    EXPECT_LE(bytes, 256.0);
    FlowOptions six = options;
    six.v4_max = 0;
    six.v6_max = 1'000'000;
    EXPECT_LE(static_cast<double>(Pipeline::memory_bytes(six)) / 1e6 + 92, 384.0);
}

}  // namespace
}  // namespace tw::flow
