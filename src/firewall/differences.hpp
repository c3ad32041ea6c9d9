// SPDX-License-Identifier: BSD-3-Clause
// What is new, gone or changed since an earlier report: rewrites, parameters, findings, latency.
// "Since the upgrade it strips timestamps."
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "firewall/report.hpp"

namespace tw::firewall {

// What an earlier report said, as its JSON names things (config/earlier_report.hpp reads it).
struct EarlierReport {
    struct Rewrite {
        std::string way;
        std::string rewrite;
        std::uint64_t of = 0;
        std::uint64_t changed = 0;
        std::uint32_t before = 0;
        std::uint32_t after = 0;
        std::uint64_t same_values = 0;
        std::string sentence;
    };
    struct Learnt {
        std::string name;
        std::string scope;
        std::string value;
        std::optional<double> low;
        std::optional<double> high;
    };
    struct Found {
        std::string behaviour;
        std::string scope;
        std::string sentence;
    };
    struct Times {
        std::string way;
        bool setup = false;
        double p50 = 0;  // seconds
        double p99 = 0;
    };
    std::vector<Rewrite> rewrites;
    std::vector<Learnt> parameters;
    std::vector<Found> findings;
    std::vector<Times> latencies;
};

// One sentence each, rewrites first; empty where the two agree.
[[nodiscard]] std::vector<std::string> differences(const EarlierReport& earlier, const Report& now);

}  // namespace tw::firewall
