// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/eal_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rte_log.h>
#include <spdlog/logger.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string_view>
#include <vector>

namespace tw::dpdk {
namespace {

constexpr std::size_t kComplaintsMax = 3;
constexpr std::size_t kLineBytesMax = 1024;

// EAL's own levels are loud: what a healthy start says as NOTICE or INFO is for debugging here.
[[nodiscard]] spdlog::level::level_enum level_of(std::uint32_t rte_level) {
    if (rte_level <= RTE_LOG_ERR) {
        return spdlog::level::warn;
    }
    if (rte_level == RTE_LOG_WARNING) {
        return spdlog::level::info;
    }
    return rte_level == RTE_LOG_DEBUG ? spdlog::level::trace : spdlog::level::debug;
}

// Said on every healthy host of some kind, and alarming only to those who read it.
[[nodiscard]] bool is_harmless(std::string_view line) {
    constexpr std::string_view kHarmless[] = {
        "No free 1048576 kB hugepages",       // 2 MiB pages do as well
        "No available 1048576 kB hugepages",  //
        "TSC is not invariant",               // virtual machines; the clock is fitted to UTC
        "TSC using RDTSCP",                   //
        "Ignore mapping IO port bar",         //
        "Static memory layout is selected",   // --no-huge
        "VFIO support initialized",           //
        "in-memory mode",                     //
    };
    return std::any_of(std::begin(kHarmless), std::end(kHarmless), [&](std::string_view text) {
        return line.find(text) != std::string_view::npos;
    });
}

// What EAL adds to every failure of a driver, without telling anything.
[[nodiscard]] bool is_hollow(std::string_view line) {
    constexpr std::string_view kHollow[] = {
        "Driver cannot attach the device",
        "Failed to attach device on primary process",
        "failed to parse device",
    };
    return std::any_of(std::begin(kHollow), std::end(kHollow), [&](std::string_view text) {
        return line.find(text) != std::string_view::npos;
    });
}

}  // namespace

struct EalLog::State {
    explicit State(spdlog::logger& target) : logger(target) {}

    void write(std::string_view bytes);
    void line(std::string_view text);

    spdlog::logger& logger;
    mutable std::mutex mutex;  // drivers log from threads of their own
    std::string pending;       // the beginning of an unfinished line
    bool attempting = false;
    std::vector<std::string> complaints;
};

void EalLog::State::write(std::string_view bytes) {
    const std::lock_guard lock(mutex);
    for (const char c : bytes) {
        if (c == '\n') {
            line(pending);
            pending.clear();
        } else if (pending.size() < kLineBytesMax) {
            pending.push_back(c);
        }
    }
}

void EalLog::State::line(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    if (text.empty()) {
        return;
    }
    const auto rte_level = static_cast<std::uint32_t>(rte_log_cur_msg_loglevel());
    if (is_harmless(text)) {
        logger.debug("{}", text);
        return;
    }
    if (rte_level <= RTE_LOG_WARNING && !is_hollow(text)) {
        if (complaints.size() == kComplaintsMax) {
            complaints.erase(complaints.begin());
        }
        complaints.emplace_back(text);
    }
    logger.log(attempting ? spdlog::level::debug : level_of(rte_level), "{}", text);
}

std::expected<std::unique_ptr<EalLog>, Error> EalLog::open(spdlog::logger& logger) {
    auto state = std::make_unique<State>(logger);
    cookie_io_functions_t functions{};
    functions.write = [](void* cookie, const char* bytes, std::size_t count) -> ssize_t {
        static_cast<State*>(cookie)->write(std::string_view(bytes, count));
        return static_cast<ssize_t>(count);
    };
    std::FILE* stream = fopencookie(state.get(), "w", functions);
    if (stream == nullptr) {
        return std::unexpected(
            Error{fmt::format("cannot take over DPDK's log: {}", std::strerror(errno)),
                  ExitCode::environment_failed});
    }
    setvbuf(stream, nullptr, _IOLBF, 0);
    rte_openlog_stream(stream);
    return std::unique_ptr<EalLog>(new EalLog(std::move(state), stream));
}

EalLog::EalLog(std::unique_ptr<State> state, std::FILE* stream)
    : state_(std::move(state)), stream_(stream) {}

EalLog::~EalLog() {
    rte_openlog_stream(nullptr);
    std::fclose(stream_);
}

void EalLog::begin_attempt() {
    const std::lock_guard lock(state_->mutex);
    state_->complaints.clear();
    state_->attempting = true;
}

void EalLog::end_attempt() {
    const std::lock_guard lock(state_->mutex);
    state_->attempting = false;
}

std::string EalLog::reason(const std::string& otherwise) const {
    const std::lock_guard lock(state_->mutex);
    return state_->complaints.empty() ? otherwise
                                      : fmt::format("{}", fmt::join(state_->complaints, "; "));
}

}  // namespace tw::dpdk
