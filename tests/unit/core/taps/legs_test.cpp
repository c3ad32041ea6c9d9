// SPDX-License-Identifier: BSD-3-Clause
// Connections of which nothing but the bytes survives between the taps: which are one, which must
// not be taken for one, and what is said of those that are.
#include "core/taps/legs.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "crossing.hpp"

namespace tw::taps {
namespace {

using stats::Counter;
using test::TapsRun;

// One side of a proxied connection, seen at one tap only.
class OneLeg {
  public:
    struct Options {
        Side tap = Side::outside;
        Nanos start = 100 * kSecond;
        std::uint16_t port = 50'000;
        std::uint32_t isn = 1000;
        Nanos step = kMillisecond;
    };
    OneLeg(TapsRun& taps, const Options& options)
        : crossing_(taps, {.client = {"192.0.2.10", "10.20.0.1"},
                           .client_port = {options.port, options.port},
                           .isn = {options.isn, options.isn + 70'000},
                           .client_side = options.tap,
                           .start = options.start,
                           .step = options.step,
                           .timestamps = false,
                           .ip_ids = false}) {
        crossing_.syn(kClients).syn_ack(kServers).client("", kClients);
    }
    OneLeg& client(std::string_view text) {
        crossing_.client(text, kClients);
        return *this;
    }
    OneLeg& unacknowledged(std::string_view text) {
        crossing_.client(text, Fate::lost);
        return *this;
    }
    OneLeg& repeat(std::string_view text) {
        crossing_.repeat(0, text, Fate::lost);
        return *this;
    }
    OneLeg& server(std::string_view text) {
        crossing_.server(text, kServers);
        return *this;
    }
    OneLeg& wait(Nanos time) {
        crossing_.wait(time);
        return *this;
    }
    OneLeg& close() {
        crossing_.client("", kClients, "FA").server("", kServers, "FA").client("", kClients);
        return *this;
    }
    [[nodiscard]] Nanos time() const { return crossing_.time(); }

  private:
    static constexpr Fate kClients = Fate::missed_at_exit;
    static constexpr Fate kServers = Fate::missed_at_entry;
    Crossing crossing_;
};

// What a proxy does: it takes the request, opens a connection of its own, and passes the answer on.
// The taps' frames come one leg after the other: within 2 s their order does not matter.
void proxied(TapsRun& taps, Nanos start, std::uint16_t port, std::string_view request,
             std::string_view answer, Side client_side = Side::outside) {
    OneLeg near(taps, {.tap = client_side, .start = start, .port = port, .isn = port * 3000U});
    near.client(request).wait(10 * kMillisecond).server(answer).close();
    OneLeg far(taps, {.tap = other(client_side),
                      .start = start + 4 * kMillisecond,
                      .port = static_cast<std::uint16_t>(port + 7),
                      .isn = port * 5000U,
                      .step = 100 * kMicrosecond});
    far.client(request).wait(kMillisecond).server(answer).close();
}

TapsRun& started(TapsRun& taps) {
    return taps.tick(90 * kSecond);
}
void end(TapsRun& taps) {
    taps.tick(130 * kSecond);
    taps.finish();
}

constexpr std::string_view kRequest = "GET /one HTTP/1.1";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK, and what was asked for";

TEST(Legs, a_proxied_connection_is_found_by_the_bytes_of_both_ways) {
    for (const Side client_side : {Side::outside, Side::inside}) {
        TapsRun taps;
        started(taps);
        proxied(taps, 100 * kSecond, 50'000, kRequest, kAnswer, client_side);
        end(taps);
        ASSERT_EQ(taps.conversations().size(), 1U);
        const Conversation& one = taps.conversations()[0];
        EXPECT_EQ(one.pairing, Pairing::byte_stream);
        EXPECT_EQ(one.client_side, client_side);
        EXPECT_TRUE(one.side_known && one.client_known && one.translated);
        EXPECT_EQ(one.client[index(client_side)].port, 50'000);
        EXPECT_EQ(one.client[index(other(client_side))].port, 50'007);
        EXPECT_EQ(one.outcome, Outcome::established);
        EXPECT_EQ(one.ending, Ending::closed);
        EXPECT_GT(one.answered_ahead, 0);
        EXPECT_EQ(one.undelivered[0] + one.undelivered[1], 0U);
        const WayCounts& clients = one.ways[index(way_into(client_side))];
        EXPECT_EQ(clients.entered_bytes, kRequest.size());
        EXPECT_EQ(clients.fins_entered, 1U);
        EXPECT_EQ(clients.fins_left, 1U);
    }
}

// Until it is recognised the capture may have missed it: that is told, unproven.
TEST(Legs, nothing_of_a_proxied_connection_is_proven_counted_or_in_transit) {
    TapsRun taps;
    started(taps);
    proxied(taps, 100 * kSecond, 50'000, kRequest, kAnswer);
    end(taps);
    for (const Fact& fact : taps.facts()) {
        EXPECT_EQ(fact.grade, Grade::unproven) << name(fact.kind);
    }
    for (const Way way : {Way::inward, Way::outward}) {
        const WayCounts& counts = taps.conversations()[0].ways[index(way)];
        EXPECT_EQ(counts.lost + counts.missed_at_entry + counts.missed_at_exit, 0U);
        EXPECT_EQ(taps.engine().passage().way(way).pairs(), 0U);
    }
    EXPECT_EQ(taps.engine().health().conversations_at_both, 1U);
    EXPECT_EQ(taps.engine().health().untold_sides, 0U);
}

TEST(Legs, equal_requests_one_after_the_other_are_told_apart_by_what_happens_between_them) {
    TapsRun taps;
    started(taps);
    for (std::uint16_t i = 0; i < 5; ++i) {
        proxied(taps, 100 * kSecond + i * 100 * kMillisecond,
                static_cast<std::uint16_t>(50'000 + i * 20), kRequest, kAnswer);
    }
    end(taps);
    ASSERT_EQ(taps.conversations().size(), 5U);
    for (const Conversation& one : taps.conversations()) {
        EXPECT_EQ(one.pairing, Pairing::byte_stream);
        EXPECT_EQ(one.client[1].port, one.client[0].port + 7);
    }
}

TEST(Legs, equal_requests_at_one_time_are_not_paired_and_said_to_be_alike) {
    TapsRun taps;
    started(taps);
    proxied(taps, 100 * kSecond, 50'000, kRequest, kAnswer);
    proxied(taps, 100 * kSecond + kMillisecond, 50'020, kRequest, kAnswer);
    end(taps);
    ASSERT_EQ(taps.conversations().size(), 4U);
    for (const Conversation& one : taps.conversations()) {
        EXPECT_EQ(one.pairing, Pairing::unpaired);
        EXPECT_TRUE(one.ambiguous);
        for (const WayCounts& counts : one.ways) {
            EXPECT_EQ(counts.lost + counts.missed_at_entry + counts.missed_at_exit, 0U);
        }
    }
    EXPECT_EQ(taps.count(Counter::taps_ambiguous), 4U);
    EXPECT_EQ(taps.engine().health().untold_sides, 0U);
}

TEST(Legs, other_bytes_or_bytes_at_another_time_are_another_connection) {
    constexpr std::string_view kOther = "HTTP/1.1 200 OK, and what was asked fur";
    for (const bool late : {false, true}) {
        TapsRun taps;
        started(taps);
        OneLeg near(taps, {});
        near.client(kRequest).wait(10 * kMillisecond).server(kAnswer).close();
        OneLeg far(taps, {.tap = Side::inside,
                          .start = 100 * kSecond + (late ? 5 * kSecond : 4 * kMillisecond),
                          .isn = 77'000,
                          .step = 100 * kMicrosecond});
        far.client(kRequest).server(late ? kAnswer : kOther).close();
        end(taps);
        ASSERT_EQ(taps.conversations().size(), 2U);
        EXPECT_EQ(taps.conversations()[0].pairing, Pairing::unpaired);
        EXPECT_FALSE(taps.conversations()[0].ambiguous);
    }
}

TEST(Legs, one_message_alone_is_too_little) {
    TapsRun taps;
    started(taps);
    OneLeg near(taps, {});
    near.client(kRequest).close();
    OneLeg far(taps, {.tap = Side::inside,
                      .start = 100 * kSecond + 4 * kMillisecond,
                      .isn = 7,
                      .step = 100 * kMicrosecond});
    far.client(kRequest).close();
    end(taps);
    EXPECT_EQ(taps.conversations().size(), 2U);
}

TEST(Legs, bytes_that_a_proxy_acknowledged_and_sends_in_vain_are_undelivered) {
    constexpr std::string_view kFirst = "the first part, ";
    constexpr std::string_view kSecondPart = "and the second";
    for (const std::uint32_t repeats : {2U, 3U}) {
        TapsRun taps;
        started(taps);
        OneLeg near(taps, {});
        near.client(kFirst).client(kSecondPart).wait(5 * kMillisecond).server("ok").close();
        OneLeg far(taps, {.tap = Side::inside,
                          .start = 100 * kSecond + 3 * kMillisecond,
                          .isn = 7,
                          .step = 100 * kMicrosecond});
        far.client(kFirst).server("ok").unacknowledged(kSecondPart);
        for (std::uint32_t i = 0; i < repeats; ++i) {
            far.wait(200 * kMillisecond).repeat(kSecondPart);
        }
        end(taps);
        ASSERT_EQ(taps.conversations().size(), 1U);
        const Conversation& one = taps.conversations()[0];
        EXPECT_EQ(one.pairing, Pairing::byte_stream);
        // Fewer repeats may be bytes on their way.
        EXPECT_EQ(one.undelivered[index(Way::inward)], repeats < 3 ? 0U : kSecondPart.size());
        EXPECT_EQ(one.undelivered[index(Way::outward)], 0U);
    }
}

TEST(Legs, the_same_packets_under_new_addresses_and_numbers_are_one_conversation) {
    for (const Side client_side : {Side::outside, Side::inside}) {
        for (const bool v6 : {false, true}) {
            TapsRun taps;
            started(taps);
            CrossingOptions options{.client_port = {50'123, 1024},
                                    .shift = {111'111, 222'222},
                                    .client_side = client_side,
                                    .v6 = v6,
                                    .timestamps = false,
                                    .ip_ids = false};
            if (v6) {
                options.client = {"2001:db8::1", "2001:db8::2"};
                options.server = {"2001:db8::3", "2001:db8::3"};
            } else {
                options.client = {"192.0.2.10", "10.20.0.1"};
            }
            Crossing crossing(taps, options);
            crossing.handshake().client("a request").server("an answer of some length").close();
            end(taps);
            ASSERT_EQ(taps.conversations().size(), 1U);
            const Conversation& one = taps.conversations()[0];
            EXPECT_EQ(one.pairing, Pairing::timestamps);
            EXPECT_EQ(one.client_side, client_side);
            EXPECT_EQ(one.ways[0].passed, one.ways[0].entered);
            EXPECT_EQ(one.ways[1].passed, one.ways[1].entered);
            EXPECT_TRUE(taps.facts().empty());
        }
    }
}

// The other tap may have missed all of it, as an overrun mirror does, or it never crossed.
TEST(Legs, of_a_connection_that_one_tap_alone_shows_the_misses_are_unproven) {
    TapsRun taps;
    started(taps);
    OneLeg one(taps, {});
    one.client(kRequest).server(kAnswer).client(kRequest).server(kAnswer).close();
    end(taps);
    ASSERT_EQ(taps.conversations().size(), 1U);
    EXPECT_GT(taps.facts_of(FactKind::missed_at_entry), 0U);
    EXPECT_GT(taps.facts_of(FactKind::missed_at_exit), 0U);
    for (const Fact& fact : taps.facts()) {
        EXPECT_EQ(fact.grade, Grade::unproven) << name(fact.kind);
    }
    EXPECT_EQ(taps.engine().health().untold_sides, 0U);
}

TEST(Legs, a_connection_from_a_stock_was_opened_before_its_client_came) {
    TapsRun taps;
    started(taps);
    OneLeg far(taps, {.tap = Side::inside, .start = 99 * kSecond, .isn = 7});
    OneLeg near(taps, {});
    near.client(kRequest).wait(10 * kMillisecond).server(kAnswer).close();
    far.wait(kSecond + 3 * kMillisecond).client(kRequest).server(kAnswer).close();
    end(taps);
    ASSERT_EQ(taps.conversations().size(), 1U);
    EXPECT_EQ(taps.conversations()[0].pairing, Pairing::byte_stream);
    EXPECT_EQ(taps.conversations()[0].client_side, Side::outside);
}

}  // namespace
}  // namespace tw::taps
