// SPDX-License-Identifier: BSD-3-Clause
// The monitor's commands on DPDK's telemetry socket: what each returns, taken from the snapshot.
#pragma once

#include <span>
#include <string_view>

#include "app/live_snapshot.hpp"
#include "capture/dpdk/telemetry.hpp"

namespace tw::app {

[[nodiscard]] std::span<const dpdk::TelemetryCommand> telemetry_commands();

class LiveTelemetry final : public dpdk::TelemetrySource {
  public:
    explicit LiveTelemetry(const LiveSnapshot& snapshot) : snapshot_(snapshot) {}
    [[nodiscard]] dpdk::TelemetryAnswer answer(std::string_view path,
                                               std::string_view parameter) const override;

  private:
    const LiveSnapshot& snapshot_;
};

}  // namespace tw::app
