// SPDX-License-Identifier: BSD-3-Clause
// Small scripts of packets at two taps, for tests of what a firewall did to them: the client is
// outside, the server inside, both count from 0. A packet is sent towards the firewall and passes,
// is dropped there, or is missed by a tap. The script plays the engine: it pairs what it sent as
// one packet, and tells what stayed alone once its time is over.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/taps/evidence.hpp"

namespace tw::test {

enum class Fate : std::uint8_t {
    passes,
    dropped,        // by the firewall
    unseen_inside,  // passes, and the inside tap misses it
    unseen_outside,
    unseen,       // passes, and both taps miss it
    made_inside,  // the firewall's own: seen at the inside tap alone
    made_outside,
};

struct Sent {
    Nanos at = 0;
    taps::Way way = taps::Way::inward;
    std::uint32_t seq = 0;
    std::uint32_t bytes = 0;
    std::uint32_t ack = 0;
    std::uint8_t flags = decode::tcp_flag::kAck;
    std::uint16_t window = 0xFFFF;
    std::uint32_t tsval = 0;  // 0 = no timestamps
    std::uint32_t tsecr = 0;
    std::vector<tcp::SackBlock> sack;
    std::uint8_t ttl = 64;
    std::int8_t scale = -1;
    bool no_ip_id = false;
    Nanos transit = 100 * kMicrosecond;
    Nanos late_outside = 0;  // how late that tap's mirror shows it
    Nanos late_inside = 0;
};

class TapScript : public taps::FactSink {
  public:
    explicit TapScript(const taps::EngineOptions& options = small());
    [[nodiscard]] static taps::EngineOptions small();

    void send(const Sent& sent, Fate fate = Fate::passes);
    // With the identification of the packet before it.
    void send_same(const Sent& sent, Fate fate);
    void guess_sides() { of_.side_known = false; }
    void skip_ip_ids(std::uint16_t count) { ip_id_ = static_cast<std::uint16_t>(ip_id_ + count); }
    // The tap where it leaves sees the same frame twice.
    void send_doubled(const Sent& sent);
    // The firewall lets the packet pass in two halves.
    void send_split(const Sent& sent);
    // mtu: of "fragmentation needed"; 0 = another error.
    void icmp(Nanos at, taps::Way quoted_way, std::uint32_t seq, bool at_entry, bool at_exit,
              std::uint16_t mtu = 0);
    // SYN, SYN/ACK, ACK: client and server have each sent number 0 and go on with 1.
    void handshake(Nanos at, bool scales = false);
    // What was sent until then reaches the taps, in the order of time; time passes.
    void run(Nanos until);
    // The conversation ends.
    taps::Conversation end(Nanos at);

    void take(taps::Fact& fact, const taps::Witnessed& of) override;
    [[nodiscard]] const std::vector<taps::Fact>& facts() const { return facts_; }
    [[nodiscard]] std::vector<taps::Fact> facts(taps::FactKind kind) const;
    // "lost_between proven left_later; …" in the order told.
    [[nodiscard]] std::string told() const;

    taps::TapHealth health;
    stats::Counters counters;
    static constexpr Nanos kWait = kSecond;
    static constexpr taps::Way kClient = taps::Way::inward;
    static constexpr taps::Way kServer = taps::Way::outward;

  private:
    struct Sighting {
        taps::Packet packet;
        taps::Numbers numbers;
        taps::Way way = taps::Way::inward;
        std::uint64_t serial = 0;
        std::size_t twin = 0;  // 1 + index of the sighting at the other tap; 0 = none
        bool is_entry = false;
        bool copy = false;
        bool shown = false;
        bool concluded = false;
        bool is_icmp = false;
    };
    std::size_t add(const Sent& sent, taps::Side tap, Nanos at, bool is_entry);
    void show(Sighting& sighting);
    void conclude(Nanos now);
    void pass_time(Nanos until);
    [[nodiscard]] taps::Seen seen(const Sighting& sighting) const;

    taps::EngineOptions options_;
    taps::Witnessed of_{.conversation = 1,
                        .slot = 0,
                        .client_side = taps::Side::outside,
                        .client_known = true,
                        .side_known = true};
    taps::Passage passage_{Backing::lazy};
    std::vector<taps::Fact> facts_;
    std::vector<Sighting> sightings_;
    std::uint64_t serial_ = 0;
    std::uint16_t ip_id_ = 1;
    Nanos now_ = 0;
    taps::Evidence evidence_;
};

}  // namespace tw::test
