// SPDX-License-Identifier: BSD-3-Clause
// Answers on DPDK's telemetry socket, for dpdk-telemetry.py and the exporters that speak its
// protocol. Asked from threads of DPDK's own, so whoever answers must hold only finished numbers.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace tw::dpdk {

// Names are made fit for DPDK, which takes letters, digits, _ and / only: "net_tap0" stays,
// "eth0.7" becomes "eth0_7". At most 256 entries.
using TelemetryAnswer =
    std::vector<std::pair<std::string, std::variant<std::uint64_t, std::string>>>;

struct TelemetryCommand {
    std::string_view path;  // "/tapwitness/port"
    std::string_view help;  // one sentence: what it returns, what parameter it takes
};

class TelemetrySource {
  public:
    virtual ~TelemetrySource() = default;
    // `parameter` is what followed the comma, "" = nothing. Empty answer = no such parameter.
    [[nodiscard]] virtual TelemetryAnswer answer(std::string_view path,
                                                 std::string_view parameter) const = 0;
};

class Telemetry {
  public:
    // After Eal::start with telemetry on, once per process: DPDK cannot take a command back. The
    // texts of `commands` must be literals.
    [[nodiscard]] static std::expected<std::unique_ptr<Telemetry>, Error> start(
        std::span<const TelemetryCommand> commands, const TelemetrySource& source);
    // No answer is being made any more when it returns, and none will be.
    ~Telemetry();
    Telemetry(const Telemetry&) = delete;
    Telemetry& operator=(const Telemetry&) = delete;

  private:
    Telemetry() = default;
};

// What DPDK takes as a name.
[[nodiscard]] std::string telemetry_name(std::string_view text);

}  // namespace tw::dpdk
