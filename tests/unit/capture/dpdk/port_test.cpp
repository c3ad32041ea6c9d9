// SPDX-License-Identifier: BSD-3-Clause
// Ports, worker and dispatcher together, on capture files through net_pcap: what was written must
// come out of the other end, to the frame.
#include "capture/dpdk/port.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_version.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "capture/dpdk/dispatcher.hpp"
#include "capture/dpdk/sizing.hpp"
#include "capture/dpdk/worker.hpp"
#include "support/packet_builder.hpp"
#include "support/pcap_writer.hpp"
#include "unit/capture/dpdk/live_environment.hpp"

namespace tw::dpdk {
namespace {

using test::LiveEnvironment;
using ::testing::HasSubstr;
using tw::test::Bytes;
using tw::test::PacketBuilder;
using tw::test::PcapFormat;
using tw::test::PcapWriter;

constexpr Nanos kStart = 1'600'000'000 * kSecond;

struct Seen {
    Bytes bytes;
    std::uint32_t wire_bytes;
    Nanos time;
    std::uint8_t tap;
    LinkType link;
};

// Keeps a copy of all it is given.
class Collector final : public FrameHandler {
  public:
    void handle(std::span<const Frame> frames) override {
        ASSERT_LE(frames.size(), kBurstMax);
        for (const Frame& frame : frames) {
            seen.push_back({Bytes(frame.data, frame.data + frame.captured_bytes), frame.wire_bytes,
                            frame.time, frame.tap, frame.link});
        }
    }
    void tick(Nanos now) override { ticks.push_back(now); }

    std::vector<Seen> seen;
    std::vector<Nanos> ticks;
};

class FilePort : public ::testing::Test {
  protected:
    void SetUp() override {
        path_ = fmt::format("{}/tapwitness-port-{}.pcap",
                            std::filesystem::temp_directory_path().string(), getpid());
    }
    void TearDown() override { std::filesystem::remove(path_); }

    // A port on what `writer` holds.
    [[nodiscard]] std::unique_ptr<Port> port_of(const PcapWriter& writer, PortOptions options) {
        writer.save(path_);
        options.name = "file";
        options.device = *file_device(path_, 0);
        auto port = Port::attach(options, *live_.log);
        if (!port) {
            ADD_FAILURE() << port.error().text;
            return nullptr;
        }
        return std::move(*port);
    }

    // Everything the port has, over `workers` collectors behind a dispatcher; 0 = one that polls.
    [[nodiscard]] std::vector<Collector> collect(Port& port, std::uint32_t workers,
                                                 std::uint64_t frames) {
        QueueSetup setup;
        setup.ring_frames = workers * DispatcherOptions{}.ring_frames;
        setup.threads = workers + 1;
        const auto started = port.start(setup, *live_.log, live_.logger);
        EXPECT_TRUE(started) << started.error().text;
        const Clock clock;
        PollerOptions poller;
        poller.queues = {port.queue(0)};
        poller.clock = &clock;
        poller.fields = live_.fields;
        poller.waiting = Waiting::adaptive;
        RunControl control;
        std::unique_ptr<Dispatcher> dispatcher;
        if (workers != 0) {
            dispatcher = std::move(*Dispatcher::create(
                {.poller = poller, .workers = workers, .decode = {}, .hash_seed = 99}));
        }
        std::vector<Collector> collectors(std::max(workers, 1U));
        std::vector<std::unique_ptr<Worker>> made;
        for (std::uint32_t i = 0; i < collectors.size(); ++i) {
            WorkerOptions options;
            options.poller = poller;
            options.time_from_frames = true;
            if (dispatcher) {
                options.poller.queues.clear();
                options.ring = dispatcher->ring(i);
                options.ring_ports = {port.queue(0)};
            }
            made.push_back(std::make_unique<Worker>(options, collectors[i]));
        }
        launch(made, dispatcher.get(), control);
        const auto& taken = dispatcher ? dispatcher->counts() : made.front()->counts();
        while (taken.frames[port.queue(0).port_id].get() < frames) {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        control.stop = true;
        while (!live_.eal->all_finished()) {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        port.stop();
        return collectors;
    }

    struct Context {
        Worker* worker;
        Dispatcher* dispatcher;
        RunControl* control;
    };
    void launch(std::vector<std::unique_ptr<Worker>>& workers, Dispatcher* dispatcher,
                RunControl& control) {
        contexts_.clear();
        for (const auto& worker : workers) {
            contexts_.push_back({worker.get(), dispatcher, &control});
        }
        for (std::uint32_t i = 0; i < workers.size(); ++i) {
            live_.eal->launch_worker(i, {[](void* context) {
                                             auto& own = *static_cast<Context*>(context);
                                             own.worker->run(*own.control);
                                             return 0;
                                         },
                                         &contexts_[i]});
        }
        if (dispatcher != nullptr) {
            live_.eal->launch_dispatcher({[](void* context) {
                                              auto& own = *static_cast<Context*>(context);
                                              own.dispatcher->run(*own.control);
                                              return 0;
                                          },
                                          &contexts_[0]});
        }
    }

    LiveEnvironment& live_ = LiveEnvironment::instance();
    std::string path_;
    std::vector<Context> contexts_;
};

[[nodiscard]] Bytes segment(std::uint16_t client_port, bool from_client, std::uint32_t seq,
                            std::size_t payload_bytes = 10) {
    PacketBuilder builder;
    builder.ethernet();
    if (from_client) {
        builder.ipv4("10.0.0.1", "10.9.9.9").tcp(client_port, 80);
    } else {
        builder.ipv4("10.9.9.9", "10.0.0.1").tcp(80, client_port);
    }
    return builder.seq(seq).payload(payload_bytes).build();
}

TEST_F(FilePort, every_frame_arrives_in_order_with_its_time) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    constexpr std::uint32_t kFrames = 1000;
    for (std::uint32_t i = 0; i < kFrames; ++i) {
        writer.packet(kStart + i * 7 * kMicrosecond, segment(1000, i % 2 == 0, i));
    }
    PortOptions options;
    options.tap = 3;
    const auto port = port_of(writer, options);
    ASSERT_TRUE(port);
    EXPECT_EQ(port->driver(), "net_pcap");
    const auto collectors = collect(*port, 0, kFrames);
    const auto& seen = collectors[0].seen;
    ASSERT_EQ(seen.size(), kFrames);
    for (std::uint32_t i = 0; i < kFrames; ++i) {
        ASSERT_EQ(seen[i].bytes, segment(1000, i % 2 == 0, i));
        ASSERT_EQ(seen[i].wire_bytes, seen[i].bytes.size());
        ASSERT_EQ(seen[i].time, kStart + i * 7 * kMicrosecond);
        ASSERT_EQ(seen[i].tap, 3);
        ASSERT_EQ(seen[i].link, LinkType::ethernet);
    }
    for (const Nanos tick : collectors[0].ticks) {
        EXPECT_GE(tick, kStart) << "a file's clock, not the wall's";
        EXPECT_LE(tick, seen.back().time);
    }
}

TEST_F(FilePort, counters_of_the_driver_agree) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    for (std::uint32_t i = 0; i < 100; ++i) {
        writer.packet(kStart, segment(1000, true, i));
    }
    const auto port = port_of(writer, {});
    ASSERT_TRUE(port);
    QueueSetup setup;
    ASSERT_TRUE(port->start(setup, *live_.log, live_.logger));
    const StageCounts& counts = port->read_counters();
    EXPECT_EQ(counts[Stage::received], 0U);
    EXPECT_FALSE(counts.any_hidden());
    EXPECT_TRUE(counts.loses[static_cast<std::size_t>(Stage::no_mbuf)]);
    EXPECT_FALSE(counts.counted[static_cast<std::size_t>(Stage::missed)]);
    EXPECT_TRUE(port->read_link().up);
    port->stop();
}

TEST_F(FilePort, connections_stay_whole_and_ordered_behind_the_dispatcher) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    constexpr std::uint32_t kConnections = 50;
    constexpr std::uint32_t kRounds = 200;
    for (std::uint32_t round = 0; round < kRounds; ++round) {
        for (std::uint32_t c = 0; c < kConnections; ++c) {
            const auto port = static_cast<std::uint16_t>(1000 + c);
            writer.packet(kStart + round * kMillisecond, segment(port, round % 2 == 0, round));
        }
    }
    const auto port = port_of(writer, {});
    ASSERT_TRUE(port);
    const auto collectors = collect(*port, 2, std::uint64_t{kRounds} * kConnections);
    std::map<std::uint16_t, std::size_t> worker_of;
    std::map<std::uint16_t, std::uint32_t> next_round;
    for (std::size_t w = 0; w < collectors.size(); ++w) {
        EXPECT_FALSE(collectors[w].seen.empty()) << "worker " << w << " has nothing to do";
        for (const Seen& frame : collectors[w].seen) {
            const auto be16 = [&frame](std::size_t at) {
                return static_cast<std::uint16_t>(frame.bytes[at] << 8 | frame.bytes[at + 1]);
            };
            const std::uint16_t client = be16(34) == 80 ? be16(36) : be16(34);
            const std::uint32_t seq = static_cast<std::uint32_t>(be16(38)) << 16 | be16(40);
            ASSERT_EQ(worker_of.try_emplace(client, w).first->second, w) << client;
            ASSERT_EQ(seq, next_round[client]++) << "order inside a connection";
            ASSERT_EQ(frame.time, kStart + seq * kMillisecond);
        }
    }
    EXPECT_EQ(next_round.size(), kConnections);
}

TEST_F(FilePort, icmp_errors_and_first_fragments_follow_their_connection) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    constexpr std::uint16_t kPorts = 40;
    std::vector<std::pair<std::uint16_t, Bytes>> frames;
    for (std::uint16_t i = 0; i < kPorts; ++i) {
        const auto port = static_cast<std::uint16_t>(2000 + i);
        frames.emplace_back(port, segment(port, true, 1));
        frames.emplace_back(port, PacketBuilder()
                                      .ethernet()
                                      .ipv4("192.0.2.1", "10.0.0.1")
                                      .icmp_error()
                                      .ipv4("10.0.0.1", "10.9.9.9")
                                      .tcp(port, 80)
                                      .build());
        frames.emplace_back(port, PacketBuilder()
                                      .ethernet()
                                      .ipv4("10.9.9.9", "10.0.0.1")
                                      .fragment(0, true)
                                      .tcp(80, port)
                                      .payload(100)
                                      .build());
        frames.emplace_back(port, PacketBuilder()
                                      .ethernet()
                                      .ipv4("172.16.0.1", "172.16.0.2")
                                      .vxlan(7)
                                      .ethernet()
                                      .ipv4("10.9.9.9", "10.0.0.1")
                                      .tcp(80, port)
                                      .build());
    }
    for (const auto& [port, bytes] : frames) {
        writer.packet(kStart, bytes);
    }
    const auto port = port_of(writer, {});
    ASSERT_TRUE(port);
    const auto collectors = collect(*port, 2, frames.size());
    std::map<std::uint16_t, std::size_t> worker_of;
    for (const auto& [client, bytes] : frames) {
        for (std::size_t w = 0; w < collectors.size(); ++w) {
            for (const Seen& frame : collectors[w].seen) {
                if (frame.bytes == bytes) {
                    EXPECT_EQ(worker_of.try_emplace(client, w).first->second, w);
                }
            }
        }
    }
    EXPECT_EQ(worker_of.size(), kPorts);
}

TEST_F(FilePort, frames_without_a_connection_are_spread) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    const Bytes arp = PacketBuilder().ethernet().raw(Bytes(46, 0)).build();
    for (int i = 0; i < 100; ++i) {
        writer.packet(kStart, arp);
    }
    const auto port = port_of(writer, {});
    ASSERT_TRUE(port);
    const auto collectors = collect(*port, 2, 100);
    EXPECT_EQ(collectors[0].seen.size(), 50U);
    EXPECT_EQ(collectors[1].seen.size(), 50U);
}

TEST_F(FilePort, cut_frames_get_the_length_they_had) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    PortOptions options;
    const Bytes whole = segment(1000, true, 1, 400);
    const Bytes cut(whole.begin(), whole.begin() + 60);
    for (std::uint32_t i = 0; i < 100; ++i) {
        if (i % 3 == 0) {
            writer.packet(kStart, cut, {.wire_bytes = 454 + i});
            options.cut_frames.push_back({i, 454 + i});
            options.cut_from_bytes = 60;
        } else {
            writer.packet(kStart, whole);
        }
    }
    for (const std::uint32_t workers : {0U, 1U}) {
        const auto port = port_of(writer, options);
        ASSERT_TRUE(port);
        const auto seen = collect(*port, workers, 100)[0].seen;
        ASSERT_EQ(seen.size(), 100U);
        for (std::uint32_t i = 0; i < 100; ++i) {
            ASSERT_EQ(seen[i].bytes.size(), i % 3 == 0 ? 60 : whole.size());
            ASSERT_EQ(seen[i].wire_bytes, i % 3 == 0 ? 454 + i : whole.size());
        }
    }
}

TEST_F(FilePort, long_frames_give_their_first_part_and_whole_length) {
    PcapWriter writer({.format = PcapFormat::pcap_micro});
    const Bytes jumbo = segment(1000, true, 1, 60'000);
    constexpr std::uint32_t kFrames = 3000;  // 90,000 mbufs, were they all kept
    for (std::uint32_t i = 0; i < kFrames; ++i) {
        writer.packet(kStart, jumbo);
    }
    for (const std::uint32_t workers : {0U, 2U}) {
        const auto port = port_of(writer, {});
        ASSERT_TRUE(port);
        const auto collectors = collect(*port, workers, kFrames);
        std::size_t count = 0;
        for (const Collector& collector : collectors) {
            for (const Seen& frame : collector.seen) {
                ++count;
                ASSERT_GE(frame.bytes.size(), 2000U);
                ASSERT_LT(frame.bytes.size(), jumbo.size());
                ASSERT_TRUE(std::equal(frame.bytes.begin(), frame.bytes.end(), jumbo.begin()));
                ASSERT_EQ(frame.wire_bytes, jumbo.size());
            }
        }
        EXPECT_EQ(count, kFrames);
        EXPECT_EQ(port->read_counters()[Stage::no_mbuf], 0U);
    }
}

// net_null of 24.11 answers with a key of its own, whatever it was given; that of 22.11 keeps ours.
constexpr bool kNullHasOwnKey = RTE_VERSION >= RTE_VERSION_NUM(24, 11, 0, 0);

TEST(Port, redirection_table_is_written_and_read_back) {
    auto& live = LiveEnvironment::instance();
    // net_null hashes nothing but keeps a table, so that this much can be tried without a NIC.
    PortOptions options;
    options.name = "null";
    options.device = *vdev_device("net_null0");
    auto port = Port::attach(options, *live.log);
    ASSERT_TRUE(port) << port.error().text;
    const RssAbility ability = (*port)->rss_ability();
    EXPECT_FALSE(ability.hashes) << "its table does nothing";
    QueueSetup setup;
    setup.rss = {.types = ability.types, .period = ability.table_entries, .queues = 3};
    const auto started = (*port)->start(setup, *live.log, live.logger);
    if (kNullHasOwnKey) {
        ASSERT_FALSE(started);
        EXPECT_THAT(started.error().text, HasSubstr("the RSS key reads back as"));
        return;
    }
    EXPECT_TRUE(started) << started.error().text;
    EXPECT_EQ((*port)->queue(2).queue, 2);
}

TEST(Port, another_setup_can_be_tried_after_a_stop) {
    if (kNullHasOwnKey) {
        GTEST_SKIP() << "no virtual device keeps a key";
    }
    auto& live = LiveEnvironment::instance();
    PortOptions options;
    options.name = "null";
    options.device = *vdev_device("net_null0");
    auto port = Port::attach(options, *live.log);
    ASSERT_TRUE(port) << port.error().text;
    const RssAbility ability = (*port)->rss_ability();
    QueueSetup spread;
    spread.rss = {.types = ability.types, .period = ability.table_entries, .queues = 2};
    for (int i = 0; i < 3; ++i) {
        auto started = (*port)->start(spread, *live.log, live.logger);
        ASSERT_TRUE(started) << started.error().text;
        EXPECT_NE((*port)->queue(0).rss, nullptr);
        (*port)->stop();
        started = (*port)->start({}, *live.log, live.logger);
        ASSERT_TRUE(started) << started.error().text;
        EXPECT_EQ((*port)->queue(0).rss, nullptr) << "a dispatcher spreads now";
        (*port)->stop();
    }
    spread.rss.hash = RssHash::symmetric_toeplitz;
    const auto refused = (*port)->start(spread, *live.log, live.logger);
    ASSERT_FALSE(refused) << "net_null has no such function";
    EXPECT_THAT(refused.error().text, HasSubstr("symmetric hash function"));
}

TEST(Port, attaching_twice_is_refused) {
    auto& live = LiveEnvironment::instance();
    PortOptions options;
    options.name = "first";
    options.device = *vdev_device("net_ring7");
    const auto first = Port::attach(options, *live.log);
    ASSERT_TRUE(first) << first.error().text;
    options.name = "second";
    const auto second = Port::attach(options, *live.log);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().text, HasSubstr("port second: the device net_ring7 is used twice"));
}

TEST(Port, a_closed_device_can_be_attached_again) {
    auto& live = LiveEnvironment::instance();
    PortOptions options;
    options.name = "again";
    options.device = *vdev_device("net_null8");
    for (int i = 0; i < 3; ++i) {
        const auto port = Port::attach(options, *live.log);
        ASSERT_TRUE(port) << port.error().text;
        ASSERT_TRUE((*port)->start({}, *live.log, live.logger));
    }
}

TEST(Port, refusals_name_port_device_and_reason) {
    auto& live = LiveEnvironment::instance();
    PortOptions options;
    options.name = "tap7";
    options.device = *vdev_device("net_typo0,a=b");
    auto port = Port::attach(options, *live.log);
    ASSERT_FALSE(port);
    EXPECT_THAT(port.error().text, HasSubstr("port tap7: DPDK refused the device "
                                             "\"net_typo0,a=b\": no driver is called net_typo"));
    options.device = *vdev_device("net_af_packet0,iface=lo,blocksz=0");
    port = Port::attach(options, *live.log);
    ASSERT_FALSE(port);
    EXPECT_THAT(port.error().text, HasSubstr("invalid blocksize value"));
}

}  // namespace
}  // namespace tw::dpdk
