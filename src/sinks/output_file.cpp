// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/output_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tw::sinks {

OutputFile::~OutputFile() {
    flush();
    if (owned_) {
        ::close(fd_);
    }
}

std::expected<void, Error> OutputFile::open(const std::string& path) {
    path_ = path == "-" ? "standard output" : path;
    if (path == "-") {
        fd_ = STDOUT_FILENO;
    } else {
        fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd_ < 0) {
            return std::unexpected(
                Error{fmt::format("{}: cannot write: {}", path, std::strerror(errno)),
                      ExitCode::operator_mistake});
        }
        owned_ = true;
    }
    buffer_.reserve(kBufferBytes);
    return {};
}

bool OutputFile::flush() {
    write_out(buffer_);
    buffer_.clear();
    return good();
}

void OutputFile::append_slow(std::string_view text) {
    flush();
    if (text.size() > kBufferBytes) {
        write_out(text);
        return;
    }
    buffer_.append(text);
}

void OutputFile::write_out(std::string_view text) {
    while (!text.empty() && is_open() && good()) {
        const ssize_t written = ::write(fd_, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EPIPE) {
            reader_gone_ = true;
        } else if (errno != EINTR && errno != EAGAIN) {
            error_ = Error{fmt::format("{}: cannot write: {}", path_, std::strerror(errno)),
                           ExitCode::environment_failed};
        }
    }
}

}  // namespace tw::sinks
