// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/stream.hpp"

#include <algorithm>

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

// Behind the first byte by more than this is before it: a keep-alive, or an old packet.
constexpr std::uint32_t kBehindMax = 1U << 31;

void raise(std::uint8_t& count) {
    count = static_cast<std::uint8_t>(count + (count != UINT8_MAX ? 1 : 0));
}

// One's complement addition; all ones are zero. At an odd place bytes change their rank.
std::uint16_t added(std::uint16_t sum, std::uint16_t more, bool odd) {
    const std::uint32_t ranked = odd ? (more << 8 | more >> 8) & 0xFFFFU : more;
    const std::uint32_t both = sum + ranked;
    const std::uint32_t folded = (both & 0xFFFFU) + (both >> 16);
    return static_cast<std::uint16_t>(folded == 0xFFFFU ? 0 : folded);
}

const Stream::Mark* mark_at(const Stream& stream, std::uint32_t bytes) {
    for (const Stream::Mark& mark : stream.marks) {
        if (mark.bytes == bytes) {
            return &mark;
        }
    }
    return stream.turn.bytes == bytes ? &stream.turn : nullptr;
}

void compare(const Stream::Mark& mark, const Stream& other, Agreement& out) {
    if (mark.bytes == 0) {
        return;
    }
    if (const Stream::Mark* const there = mark_at(other, mark.bytes)) {
        out.equal += there->sum == mark.sum ? 1U : 0U;
        out.contradicted = out.contradicted || there->sum != mark.sum;
    }
}

}  // namespace

bool Stream::send(const Packet& packet) {
    packets += packets != UINT32_MAX ? 1 : 0;
    longest = std::max(longest, packet.ip_bytes);
    if (packet.has(flag::kRst)) {
        raise(resets);
        return false;
    }
    std::uint32_t seq = packet.seq;
    if (packet.has(flag::kSyn)) {
        raise(syns);
        ++seq;
        if (syn_at == 0) {
            known = true;
            first = seq;
            syn_at = packet.time;
            mss = packet.mss;
            options = packet.options;
            scale = packet.window_scale;
        }
    }
    const std::uint32_t offset = seq - first;
    if (!known || offset >= kBehindMax) {
        return false;
    }
    const std::uint32_t end = offset + packet.payload_bytes;
    if (packet.has(flag::kFin)) {
        raise(fins);
        fin = true;
        length = end;
    }
    if (packet.payload_bytes == 0) {
        return false;
    }
    payload_bytes += packet.payload_bytes;
    data_at = data_at == 0 ? packet.time : data_at;
    if (offset == acked && end <= sent) {
        raise(repeats);
    }
    sent = std::max(sent, end);
    if (offset != summed || !packet.digest_known) {
        return false;
    }
    sum = added(sum, packet.digest, summed % 2 != 0);
    summed = end;
    for (Mark& mark : marks) {
        if (mark.bytes == 0) {
            mark = {summed, sum};
            return true;
        }
    }
    return false;
}

void Stream::acknowledge(const Packet& packet) {
    if (!packet.has(flag::kAck) || packet.has(flag::kRst)) {
        return;
    }
    if (packet.has(flag::kSyn) && !known) {
        known = true;
        first = packet.ack;
    }
    const std::uint32_t offset = packet.ack - first;
    if (!known || offset >= kBehindMax) {
        return;
    }
    const std::uint32_t bytes = fin ? std::min(offset, length) : offset;
    if (bytes > acked) {
        acked = bytes;
        repeats = 0;
    }
}

bool Stream::answered() {
    if (turn.bytes != 0 || summed == 0 || mark_at(*this, summed) != nullptr) {
        return false;
    }
    turn = {summed, sum};
    return true;
}

Agreement agreement_of(const Stream& one, const Stream& other) {
    Agreement found;
    for (const Stream::Mark& mark : one.marks) {
        compare(mark, other, found);
    }
    compare(one.turn, other, found);
    return found;
}

}  // namespace tw::taps
