// SPDX-License-Identifier: BSD-3-Clause
// Connections that cross a firewall between two taps, segment by segment, for the tests of
// core/taps: what is sent is seen where it enters, and a transit later where it leaves.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/taps/side.hpp"
#include "support/packet_builder.hpp"
#include "support/taps_run.hpp"

namespace tw::taps {

enum class Fate : std::uint8_t { passes, lost, missed_at_entry, missed_at_exit };

struct CrossingOptions {
    // As the tap of that side sees client and server; equal where nothing is translated.
    std::array<std::string, kSides> client{"192.0.2.10", "192.0.2.10"};
    std::array<std::string, kSides> server{"10.20.0.80", "10.20.0.80"};
    std::array<std::uint16_t, kSides> client_port{50123, 50123};
    std::array<std::uint16_t, kSides> server_port{443, 443};
    std::array<std::uint32_t, 2> isn{1000, 9000};  // client, server, as their own side sees them
    std::array<std::uint32_t, 2> shift{0, 0};      // added to them on the other side
    Side client_side = Side::outside;
    Nanos start = 100 * kSecond;
    Nanos transit = 200 * kMicrosecond;
    std::array<Nanos, kSides> mirror_delay{};
    Nanos step = kMillisecond;  // between two segments
    int hops = 1;               // taken off the TTL on the way
    // What the client says, and what leaves instead.
    std::pair<std::string, std::string> lengthened{};
    bool v6 = false;
    bool timestamps = true;
    bool ip_ids = true;
    std::array<std::function<void(test::PacketBuilder&)>, kSides> below{};  // of the tap's frames
};

class Crossing {
  public:
    Crossing(test::TapsRun& taps, const CrossingOptions& options)
        : taps_(taps), options_(options), time_(options.start) {}

    Crossing& syn(Fate fate = Fate::passes) { return send(0, "S", {}, fate); }
    Crossing& syn_ack(Fate fate = Fate::passes) { return send(1, "SA", {}, fate); }
    Crossing& handshake() { return syn().syn_ack().client(""); }
    Crossing& client(std::string_view text, Fate fate = Fate::passes,
                     std::string_view flags = "A") {
        return send(0, flags, text, fate);
    }
    Crossing& server(std::string_view text, Fate fate = Fate::passes,
                     std::string_view flags = "A") {
        return send(1, flags, text, fate);
    }
    Crossing& close() {
        return client("", Fate::passes, "FA").server("", Fate::passes, "FA").client("");
    }
    // The same bytes once more, as a sender repeats them.
    Crossing& repeat(std::uint8_t party, std::string_view text, Fate fate = Fate::passes) {
        sent_[party] -= static_cast<std::uint32_t>(text.size());
        return send(party, "A", text, fate);
    }
    Crossing& wait(Nanos time) {
        time_ += time;
        return *this;
    }
    // The last segment is delivered once more by the mirror of that tap.
    Crossing& mirrored_twice(Side tap, Nanos later = 20 * kMicrosecond) {
        taps_.at(tap, last_[index(tap)], last_time_[index(tap)] + later);
        return *this;
    }
    [[nodiscard]] Nanos time() const { return time_; }

  private:
    Crossing& send(std::uint8_t party, std::string_view flags, std::string_view text, Fate fate) {
        const bool syn = flags.find('S') != std::string_view::npos;
        const bool fin = flags.find('F') != std::string_view::npos;
        if (syn) {
            sent_[party] = 0;
        }
        ++ip_id_[party];
        ++clock_;
        const Side from = party == 0 ? options_.client_side : other(options_.client_side);
        for (const Side tap : {from, other(from)}) {
            const bool changed =
                party == 0 && tap != from && !text.empty() && text == options_.lengthened.first;
            last_[index(tap)] =
                frame(party, tap, from, flags,
                      changed ? std::string_view(options_.lengthened.second) : text);
            last_time_[index(tap)] =
                time_ + (tap == from ? 0 : options_.transit) + options_.mirror_delay[index(tap)];
        }
        const Side first = last_time_[0] <= last_time_[1] ? Side::outside : Side::inside;
        for (const Side tap : {first, other(first)}) {
            const bool seen = tap == from ? fate != Fate::missed_at_entry
                                          : fate == Fate::passes || fate == Fate::missed_at_entry;
            if (seen) {
                taps_.at(tap, last_[index(tap)], last_time_[index(tap)]);
            }
        }
        sent_[party] += static_cast<std::uint32_t>(text.size()) + (syn || fin ? 1U : 0U);
        if (party == 0 && !text.empty() && text == options_.lengthened.first) {
            options_.shift[0] +=
                static_cast<std::uint32_t>(options_.lengthened.second.size() - text.size());
        }
        if (fate != Fate::lost) {
            acked_[party] = sent_[party];
        }
        time_ += options_.step;
        return *this;
    }

    [[nodiscard]] std::uint32_t number(std::uint8_t party, Side tap, std::uint32_t offset) const {
        const Side home = party == 0 ? options_.client_side : other(options_.client_side);
        return options_.isn[party] + offset + (tap == home ? 0 : options_.shift[party]);
    }

    [[nodiscard]] test::Bytes frame(std::uint8_t party, Side tap, Side from, std::string_view flags,
                                    std::string_view text) const {
        const std::size_t t = index(tap);
        test::PacketBuilder builder;
        builder.ethernet();
        if (options_.below[t]) {
            options_.below[t](builder);
        }
        const std::string& source = party == 0 ? options_.client[t] : options_.server[t];
        const std::string& target = party == 0 ? options_.server[t] : options_.client[t];
        options_.v6 ? builder.ipv6(source, target) : builder.ipv4(source, target);
        builder.ttl(static_cast<std::uint8_t>(64 - (tap == from ? 0 : options_.hops)));
        if (!options_.v6 && options_.ip_ids) {
            builder.ip_id(ip_id_[party]);
        }
        const std::uint16_t client = options_.client_port[t];
        const std::uint16_t server = options_.server_port[t];
        builder.tcp(party == 0 ? client : server, party == 0 ? server : client)
            .seq(number(party, tap, sent_[party]))
            .flags(flags);
        if (flags != "S") {
            builder.ack(number(party ^ 1, tap, acked_[party ^ 1]));
        }
        if (flags.find('S') != std::string_view::npos) {
            builder.option_mss(1460).option_sack_permitted();
        } else if (options_.timestamps) {
            builder.option_nop().option_nop();
        }
        if (options_.timestamps) {
            builder.option_timestamps(clock_ + party * 70'000U,
                                      clock_ - 1 + (party ^ 1U) * 70'000U);
        }
        return builder.payload(text).build();
    }

    test::TapsRun& taps_;
    CrossingOptions options_;
    Nanos time_;
    std::uint32_t clock_ = 1'000'000;
    std::array<std::uint16_t, 2> ip_id_{100, 7000};
    std::array<std::uint32_t, 2> sent_{};
    std::array<std::uint32_t, 2> acked_{};
    std::array<test::Bytes, kSides> last_;
    std::array<Nanos, kSides> last_time_{};
};

}  // namespace tw::taps
