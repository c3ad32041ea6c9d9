// SPDX-License-Identifier: BSD-3-Clause
// The two applications of a connection: who writes what when, and how it ends.
#pragma once

#include "simulation/endpoint.hpp"

namespace tw::sim {

class Script {
  public:
    Script(const ConnectionPlan& plan, Endpoint& client, Endpoint& server)
        : plan_(plan), ends_{&client, &server}, wake_(plan.start) {}

    [[nodiscard]] Nanos deadline() const { return wake_; }
    // Called at its deadline, and after each arrival.
    void advance(Nanos now);

  private:
    [[nodiscard]] Endpoint& end(Side side) { return *ends_[index(side)]; }
    void go_on(Nanos now);
    void finish(Nanos now);
    void answer_close(Nanos now);

    const ConnectionPlan& plan_;
    std::array<Endpoint*, kSides> ends_;
    std::array<Position, kSides> written_{};
    std::size_t step_ = 0;
    Position step_written_ = 0;
    bool opened_ = false;
    bool ended_ = false;
    std::array<Nanos, kSides> closes_at_{};  // 0 = the peer has not closed
    Nanos ready_ = -1;                       // the step before was received then
    Nanos wake_ = 0;
};

}  // namespace tw::sim
