// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/open_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace tw::sinks {
namespace {

constexpr const char* kStandardOutput = "standard output";

// The process that holds a lock on the file; 0 = the kernel does not say (another PID namespace).
// A line of proc_locks(5): "1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF"
[[nodiscard]] pid_t holder_of(dev_t device, ino_t inode) {
    const std::string wanted = fmt::format("{:02x}:{:02x}:{}", major(device), minor(device), inode);
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line);
        std::string number;
        std::string kind;
        std::string advisory;
        std::string mode;
        std::string file;
        pid_t pid = 0;
        if (words >> number >> kind >> advisory >> mode >> pid >> file && file == wanted) {
            return pid > 0 ? pid : 0;
        }
    }
    return 0;
}

[[nodiscard]] std::string holder_text(pid_t pid) {
    if (pid == 0) {
        return "written by another process";
    }
    if (pid == getpid()) {
        return "already another output of this program";
    }
    std::ifstream file(fmt::format("/proc/{}/comm", pid));
    std::string command;
    std::getline(file, command);
    return fmt::format("written by another process (pid {}{}{})", pid, command.empty() ? "" : ", ",
                       command);
}

}  // namespace

std::expected<OpenFile, Error> OpenFile::open(const std::string& path) {
    OpenFile file;
    if (path == "-") {
        file.name_ = kStandardOutput;
        file.fd_ = STDOUT_FILENO;
    } else {
        file.name_ = path;
        file.fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (file.fd_ < 0) {
            return std::unexpected(
                Error{fmt::format("{}: cannot write: {}", path, std::strerror(errno)),
                      ExitCode::operator_mistake});
        }
        file.owned_ = true;
    }
    if (auto locked = file.look_and_lock(); !locked) {
        return std::unexpected(std::move(locked.error()));
    }
    return file;
}

std::expected<void, Error> OpenFile::look_and_lock() {
    struct stat status {};
    if (fstat(fd_, &status) != 0) {
        return {};  // a closed standard output: the first write says so
    }
    regular_ = S_ISREG(status.st_mode);
    device_ = status.st_dev;
    inode_ = status.st_ino;
    // Standard output may be shared on purpose: `(a; b) > file`.
    if (!regular_ || !owned_) {
        return {};
    }
    // File systems without locks are nobody's mistake.
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return std::unexpected(
            Error{fmt::format("{}: {}", name_, holder_text(holder_of(device_, inode_))),
                  ExitCode::operator_mistake});
    }
    return {};
}

OpenFile::OpenFile(OpenFile&& other) noexcept {
    *this = std::move(other);
}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(owned_, other.owned_);
    regular_ = other.regular_;
    device_ = other.device_;
    inode_ = other.inode_;
    name_.swap(other.name_);
    return *this;
}

OpenFile::~OpenFile() {
    if (owned_) {
        ::close(fd_);
    }
}

bool OpenFile::is_at(const std::string& path) const {
    if (!is_open() || path == "-" || !owned_) {
        return is_open() && path == "-" && !owned_;
    }
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

void OpenFile::truncate() const {
    if (regular_ && owned_) {
        // What cannot be truncated cannot be written either, and the first write will say why.
        [[maybe_unused]] const int ignored = ftruncate(fd_, 0);
    }
}

}  // namespace tw::sinks
