// SPDX-License-Identifier: BSD-3-Clause
#include "support/faulty_traffic.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "support/random.hpp"

namespace tw::test {
namespace {

constexpr std::uint32_t kSteps = 70;

struct Sent {
    std::uint32_t seq = 0;
    std::uint32_t bytes = 0;
};

class Script {
  public:
    Script(std::uint64_t seed, const ConversationOptions& options)
        : random_(seed),
          options_(options),
          talk_(options),
          stamps_(random_.chance(60)),
          ids_(random_.chance(60)) {}

    Traffic write() {
        open();
        for (std::uint32_t i = 0; i < kSteps; ++i) {
            step();
        }
        Traffic traffic;
        for (const TimedFrame& frame : talk_.frames()) {
            traffic.push_back(
                {frame.time, frame.bytes, static_cast<std::uint32_t>(frame.bytes.size())});
        }
        disorder(traffic);
        return traffic;
    }

  private:
    using Block = std::pair<std::uint32_t, std::uint32_t>;

    void pause(Nanos time) {
        talk_.wait(time);
        now_ += time;
    }

    void say(std::uint8_t side, std::string_view flags, SegmentFields fields,
             std::optional<Block> sack = {}) {
        const std::uint32_t peer_isn = options_.isn[side ^ 1U];
        const std::uint32_t value =
            1000U * (side + 1U) + static_cast<std::uint32_t>(now_ / 1'000'000);
        const std::uint32_t echo = heard_[side];
        fields.options = [=, stamps = stamps_](PacketBuilder& builder) {
            if (stamps) {
                builder.option_nop().option_nop().option_timestamps(value, echo);
            }
            if (sack) {
                builder.option_nop().option_nop().option_sack(
                    {{peer_isn + sack->first, peer_isn + sack->second}});
            }
        };
        heard_[side ^ 1U] = value;
        if (ids_ && !fields.ip_id) {
            fields.ip_id = ++id_[side];
        }
        side == 0 ? talk_.client(flags, fields) : talk_.server(flags, fields);
    }

    void open() {
        if (random_.chance(15)) {
            return;  // met in the middle
        }
        say(0, "S", {});
        next_[0] = 1;
        if (random_.chance(25)) {
            pause(kSecond);
            say(0, "S", {.seq = 0});
        }
        pause(10 * kMillisecond);
        say(1, "SA", {});
        next_[1] = 1;
        if (random_.chance(25)) {
            pause(kSecond);
            say(1, "SA", {.seq = 0});
        }
        pause(2 * kMillisecond);
        say(0, "A", {});
    }

    void data(std::uint8_t side, std::uint32_t bytes) {
        sent_[side].push_back({next_[side], bytes});
        say(side, "PA", {.seq = next_[side], .bytes = bytes});
        next_[side] += bytes;
    }

    void again(std::uint8_t side) {
        if (sent_[side].empty()) {
            return;
        }
        const std::uint32_t last = static_cast<std::uint32_t>(sent_[side].size());
        const Sent& sent = sent_[side][last - 1 - random_.below(std::min(last, 4U))];
        say(side, "A", {.seq = sent.seq, .bytes = sent.bytes});
    }

    void hole(std::uint8_t side) {
        const std::uint32_t bytes = random_.between(1, 1400);
        const Sent missing{next_[side], bytes};
        const Party party = side == 0 ? Party::client : Party::server;
        if (random_.chance(40)) {
            talk_.unseen(party, bytes);
        } else {
            talk_.lost(party, bytes);
        }
        sent_[side].push_back(missing);
        next_[side] += bytes;
        data(side, random_.between(1, 1400));
        const std::uint32_t asks = random_.below(5);
        for (std::uint32_t i = 0; i < asks; ++i) {
            pause(kMillisecond);
            ask(side ^ 1U, missing);
        }
        if (random_.chance(60)) {
            pause(random_.pick({2 * kMillisecond, 30 * kMillisecond, 400 * kMillisecond}));
            say(side, "A", {.seq = missing.seq, .bytes = missing.bytes});
        }
    }

    void ask(std::uint8_t side, const Sent& missing) {
        std::optional<Block> block;
        if (random_.chance(60)) {
            block = Block{missing.seq + missing.bytes, next_[side ^ 1U]};
        }
        say(side, "A", {.seq = next_[side], .ack = missing.seq}, block);
    }

    void report_duplicate(std::uint8_t side) {
        const auto& sent = sent_[side ^ 1U];
        if (!sent.empty()) {
            const Sent& twice = sent.back();
            say(side, "A", {.seq = next_[side], .ack = next_[side ^ 1U]},
                Block{twice.seq, twice.seq + twice.bytes});
        }
    }

    void shut(std::uint8_t side) {
        say(side, "A", {.seq = next_[side], .window = 0});
        pause(random_.pick({50 * kMillisecond, 300 * kMillisecond, 2 * kSecond}));
        say(side ^ 1U, "A", {.seq = next_[side ^ 1U] - 1});
        pause(100 * kMillisecond);
        say(side, "A", {.seq = next_[side], .window = 500});
    }

    void reset(std::uint8_t side) {
        SegmentFields fields{.seq = next_[side]};
        fields.ttl = random_.pick<std::uint8_t>({64, 58, 128});
        say(side, "R", fields);
        pause(random_.pick({kMillisecond, 500 * kMillisecond, 20 * kSecond}));
    }

    void step() {
        const auto side = static_cast<std::uint8_t>(random_.below(2));
        pause(random_.pick({20 * kMicrosecond, 500 * kMicrosecond, 5 * kMillisecond,
                            60 * kMillisecond, 1500 * kMillisecond}));
        const std::uint32_t what = random_.below(100);
        if (what < 35) {
            data(side, random_.between(1, 1400));
        } else if (what < 60) {
            say(side, "A", {.seq = next_[side]});
        } else if (what < 76) {
            hole(side);
        } else if (what < 88) {
            again(side);
        } else if (what < 93) {
            report_duplicate(side);
        } else if (what < 96) {
            shut(side);
        } else if (what < 98) {
            say(side, "FA", {.seq = next_[side]});
        } else if (what < 99) {
            reset(side);
        } else {
            pause(70 * kSecond);
        }
    }

    // Frames in another order, and frames twice.
    void disorder(Traffic& traffic) {
        for (std::uint32_t i = 0; i < 3 && traffic.size() > 8; ++i) {
            const std::uint32_t at = random_.below(static_cast<std::uint32_t>(traffic.size()) - 3);
            std::swap(traffic[at].bytes, traffic[at + random_.between(1, 2)].bytes);
        }
        for (WireFrame& frame : traffic) {
            frame.wire_bytes = static_cast<std::uint32_t>(frame.bytes.size());
        }
        if (random_.chance(30)) {
            const std::uint32_t at = random_.below(static_cast<std::uint32_t>(traffic.size()) - 1);
            WireFrame copy = traffic[at];
            copy.time += 5 * kMicrosecond;
            traffic.insert(traffic.begin() + at + 1, copy);
        }
    }

    Random random_;
    ConversationOptions options_;
    Conversation talk_;
    bool stamps_;
    bool ids_;
    Nanos now_ = 0;
    std::array<std::uint32_t, 2> next_{};
    std::array<std::uint32_t, 2> heard_{};
    std::array<std::uint16_t, 2> id_{100, 9000};
    std::array<std::vector<Sent>, 2> sent_;
};

}  // namespace

Traffic faulty_traffic(std::uint64_t seed, const ConversationOptions& options) {
    return Script(seed, options).write();
}

}  // namespace tw::test
