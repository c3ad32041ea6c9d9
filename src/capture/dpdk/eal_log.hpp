// SPDX-License-Identifier: BSD-3-Clause
// Sends what EAL and the drivers say to our log, and remembers their last complaint: it is often
// the only place where the reason of a failure is told.
#pragma once

#include <cstdio>
#include <expected>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace spdlog {
class logger;
}

namespace tw::dpdk {

class EalLog {
  public:
    // Takes DPDK's log stream until destroyed. `logger` must outlive it.
    [[nodiscard]] static std::expected<std::unique_ptr<EalLog>, Error> open(spdlog::logger& logger);
    ~EalLog();
    EalLog(const EalLog&) = delete;
    EalLog& operator=(const EalLog&) = delete;

    // From begin_attempt() to end_attempt() complaints are collected and logged for debugging only:
    // whoever makes the attempt reports its failure once, with reason().
    void begin_attempt();
    void end_attempt();
    // The last complaints since begin_attempt() as one line; `otherwise` if there were none.
    [[nodiscard]] std::string reason(const std::string& otherwise) const;

  private:
    struct State;
    EalLog(std::unique_ptr<State> state, std::FILE* stream);

    std::unique_ptr<State> state_;
    std::FILE* stream_;
};

}  // namespace tw::dpdk
