// SPDX-License-Identifier: BSD-3-Clause
// What the tests of core/tcp/life share: a conversation goes in, its episodes come out.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <vector>

#include "core/tcp/life.hpp"
#include "support/conversation.hpp"
#include "support/pipeline_run.hpp"

namespace tw::tcp {

using event::Cause;
using event::Confidence;
using event::Direction;
using event::Event;
using event::EventType;
using event::Place;
using event::Resolution;
using event::Rule;
using event::Verdict;
using stats::Counter;
using test::Conversation;
using test::ConversationOptions;
using test::PacketBuilder;
using test::Party;
using test::PipelineRun;

inline std::function<void(PacketBuilder&)> stamps(std::uint32_t value, std::uint32_t echo) {
    return [=](PacketBuilder& builder) {
        builder.option_nop().option_nop().option_timestamps(value, echo);
    };
}

inline void tell(PipelineRun& run, const Conversation& talk) {
    for (const test::TimedFrame& frame : talk.frames()) {
        run.feed(frame.bytes, frame.time);
    }
}

inline std::vector<Event> events_of(const Conversation& talk, EventType type) {
    PipelineRun run;
    tell(run, talk);
    run.finish();
    std::vector<Event> found;
    std::ranges::copy_if(run.events(), std::back_inserter(found),
                         [&](const Event& event) { return event.type == type; });
    return found;
}

// Nothing at all is told of it.
inline void expect_silence(const Conversation& talk) {
    PipelineRun run;
    tell(run, talk);
    run.finish();
    for (const Event& event : run.events()) {
        ADD_FAILURE() << name(event.type) << ' ' << name(event.finding.verdict);
    }
}

inline void expect_one(const std::vector<Event>& events, Verdict verdict, Rule rule,
                       Confidence confidence, Direction direction) {
    ASSERT_EQ(events.size(), 1U);
    const Event& event = events.front();
    EXPECT_EQ(name(event.finding.verdict), name(verdict));
    EXPECT_EQ(name(event.finding.rule), name(rule));
    EXPECT_EQ(name(event.finding.confidence), name(confidence));
    EXPECT_EQ(name(event.direction), name(direction));
    EXPECT_LE(event.since, event.time);
    EXPECT_LE(event.time, event.time_end);
}

}  // namespace tw::tcp
