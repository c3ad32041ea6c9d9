// SPDX-License-Identifier: BSD-3-Clause
#include "app/stop_signal.hpp"

namespace tw::app {
namespace {

// A handler can reach nothing else. writer: handler; reader: requested()
volatile std::sig_atomic_t stop_requested = 0;

void on_signal(int) {
    stop_requested = 1;
}

}  // namespace

StopSignal::StopSignal() {
    stop_requested = 0;
    struct sigaction action {};
    action.sa_handler = on_signal;
    // No SA_RESTART: a read that waits for a pipe returns. SA_RESETHAND: the second one kills.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &previous_int_);
    sigaction(SIGTERM, &action, &previous_term_);
}

StopSignal::~StopSignal() {
    sigaction(SIGINT, &previous_int_, nullptr);
    sigaction(SIGTERM, &previous_term_, nullptr);
}

bool StopSignal::requested() const {
    return stop_requested != 0;
}

}  // namespace tw::app
