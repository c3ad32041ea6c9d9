// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/output_file.hpp"

#include <fmt/core.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tw::sinks {
namespace {

// Without any progress, at the end of a live run.
constexpr int kBriefMs = 3000;

}  // namespace

OutputFile::~OutputFile() {
    flush();
}

std::expected<void, Error> OutputFile::open(const std::string& path) {
    auto file = OpenFile::open(path);
    if (!file) {
        return std::unexpected(std::move(file.error()));
    }
    switch_to(std::move(*file));
    return {};
}

void OutputFile::switch_to(OpenFile file) {
    close();
    file.truncate();
    file_ = std::move(file);
    buffer_.reserve(kBufferBytes);
}

void OutputFile::close() {
    flush();
    give_up();
    file_ = OpenFile();
    reader_gone_ = given_up_ = false;
    error_.reset();
}

bool OutputFile::flush() {
    if (given_up_) {
        give_up();
        return false;
    }
    const std::size_t written = write_out(buffer_);
    if (patience_ == Patience::endless) {
        buffer_.clear();
        return good();
    }
    buffer_.erase(0, written);
    if (reader_gone_) {
        buffer_.clear();
    }
    const bool all = buffer_.empty();
    if (!all && patience_ == Patience::brief) {
        give_up();
    }
    return !error_ && all;
}

void OutputFile::append_slow(std::string_view text) {
    flush();
    if (text.size() <= kBufferBytes - buffer_.size()) {
        buffer_.append(text);
    } else if (patience_ == Patience::endless) {
        [[maybe_unused]] const std::size_t written = write_out(text);
    } else if (is_open() && !reader_gone_) {
        lost_lines_ += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    }
}

void OutputFile::give_up() {
    given_up_ = true;
    if (is_open() && !reader_gone_) {
        lost_lines_ += static_cast<std::uint64_t>(std::count(buffer_.begin(), buffer_.end(), '\n'));
    }
    buffer_.clear();
}

// A pipe that poll() calls writable takes PIPE_BUF bytes without making us wait (pipe(7)).
bool OutputFile::may_write() const {
    if (patience_ == Patience::endless || file_.is_regular()) {
        return true;
    }
    pollfd wanted{file_.fd(), POLLOUT, 0};
    return ::poll(&wanted, 1, patience_ == Patience::none ? 0 : kBriefMs) > 0;
}

std::size_t OutputFile::write_out(std::string_view text) {
    const bool waits = patience_ == Patience::endless;
    const std::size_t piece_max = waits || file_.is_regular() ? std::string_view::npos : PIPE_BUF;
    std::size_t done = 0;
    if (!is_open() || reader_gone_ || given_up_ || (waits && error_)) {
        return done;
    }
    while (done < text.size() && may_write()) {
        const std::size_t wanted = std::min(text.size() - done, piece_max);
        const ssize_t written = ::write(file_.fd(), text.data() + done, wanted);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
            error_.reset();
            continue;
        }
        if (errno == EPIPE) {
            reader_gone_ = true;
            return done;
        }
        if (errno == EAGAIN && !waits) {
            return done;
        }
        if (errno != EINTR && errno != EAGAIN) {
            error_ = Error{fmt::format("{}: cannot write: {}", file_.name(), std::strerror(errno)),
                           ExitCode::environment_failed};
            return done;
        }
    }
    return done;
}

}  // namespace tw::sinks
