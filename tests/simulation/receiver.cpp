// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/receiver.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace tw::sim {

Answer Receiver::take(const Packet& packet) {
    const Span span = packet.span;
    if (packet.fin) {
        fin_ = span.end - 1;
    }
    if (span.end <= next_) {
        duplicate_ = span;
        return Answer::now;
    }
    if (span.begin > next_) {
        if (!hold(span)) {
            duplicate_ = span;
        }
        return Answer::now;
    }
    if (span.begin < next_) {
        duplicate_ = Span{span.begin, next_};
    }
    const bool had_hole = !held_.empty();
    next_ = span.end;
    while (!held_.empty() && held_.front().span.begin <= next_) {
        next_ = std::max(next_, held_.front().span.end);
        held_.erase(held_.begin());
    }
    ++unanswered_;
    if (had_hole || duplicate_ || packet.syn || packet.fin || unanswered_ >= 2) {
        unanswered_ = 0;
        return Answer::now;
    }
    return Answer::later;
}

// False if all of it was held already.
bool Receiver::hold(Span span) {
    Held merged{span, ++touches_};
    std::vector<Held> rest;
    bool fresh = true;
    for (const Held& one : held_) {
        if (one.span.covers(span)) {
            fresh = false;
        }
        if (one.span.begin <= merged.span.end && merged.span.begin <= one.span.end) {
            merged.span.begin = std::min(merged.span.begin, one.span.begin);
            merged.span.end = std::max(merged.span.end, one.span.end);
        } else {
            rest.push_back(one);
        }
    }
    rest.push_back(merged);
    std::ranges::sort(rest, {}, [](const Held& one) { return one.span.begin; });
    held_ = std::move(rest);
    return fresh;
}

std::vector<Span> Receiver::blocks() const {
    std::vector<Held> latest = held_;
    std::ranges::sort(latest, std::greater<>{}, &Held::touched);
    std::vector<Span> spans;
    for (const Held& one : latest) {
        spans.push_back(one.span);
    }
    return spans;
}

std::optional<Span> Receiver::take_duplicate() {
    return std::exchange(duplicate_, std::nullopt);
}

}  // namespace tw::sim
