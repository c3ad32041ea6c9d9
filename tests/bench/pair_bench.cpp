// SPDX-License-Identifier: BSD-3-Clause
// Measures how fast twins are found on one core, with so many packets between the taps, and prints
// one JSON object per line like packet_bench: a plain table that inserts at one tap and finds and
// erases at the other; the engine's own table with its ladder; and the whole engine, from frames to
// comparison and evidence. They take turns on the same order of packets.
//
// usage: pair_bench [--repeats N] [--batches N] [--in-flight N,N,...]
#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "core/flow/hash.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/in_flight.hpp"
#include "core/taps/numbers.hpp"
#include "support/packet_builder.hpp"
#include "support/random.hpp"

namespace tw::bench {
namespace {

using taps::Side;

constexpr std::uint32_t kConnections = 10'000;
constexpr std::uint32_t kBatch = 1U << 15;  // pairs
constexpr std::uint32_t kPayload = 100;
constexpr std::uint64_t kSeed = 0x0123'4567'89AB'CDEFULL;

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The next packet of a connection drawn at random.
struct Step {
    std::uint32_t connection;
    std::uint32_t seq;
};

// The order of packets: each batch enters at once, and what leaves are those that entered
// `in_flight` packets before.
class Order {
  public:
    explicit Order(std::uint32_t in_flight) : waiting_(in_flight), next_(kConnections, 1001) {
        for (Step& step : waiting_) {
            step = draw();
        }
    }
    [[nodiscard]] const std::vector<Step>& filling() const { return waiting_; }
    [[nodiscard]] const std::vector<Step>& entering() const { return entering_; }
    [[nodiscard]] const std::vector<Step>& leaving() const { return leaving_; }
    void next_batch() {
        entering_.clear();
        leaving_.clear();
        for (std::uint32_t i = 0; i < kBatch; ++i) {
            leaving_.push_back(waiting_[at_]);
            waiting_[at_] = draw();
            entering_.push_back(waiting_[at_]);
            at_ = at_ + 1 == waiting_.size() ? 0 : at_ + 1;
        }
    }

  private:
    Step draw() {
        const std::uint32_t connection = random_.below(kConnections);
        const std::uint32_t seq = next_[connection];
        next_[connection] += kPayload;
        return {connection, seq};
    }

    test::Random random_{7};
    std::vector<Step> waiting_;
    std::vector<std::uint32_t> next_;
    std::vector<Step> entering_;
    std::vector<Step> leaving_;
    std::size_t at_ = 0;
};

class Contender {
  public:
    explicit Contender(std::string name) : name_(std::move(name)) {}
    virtual ~Contender() = default;
    [[nodiscard]] const std::string& name() const { return name_; }
    // Outside the measured time.
    virtual void prepare(const std::vector<Step>& entering, const std::vector<Step>& leaving) = 0;
    virtual void run() = 0;
    [[nodiscard]] virtual std::uint64_t pairs() const = 0;

  private:
    std::string name_;
};

// What every such matcher does at least: 40-byte keys in an open table, 32 bytes of value.
class PlainTable final : public Contender {
  public:
    explicit PlainTable(std::uint32_t in_flight)
        : Contender("plain table"),
          slots_(std::bit_ceil(std::size_t{in_flight + kBatch} * 2), Backing::populated),
          mask_(slots_.size() - 1) {}

    void prepare(const std::vector<Step>& entering, const std::vector<Step>& leaving) override {
        entering_ = keys_of(entering);
        leaving_ = keys_of(leaving);
    }
    void run() override {
        std::size_t out = 0;
        for (std::size_t begin = 0; begin < entering_.size(); begin += kBurstMax) {
            const std::size_t end = std::min(begin + kBurstMax, entering_.size());
            for (std::size_t i = begin; i < end; ++i) {
                __builtin_prefetch(&slots_[hash(entering_[i]) & mask_], 1);
            }
            for (std::size_t i = begin; i < end; ++i) {
                insert(entering_[i]);
            }
            const std::size_t last = std::min(out + kBurstMax, leaving_.size());
            for (std::size_t i = out; i < last; ++i) {
                __builtin_prefetch(&slots_[hash(leaving_[i]) & mask_], 1);
            }
            for (; out < last; ++out) {
                erase(leaving_[out]);
            }
        }
    }
    [[nodiscard]] std::uint64_t pairs() const override { return pairs_; }

  private:
    struct Key {
        std::uint64_t words[5];
    };
    struct Slot {
        Key key;
        std::uint64_t used;
        std::uint64_t value[4];
    };
    static std::vector<Key> keys_of(const std::vector<Step>& steps) {
        std::vector<Key> keys;
        for (const Step& step : steps) {
            keys.push_back({{step.connection + 1ULL, step.seq, kPayload, 5000, 77}});
        }
        return keys;
    }
    static std::uint64_t hash(const Key& key) {
        return flow::fold(flow::fold(key.words[0] ^ kSeed, key.words[1] ^ flow::kMixA),
                          key.words[2] ^ key.words[3] << 32 ^ key.words[4] ^ flow::kMixB);
    }
    void insert(const Key& key) {
        std::size_t at = hash(key) & mask_;
        while (slots_[at].used != 0) {
            at = (at + 1) & mask_;
        }
        slots_[at] = {key, 1, {key.words[0], key.words[1], 0, 0}};
    }
    void erase(const Key& key) {
        std::size_t hole = hash(key) & mask_;
        while (std::memcmp(&slots_[hole].key, &key, sizeof key) != 0) {
            if (slots_[hole].used == 0) {
                return;
            }
            hole = (hole + 1) & mask_;
        }
        ++pairs_;
        for (std::size_t next = (hole + 1) & mask_; slots_[next].used != 0;
             next = (next + 1) & mask_) {
            if (((next - (hash(slots_[next].key) & mask_)) & mask_) >= ((next - hole) & mask_)) {
                slots_[hole] = slots_[next];
                hole = next;
            }
        }
        slots_[hole].used = 0;
    }

    LazyArray<Slot> slots_;
    std::size_t mask_;
    std::vector<Key> entering_;
    std::vector<Key> leaving_;
    std::uint64_t pairs_ = 0;
};

// The engine's table alone: packets given, found by the ladder in bursts as the engine asks for
// them.
class TwinTable final : public Contender {
  public:
    explicit TwinTable(std::uint32_t in_flight)
        : Contender("table of twins"), table_(in_flight + kBatch, Backing::populated, kSeed) {}

    void prepare(const std::vector<Step>& entering, const std::vector<Step>& leaving) override {
        entering_ = packets_of(entering);
        leaving_ = packets_of(leaving);
    }
    void run() override {
        std::size_t out = 0;
        for (std::size_t begin = 0; begin < entering_.size(); begin += kBurstMax) {
            const std::size_t end = std::min(begin + kBurstMax, entering_.size());
            look_up(entering_, begin, end, 0);
            const std::size_t last = std::min(out + kBurstMax, leaving_.size());
            look_up(leaving_, out, last, 1);
            out = last;
        }
    }
    [[nodiscard]] std::uint64_t pairs() const override { return pairs_; }

  private:
    struct Given {
        std::uint64_t conversation;
        taps::Packet packet;
    };
    static std::vector<Given> packets_of(const std::vector<Step>& steps) {
        std::vector<Given> given(steps.size());
        for (std::size_t i = 0; i < steps.size(); ++i) {
            given[i].conversation = steps[i].connection + 1;
            taps::Packet& packet = given[i].packet;
            packet.seq = steps[i].seq;
            packet.ack = 5000;
            packet.flags = decode::tcp_flag::kAck;
            packet.payload_bytes = kPayload;
            packet.ip_id = static_cast<std::uint16_t>(steps[i].seq);
        }
        return given;
    }
    [[nodiscard]] std::uint64_t key(const Given& given, Side tap) const {
        return table_.key_of(
            {.conversation = given.conversation, .seq = given.packet.seq, .payload = true}, tap);
    }
    void look_up(const std::vector<Given>& packets, std::size_t begin, std::size_t end,
                 std::uint8_t queue) {
        const Side here = queue == 0 ? Side::outside : Side::inside;
        for (std::size_t i = begin; i < end; ++i) {
            table_.prefetch_bucket(key(packets[i], other(here)));
            table_.prefetch_bucket(key(packets[i], here));
        }
        for (std::size_t i = begin; i < end; ++i) {
            if (i + 4 < end) {
                table_.prefetch_group(key(packets[i + 4], other(here)));
                table_.prefetch_group(key(packets[i + 4], here));
            }
            const auto answer = table_.find({.key = key(packets[i], other(here)),
                                             .expected = &packets[i].packet,
                                             .earliest = -kSecond,
                                             .latest = kSecond});
            if (answer.index != taps::InFlight::kNone) {
                ++pairs_;
                table_.remove(answer.index);
                continue;
            }
            const std::uint32_t index = table_.add(key(packets[i], here), queue);
            TW_CHECK(index != taps::InFlight::kNone);
            table_[index].packet = packets[i].packet;
        }
    }

    taps::InFlight table_;
    std::vector<Given> entering_;
    std::vector<Given> leaving_;
    std::uint64_t pairs_ = 0;
};

// Frames of both taps through everything.
class WholeEngine final : public Contender {
  public:
    explicit WholeEngine(std::uint32_t in_flight)
        : Contender("whole engine"), engine_(options(in_flight), counters_) {
        for (std::uint32_t i = 0; i < kConnections; ++i) {
            shake_hands(i);
        }
    }

    void prepare(const std::vector<Step>& entering, const std::vector<Step>& leaving) override {
        build(entering, 64, entering_);
        build(leaving, 63, leaving_);
    }
    void run() override {
        std::size_t out = 0;
        for (std::size_t begin = 0; begin < entering_.size() / kFrameBytes; begin += kBurstMax) {
            feed(entering_, begin, 0);
            if (out < leaving_.size() / kFrameBytes) {
                feed(leaving_, out, 1);
                out += kBurstMax;
            }
        }
        taps::Fact fact;
        while (engine_.pop(fact)) {
        }
    }
    [[nodiscard]] std::uint64_t pairs() const override {
        return engine_.health().taps[1][0].paired - 2 * kConnections;
    }

  private:
    static constexpr std::size_t kFrameBytes = 14 + 20 + 20 + kPayload;

    static taps::EngineOptions options(std::uint32_t in_flight) {
        taps::EngineOptions options;
        options.side_of_tap[1] = Side::inside;
        options.conversations_max = 2 * kConnections;
        options.in_flight_max = in_flight + 2 * kBatch;
        options.hash_seed = kSeed;
        return options;
    }
    static test::PacketBuilder builder(std::uint32_t connection, bool from_client,
                                       std::uint8_t ttl) {
        const test::Ipv4Bytes client{10, 1, static_cast<std::uint8_t>(connection >> 8),
                                     static_cast<std::uint8_t>(connection)};
        const test::Ipv4Bytes server{10, 2, 0, static_cast<std::uint8_t>(connection % 50)};
        test::PacketBuilder builder;
        builder.ethernet();
        from_client ? builder.ipv4(client, server) : builder.ipv4(server, client);
        builder.ttl(ttl);
        const auto port = static_cast<std::uint16_t>(20'000 + connection);
        from_client ? builder.tcp(port, 443) : builder.tcp(443, port);
        return builder;
    }
    void shake_hands(std::uint32_t connection) {
        for (const std::uint8_t ttl : {std::uint8_t{64}, std::uint8_t{63}}) {
            one(builder(connection, true, ttl).seq(1000).flags("S").build(), ttl == 64 ? 0 : 1);
        }
        for (const std::uint8_t ttl : {std::uint8_t{64}, std::uint8_t{63}}) {
            one(builder(connection, false, ttl).seq(4999).ack(1001).flags("SA").build(),
                ttl == 64 ? 1 : 0);
        }
        for (const std::uint8_t ttl : {std::uint8_t{64}, std::uint8_t{63}}) {
            one(builder(connection, true, ttl).seq(1001).ack(5000).flags("A").build(),
                ttl == 64 ? 0 : 1);
        }
        templates_.push_back(
            builder(connection, true, 64).seq(0).ack(5000).flags("A").payload(kPayload).build());
        TW_CHECK(templates_.back().size() == kFrameBytes);
    }
    void one(const test::Bytes& bytes, std::uint8_t tap) {
        Frame frame = test::frame_of(bytes, time_ += kMicrosecond);
        frame.tap = tap;
        engine_.process({&frame, 1});
    }
    void build(const std::vector<Step>& steps, std::uint8_t ttl, std::vector<std::uint8_t>& out) {
        out.resize(steps.size() * kFrameBytes);
        for (std::size_t i = 0; i < steps.size(); ++i) {
            std::uint8_t* const frame = &out[i * kFrameBytes];
            std::memcpy(frame, templates_[steps[i].connection].data(), kFrameBytes);
            const std::uint32_t seq = __builtin_bswap32(steps[i].seq);
            std::memcpy(frame + 14 + 20 + 4, &seq, sizeof seq);
            const auto ip_id = __builtin_bswap16(static_cast<std::uint16_t>(steps[i].seq | 1));
            std::memcpy(frame + 14 + 4, &ip_id, sizeof ip_id);
            frame[14 + 8] = ttl;
        }
    }
    void feed(const std::vector<std::uint8_t>& bytes, std::size_t begin, std::uint8_t tap) {
        std::array<Frame, kBurstMax> frames;
        const std::size_t count =
            std::min<std::size_t>(kBurstMax, bytes.size() / kFrameBytes - begin);
        for (std::size_t i = 0; i < count; ++i) {
            frames[i] = Frame{.data = &bytes[(begin + i) * kFrameBytes],
                              .captured_bytes = kFrameBytes,
                              .wire_bytes = kFrameBytes,
                              .time = time_ += 10,
                              .tap = tap};
        }
        engine_.process({frames.data(), count});
    }

    stats::Counters counters_;
    taps::Engine engine_;
    std::vector<test::Bytes> templates_;
    std::vector<std::uint8_t> entering_;
    std::vector<std::uint8_t> leaving_;
    Nanos time_ = kSecond;
};

void measure(std::uint32_t in_flight, std::uint32_t repeats, std::uint32_t batches) {
    Order order(in_flight);
    std::vector<std::unique_ptr<Contender>> contenders;
    contenders.push_back(std::make_unique<PlainTable>(in_flight));
    contenders.push_back(std::make_unique<TwinTable>(in_flight));
    contenders.push_back(std::make_unique<WholeEngine>(in_flight));
    for (const auto& contender : contenders) {
        contender->prepare(order.filling(), {});
        contender->run();
    }
    std::vector<std::vector<double>> rates(contenders.size());
    // The first repetition only warms up.
    for (std::uint32_t repeat = 0; repeat <= repeats; ++repeat) {
        std::vector<double> seconds(contenders.size());
        for (std::uint32_t batch = 0; batch < batches; ++batch) {
            order.next_batch();
            for (std::size_t row = 0; row < contenders.size(); ++row) {
                contenders[row]->prepare(order.entering(), order.leaving());
                const double begin = thread_seconds();
                contenders[row]->run();
                seconds[row] += thread_seconds() - begin;
            }
        }
        for (std::size_t row = 0; repeat > 0 && row < contenders.size(); ++row) {
            rates[row].push_back(batches * double{kBatch} / seconds[row]);
        }
    }
    for (std::size_t row = 0; row < contenders.size(); ++row) {
        // A run that did not pair everything did not measure what it says.
        TW_CHECK(contenders[row]->pairs() == std::uint64_t{repeats + 1} * batches * kBatch);
        std::printf("{\"name\": \"%s\", \"in_flight\": %u, \"rates\": [",
                    contenders[row]->name().c_str(), in_flight);
        for (std::size_t i = 0; i < rates[row].size(); ++i) {
            std::printf("%s%.0f", i == 0 ? "" : ", ", rates[row][i]);
        }
        std::printf("]}\n");
    }
    std::fflush(stdout);
}

}  // namespace
}  // namespace tw::bench

int main(int argc, char** argv) {
    std::uint32_t repeats = 7;
    std::uint32_t batches = 4;
    std::vector<std::uint32_t> in_flight{4096, 262'144};
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        const auto value = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
        if (option == "--repeats") {
            repeats = value;
        } else if (option == "--batches") {
            batches = value;
        } else if (option == "--in-flight") {
            in_flight = {value};
        } else {
            std::fprintf(stderr, "pair_bench: unknown option %s\n", argv[i]);
            return 2;
        }
    }
    for (const std::uint32_t count : in_flight) {
        tw::bench::measure(count, repeats, batches);
    }
    return 0;
}
