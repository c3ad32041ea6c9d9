// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/evidence_spans.hpp"

#include "base/sequence.hpp"

namespace tw::taps {
namespace {

constexpr std::uint32_t kNone = Pool<Gap>::kNone;

std::uint32_t higher(std::uint32_t x, std::uint32_t y) {
    return after(x, y) ? x : y;
}
std::uint32_t lower(std::uint32_t x, std::uint32_t y) {
    return after(x, y) ? y : x;
}

}  // namespace

std::uint32_t Spans::insert(Span& span, std::uint32_t before, const Gap& gap) {
    const std::uint32_t index = span.gaps_count < kGapsMax ? gaps_.take() : kNone;
    if (index == kNone) {
        span.incomplete = true;
        ++refused_;
        return kNone;
    }
    std::uint32_t& link = before == kNone ? span.gaps : gaps_[before].next;
    gaps_[index] = gap;
    gaps_[index].next = link;
    link = index;
    ++span.gaps_count;
    return index;
}

void Spans::remove(Span& span, std::uint32_t before, std::uint32_t index) {
    (before == kNone ? span.gaps : gaps_[before].next) = gaps_[index].next;
    gaps_.give_back(index);
    --span.gaps_count;
}

void Spans::append(Span& span, std::uint32_t lo, std::uint32_t hi, Nanos at) {
    std::uint32_t last = span.gaps;
    while (last != kNone && gaps_[last].next != kNone) {
        last = gaps_[last].next;
    }
    (void)insert(span, last, {.lo = lo, .hi = hi, .since = at});
}

Share Spans::seen(const Span& span, std::uint32_t lo, std::uint32_t hi) const {
    if (!span.known || lo == hi) {
        return Share::none;
    }
    bool lacks = after(span.begin, lo) || after(hi, span.end);
    bool has = after(hi, span.begin) && after(span.end, lo);
    if (!has) {
        return Share::none;
    }
    std::uint32_t from = higher(lo, span.begin);  // first byte not yet looked at
    const std::uint32_t to = lower(hi, span.end);
    has = false;
    for (std::uint32_t i = span.gaps; i != kNone && after(to, gaps_[i].lo); i = gaps_[i].next) {
        const Gap& gap = gaps_[i];
        if (!after(gap.hi, from)) {
            continue;
        }
        lacks = true;
        has = has || after(gap.lo, from);
        from = higher(from, gap.hi);
    }
    has = has || after(to, from);
    if (!has) {
        return Share::none;
    }
    return lacks ? Share::some : Share::whole;
}

Noted Spans::note(Span& span, std::uint32_t lo, std::uint32_t hi, Nanos at) {
    if (lo == hi) {
        return {};
    }
    const bool far = span.known && (distance(span.end, lo) > kJumpMax && after(lo, span.end));
    if (!span.known || far) {
        release(span);
        span = {.begin = lo, .end = hi, .known = true, .incomplete = span.incomplete};
        return {};
    }
    Noted noted{.before = seen(span, lo, hi)};
    if (after(lo, span.end)) {
        append(span, span.end, lo, at);
    }
    std::uint32_t before = kNone;
    for (std::uint32_t i = span.gaps; i != kNone && after(hi, gaps_[i].lo);) {
        Gap& gap = gaps_[i];
        const std::uint32_t next = gap.next;
        if (!after(gap.hi, lo)) {
            before = i;
            i = next;
            continue;
        }
        noted.fills = true;
        noted.gap_since = gap.since;
        if (gap.covered) {
            noted.after_ack = true;
            noted.acknowledged_at = gap.covered_at;
        }
        const bool keeps_low = after(lo, gap.lo);
        const bool keeps_high = after(gap.hi, hi);
        if (keeps_low && keeps_high) {
            Gap upper = gap;
            upper.lo = hi;
            (void)insert(span, i, upper);
            gap.hi = lo;
            before = i;
        } else if (keeps_low) {
            gap.hi = lo;
            before = i;
        } else if (keeps_high) {
            gap.lo = hi;
            before = i;
        } else {
            remove(span, before, i);
        }
        i = next;
    }
    span.end = higher(span.end, hi);
    if (distance(span.begin, span.end) > kJumpMax) {
        forget_below(span, span.end - kJumpMax / 2);
    }
    return noted;
}

// Numbers come round: what lies half a circle behind must not look like what is ahead.
void Spans::forget_below(Span& span, std::uint32_t begin) {
    while (span.gaps != kNone && after(begin, gaps_[span.gaps].lo)) {
        remove(span, kNone, span.gaps);
    }
    span.begin = begin;
}

void Spans::cover(Span& span, std::uint32_t lo, std::uint32_t hi, Nanos at) {
    if (!span.known || !after(hi, lo)) {
        return;
    }
    if (after(hi, span.end)) {
        if (distance(span.end, hi) > kJumpMax) {
            return;  // no receiver is so far ahead: not this sequence space
        }
        append(span, span.end, hi, at);
        span.end = hi;
    }
    for (std::uint32_t i = span.gaps; i != kNone && after(hi, gaps_[i].lo); i = gaps_[i].next) {
        if (gaps_[i].covered || !after(gaps_[i].hi, lo)) {
            continue;
        }
        if (after(lo, gaps_[i].lo)) {  // the lower part stays open
            Gap upper = gaps_[i];
            upper.lo = lo;
            if (insert(span, i, upper) == kNone) {
                return;
            }
            gaps_[i].hi = lo;
            continue;
        }
        if (after(gaps_[i].hi, hi)) {  // the upper part stays open
            Gap upper = gaps_[i];
            upper.lo = hi;
            if (insert(span, i, upper) == kNone) {
                return;
            }
            gaps_[i].hi = hi;
        }
        gaps_[i].covered = true;
        gaps_[i].covered_at = at;
    }
}

bool Spans::take_covered(Span& span, Nanos until, Gap& taken) {
    std::uint32_t before = kNone;
    for (std::uint32_t i = span.gaps; i != kNone; i = gaps_[i].next) {
        if (gaps_[i].covered && gaps_[i].covered_at <= until) {
            taken = gaps_[i];
            remove(span, before, i);
            return true;
        }
        before = i;
    }
    return false;
}

void Spans::release(Span& span) {
    while (span.gaps != kNone) {
        remove(span, kNone, span.gaps);
    }
}

}  // namespace tw::taps
