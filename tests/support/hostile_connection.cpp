// SPDX-License-Identifier: BSD-3-Clause
#include "support/hostile_connection.hpp"

#include <algorithm>

#include "base/sequence.hpp"

namespace tw::test {
namespace {

constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint32_t kPayloadMax = 1460;
constexpr std::uint32_t kHalfCircle = 0x8000'0000U;

void append(Bytes& bytes, std::initializer_list<std::uint8_t> more) {
    bytes.insert(bytes.end(), more);
}

void append32(Bytes& bytes, std::uint32_t value) {
    append(bytes, {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
                   static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
}

}  // namespace

HostileConnection::HostileConnection(Random& random, Nanos start, bool multipath)
    : random_(random),
      now_(start),
      unit_(random.pick({1U, 2U, 10U, 100U, 100U, 1000U, 1460U})),
      opening_steps_(random.pick({0U, 1U, 2U, 3U, 3U, 3U})),
      multipath_(multipath) {
    for (Side& side : sides_) {
        // Landmarks: zero, just below the wrap, the half circle, anything.
        side.isn = random.pick({0U, 1U, ~0U, 0U - 2 * unit_, 0U - 3 * unit_ - 1, kHalfCircle,
                                kHalfCircle - 1, random.word(), random.word()});
        side.next = side.isn;
        side.window = some_window();
    }
}

SegmentPlan HostileConnection::next() {
    using Action = void (HostileConnection::*)();
    struct Weighted {
        std::uint32_t weight;
        Action action;
    };
    static constexpr Weighted kActions[] = {
        {22, &HostileConnection::ordinary_data},
        {5, &HostileConnection::data_after_gap},
        {7, &HostileConnection::repeat},
        {4, &HostileConnection::overlap},
        {16, &HostileConnection::pure_ack},
        {10, &HostileConnection::duplicate_ack},
        {3, &HostileConnection::window_change},
        {6, &HostileConnection::ack_near_history},
        {2, &HostileConnection::ack_unseen},
        {4, &HostileConnection::keep_alive},
        {2, &HostileConnection::zero_window},
        {3, &HostileConnection::probe},
        {3, &HostileConnection::fill_window},
        {2, &HostileConnection::fin},
        {1, &HostileConnection::rst},
        {1, &HostileConnection::syn},
        {1, &HostileConnection::syn_ack},
        {2, &HostileConnection::odd_flags},
        {1, &HostileConnection::half_circle},
        {1, &HostileConnection::around_zero},
        {4, &HostileConnection::chaos},
    };
    constexpr std::uint32_t kTotal = [] {
        std::uint32_t total = 0;
        for (const Weighted& row : kActions) {
            total += row.weight;
        }
        return total;
    }();

    const std::uint8_t previous = plan_.side;
    plan_ = {};
    plan_.side = random_.chance(60) ? previous ^ 1 : previous;
    advance_time();
    plan_.flags = kAck;
    plan_.seq = me().next;
    plan_.ack = random_.chance(80) ? peer().next : me().ack;
    plan_.window = random_.chance(85) ? me().window : some_window();
    if (flood_left_ > 0) {
        flood();
    } else if (steps_ < opening_steps_) {
        opening();
    } else {
        std::uint32_t draw = random_.below(kTotal);
        const Weighted* row = kActions;
        while (draw >= row->weight) {
            draw -= row->weight;
            ++row;
        }
        (this->*row->action)();
        add_options();
    }
    plan_.payload_bytes = std::min(plan_.payload_bytes, kPayloadMax);
    ++steps_;
    remember();
    return plan_;
}

HostileConnection::Sent& HostileConnection::some_sent(Side& side) {
    const std::uint32_t count = std::min(side.sent_count, kHistory);
    return side.history[count == 0 ? 0 : random_.below(count)];
}

// The handshake as it should be, as far as this connection has one.
void HostileConnection::opening() {
    plan_.side = steps_ == 1 ? 1 : 0;
    plan_.flags = steps_ == 0 ? kSyn : steps_ == 1 ? kSyn | kAck : kAck;
    plan_.seq = steps_ < 2 ? me().isn : me().isn + 1;
    plan_.ack = steps_ == 0 ? 0 : peer().isn + 1;
    plan_.window = me().window;
    if (steps_ < 2) {
        add_syn_options();
    }
}

void HostileConnection::ordinary_data() {
    add_flag(30, kPsh);
    plan_.payload_bytes = random_.chance(80) ? unit_ : small_length();
    // The flag and the field are independent: some rules look at one, some at the other.
    if (random_.chance(3)) {
        plan_.flags &= static_cast<std::uint8_t>(~kAck);
    }
}

void HostileConnection::data_after_gap() {
    plan_.seq += random_.pick({1U, 2U, unit_, unit_ + 1, 2 * unit_, 3 * unit_, 100'000U});
    plan_.payload_bytes = random_.chance(85) ? small_length() : 0;
}

void HostileConnection::repeat() {
    const Sent& sent = some_sent(me());
    plan_.seq = sent.seq;
    plan_.payload_bytes = sent.payload_bytes;
    plan_.flags = random_.chance(80) ? sent.flags : plan_.flags;
}

void HostileConnection::overlap() {
    const Sent& sent = some_sent(me());
    plan_.seq = sent.seq + random_.pick({0U, 1U, ~0U, unit_ / 2, 0U - unit_ / 2});
    plan_.payload_bytes = sent.payload_bytes + random_.pick({0U, 1U, unit_, unit_ / 2});
    plan_.payload_bytes -= plan_.payload_bytes > 0 && random_.chance(20) ? 1U : 0U;
}

void HostileConnection::pure_ack() {
    plan_.ack = peer().next;
}

void HostileConnection::duplicate_ack() {
    plan_.ack = me().ack;
    plan_.window = me().window;
    if (random_.chance(40)) {
        add_sack();
    }
}

void HostileConnection::window_change() {
    plan_.ack = random_.chance(90) ? me().ack : plan_.ack;
    plan_.window = some_window();
}

void HostileConnection::ack_near_history() {
    const Sent& sent = some_sent(peer());
    plan_.ack = sent.seq + random_.pick({0U, sent.payload_bytes, sent.payload_bytes + 1, 1U,
                                         sent.payload_bytes / 2, sent.payload_bytes - 1});
    plan_.payload_bytes = random_.chance(15) ? small_length() : 0;
}

void HostileConnection::ack_unseen() {
    plan_.ack = peer().next + random_.pick({1U, 2U, unit_, 2 * unit_, 100'000U});
    add_flag(5, kRst);
    plan_.payload_bytes = random_.chance(15) ? small_length() : 0;
}

void HostileConnection::keep_alive() {
    plan_.seq = me().next - 1;
    plan_.payload_bytes = random_.pick({0U, 0U, 1U, 1U, 2U, unit_});
    plan_.window = random_.chance(5) ? 0 : plan_.window;
}

void HostileConnection::zero_window() {
    plan_.window = 0;
    plan_.ack = random_.chance(70) ? me().ack : plan_.ack;
    plan_.payload_bytes = random_.chance(15) ? small_length() : 0;
    add_flag(5, random_.pick({kFin, kSyn, kRst}));
}

void HostileConnection::probe() {
    plan_.payload_bytes = 1;
    add_flag(10, random_.pick({kFin, kSyn, kRst, kPsh}));
    if (random_.chance(40)) {
        peer().window =
            0;  // no packet says so: only the generator believes it, until the next zero
    }
}

void HostileConnection::fill_window() {
    const int shift = peer().scale > 0 && random_.chance(80) ? std::min(peer().scale, 14) : 0;
    const std::uint32_t edge = peer().ack + (std::uint32_t{peer().window} << shift);
    const std::uint32_t room = edge - plan_.seq;
    if (room > 0 && room <= kPayloadMax) {
        plan_.payload_bytes = room;
    } else {
        plan_.payload_bytes = small_length() + 1;
        plan_.seq = edge - plan_.payload_bytes;
    }
    plan_.payload_bytes += random_.pick({0U, 0U, 0U, 0U, 1U, ~0U});
}

void HostileConnection::fin() {
    plan_.flags |= kFin;
    if (random_.chance(20)) {
        plan_.flags &= static_cast<std::uint8_t>(~kAck);
    }
    plan_.seq += random_.pick({0U, 0U, 0U, 0U, 1U, ~0U});
    plan_.payload_bytes = random_.chance(30) ? small_length() : 0;
}

void HostileConnection::rst() {
    plan_.flags = random_.pick<std::uint8_t>({kRst, kRst | kAck});
    plan_.seq = random_.pick({me().next, me().next, peer().ack, near(me().next), random_.word()});
    plan_.payload_bytes = random_.chance(10) ? small_length() : 0;
    plan_.window = random_.chance(50) ? 0 : plan_.window;
}

void HostileConnection::syn() {
    plan_.flags = kSyn;
    plan_.seq = random_.pick({me().isn, me().isn, me().isn + 1, me().isn - 1, me().next,
                              me().next + unit_, 0U, random_.word()});
    plan_.ack = random_.pick({0U, 0U, me().ack});
    plan_.payload_bytes = random_.chance(10) ? small_length() : 0;
    me().isn = plan_.seq;
    me().next = plan_.seq;  // a new beginning; remember() adds the SYN itself
    add_syn_options();
}

void HostileConnection::syn_ack() {
    plan_.flags = kSyn | kAck;
    plan_.seq = random_.pick(
        {me().isn, me().isn, me().isn + 1, me().isn - 1, me().next, 0U, random_.word()});
    plan_.ack = random_.pick({peer().isn + 1, peer().isn + 1, peer().next, peer().isn + 2});
    me().isn = random_.chance(50) ? plan_.seq : me().isn;
    add_syn_options();
}

void HostileConnection::odd_flags() {
    plan_.flags = random_.pick<std::uint8_t>(
        {0, kSyn | kFin, kSyn | kFin | kAck, kFin, kSyn | kRst, kFin | kRst, kPsh, 0xFF, 0xC2,
         kFin | kPsh | 0x20, kRst | kSyn | kAck, static_cast<std::uint8_t>(random_.word())});
    plan_.seq = near(me().next);
    plan_.payload_bytes = random_.chance(40) ? small_length() : 0;
}

void HostileConnection::half_circle() {
    const std::uint32_t jump = kHalfCircle + random_.pick({0U, 0U, 0U, 1U, ~0U});
    if (random_.chance(50)) {
        plan_.seq = me().next + jump;
    } else {
        plan_.ack = peer().next + jump;
    }
    plan_.payload_bytes = random_.chance(60) ? small_length() : 0;
}

// A number that is 0 or ends at 0: tshark takes 0 for "nothing yet".
void HostileConnection::around_zero() {
    plan_.payload_bytes = random_.chance(60) ? small_length() : 0;
    switch (random_.below(4)) {
        case 0:
            plan_.seq = 0 - plan_.payload_bytes;
            break;
        case 1:
            plan_.seq = 0;
            break;
        case 2:
            plan_.ack = 0;
            break;
        default:
            plan_.seq = 0 - plan_.payload_bytes - 1;
            plan_.flags |= kFin;
            break;
    }
}

// Anything out of a small space.
void HostileConnection::chaos() {
    plan_.flags = random_.pick<std::uint8_t>(
        {kAck, kAck, kAck, kAck | kPsh, kFin | kAck, kSyn, kSyn | kAck, kRst, kRst | kAck, 0});
    plan_.seq = me().isn + random_.below(6) * unit_;
    plan_.seq += random_.pick({0U, 1U, 1U, 1U, ~0U});
    plan_.ack = peer().isn + random_.below(6) * unit_;
    plan_.ack += random_.pick({0U, 1U, 1U, 1U, ~0U});
    plan_.payload_bytes = random_.chance(50) ? small_length() : 0;
    plan_.window = some_window();
}

void HostileConnection::flood() {
    --flood_left_;
    plan_.side = 0;
    plan_.seq = me().next;
    plan_.ack = me().ack;
    plan_.payload_bytes = flood_left_ == 0 ? random_.below(2) : 1;
    plan_.flags = flood_left_ == 0 ? kFin | kAck : kAck;
    plan_.window = me().window;
}

void HostileConnection::add_syn_options() {
    Bytes& options = plan_.options;
    if (random_.chance(70)) {
        append(options, {2, 4, 5, 0xB4});
    }
    if (random_.chance(60)) {
        const auto shift = random_.pick<std::uint8_t>({0, 1, 2, 7, 7, 14, 15, 255});
        append(options, {1, 3, 3, shift});
        me().scale = shift;
    }
    if (random_.chance(50)) {
        append(options, {4, 2});
    }
    if (random_.chance(10)) {
        append(options, {34, 10, 1, 2, 3, 4, 5, 6, 7, 8});  // Fast Open cookie
    }
    // MP_CAPABLE opens once; a later one makes tshark 4.0.17 fail in an assertion of its own.
    if (multipath_ && steps_ < opening_steps_ && random_.chance(70)) {
        append(options, {30, 12, 0x00, 0x81});
        append32(options, random_.word());
        append32(options, random_.word());
    }
}

void HostileConnection::add_options() {
    if (random_.chance(10)) {
        append(plan_.options, {1, 1, 8, 10});
        append32(plan_.options, static_cast<std::uint32_t>(now_ / kMillisecond));
        append32(plan_.options, 0);
    }
    if (random_.chance(8)) {
        add_sack();
    }
    if (random_.chance(2)) {  // a window scale where none belongs
        append(plan_.options, {3, 3, random_.pick<std::uint8_t>({0, 2, 7, 15})});
        me().scale = plan_.options.back();
    }
    if (random_.chance(2)) {  // broken lists: lengths of 0 and 1, beyond the end, a kind alone
        switch (random_.below(5)) {
            case 0:
                append(plan_.options, {8, 0, 0, 0});
                break;
            case 1:
                append(plan_.options, {3, 1, 7, 0});
                break;
            case 2:
                append(plan_.options, {2, 40, 1, 1});
                break;
            case 3:
                append(plan_.options, {1, 1, 1, 8});
                break;
            default:
                append(plan_.options, {253, 4, 1, 2, 0, 3, 3, 9});  // after end of list
                break;
        }
    }
    if (multipath_) {
        add_multipath();
    }
    plan_.options.resize(std::min<std::size_t>(plan_.options.size(), 40));
    if (random_.chance(1)) {
        plan_.data_words = random_.pick<std::uint8_t>({0, 4, 5, 6, 15});
    }
}

void HostileConnection::add_sack() {
    if (plan_.options.size() > 20) {
        return;
    }
    if (random_.chance(8)) {
        // Lengths that hold no whole block, or one and a half.
        const auto length = random_.pick<std::uint8_t>({2, 3, 5, 9, 14, 34});
        append(plan_.options, {5, length});
        plan_.options.insert(plan_.options.end(), std::min<std::size_t>(length - 2U, 14U), 0x55);
        return;
    }
    const std::uint32_t blocks = random_.between(1, plan_.options.empty() ? 4 : 2);
    append(plan_.options, {1, 1, 5, static_cast<std::uint8_t>(2 + 8 * blocks)});
    for (std::uint32_t i = 0; i < blocks; ++i) {
        std::uint32_t begin = near(plan_.ack);
        begin += random_.chance(70) ? unit_ : 0;
        append32(plan_.options, begin);
        append32(plan_.options, begin + random_.pick({unit_, 1U, 0U, ~0U}));
    }
}

void HostileConnection::add_multipath() {
    if (plan_.options.size() > 28 || !random_.chance(30)) {
        return;
    }
    switch (random_.below(3)) {
        case 0:
            append(plan_.options, {30, 8, 0x20, 0x01, 0, 0, 0, 1});  // DSS: data ACK
            break;
        case 1:
            append(plan_.options, {30, 4, 0x50, 0});  // MP_PRIO
            break;
        default:
            append(plan_.options, {30, 4, 0x40, 3});  // REMOVE_ADDR
            break;
    }
}

void HostileConnection::advance_time() {
    constexpr Nanos kFastLimit = 20 * kMillisecond;
    constexpr Nanos kReorderLimit = 3 * kMillisecond;
    const Nanos jitter = static_cast<Nanos>(random_.below(3)) - 1;
    switch (random_.below(16)) {
        case 0:
            break;  // the same instant
        case 1:
            now_ += 1;
            break;
        case 2:
            now_ = me().time + kReorderLimit + jitter;
            break;
        case 3:
            now_ = peer().time + kFastLimit + jitter;
            break;
        case 4:
            now_ = me().time + (initial_rtt_ != 0 ? initial_rtt_ : kReorderLimit) + jitter;
            break;
        case 5:
            now_ += kSecond;
            break;
        case 6:
            now_ -= random_.pick<Nanos>({1, kMicrosecond, kMillisecond, 30 * kMillisecond});
            break;
        default:
            now_ += random_.between(1, 400) * 10 * kMicrosecond;
            break;
    }
    now_ = std::max<Nanos>(now_, 0);  // pcap stores no time before 1970
    plan_.time = now_;
}

void HostileConnection::remember() {
    Side& side = me();
    const bool phantom = (plan_.flags & (kSyn | kFin)) != 0;
    const std::uint32_t end = plan_.seq + plan_.payload_bytes + (phantom ? 1 : 0);
    // Wild jumps are not followed, or everything after them would be "behind".
    if (after(end, side.next) && (end - side.next < 1'000'000 || random_.chance(20))) {
        side.next = end;
    }
    side.ack = plan_.ack;
    side.window = plan_.window;
    side.time = plan_.time;
    side.history[side.sent_count++ % kHistory] = {plan_.seq, plan_.payload_bytes, plan_.flags};
    if ((plan_.flags & (kSyn | kAck)) == kSyn) {
        syn_time_ = plan_.time;
    } else if ((plan_.flags & (kSyn | kAck)) == kAck && syn_time_ != 0 && initial_rtt_ == 0) {
        initial_rtt_ = plan_.time - syn_time_;
    }
}

void HostileConnection::add_flag(std::uint32_t percent, std::uint8_t flag) {
    if (random_.chance(percent)) {
        plan_.flags |= flag;
    }
}

std::uint32_t HostileConnection::small_length() {
    return random_.pick(
        {1U, 1U, 2U, unit_, unit_, unit_ + 1, 2 * unit_ > kPayloadMax ? unit_ : 2 * unit_});
}

// A number beside `base`: at most a few units away.
std::uint32_t HostileConnection::near(std::uint32_t base) {
    const std::uint32_t units = random_.below(5) - 2;
    return base + units * unit_ + random_.pick({0U, 0U, 0U, 1U, ~0U});
}

std::uint16_t HostileConnection::some_window() {
    return random_.pick<std::uint16_t>({0, 1, 2, static_cast<std::uint16_t>(unit_),
                                        static_cast<std::uint16_t>(2 * unit_), 100, 8192, 8192,
                                        8193, 65535});
}

}  // namespace tw::test
