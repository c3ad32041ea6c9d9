// SPDX-License-Identifier: BSD-3-Clause
#include "app/hang_up.hpp"

namespace tw::app {
namespace {

// A handler can reach nothing else. writers: handler, take()
volatile std::sig_atomic_t hung_up = 0;

void on_signal(int) {
    hung_up = 1;
}

}  // namespace

HangUp::HangUp(bool ignorable) {
    hung_up = 0;
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGHUP, &action, &previous_);
    if (ignorable && previous_.sa_handler == SIG_IGN) {
        sigaction(SIGHUP, &previous_, nullptr);
    }
}

HangUp::~HangUp() {
    sigaction(SIGHUP, &previous_, nullptr);
}

bool HangUp::take() {
    if (hung_up == 0) {
        return false;
    }
    hung_up = 0;  // before the work: a signal that comes during it is another request
    return true;
}

}  // namespace tw::app
