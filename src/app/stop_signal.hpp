// SPDX-License-Identifier: BSD-3-Clause
// SIGINT and SIGTERM as a request to stop at the next occasion. A second one ends the program at
// once, as if nothing had been installed. One object at a time.
#pragma once

#include <csignal>

namespace tw::app {

class StopSignal {
  public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    [[nodiscard]] bool requested() const;

  private:
    struct sigaction previous_int_ {};
    struct sigaction previous_term_ {};
};

}  // namespace tw::app
