// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/matcher.hpp"

#include <algorithm>

#include "base/sequence.hpp"
#include "core/taps/numbers.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;
using stats::Counter;

// Packets of the log: those of half a second at half a million packets a second.
constexpr std::uint32_t kLogMin = 1U << 16;

std::uint8_t queue_of(Side tap, bool entering) {
    return static_cast<std::uint8_t>(index(tap) * 2 + (entering ? 0 : 1));
}

// Few pairs decide for their conversation; until then those of the way do. One that differs among
// many that do not is a packet of which another transmission was taken for its twin.
bool mostly(std::uint32_t same, std::uint32_t other, std::uint32_t least) {
    return same >= least && other * 8 <= same;
}

// Alike in numbers only and far off the usual transit: its repeat may have entered just now, at a
// tap whose mirror is slower.
bool is_unlikely(const Packet& left, const Packet& entered, Nanos transit, Nanos usual) {
    constexpr Nanos kPlausible = 20 * kMillisecond;
    const bool named = !left.v6 && left.ip_id != 0 && left.ip_id == entered.ip_id;
    const bool timed = left.option(option_bit::kTimestamps) && left.tsval == entered.tsval;
    return !named && !timed && left.payload_bytes != 0 && transit > 8 * usual + kPlausible;
}

// No skew of mirrors does that: another window than its sender's, and no clock of its sender.
bool is_made_anew(const Packet& one, const Packet& other) {
    const bool same_clock = one.option(option_bit::kTimestamps) &&
                            other.option(option_bit::kTimestamps) && one.tsval == other.tsval;
    return !same_clock && (one.window != other.window || one.window_scale != other.window_scale);
}

}  // namespace

Matcher::Matcher(const EngineOptions& options, Conversations& conversations,
                 stats::Counters& counters)
    : options_(options),
      conversations_(conversations),
      counters_(counters),
      in_flight_(options.in_flight_max, options.backing, options.hash_seed),
      log_(std::max(kLogMin, options.in_flight_max / 4), options.backing),
      outbox_({.facts_max = options.facts_max,
               .excerpts_max = options.excerpts_max,
               .first_id = options.first_id,
               .id_step = options.id_step},
              conversations, log_, counters),
      pairs_({.backing = options.backing, .transit_max = options.transit_max}, outbox_, health_,
             counters),
      evidence_(options, outbox_, pairs_.passage(), health_, counters),
      pair_states_(options.conversations_max, options.backing),
      wait_(options.transit_max) {}

Witnessed Matcher::witnessed(std::uint32_t slot) const {
    const Live& live = conversations_.live(slot);
    return {.conversation = live.id,
            .slot = slot,
            .client_side = live.client_side,
            .client_known = live.client_known,
            .side_known = live.side_known};
}

void Matcher::begin(std::uint32_t slot, Nanos since_previous) {
    pair_states_[slot] = PairState{};
    evidence_.begin(witnessed(slot), since_previous);
}

std::uint64_t Matcher::key_at(const Live& live, const Packet& packet, std::uint8_t party,
                              Side tap) const {
    return in_flight_.key_of(twin_key_of(live, packet, party), tap);
}

void Matcher::prefetch_bucket(std::uint32_t slot, const Packet& packet) const {
    const Live& live = conversations_.live(slot);
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    in_flight_.prefetch_bucket(key_at(live, packet, party, other(packet.tap)));
    in_flight_.prefetch_bucket(key_at(live, packet, party, packet.tap));
}

void Matcher::prefetch_group(std::uint32_t slot, const Packet& packet) const {
    const Live& live = conversations_.live(slot);
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    in_flight_.prefetch_group(key_at(live, packet, party, other(packet.tap)));
    in_flight_.prefetch_group(key_at(live, packet, party, packet.tap));
}

Kept Matcher::kept_of(const Live& live, Way way, std::uint8_t party) const {
    constexpr std::uint32_t kOwn = 2;
    constexpr std::uint32_t kOfWay = 16;
    const Likeness& own = live.likeness[index(way)];
    const Likeness& all = likeness_[index(way)];
    Kept kept;
    kept.ip_id = own.same_id + own.other_id >= kOwn ? mostly(own.same_id, own.other_id, kOwn)
                                                    : mostly(all.same_id, all.other_id, kOfWay);
    kept.timestamps = own.same_times + own.other_times >= kOwn
                          ? mostly(own.same_times, own.other_times, kOwn)
                          : mostly(all.same_times, all.other_times, kOfWay);
    kept.isn = live.knows_shift(party);
    return kept;
}

// What the numbers of both taps have to do with each other, from the SYN as each saw it.
void Matcher::learn_numbers(Live& live, const Packet& packet, std::uint8_t party) {
    if (!packet.has(flag::kSyn)) {
        return;
    }
    const Side far = other(packet.tap);
    const std::uint32_t more = packet.seq - live.isn[index(far)][party];
    const std::uint32_t shift = packet.tap == Side::inside ? more : 0U - more;
    // One of which only the other tap saw the SYN, and whose packets have found each other: this
    // SYN is of a later connection.
    if (live.knows_shift(party) && !live.has_isn(packet.tap, party) && live.has_isn(far, party) &&
        shift != live.shift[party]) {
        return;
    }
    live.set_isn(packet.tap, party, packet.seq);
    if (live.has_isn(far, party)) {
        live.set_shift(party, shift);
    }
}

void Matcher::count(Conversation& record, const Live& live, const Packet& packet, Way way,
                    bool entering) {
    WayCounts& counts = record.ways[index(way)];
    if (entering) {
        ++counts.entered;
        counts.entered_bytes += packet.payload_bytes;
        counts.longest_entered = std::max(counts.longest_entered, packet.ip_bytes);
    }
    if (packet.has(kTwinFlags)) {
        (entering ? counts.syns_entered : counts.syns_left) += packet.has(flag::kSyn) ? 1U : 0U;
        (entering ? counts.fins_entered : counts.fins_left) += packet.has(flag::kFin) ? 1U : 0U;
        (entering ? counts.resets_entered : counts.resets_left) += packet.has(flag::kRst) ? 1U : 0U;
    }
    if (packet.has(flag::kSyn) && packet.header_complete) {  // of a slice nothing is known
        (entering ? counts.mss_entered : counts.mss_left) = packet.mss;
        (entering ? counts.options_entered : counts.options_left) = packet.options;
        (entering ? counts.scale_entered : counts.scale_left) = packet.window_scale;
    }
    if (packet.has(flag::kSyn)) {
        (entering ? counts.isn_entered : counts.isn_left) = packet.seq;
        const std::uint8_t party = live.party_of(packet.tap, packet.sender);
        counts.isn_known = live.has_isn(Side::outside, party) && live.has_isn(Side::inside, party);
    }
}

void Matcher::observe(std::uint32_t slot, const Packet& packet, bool copy) {
    Live& live = conversations_.live(slot);
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    const Way way = live.way_of(party);
    const bool entering = packet.tap == entry(way);
    const Nanos idle = live.last_left == 0 ? 0 : std::max<Nanos>(0, packet.time - live.last_left);
    const std::uint32_t expected_next = live.next[index(packet.tap)][party];
    const bool next_known = live.has_next(packet.tap, party);
    const bool out_of_order = next_known && packet.space() != 0 && packet.seq != expected_next;

    learn_numbers(live, packet, party);
    if (packet.space() != 0 && (!next_known || after(packet.end(), expected_next))) {
        live.set_next(packet.tap, party, packet.end());
    }
    live.logged = log_.add(live.id, live.logged, way, packet);
    serial_ += static_cast<std::uint32_t>(live.logged - static_cast<std::uint32_t>(serial_));
    const std::uint64_t serial = serial_;
    TapWay& sums = health_.taps[index(packet.tap)][index(way)];
    if (copy) {
        ++sums.copies;
    } else {
        sums.first = sums.packets == 0 ? packet.time : std::min(sums.first, packet.time);
        sums.last = std::max(sums.last, packet.time);
        ++sums.packets;
        count(conversations_.record(slot), live, packet, way, entering);
    }
    const Witnessed of = witnessed(slot);
    const Numbers numbers = numbers_of(live, packet, party);
    const Seen seen{
        .of = of, .packet = packet, .numbers = numbers, .way = way, .serial = serial, .copy = copy};
    if (!entering) {
        evidence_.left(seen);
    } else {
        evidence_.entered(seen);
        if (!copy) {
            pairs_.entered(pair_states_[slot], way, packet, of);
        }
    }

    InFlight::Answer answer = find(live, packet, party, copy);
    if (answer.index == InFlight::kNone && answer.of_other_length != InFlight::kNone) {
        const Packet& twin = in_flight_[answer.of_other_length].packet;
        const std::uint32_t more = packet.tap == Side::inside
                                       ? packet.payload_bytes - twin.payload_bytes
                                       : twin.payload_bytes - packet.payload_bytes;
        live.set_other_shift(party, live.shift[party] + more);
    } else if (answer.index == InFlight::kNone && live.other_known != 0) {
        answer = find_shifted(live, packet, party, copy);
    }
    if (answer.index != InFlight::kNone) {
        const Packet& twin = in_flight_[answer.index].packet;
        const Nanos transit = entering ? twin.time - packet.time : packet.time - twin.time;
        // A SYN whose number is new and that left before it entered was not forwarded.
        const bool answered = packet.has(flag::kSyn) && live.shift[party] != 0 && transit < 0 &&
                              is_made_anew(packet, twin);
        if (!answered && (entering || !is_unlikely(packet, twin, transit, usual_[index(way)]))) {
            pair(slot, in_flight_[answer.index], packet, serial, copy, out_of_order, idle, answer);
            const std::uint64_t key = in_flight_[answer.index].key;
            in_flight_.remove(answer.index);
            if (!answer.alone) {
                in_flight_.contest(key);
            }
            return;
        }
    }
    await(slot, packet, serial, copy, entering, out_of_order, idle);
}

void Matcher::await(std::uint32_t slot, const Packet& packet, std::uint64_t serial, bool copy,
                    bool entering, bool out_of_order, Nanos idle) {
    Live& live = conversations_.live(slot);
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    const std::uint64_t key = key_at(live, packet, party, packet.tap);
    std::uint32_t index = in_flight_.add(key, queue_of(packet.tap, entering));
    if (index == InFlight::kNone) {
        const std::uint32_t oldest = in_flight_.oldest();
        counters_.add(Counter::taps_in_flight_full);
        give_up(oldest);
        index = in_flight_.add(key, queue_of(packet.tap, entering));
    }
    Waiting& waiting = in_flight_[index];
    waiting.packet = packet;
    waiting.serial = serial;
    waiting.conversation = live.id;
    waiting.slot = slot;
    waiting.copy = copy;
    waiting.out_of_order = out_of_order;
    waiting.idle = idle;
    ++live.waiting;
}

void Matcher::give_up(std::uint32_t index) {
    const Waiting& waiting = in_flight_[index];
    Live& live = conversations_.live(waiting.slot);
    if (live.id == waiting.conversation) {
        --live.waiting;
        conversations_.record(waiting.slot).complete = false;
    }
    in_flight_.remove(index);
}

// Gate L: within reach of the begin or the end of either capture nothing is judged.
bool Matcher::judgeable(const Packet& packet, bool entering, const Clocks& clocks) const {
    const std::size_t far = index(other(packet.tap));
    if (!clocks.both_started()) {
        return false;
    }
    const Nanos skew = options_.negative_skew_max;
    return entering ? packet.time >= clocks.first[far] + skew &&
                          packet.time + wait_.now() <= clocks.now[far]
                    : packet.time >= clocks.first[far] + wait_.now() &&
                          packet.time + skew <= clocks.now[far];
}

void Matcher::conclude(std::uint32_t index, const Clocks& clocks) {
    const Waiting waiting = in_flight_[index];
    in_flight_.remove(index);
    Live& live = conversations_.live(waiting.slot);
    if (live.stage == Stage::unused || live.id != waiting.conversation) {
        counters_.add(Counter::taps_unjudged);
        return;
    }
    --live.waiting;
    const std::uint8_t party = live.party_of(waiting.packet.tap, waiting.packet.sender);
    const Way way = live.way_of(party);
    const bool entering = waiting.packet.tap == entry(way);
    if (entering && waiting.copy) {
        return;
    }
    // The numbers behind it need no more time to tell that it passed with another length.
    if (live.has_stepped(party) && pair_lengths(waiting)) {
        return;
    }
    if (!judgeable(waiting.packet, entering, clocks)) {
        counters_.add(Counter::taps_unjudged);
        return;
    }
    if ((!entering && pair_after_all(waiting)) || pair_lengths(waiting)) {
        return;
    }
    const Witnessed of = witnessed(waiting.slot);
    const PairState& state = pair_states_[waiting.slot];
    const Numbers numbers = numbers_of(live, waiting.packet, party);
    const Seen seen{.of = of,
                    .packet = waiting.packet,
                    .numbers = numbers,
                    .way = way,
                    .serial = waiting.serial,
                    .copy = waiting.copy};
    if (entering && !pairs_.claims_split(state, way, waiting.packet, of)) {
        evidence_.entered_alone(seen);
    } else if (!entering && !pairs_.claims_whole(state, way, waiting.packet, of)) {
        evidence_.left_alone(seen);
    }
}

void Matcher::expire(const Clocks& clocks, std::uint8_t queue) {
    const bool entering = queue % 2 == 0;
    const Nanos patience = entering ? wait_.now() : options_.negative_skew_max;
    // All of a queue was added one by one, so this is a constant for each packet.
    for (std::uint32_t at = in_flight_.oldest(queue); at != InFlight::kNone;
         at = in_flight_.oldest(queue)) {
        if (in_flight_[at].packet.time + patience >= clocks.reached()) {
            return;
        }
        conclude(at, clocks);
    }
}

void Matcher::advance(const Clocks& clocks) {
    if (!clocks.both_started()) {
        return;
    }
    outbox_.set_now(std::max(clocks.now[0], clocks.now[1]));
    for (std::uint8_t queue = 0; queue < InFlight::kQueues; ++queue) {
        expire(clocks, queue);
    }
    evidence_.advance(clocks.now, wait_.now());
    pairs_.tick(clocks.reached());
}

bool Matcher::finish_some(const Clocks& clocks) {
    outbox_.set_now(std::max(clocks.now[0], clocks.now[1]));
    for (std::uint8_t queue = 0; queue < InFlight::kQueues; ++queue) {
        for (std::uint32_t at = in_flight_.oldest(queue); at != InFlight::kNone;
             at = in_flight_.oldest(queue)) {
            if (!outbox_.half_empty()) {
                return false;
            }
            conclude(at, clocks);
        }
    }
    if (!finished_) {
        finished_ = true;
        evidence_.advance(clocks.now, wait_.now());
        evidence_.finish();
        pairs_.finish();
    }
    return true;
}

void Matcher::end(std::uint32_t slot, bool ended) {
    const Live& live = conversations_.live(slot);
    Conversation& record = conversations_.record(slot);
    const Witnessed of = witnessed(slot);
    record.ended = ended;
    if (record.pairing == Pairing::same_tuple && (live.shift[0] | live.shift[1]) != 0) {
        record.pairing = Pairing::same_tuple_isn;
    }
    pairs_.ended(pair_states_[slot], of);
    evidence_.end(of, live.last, record);
    if (live.talks_at_one()) {
        // It went another way, or is another one at the other tap: nothing of it was lost there.
        for (WayCounts& way : record.ways) {
            way.lost = way.missed_at_exit = way.missed_at_entry = way.pure_acks_lost = 0;
        }
    }
}

void Matcher::hand_out(std::uint32_t slot) {
    const Live& live = conversations_.live(slot);
    Conversation& record = conversations_.record(slot);
    record.id = live.id;
    record.client_side = live.client_side;
    record.client_known = live.client_known;
    record.side_known = record.side_known || live.side_known;  // by what evidence_ found, too
    record.first = live.first;
    record.last = live.last;
    if (record.seen[0] && record.seen[1]) {
        ++health_.conversations_at_both;
    } else {
        ++health_.conversations_at_one[record.seen[0] ? 0 : 1];
    }
    // On which side of the firewall the client is, is no question to one that is not seen to cross.
    const bool crosses = record.pairing == Pairing::byte_stream || !live.talks_at_one();
    health_.untold_sides += crosses && !record.side_known ? 1 : 0;
    outbox_.take(record);
}

std::size_t Matcher::memory_bytes() const {
    return in_flight_.memory_bytes() + log_.memory_bytes() + outbox_.memory_bytes() +
           pairs_.memory_bytes() + evidence_.memory_bytes() + pair_states_.bytes();
}

}  // namespace tw::taps
