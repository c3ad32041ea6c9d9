// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/copies.hpp"

#include <bit>

#include "core/flow/hash.hpp"
#include "core/tcp/same_frame.hpp"

namespace tw::taps {
namespace {

// Signed 56 bits of nanoseconds: differences of up to a year survive.
constexpr std::uint64_t time_ttl(const Packet& packet) {
    return static_cast<std::uint64_t>(packet.time) << 8 | packet.ttl;
}
constexpr Nanos apart(std::uint64_t earlier, std::uint64_t later) {
    return static_cast<Nanos>((later & ~0xFFULL) - (earlier & ~0xFFULL)) >> 8;
}

// Without an identification two pure ACKs alike are what a receiver sends that asks for the same
// bytes again, as fast as data arrives.
bool may_repeat_at_once(const Packet& packet) {
    return packet.space() == 0 && !packet.has(decode::tcp_flag::kRst) &&
           (packet.v6 || packet.ip_id == 0);
}

// Packets behind what is said of a mirror, at least; and most, so that a while ago is forgotten.
constexpr std::uint32_t kCertainMin = 32;
constexpr std::uint32_t kCertainMax = 1024;

}  // namespace

Copies::Copies(std::uint32_t frames_max, Backing backing, std::uint64_t seed)
    : mask_(std::bit_ceil(frames_max / kWays < 1 ? 1U : frames_max / std::uint32_t{kWays}) - 1U),
      seed_(seed),
      sets_(mask_ + 1, backing) {}

std::uint64_t Copies::identity(const Packet& packet, std::uint64_t connection) const {
    const auto pair = [](std::uint64_t low, std::uint64_t high) { return low | high << 32; };
    std::uint64_t mixed = flow::fold(connection ^ seed_, flow::second_seed(seed_));
    mixed ^= flow::fold(pair(packet.seq, packet.ack) ^ seed_, flow::kMixB ^ mixed);
    mixed ^= flow::fold(pair(packet.tsval, packet.tsecr) ^ mixed, flow::kMixA ^ seed_);
    const std::uint64_t rest =
        packet.checksum | std::uint64_t{packet.ip_id} << 16 | std::uint64_t{packet.window} << 32 |
        std::uint64_t{packet.flags} << 48 | std::uint64_t{packet.sender} << 56 |
        std::uint64_t{index(packet.tap)} << 57;
    mixed = flow::fold(mixed ^ rest, flow::kMixB ^ packet.payload_bytes);
    return mixed == 0 ? 1 : mixed;  // 0 marks an empty place
}

void Copies::count(Certain& certain, bool copy) {
    if (++certain.packets == kCertainMax) {
        certain.packets /= 2;
        certain.copies /= 2;
    }
    certain.copies += copy ? 1U : 0U;
}

bool Copies::saw(const Packet& packet, std::uint64_t identity) {
    // A mirror that doubles whatever can be told apart doubles the rest as well.
    Certain& certain = certain_[index(packet.tap)];
    const bool doubles =
        certain.packets >= kCertainMin && certain.copies * 8 >= certain.packets * 3;
    const bool uncertain = may_repeat_at_once(packet);
    Set& set = sets_[set_of(identity)];
    const std::uint64_t now = time_ttl(packet);
    Remembered* oldest = &set.frames[0];
    for (Remembered& frame : set.frames) {
        if (frame.identity != identity) {
            oldest = frame.identity == 0 ||
                             (oldest->identity != 0 && apart(frame.time_ttl, oldest->time_ttl) > 0)
                         ? &frame
                         : oldest;
            continue;
        }
        const Nanos lag = apart(frame.time_ttl, now);
        const int hops = static_cast<int>(frame.time_ttl & 0xFF) - packet.ttl;
        const bool alike = lag >= 0 && lag <= tcp::kMirrorLag && hops >= -1 && hops <= 1 &&
                           (hops != 0 || !uncertain || doubles) &&
                           tcp::is_one_frame({.apart = lag,
                                              .named = !packet.v6 && packet.ip_id != 0,
                                              .ttl_differs = hops != 0,
                                              .timestamps = packet.option(option_bit::kTimestamps),
                                              .asked = true});
        frame.time_ttl = now;
        if (!uncertain) {
            count(certain, alike);
        }
        return alike;
    }
    *oldest = {identity, now};
    if (!uncertain) {
        count(certain, false);
    }
    return false;
}

}  // namespace tw::taps
