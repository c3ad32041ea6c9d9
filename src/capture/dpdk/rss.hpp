// SPDX-License-Identifier: BSD-3-Clause
// How the NICs of a run spread connections over receive queues so that both directions of a
// connection, and both ports of a tap, meet on one worker: one key, one set of hashed fields and
// redirection tables of one period on every port. Plain arithmetic; port.cpp applies it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tw::dpdk {

enum class RssHash : std::uint8_t {
    toeplitz,            // symmetric by its key, symmetric_key(): any NIC
    symmetric_toeplitz,  // symmetric by its function, so the key can be random: 32 bits of it count
};

// What a port's driver offers.
struct RssAbility {
    std::string port;         // its name, for messages
    bool hashes = false;      // false: virtual devices, which may offer a table but use none
    std::uint64_t types = 0;  // RTE_ETH_RSS_*
    std::uint16_t table_entries = 0;
    std::uint16_t queues_max = 0;
    bool symmetric_function = false;  // by rte_flow rules, once the port runs
    // The other end chooses the queue (memif): it may keep a connection's directions together.
    bool peer_spreads = false;
};

struct RssPlan {
    std::uint64_t types = 0;
    std::uint16_t period = 0;  // entry i of every table serves queue (i % period) % queues
    std::uint16_t queues = 1;
    bool by_peers = false;  // nothing to program here: see plan_peers
    RssHash hash = RssHash::toeplitz;
    std::vector<std::uint8_t> random_key{};  // for symmetric_toeplitz; key_of() cuts it
};

// One plan for all ports. Error: why it takes a dispatcher instead.
[[nodiscard]] std::expected<RssPlan, Error> plan_rss(std::span<const RssAbility> ports,
                                                     std::uint16_t queues);

// The same with the symmetric function, where every port has it.
[[nodiscard]] std::optional<RssPlan> plan_symmetric(const RssPlan& plan,
                                                    std::span<const RssAbility> ports,
                                                    std::span<const std::uint8_t> random_key);

// Every port is fed by a peer that chooses the queue. Nobody can ask whether it does so by
// connection, so this is for operators who say so (workers.distribution: rss). Nothing: some port
// is not, or has too few queues.
[[nodiscard]] std::optional<RssPlan> plan_peers(std::span<const RssAbility> ports,
                                                std::uint16_t queues);

// 0x6D5A repeated. Any key with a period of 16 bits hashes both directions alike, because source
// and destination then enter the Toeplitz sum at equal offsets (Woo and Park). It has 16 bits of
// entropy: good for queues, useless as a table hash.
[[nodiscard]] std::vector<std::uint8_t> symmetric_key(std::size_t bytes);

// The plan's key for a port whose keys have so many bytes.
[[nodiscard]] std::vector<std::uint8_t> key_of(const RssPlan& plan, std::size_t bytes);
// "key 6D5A repeated", "a random key and the symmetric function"
[[nodiscard]] std::string_view key_text(const RssPlan& plan);

[[nodiscard]] inline std::uint16_t queue_of_entry(const RssPlan& plan, std::uint16_t entry) {
    return static_cast<std::uint16_t>(entry % plan.period % plan.queues);
}

// "ipv4 ipv4-tcp ipv6"
[[nodiscard]] std::string rss_types_text(std::uint64_t types);

}  // namespace tw::dpdk
