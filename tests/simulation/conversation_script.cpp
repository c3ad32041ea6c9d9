// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/conversation_script.hpp"

#include <algorithm>

namespace tw::sim {

void Script::advance(Nanos now) {
    if (!opened_) {
        if (now < plan_.start) {
            return;
        }
        opened_ = true;
        wake_ = INT64_MAX;
        end(Side::client).open(now);
        return;
    }
    if (now >= wake_) {
        wake_ = INT64_MAX;
    }
    if (end(Side::client).established() && !ended_) {
        go_on(now);
    }
    answer_close(now);
    if (plan_.server_gives_up > now) {
        wake_ = std::min(wake_, plan_.server_gives_up);
    }
}

void Script::go_on(Nanos now) {
    wake_ = INT64_MAX;
    while (step_ < plan_.steps.size()) {
        const Step& step = plan_.steps[step_];
        if (ready_ < 0) {
            ready_ = now;
        }
        if (step_written_ < step.bytes) {
            const Position chunk = step.chunk_bytes == 0 ? step.bytes : step.chunk_bytes;
            const Nanos due = ready_ + step.delay + step_written_ / chunk * step.gap;
            if (now < due) {
                wake_ = due;
                return;
            }
            const Position bytes = std::min(chunk, step.bytes - step_written_);
            step_written_ += bytes;
            written_[index(step.from)] += bytes;
            end(step.from).write(bytes, now);
            continue;
        }
        if (end(other(step.from)).bytes_received() < written_[index(step.from)]) {
            return;
        }
        ++step_;
        step_written_ = 0;
        ready_ = -1;
    }
    if (ready_ < 0) {
        ready_ = now;
    }
    if (now < ready_ + plan_.ending_delay) {
        wake_ = ready_ + plan_.ending_delay;
        return;
    }
    finish(now);
}

void Script::finish(Nanos now) {
    ended_ = true;
    switch (plan_.ending) {
        case Ending::client_closes:
            end(Side::client).close(now);
            break;
        case Ending::server_closes:
            end(Side::server).close(now);
            break;
        case Ending::client_resets:
            end(Side::client).reset(now);
            break;
        case Ending::stays_open:
            break;
    }
}

void Script::answer_close(Nanos now) {
    Endpoint& server = end(Side::server);
    if (plan_.server_gives_up != 0 && now >= plan_.server_gives_up && !server.closed()) {
        server.close(now);
    }
    for (const Side side : {Side::client, Side::server}) {
        if (!end(side).peer_closed() || end(side).closed()) {
            continue;
        }
        Nanos& due = closes_at_[index(side)];
        if (due == 0) {
            due = now + plan_.answer_delay;
        }
        if (now >= due) {
            end(side).close(now);
        } else {
            wake_ = std::min(wake_, due);
        }
    }
}

}  // namespace tw::sim
