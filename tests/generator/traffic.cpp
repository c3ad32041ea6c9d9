// SPDX-License-Identifier: BSD-3-Clause
#include "generator/traffic.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace tw::generator {
namespace {

// Full segments of 1436 bytes: with IPv6 a frame of 1510 bytes, which every virtual device takes.
constexpr std::uint16_t kFullSegment = 1436;
static_assert(kFullSegment <= kPayloadBytesMax && kFullSegment % 4 == 0);

// Initial sequence numbers and all payloads are multiples of four. With the one that SYN and FIN
// take, no boundary between segments is ever 0, which tshark reads as "nothing seen yet".
constexpr std::uint32_t kSequenceStep = 4;

// Client and flood endpoints: a number is scrambled into 24 bits of address and the low bits of the
// port. One-to-one, so no endpoint comes twice.
constexpr std::uint32_t kClientPortBits = 15;
constexpr std::uint32_t kClientPortFirst = 32'768;
constexpr std::uint32_t kFloodPortBits = 14;
constexpr std::uint32_t kFloodPortFirst = 16'384;
constexpr std::uint32_t kClientNetwork = 10U << 24;               // 10.0.0.0/8
constexpr std::uint32_t kServerNetwork = 172U << 24 | 16U << 16;  // 172.16.0.0/16
constexpr std::array<std::uint16_t, 6> kServerPorts{443, 80, 8443, 8080, 5432, 22};

// Each step can be undone: xor with a constant, product with an odd number, xor with a shift.
[[nodiscard]] std::uint64_t scrambled(std::uint64_t number, std::uint64_t seed,
                                      std::uint32_t bits) {
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    const std::uint32_t half = bits / 2;
    number = (number ^ seed) & mask;
    number = number * 0x9E37'79B9'7F4A'7C15ULL & mask;
    number ^= number >> half;
    number = number * 0xBF58'476D'1CE4'E5B9ULL & mask;
    number ^= number >> half;
    return number;
}

[[nodiscard]] Endpoint endpoint_of(std::uint64_t number, std::uint32_t port_bits,
                                   std::uint32_t port_first) {
    const std::uint32_t port_mask = (1U << port_bits) - 1;
    return {kClientNetwork | static_cast<std::uint32_t>(number >> port_bits),
            static_cast<std::uint16_t>(port_first + (number & port_mask))};
}

[[nodiscard]] std::uint32_t offset_of(Position position, std::uint32_t unit_bytes) {
    return static_cast<std::uint32_t>(position.units) * unit_bytes +
           static_cast<std::uint32_t>(position.bytes);
}

[[nodiscard]] bool opens(ScriptId script) {
    return script_of(script).steps[0].tcp_flags == kSyn;
}

[[nodiscard]] bool closes(ScriptId script) {
    return script == ScriptId::close || script == ScriptId::close_copied_fin ||
           script == ScriptId::close_reset_in_hole;
}

}  // namespace

Traffic::Traffic(const TrafficOptions& options)
    : options_(options),
      random_(options.seed),
      connections_(options.connections),
      active_count_(options.connections) {
    TW_CHECK(options.connections > 0 && options.queues > 0);
    TW_CHECK(options.rounds_min > 0 && options.rounds_min <= options.rounds_max);
    for (Connection& connection : connections_) {
        open(connection);
    }
    for (std::uint32_t& index : ahead_) {
        index = random_.below(active_count_);
    }
}

MadeFrame Traffic::next(std::uint8_t* at, Nanos now) {
    TW_DCHECK(!finished());
    if (joined_to_ == kNone && !finishing_ && !parked_.empty() && parked_.front().until <= now) {
        resume();
    }
    if (joined_to_ == kNone && !finishing_ && options_.syn_flood_per_mille != 0 &&
        chance(options_.syn_flood_per_mille)) {
        return flood(at);
    }
    const std::uint32_t index = joined_to_ != kNone ? joined_to_ : pick();
    Connection& connection = connections_[index];
    const MadeFrame made = emit(connection, at);
    const Script& script = script_of(connection.script);
    joined_to_ = kNone;
    if (connection.step == script.steps.size()) {
        end_script(index);
    } else if (script.steps[connection.step].joined) {
        joined_to_ = index;
    } else if (connection.patient && options_.patience > 0 && !finishing_ &&
               script.steps[connection.step].tcp_flags == (kSyn | kAck)) {
        park(connection, now);
    }
    return made;
}

std::uint32_t Traffic::pick() {
    if (finishing_) {
        return random_.below(active_count_);
    }
    std::uint32_t& slot = ahead_[ahead_position_];
    ahead_position_ = (ahead_position_ + 1) % kAhead;
    // The slot it was drawn for may be gone by now.
    const std::uint32_t index = slot < active_count_ ? slot : random_.below(active_count_);
    slot = random_.below(active_count_);
    __builtin_prefetch(&connections_[slot], 1);
    return index;
}

MadeFrame Traffic::emit(Connection& connection, std::uint8_t* at) {
    const auto script_index = static_cast<std::size_t>(connection.script);
    const Step& step = script_of(connection.script).steps[connection.step];
    const auto me = static_cast<std::size_t>(step.side);
    const std::size_t peer = me ^ 1;
    SegmentFrame frame;
    frame.source = connection.ends[me];
    frame.destination = connection.ends[peer];
    frame.v6 = connection.v6;
    frame.tcp_flags = step.tcp_flags;
    frame.window = step.window;
    frame.syn_options = (step.tcp_flags & kSyn) != 0;
    frame.payload_bytes =
        static_cast<std::uint16_t>(offset_of(step.payload, connection.unit_bytes[me]));
    frame.seq = connection.base[me] + offset_of(step.seq, connection.unit_bytes[me]);
    frame.ack = (step.tcp_flags & kAck) == 0
                    ? 0
                    : connection.base[peer] + offset_of(step.ack, connection.unit_bytes[peer]);
    connection.ip_id[me] = static_cast<std::uint16_t>(connection.ip_id[me] + (step.copy ? 0 : 1));
    frame.ip_id = connection.ip_id[me];
    if (connection.step == 0) {
        count(connection);
    }
    ++made_[script_index][connection.step];
    counts_.missing_bytes += std::uint64_t{step.missing_units} * connection.unit_bytes[me];
    ++connection.step;
    const bool next_queue = options_.split_directions && me != 0;
    return {write(frame, at), static_cast<std::uint16_t>((connection.queue + (next_queue ? 1 : 0)) %
                                                         options_.queues)};
}

MadeFrame Traffic::flood(std::uint8_t* at) {
    Connection once;
    once.ends[0] = endpoint_of(scrambled(floods_made_++, options_.seed, 24 + kFloodPortBits),
                               kFloodPortBits, kFloodPortFirst);
    once.ends[1] = {kServerNetwork | 1, 443};
    once.queue = static_cast<std::uint16_t>(random_.below(options_.queues));
    once.base[0] = random_.word() & ~(kSequenceStep - 1);
    begin(once, ScriptId::syn_flood);
    return emit(once, at);
}

void Traffic::make_endpoints(Connection& connection) {
    connection.ends[0] =
        endpoint_of(scrambled(endpoints_made_++, options_.seed, 24 + kClientPortBits),
                    kClientPortBits, kClientPortFirst);
    connection.ends[1] = {kServerNetwork | random_.below(1U << 16),
                          random_.pick(std::span<const std::uint16_t>(kServerPorts))};
    connection.v6 = chance(options_.v6_per_mille);
    connection.queue = static_cast<std::uint16_t>(random_.below(options_.queues));
}

void Traffic::open(Connection& connection) {
    connection = Connection{};
    make_endpoints(connection);
    for (std::uint32_t& base : connection.base) {
        base = random_.word() & ~(kSequenceStep - 1);
    }
    connection.patient = fault_rate(ScriptId::reorder) != 0 && chance(kPatientPerMille);
    connection.rounds_left =
        static_cast<std::uint16_t>(random_.between(options_.rounds_min, options_.rounds_max));
    begin(connection, drawn(Per::opening, ScriptId::handshake, connection.patient));
}

std::uint32_t Traffic::fault_rate(ScriptId script) const {
    for (std::size_t i = 0; i < kFaults; ++i) {
        if (fault_table()[i].script == script) {
            return options_.fault_per_mille[i];
        }
    }
    return 0;
}

ScriptId Traffic::drawn(Per per, ScriptId otherwise, bool patient) {
    std::uint32_t number = random_.below(1000);
    for (std::size_t i = 0; i < kFaults; ++i) {
        const Fault& fault = fault_table()[i];
        if (fault.per != per || options_.fault_per_mille[i] == 0) {
            continue;
        }
        std::uint32_t rate = options_.fault_per_mille[i];
        if (fault.script == ScriptId::reorder) {
            // Only the patient do it, so they do it more often.
            rate = patient ? std::min(rate * 1000 / kPatientPerMille, 1000U) : 0;
        }
        if (number < rate) {
            return fault.script;
        }
        number -= rate;
    }
    return otherwise;
}

// Sizes are drawn anew for each script.
void Traffic::begin(Connection& connection, ScriptId id) {
    const Script& script = script_of(id);
    connection.script = id;
    connection.step = 0;
    const bool small = options_.mix == SizeMix::small;
    connection.unit_bytes[0] =
        static_cast<std::uint16_t>(random_.between(1, small ? 16 : 150) * kSequenceStep);
    auto segment_bytes =
        small ? static_cast<std::uint16_t>(random_.between(1, 16) * kSequenceStep) : kFullSegment;
    if (script.unit_bytes_max != 0) {
        segment_bytes = std::min(segment_bytes, script.unit_bytes_max);
    }
    connection.unit_bytes[1] = script.unit_bytes != 0 ? script.unit_bytes : segment_bytes;
}

void Traffic::end_script(std::uint32_t index) {
    Connection& connection = connections_[index];
    const Script& script = script_of(connection.script);
    for (std::size_t side = 0; side < 2; ++side) {
        connection.base[side] += offset_of(script.advance[side], connection.unit_bytes[side]);
    }
    if (finishing_) {
        connection = connections_[--active_count_];
    } else {
        begin_next(connection);
    }
}

// A connection is rounds, then a close. A round is a request, perhaps a fault, and answers.
void Traffic::begin_next(Connection& connection) {
    if (closes(connection.script)) {
        replace(connection);
        return;
    }
    if (connection.script == ScriptId::request) {
        const ScriptId fault = drawn(Per::round, ScriptId::answer, connection.patient);
        if (fault != ScriptId::answer) {
            begin(connection, fault);
            return;
        }
    }
    if (connection.answers_left != 0) {
        --connection.answers_left;
        begin(connection, ScriptId::answer);
    } else if (connection.rounds_left != 0) {
        --connection.rounds_left;
        connection.answers_left = answers_of_round();
        begin(connection, ScriptId::request);
    } else {
        begin(connection, drawn(Per::closing, ScriptId::close, connection.patient));
    }
}

std::uint16_t Traffic::answers_of_round() {
    switch (options_.mix) {
        case SizeMix::small:
            return 1;
        case SizeMix::internet:
            return static_cast<std::uint16_t>(random_.between(1, 6));
        case SizeMix::large:
            return static_cast<std::uint16_t>(random_.between(20, 100));
    }
    return 1;
}

// What follows on a connection that has closed, in its place among those that are active. Nothing
// does if patient ones that came back have made them too many.
void Traffic::replace(Connection& connection) {
    if (active_count_ > options_.connections) {
        connection = connections_[--active_count_];
        return;
    }
    if (drawn(Per::closed, ScriptId::handshake, false) != ScriptId::handshake) {
        // Another initial sequence number for sure: tshark compares only the client's.
        connection.base[0] += (1 + random_.below(1U << 28)) * kSequenceStep;
        connection.base[0] &= ~(kSequenceStep - 1);
        connection.base[1] = random_.word() & ~(kSequenceStep - 1);
        connection.rounds_left =
            static_cast<std::uint16_t>(random_.between(options_.rounds_min, options_.rounds_max));
        connection.patient = false;
        begin(connection, ScriptId::handshake_reused_ports);
        return;
    }
    open(connection);
}

// After its SYN: the connection waits out its round trip while another one takes its place.
void Traffic::park(Connection& connection, Nanos now) {
    if (parked_.size() == kParkedMax) {
        connection.patient = false;
        return;
    }
    parked_.push_back({connection, now + options_.patience});
    open(connection);
}

// The patient connection whose time has come goes on among the active ones.
void Traffic::resume() {
    if (active_count_ == connections_.size()) {
        connections_.emplace_back();
    }
    connections_[active_count_++] = parked_.front().connection;
    parked_.pop_front();
}

// A script that has begun is finished, so that no hole is left open that was to be filled.
void Traffic::finish() {
    if (finishing_) {
        return;
    }
    finishing_ = true;
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < active_count_; ++i) {
        if (connections_[i].step == 0) {
            continue;
        }
        if (joined_to_ == i) {
            joined_to_ = kept;
        }
        connections_[kept++] = connections_[i];
    }
    active_count_ = kept;
}

void Traffic::count(const Connection& connection) {
    ++counts_.scripts[static_cast<std::size_t>(connection.script)];
    if (opens(connection.script)) {
        ++counts_.connections;
        counts_.v6_connections += connection.v6 ? 1 : 0;
    }
}

TrafficCounts Traffic::counts() const {
    TrafficCounts counts = counts_;
    for (std::size_t script = 0; script < kScripts; ++script) {
        const auto steps = script_of(static_cast<ScriptId>(script)).steps;
        for (std::size_t step = 0; step < steps.size(); ++step) {
            for (const tcp::FlagInfo& flag : tcp::flag_table()) {
                if (steps[step].expected.has(flag.id)) {
                    counts.flags[static_cast<std::size_t>(flag.id)] += made_[script][step];
                }
            }
        }
    }
    return counts;
}

}  // namespace tw::generator
