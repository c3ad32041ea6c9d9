// SPDX-License-Identifier: BSD-3-Clause
// SIGHUP as a request: to read the configuration again, or, for a run that has no file, to stop as
// a closed terminal means. One object at a time.
#pragma once

#include <csignal>

namespace tw::app {

class HangUp {
  public:
    // `ignorable`: leave the signal ignored if whoever started the program did (nohup).
    explicit HangUp(bool ignorable);
    ~HangUp();
    HangUp(const HangUp&) = delete;
    HangUp& operator=(const HangUp&) = delete;

    // True once for each signal, or for several that came together.
    [[nodiscard]] bool take();

  private:
    struct sigaction previous_ {};
};

}  // namespace tw::app
