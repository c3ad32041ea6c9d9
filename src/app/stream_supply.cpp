// SPDX-License-Identifier: BSD-3-Clause
#include "app/stream_supply.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tw::app {
namespace {

// tcpdump and dumpcap flush and exit well within this after their SIGINT.
constexpr std::chrono::seconds kGrace{1};
// A stop between two looks at it is noticed this late at worst.
constexpr int kLookMilliseconds = 200;

}  // namespace

std::expected<std::unique_ptr<StreamSupply>, Error> StreamSupply::open(const std::string& path,
                                                                       const StopSignal& stop,
                                                                       bool& cut_off) {
    if (path == "-") {
        if (::isatty(STDIN_FILENO) != 0) {
            return std::unexpected(
                Error{"cannot read standard input: it is a terminal; pipe a capture into it"});
        }
        return std::make_unique<StreamSupply>(STDIN_FILENO, false, stop, cut_off);
    }
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return std::unexpected(
            Error{fmt::format("cannot read {}: {}", path, std::strerror(errno))});
    }
    return std::make_unique<StreamSupply>(descriptor, true, stop, cut_off);
}

StreamSupply::StreamSupply(int descriptor, bool owned, const StopSignal& stop, bool& cut_off)
    : descriptor_(descriptor), owned_(owned), stop_(stop), cut_off_(cut_off) {}

StreamSupply::~StreamSupply() {
    if (owned_) {
        ::close(descriptor_);
    }
}

std::expected<std::size_t, std::string> StreamSupply::read(std::span<std::uint8_t> room) {
    while (!grace_is_over()) {
        pollfd wanted{descriptor_, POLLIN, 0};
        if (::poll(&wanted, 1, kLookMilliseconds) <= 0) {
            continue;  // nothing yet, or a signal
        }
        const ssize_t count = ::read(descriptor_, room.data(), room.size());
        if (count >= 0) {
            bytes_read_ += static_cast<std::uint64_t>(count);
            return static_cast<std::size_t>(count);
        }
        if (errno != EINTR && errno != EAGAIN) {
            return std::unexpected(fmt::format("read failed: {}", std::strerror(errno)));
        }
    }
    cut_off_ = true;
    return 0;
}

bool StreamSupply::grace_is_over() {
    if (!stop_.requested()) {
        return false;
    }
    const Clock::time_point now = Clock::now();
    if (!stop_seen_) {
        stop_seen_ = true;
        deadline_ = now + kGrace;
    }
    return now >= deadline_;
}

}  // namespace tw::app
