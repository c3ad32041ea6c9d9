// SPDX-License-Identifier: BSD-3-Clause
// Holds a configuration against a host and says what is well, what is worth knowing and what
// forbids the run, each problem with its fix. Reads facts only through Host; opens no device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/host.hpp"
#include "app/memory_plan.hpp"
#include "base/error.hpp"
#include "config/config.hpp"

namespace tw::app {

enum class Health : std::uint8_t { ok, note, problem };

struct Finding {
    Health health = Health::ok;
    std::string text;
    std::string fix;  // what to type or change; "" = nothing to do
};

class Findings {
  public:
    void ok(std::string text) { all_.push_back({Health::ok, std::move(text), ""}); }
    void note(std::string text, std::string fix = "") {
        all_.push_back({Health::note, std::move(text), std::move(fix)});
    }
    void problem(std::string text, std::string fix) {
        all_.push_back({Health::problem, std::move(text), std::move(fix)});
    }
    [[nodiscard]] const std::vector<Finding>& all() const { return all_; }
    [[nodiscard]] std::size_t problems_count() const;

  private:
    std::vector<Finding> all_;
};

inline constexpr std::string_view kHowToGetLive =
    "install libdpdk-dev and build again with: meson setup -Dlive=enabled build";

// What there is to capture with, for somebody who has no configuration yet.
void examine_host(const Host& host, Findings& findings);

// Everything a run of `config` would meet.
void examine_cpus(const Host& host, const config::Config& config, Findings& findings);
void examine_memory(const Host& host, const config::Config& config, const MemoryPlan& plan,
                    Findings& findings);
void examine_ports(const Host& host, const config::Config& config, Findings& findings);
// The first problem of one port with its fix, as `run` says it; nothing if there is none.
[[nodiscard]] std::optional<Error> refusal(const Host& host, const config::Config& config,
                                           std::size_t index);
// What `run` itself refuses about the devices. Two bodies: doctor_live.cpp, doctor_none.cpp.
void examine_live(const config::Config& config, Findings& findings);
void examine_outputs(const config::Config& config, Findings& findings);

// "0-3,8", as the kernel writes it.
[[nodiscard]] std::string cpu_list_text(std::vector<std::uint32_t> cpus);

}  // namespace tw::app
