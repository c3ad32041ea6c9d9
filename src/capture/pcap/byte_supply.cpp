// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/byte_supply.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "capture/pcap/messages.hpp"

namespace tw::pcap {
namespace {

class FileSupply final : public ByteSupply {
  public:
    FileSupply(int descriptor, bool owned, std::uint64_t bytes_total)
        : descriptor_(descriptor), owned_(owned), bytes_total_(bytes_total) {}
    FileSupply(const FileSupply&) = delete;
    FileSupply& operator=(const FileSupply&) = delete;
    ~FileSupply() override {
        if (owned_) {
            ::close(descriptor_);
        }
    }

    std::expected<std::size_t, std::string> read(std::span<std::uint8_t> room) override {
        ssize_t count = ::read(descriptor_, room.data(), room.size());
        while (count < 0 && errno == EINTR) {
            count = ::read(descriptor_, room.data(), room.size());
        }
        if (count < 0) {
            return std::unexpected(fmt::format("read failed: {}", std::strerror(errno)));
        }
        bytes_read_ += static_cast<std::uint64_t>(count);
        return static_cast<std::size_t>(count);
    }

    std::uint64_t stored_bytes_read() const override { return bytes_read_; }
    std::uint64_t stored_bytes_total() const override { return bytes_total_; }

  private:
    int descriptor_;
    bool owned_;
    std::uint64_t bytes_read_ = 0;
    std::uint64_t bytes_total_;
};

class MemorySupply final : public ByteSupply {
  public:
    explicit MemorySupply(std::span<const std::uint8_t> bytes)
        : rest_(bytes), bytes_total_(bytes.size()) {}

    std::expected<std::size_t, std::string> read(std::span<std::uint8_t> room) override {
        const std::size_t count = std::min(room.size(), rest_.size());
        std::copy_n(rest_.begin(), count, room.begin());
        rest_ = rest_.subspan(count);
        return count;
    }

    std::uint64_t stored_bytes_read() const override { return bytes_total_ - rest_.size(); }
    std::uint64_t stored_bytes_total() const override { return bytes_total_; }

  private:
    std::span<const std::uint8_t> rest_;
    std::uint64_t bytes_total_;
};

// What is left of a regular file from where its descriptor stands: standard input may be a file
// that another program has read in part.
std::uint64_t bytes_left(int descriptor, const struct stat& status) {
    if (!S_ISREG(status.st_mode)) {
        return 0;
    }
    const off_t position = ::lseek(descriptor, 0, SEEK_CUR);
    return position < 0 || position > status.st_size
               ? 0
               : static_cast<std::uint64_t>(status.st_size - position);
}

}  // namespace

std::expected<std::unique_ptr<ByteSupply>, Error> open_file(const std::string& path) {
    const bool standard_input = path == "-";
    const auto refused = [&path](std::string_view reason) {
        return std::unexpected(Error{fmt::format("cannot read {}: {}; expected {}",
                                                 shown_path(path), reason, kExpectedInput)});
    };
    const int descriptor =
        standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return refused(std::strerror(errno));
    }
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) {
        const int code = errno;
        if (!standard_input) {
            ::close(descriptor);
        }
        return refused(std::strerror(code));
    }
    auto supply =
        std::make_unique<FileSupply>(descriptor, !standard_input, bytes_left(descriptor, status));
    if (S_ISDIR(status.st_mode)) {
        return refused("it is a directory");
    }
    // Advice only: a file not in the page cache is read ahead further. Fails on pipes, harmlessly.
    static_cast<void>(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL));
    return supply;
}

std::unique_ptr<ByteSupply> supply_from_memory(std::span<const std::uint8_t> bytes) {
    return std::make_unique<MemorySupply>(bytes);
}

}  // namespace tw::pcap
