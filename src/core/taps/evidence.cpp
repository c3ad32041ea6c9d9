// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/evidence.hpp"

#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {
namespace {

// Pairs of both ways that show the two taps to be told apart rightly.
constexpr std::uint8_t kPairsCount = 3;

}  // namespace

std::uint32_t place_of(std::uint64_t conversation, Way way, std::uint32_t lo) {
    std::uint64_t mixed = (conversation * 2 + index(way)) * 0x9E37'79B9'7F4A'7C15U + lo;
    mixed ^= mixed >> 29;
    mixed *= 0xBF58'476D'1CE4'E5B9U;
    return static_cast<std::uint32_t>(mixed >> 40);
}

Evidence::State::State(const EngineOptions& options, FactSink& sink, Passage& passage,
                       TapHealth& health, stats::Counters& counters)
    : sink_(sink),
      passage_(passage),
      health_(health),
      counters_(counters),
      skew_(options.negative_skew_max),
      wait_(options.transit_max),
      conversations_(options.conversations_max, options.backing),
      spans_(options.open_losses_max, options.backing),
      opens_(std::max(options.open_losses_max, options.in_flight_max / 8), options.backing),
      suspects_(options.open_losses_max, options.backing),
      strays_(std::max(options.open_losses_max / 4, 64U), options.backing),
      recently_left_(kRecentlyLeft, options.backing),
      reactions_(kReactions, options.backing) {
    memory_bytes_ =
        std::size_t{options.conversations_max} * sizeof(ConversationEvidence) +
        std::size_t{options.open_losses_max} *
            (Spans::bytes_per_gap() + Pool<Suspect>::bytes_per_record()) +
        std::size_t{std::max(options.open_losses_max, options.in_flight_max / 8)} *
            Pool<Open>::bytes_per_record() +
        std::size_t{std::max(options.open_losses_max / 4, 64U)} * Pool<Stray>::bytes_per_record() +
        kRecentlyLeft * sizeof(RecentlyLeft) + kReactions * sizeof(Reaction);
}

void Evidence::State::begin(const Witnessed& of, Nanos since_previous) {
    ConversationEvidence& it = of_slot(of);
    it = ConversationEvidence{};
    it.since_previous = since_previous;
}

void Evidence::State::advance(const std::array<Nanos, kSides>& clocks, Nanos wait) {
    now_ = std::max(now_, std::min(clocks[0], clocks[1]));
    wait_ = wait;
    if (spans_.refused() != gaps_refused_) {
        counters_.add(stats::Counter::evidence_gaps_exhausted, spans_.refused() - gaps_refused_);
        gaps_refused_ = spans_.refused();
    }
    while (suspects_head_ != kNone && suspects_[suspects_head_].due <= now_) {
        const std::uint32_t index = suspects_head_;
        suspects_head_ = suspects_[index].next;
        if (suspects_head_ == kNone) {
            suspects_tail_ = kNone;
        }
        evaluate(index, now_ - suspects_[index].since >= kLossPatience, now_);
    }
    while (strays_head_ != kNone && strays_[strays_head_].due <= now_) {
        const std::uint32_t index = strays_head_;
        strays_head_ = strays_[index].next;
        if (strays_head_ == kNone) {
            strays_tail_ = kNone;
        }
        ask_again(index);
    }
}

// One tap alone shows both directions of a connection, answered by more than a refusal: it crossed
// somewhere, and was not recognised at the other tap.
bool Evidence::State::crossed_unrecognised(const ConversationEvidence& it) {
    if (it.seen[0] == it.seen[1]) {
        return false;
    }
    const Way entering = way_into(it.seen[0] ? Side::outside : Side::inside);
    const WayState& answers = it.ways[index(back(entering))];
    return it.ways[index(entering)].last_entered != 0 && answers.last_left != 0 &&
           (answers.syns_left != 0 || answers.resets_left == 0);
}

// The best that the conversation as a whole allows to be said of its packets.
Grade Evidence::State::best_grade(const Witnessed& of, FactKind kind) const {
    const ConversationEvidence& it = conversations_[of.slot];
    if (crossed_unrecognised(it) && kind != FactKind::icmp_error) {
        return Grade::unproven;
    }
    if (!of.side_known) {
        return Grade::probable;  // which way a packet goes is a guess
    }
    // A proxy sends bytes of its own accord: what leaves need not have entered in that packet.
    const bool may_be_split = it.ways[0].rewritten || it.ways[1].rewritten || it.resegmented ||
                              it.answered_by_firewall || it.forged_acks != 0 ||
                              it.ways[0].early != 0 || it.ways[1].early != 0;
    // Too little of it was recognised at both taps: its orientation may be wrong.
    const bool hardly_paired = it.ways[0].pairs < kPairsCount || it.ways[1].pairs < kPairsCount;
    if (hardly_paired && kind == FactKind::missed_at_entry) {
        return Grade::probable;
    }
    if (may_be_split && (kind == FactKind::missed_at_entry || kind == FactKind::missed_at_exit)) {
        return Grade::probable;
    }
    return Grade::proven;
}

void Evidence::State::take(Fact& fact, const Witnessed& of, Nanos now) {
    fact.grade = std::min(fact.grade, best_grade(of, fact.kind));
    fact.decided = now;
    sink_.take(fact, of);
}

void Evidence::State::end(const Witnessed& of, Nanos now, Conversation& record) {
    ConversationEvidence& it = of_slot(of);
    close_losses(of, now);
    close_strays(it, now);
    tell_asymmetry(of, it, now);
    for (const Way way : {Way::inward, Way::outward}) {
        WayState& state = it.ways[index(way)];
        settle_gaps(of, state, way, now);
        spans_.release(state.at_entry);
        spans_.release(state.at_exit);
    }
    describe(of, it, record);
}

// --- the class others see

Evidence::Evidence(const EngineOptions& options, FactSink& sink, Passage& passage,
                   TapHealth& health, stats::Counters& counters)
    : state_(std::make_unique<State>(options, sink, passage, health, counters)) {}
Evidence::~Evidence() = default;

void Evidence::begin(const Witnessed& of, Nanos since_previous) {
    state_->begin(of, since_previous);
}
void Evidence::entered(const Seen& seen) {
    state_->entered(seen);
}
void Evidence::left(const Seen& seen) {
    state_->left(seen);
}
void Evidence::paired(const Seen& entered, const Seen& left, KeyLevel) {
    state_->paired(entered, left);
}
void Evidence::entered_alone(const Seen& seen) {
    state_->entered_alone(seen);
}
void Evidence::left_alone(const Seen& seen) {
    state_->left_alone(seen);
}
void Evidence::fragmented(const Seen& seen) {
    state_->fragmented(seen);
}
void Evidence::icmp_error(const Witnessed& of, Way quoted_way, const Packet& quote) {
    state_->icmp_error(of, quoted_way, quote);
}
void Evidence::advance(const std::array<Nanos, kSides>& clocks, Nanos wait) {
    state_->advance(clocks, wait);
}
void Evidence::end(const Witnessed& of, Nanos now, Conversation& record) {
    state_->end(of, now, record);
}
void Evidence::finish() {
    state_->finish();
}
std::size_t Evidence::memory_bytes() const {
    return state_->memory_bytes();
}

}  // namespace tw::taps
