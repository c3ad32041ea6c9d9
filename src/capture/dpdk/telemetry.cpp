// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/telemetry.hpp"

#include <fmt/format.h>
#include <rte_telemetry.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "base/check.hpp"
#include "capture/dpdk/compat.hpp"

namespace tw::dpdk {
namespace {

constexpr std::size_t kEntriesMax = 256;  // RTE_TEL_MAX_DICT_ENTRIES
constexpr std::size_t kTextMax = 127;     // RTE_TEL_MAX_STRING_LEN with its end

// DPDK's callbacks carry no context.
std::mutex source_mutex;
const TelemetrySource* source = nullptr;

int answer(const char* command, const char* parameter, rte_tel_data* out) {
    TelemetryAnswer entries;
    {
        const std::lock_guard lock(source_mutex);
        if (source == nullptr) {
            return -ENODEV;
        }
        entries = source->answer(command, parameter == nullptr ? "" : parameter);
    }
    if (entries.empty()) {
        return -EINVAL;
    }
    rte_tel_data_start_dict(out);
    for (std::size_t i = 0; i < std::min(entries.size(), kEntriesMax); ++i) {
        const std::string name = telemetry_name(entries[i].first);
        if (const auto* number = std::get_if<std::uint64_t>(&entries[i].second)) {
            compat::add_number(out, name.c_str(), *number);
        } else {
            const std::string text = std::get<std::string>(entries[i].second).substr(0, kTextMax);
            rte_tel_data_add_dict_string(out, name.c_str(), text.c_str());
        }
    }
    return 0;
}

}  // namespace

std::string telemetry_name(std::string_view text) {
    std::string name(text.substr(0, kTextMax));
    for (char& c : name) {
        const bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
        c = fine ? c : '_';
    }
    return name;
}

std::expected<std::unique_ptr<Telemetry>, Error> Telemetry::start(
    std::span<const TelemetryCommand> commands, const TelemetrySource& answering) {
    {
        const std::lock_guard lock(source_mutex);
        TW_CHECK(source == nullptr);
        source = &answering;
    }
    std::unique_ptr<Telemetry> telemetry(new Telemetry());
    for (const TelemetryCommand& command : commands) {
        const int error =
            rte_telemetry_register_cmd(command.path.data(), answer, command.help.data());
        if (error != 0 && error != -EEXIST) {
            return std::unexpected(
                Error{fmt::format("telemetry: DPDK refuses {} ({})", command.path, error),
                      ExitCode::environment_failed});
        }
    }
    return telemetry;
}

Telemetry::~Telemetry() {
    const std::lock_guard lock(source_mutex);
    source = nullptr;
}

}  // namespace tw::dpdk
