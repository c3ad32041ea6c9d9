// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/nat_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <thread>
#include <vector>

#include "core/taps/engine.hpp"
#include "simulation/two_taps/wire_bytes.hpp"
#include "support/random.hpp"

namespace tw::sim::two_taps {
namespace {

using taps::Side;

constexpr Nanos kStart = 1'700'000'000 * kSecond;
constexpr Nanos kTransit = 120 * kMicrosecond;
constexpr std::uint32_t kPortsPerAddress = 64'000;
constexpr std::uint16_t kFirstPort = 1024;
constexpr std::uint8_t kClientHosts = 200;

// A connection: three packets to open, request and answer, three to close.
struct Step {
    bool by_client;
    std::uint8_t flags;
    std::uint16_t payload;
    Nanos after;  // since the connection's begin, at the tap where it enters
};
constexpr Step kSteps[] = {
    {true, flag::kSyn, 0, 0},
    {false, flag::kSyn | flag::kAck, 0, 2 * kMillisecond},
    {true, flag::kAck, 0, 4 * kMillisecond},
    {true, flag::kAck | flag::kPsh, 180, 4 * kMillisecond + 30 * kMicrosecond},
    {false, flag::kAck | flag::kPsh, 420, 9 * kMillisecond},
    {true, flag::kFin | flag::kAck, 0, 14 * kMillisecond},
    {false, flag::kFin | flag::kAck, 0, 16 * kMillisecond},
    {true, flag::kAck, 0, 18 * kMillisecond},
};

// Everything about connection `number` follows from it and the seed.
struct Traits {
    flow::Endpoint client_in;   // as the inside knows it
    flow::Endpoint client_out;  // as the outside does: translated
    flow::Endpoint server;
    std::array<std::uint32_t, 2> isn{};  // client, server
    std::array<std::uint32_t, 2> shift{};
    std::array<std::uint32_t, 2> ticks{};  // timestamp clocks at time 0
    WireOptions offer;
};

flow::Endpoint v4(std::array<std::uint8_t, 4> address, std::uint32_t port) {
    flow::Endpoint out{.port = static_cast<std::uint16_t>(port)};
    std::ranges::copy(address, out.address.begin());
    return out;
}

Traits traits_of(const NatLoadOptions& options, std::uint64_t number) {
    test::Random random(options.seed * 0x9E37'79B9'7F4A'7C15ULL + number);
    const auto host = static_cast<std::uint8_t>(1 + number % kClientHosts);
    const std::uint64_t of_host = number / kClientHosts;
    Traits out;
    // Every inside and every outside tuple is used once.
    out.client_in = v4({10, 1, static_cast<std::uint8_t>(of_host / 60'000), host},
                       4000 + static_cast<std::uint32_t>(of_host % 60'000));
    const auto slot = static_cast<std::uint32_t>(number % kPortsPerAddress);
    out.client_out = v4({192, 0, 2, static_cast<std::uint8_t>(1 + number / kPortsPerAddress)},
                        kFirstPort + (slot * 7919U + 4001U) % kPortsPerAddress);
    out.server = v4({203, 0, 113, static_cast<std::uint8_t>(random.between(1, 8))}, 443);
    out.isn = {random.word(), random.word()};
    if (options.rewrites_isn) {
        out.shift = {random.word(), random.word()};
    }
    // Clocks are the hosts', two of which may run alike.
    out.ticks = {host * 0x0301'0701U, (out.server.address[3] % 4U) * 0x1111'0000U};
    out.offer.mss = 1460;
    out.offer.scale = random.pick<std::int8_t>({7, 7, 8});
    out.offer.sack_permitted = true;
    out.offer.timestamps = options.rewrites_isn || random.chance(75);
    return out;
}

Wire packet_of(const Traits& traits, std::uint64_t number, std::size_t index, Nanos now,
               bool outside) {
    const Step& step = kSteps[index];
    const std::size_t from = step.by_client ? 0 : 1;
    Position sent = 0;
    Position heard = 0;
    for (std::size_t i = 0; i < index; ++i) {
        const bool takes_one = (kSteps[i].flags & (flag::kSyn | flag::kFin)) != 0;
        Position& sum = kSteps[i].by_client == step.by_client ? sent : heard;
        sum += kSteps[i].payload + (takes_one ? 1 : 0);
    }
    Wire wire;
    wire.connection = static_cast<std::uint32_t>(number);
    wire.from = step.by_client ? sim::Side::client : sim::Side::server;
    const bool takes_one = (step.flags & (flag::kSyn | flag::kFin)) != 0;
    wire.span = {sent, sent + step.payload + (takes_one ? 1 : 0)};
    const flow::Endpoint& client = outside ? traits.client_out : traits.client_in;
    wire.source = step.by_client ? client : traits.server;
    wire.destination = step.by_client ? traits.server : client;
    // Numbers are those of the sender's side until the firewall; it adds a shift to each.
    const bool own_shifted = outside == step.by_client;
    wire.flags = step.flags;
    wire.seq = traits.isn[from] + static_cast<std::uint32_t>(sent) +
               (own_shifted ? traits.shift[from] : 0);
    if (wire.has(flag::kAck)) {
        wire.ack = traits.isn[1 - from] + static_cast<std::uint32_t>(heard) +
                   (own_shifted ? 0 : traits.shift[1 - from]);
    }
    wire.window = 501;
    wire.ip_id = static_cast<std::uint16_t>(number * 13 + index);
    wire.ttl = outside == step.by_client ? 63 : 64;
    if (wire.syn()) {
        wire.options = traits.offer;
    }
    wire.options.timestamps = traits.offer.timestamps;
    const auto millis = static_cast<std::uint32_t>(now / kMillisecond);
    wire.options.ts_value = traits.ticks[from] + millis;
    wire.options.ts_echo = wire.has(flag::kAck) ? traits.ticks[1 - from] + millis : 0;
    return wire;
}

struct Event {
    Nanos time = 0;
    std::uint64_t number = 0;
    std::uint8_t step = 0;
    bool leaves = false;
    bool operator>(const Event& other) const {
        return time != other.time ? time > other.time : number > other.number;
    }
};

class NatLoad {
  public:
    NatLoad(const NatLoadOptions& options, std::uint64_t first, std::uint64_t count)
        : options_(options), first_(first), count_(count), engine_(engine_options(), counters_) {}

    NatTally run() {
        tally_.connections = count_;
        for (std::uint64_t i = 0; i < count_; ++i) {
            const Nanos begin = begin_of(i);
            play_until(begin);
            events_.push({.time = begin, .number = first_ + i});
        }
        play_until(INT64_MAX);
        feed();
        while (!engine_.finish_some()) {
            collect();
        }
        collect();
        return tally_;
    }

  private:
    static taps::EngineOptions engine_options() {
        taps::EngineOptions options;
        options.side_of_tap[0] = Side::outside;
        options.side_of_tap[1] = Side::inside;
        options.backing = Backing::lazy;
        options.conversations_max = 1U << 19;
        options.in_flight_max = 1U << 16;
        return options;
    }

    // In bunches, so that many SYNs are under way at one time.
    [[nodiscard]] Nanos begin_of(std::uint64_t index) const {
        constexpr std::uint64_t kBunch = 16;
        return static_cast<Nanos>(index / kBunch * kBunch) * kSecond / options_.per_second +
               static_cast<Nanos>(index % kBunch) * kMicrosecond;
    }

    void play_until(Nanos time) {
        while (!events_.empty() && events_.top().time <= time) {
            Event event = events_.top();
            events_.pop();
            emit(event);
            if (!event.leaves) {
                Event exit = event;
                exit.leaves = true;
                exit.time += kTransit;
                events_.push(exit);
                if (event.step + 1U < std::size(kSteps)) {
                    const Nanos begin = event.time - kSteps[event.step].after;
                    ++event.step;
                    event.time = begin + kSteps[event.step].after;
                    events_.push(event);
                }
            }
        }
    }

    void emit(const Event& event) {
        const Traits traits = traits_of(options_, event.number);
        const bool by_client = kSteps[event.step].by_client;
        const bool outside = by_client == event.leaves;  // clients are inside
        const Wire wire = packet_of(traits, event.number, event.step, event.time, outside);
        bytes_[pending_] = wire_bytes(wire, {});
        Frame& frame = frames_[pending_];
        frame = {};
        frame.data = bytes_[pending_].data();
        frame.captured_bytes = frame.wire_bytes =
            static_cast<std::uint32_t>(bytes_[pending_].size());
        frame.time = kStart + event.time;
        frame.tap = outside ? 0 : 1;
        frame.number = ++numbers_[frame.tap];
        if (++pending_ == kBurstMax) {
            feed();
        }
    }

    void feed() {
        if (pending_ != 0) {
            engine_.process(std::span(frames_).first(pending_));
            pending_ = 0;
        }
        collect();
    }

    void collect() {
        taps::Fact fact;
        while (engine_.pop(fact)) {
        }
        taps::Excerpt excerpt;
        while (engine_.pop(excerpt)) {
        }
        taps::Conversation one;
        while (engine_.pop(one)) {
            judge(one);
        }
    }

    void judge(const taps::Conversation& one) {
        ++tally_.records;
        ++tally_.by_pairing[static_cast<std::size_t>(one.pairing)];
        if (!one.seen[0] || !one.seen[1]) {
            return;
        }
        const flow::Endpoint& inside = one.client[taps::index(Side::inside)];
        const flow::Endpoint& outside = one.client[taps::index(Side::outside)];
        const std::uint64_t of_host =
            std::uint64_t{inside.address[2]} * 60'000 + inside.port - 4000U;
        const std::uint64_t number = of_host * kClientHosts + inside.address[3] - 1U;
        const Traits truth = traits_of(options_, number);
        const bool right =
            truth.client_out.address == outside.address && truth.client_out.port == outside.port;
        tally_.right += right ? 1U : 0U;
        tally_.wrong += right ? 0U : 1U;
    }

    const NatLoadOptions& options_;
    std::uint64_t first_;
    std::uint64_t count_;
    stats::Counters counters_;
    taps::Engine engine_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::array<std::vector<std::uint8_t>, kBurstMax> bytes_;
    std::array<Frame, kBurstMax> frames_;
    std::array<std::uint64_t, taps::kSides> numbers_{};
    std::uint32_t pending_ = 0;
    NatTally tally_;
};

}  // namespace

void NatTally::add(const NatTally& more) {
    connections += more.connections;
    right += more.right;
    wrong += more.wrong;
    records += more.records;
    for (std::size_t i = 0; i < by_pairing.size(); ++i) {
        by_pairing[i] += more.by_pairing[i];
    }
}

// firewall.md section 7.3.
bool NatTally::goals_met() const {
    return wrong == 0 && right * 10'000 >= connections * 9'999;
}

std::string NatTally::text() const {
    std::string out = fmt::format(
        "{} translated connections: {} paired rightly ({:.4f} %), {} "
        "wrongly; {} records\n",
        connections, right, connections == 0 ? 100.0 : 100.0 * double(right) / double(connections),
        wrong, records);
    for (std::size_t i = 0; i < by_pairing.size(); ++i) {
        if (by_pairing[i] != 0) {
            out += fmt::format("{:10}  {}\n", by_pairing[i],
                               taps::name(static_cast<taps::Pairing>(i)));
        }
    }
    return out;
}

NatTally run_nat_load(const NatLoadOptions& options) {
    const std::uint64_t threads = std::max(options.threads, 1U);
    std::vector<NatTally> parts(threads);
    {
        std::vector<std::jthread> workers;
        for (std::uint64_t i = 0; i < threads; ++i) {
            const std::uint64_t first = options.connections * i / threads;
            const std::uint64_t count = options.connections * (i + 1) / threads - first;
            workers.emplace_back([&options, &parts, i, first, count] {
                parts[i] = NatLoad(options, first, count).run();
            });
        }
    }
    NatTally all;
    for (const NatTally& part : parts) {
        all.add(part);
    }
    return all;
}

}  // namespace tw::sim::two_taps
