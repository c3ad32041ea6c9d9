// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/gzip_supply.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/check.hpp"

namespace tw::pcap {
namespace {

constexpr std::size_t kInputBytes = std::size_t{64} << 10;
constexpr int kGzipOnly = 15 + 16;  // zlib.h: largest window, 16 more asks for gzip, not zlib

class GzipSupply final : public ByteSupply {
  public:
    GzipSupply(std::unique_ptr<ByteSupply> stored, std::span<const std::uint8_t> first_bytes)
        : stored_(std::move(stored)), input_(std::max(kInputBytes, first_bytes.size())) {
        std::copy(first_bytes.begin(), first_bytes.end(), input_.begin());
        stream_.next_in = input_.data();
        stream_.avail_in = static_cast<uInt>(first_bytes.size());
        TW_CHECK(inflateInit2(&stream_, kGzipOnly) == Z_OK);  // fails only without memory
    }
    GzipSupply(const GzipSupply&) = delete;
    GzipSupply& operator=(const GzipSupply&) = delete;
    ~GzipSupply() override { inflateEnd(&stream_); }

    std::expected<std::size_t, std::string> read(std::span<std::uint8_t> room) override;

    std::uint64_t stored_bytes_read() const override {
        return stored_->stored_bytes_read() - stream_.avail_in;
    }
    std::uint64_t stored_bytes_total() const override { return stored_->stored_bytes_total(); }

  private:
    // False at the end of the stored bytes.
    std::expected<bool, std::string> refill();
    // Between members: true if another one follows.
    std::expected<bool, std::string> begin_member();
    void inflate_some();

    std::unique_ptr<ByteSupply> stored_;
    std::vector<std::uint8_t> input_;
    z_stream stream_{};
    bool inside_member_ = true;
    std::optional<std::string> failure_;  // reported by every read from then on
};

std::expected<bool, std::string> GzipSupply::refill() {
    if (stream_.avail_in != 0) {
        return true;
    }
    const auto count = stored_->read(input_);
    if (!count) {
        return std::unexpected(count.error());
    }
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(*count);
    return *count != 0;
}

std::expected<bool, std::string> GzipSupply::begin_member() {
    while (true) {  // bounded by the file: each round takes a byte
        const auto more = refill();
        if (!more || !*more) {
            return more;
        }
        if (*stream_.next_in != 0) {
            break;
        }
        ++stream_.next_in;  // tapes and some tools pad with zeros
        --stream_.avail_in;
    }
    inflateReset(&stream_);
    inside_member_ = true;
    return true;
}

std::expected<std::size_t, std::string> GzipSupply::read(std::span<std::uint8_t> room) {
    const auto room_bytes = std::min<std::size_t>(room.size(), std::numeric_limits<uInt>::max());
    stream_.next_out = room.data();
    stream_.avail_out = static_cast<uInt>(room_bytes);
    // Each round takes input or ends; what came out before a failure is still given.
    while (!failure_ && stream_.avail_out == room_bytes) {
        const auto more = inside_member_ ? refill() : begin_member();
        if (!more) {
            failure_ = more.error();
        } else if (!*more && inside_member_) {
            failure_ = "the gzip data is cut short";
        } else if (!*more) {
            return 0;
        } else {
            inflate_some();
        }
    }
    const std::size_t count = room_bytes - stream_.avail_out;
    if (count == 0 && failure_) {
        return std::unexpected(*failure_);
    }
    return count;
}

void GzipSupply::inflate_some() {
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
        inside_member_ = false;
    } else if (result != Z_OK) {
        failure_ = fmt::format("the gzip data is damaged: {}",
                               stream_.msg != nullptr ? stream_.msg : "it makes no progress");
    }
}

}  // namespace

bool is_gzip(std::span<const std::uint8_t> first_bytes) {
    return first_bytes.size() >= 3 && first_bytes[0] == 0x1F && first_bytes[1] == 0x8B &&
           first_bytes[2] == 8;  // deflate, the only method there is
}

std::unique_ptr<ByteSupply> supply_from_gzip(std::unique_ptr<ByteSupply> stored,
                                             std::span<const std::uint8_t> first_bytes) {
    return std::make_unique<GzipSupply>(std::move(stored), first_bytes);
}

}  // namespace tw::pcap
