// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/file_source.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "capture/pcap/byte_supply.hpp"
#include "capture/pcap/format.hpp"
#include "capture/pcap/gzip_supply.hpp"
#include "capture/pcap/messages.hpp"
#include "capture/pcap/pcap_format.hpp"
#include "capture/pcap/pcapng_format.hpp"
#include "capture/pcap/window.hpp"

namespace tw::pcap {
namespace {

// Enough to tell every format and to describe what is none.
constexpr std::size_t kFirstBytes = 16;

std::unexpected<Error> refused(const std::string& path, std::string_view reason) {
    return std::unexpected(Error{
        fmt::format("cannot read {}: {}; expected {}", shown_path(path), reason, kExpectedFormat)});
}

// The first bytes of the supply; fewer than kFirstBytes only at its end.
std::expected<std::vector<std::uint8_t>, std::string> read_first_bytes(ByteSupply& supply) {
    std::vector<std::uint8_t> bytes(kFirstBytes);
    std::size_t have = 0;
    while (have < kFirstBytes) {
        const auto count = supply.read(std::span(bytes).subspan(have));
        if (!count) {
            return std::unexpected(count.error());
        }
        if (*count == 0) {
            break;
        }
        have += *count;
    }
    bytes.resize(have);
    return bytes;
}

std::expected<std::unique_ptr<Format>, std::string> open_format(Window& window,
                                                                const FileSourceOptions& options) {
    const auto bytes = window.bytes();
    if (is_pcapng(bytes)) {
        return PcapngFormat::open(window, options);
    }
    if (is_pcap(bytes)) {
        if (!window.fill(kPcapHeaderBytes)) {
            return std::unexpected("it is cut short in its file header");
        }
        return open_pcap(window, options);
    }
    return std::unexpected("it is not a capture (" + describe_content(bytes) + ")");
}

}  // namespace

FileSource::FileSource(std::string path, bool gzip, std::unique_ptr<Window> window,
                       std::unique_ptr<Format> format)
    : path_(std::move(path)), gzip_(gzip), window_(std::move(window)), format_(std::move(format)) {}

FileSource::~FileSource() = default;

std::expected<std::unique_ptr<FileSource>, Error> FileSource::open(
    const std::string& path, const FileSourceOptions& options) {
    auto supply = open_file(path);
    if (!supply) {
        return std::unexpected(supply.error());
    }
    return open_supply(std::move(*supply), path, options);
}

std::expected<std::unique_ptr<FileSource>, Error> FileSource::open_memory(
    std::span<const std::uint8_t> bytes, const std::string& name,
    const FileSourceOptions& options) {
    return open_supply(supply_from_memory(bytes), name, options);
}

std::expected<std::unique_ptr<FileSource>, Error> FileSource::open_supply(
    std::unique_ptr<ByteSupply> supply, const std::string& name, const FileSourceOptions& options) {
    auto first_bytes = read_first_bytes(*supply);
    const bool gzip = first_bytes && is_gzip(*first_bytes);
    if (gzip) {
        supply = supply_from_gzip(std::move(supply), *first_bytes);
        first_bytes = read_first_bytes(*supply);
    }
    if (!first_bytes) {
        return refused(name, first_bytes.error());
    }
    if (first_bytes->empty()) {
        return refused(name, gzip ? "nothing is inside the gzip data" : "it is empty");
    }
    auto window = std::make_unique<Window>(std::move(supply), *first_bytes);
    auto format = open_format(*window, options);
    if (!format) {
        return refused(name, window->failure().value_or(format.error()));
    }
    return std::unique_ptr<FileSource>(
        new FileSource(name, gzip, std::move(window), std::move(*format)));
}

std::span<const Frame> FileSource::next() {
    while (!ended_) {
        const std::uint32_t count = format_->parse(*window_, frames_);
        if (count != 0) {
            frames_read_ += count;
            return std::span(frames_).first(count);
        }
        if (format_->fault() || !window_->fill(format_->bytes_needed())) {
            end();
        }
    }
    return {};
}

void FileSource::end() {
    ended_ = true;
    std::string reason;
    if (format_->fault()) {
        reason = "it is corrupt: " + *format_->fault();
    } else if (window_->failure()) {
        reason = *window_->failure();
    } else if (!window_->bytes().empty() || !format_->between_records()) {
        reason = fmt::format("it is cut short: {} bytes of a record are there, {} are needed",
                             window_->bytes().size(), format_->bytes_needed());
    } else {
        return;
    }
    warning_ = fmt::format("{}: reading ended before frame {} (byte {}): {}", shown_path(path_),
                           format_->next_number(), window_->offset(), reason);
}

std::uint64_t FileSource::next_number() const {
    return format_->next_number();
}

Progress FileSource::progress() const {
    const ByteSupply& supply = window_->supply();
    return {.bytes_read = supply.stored_bytes_read(), .bytes_total = supply.stored_bytes_total()};
}

Ledger FileSource::ledger() const {
    return format_->ledger();
}

std::string FileSource::format_name() const {
    return std::string(format_->name()) + (gzip_ ? ", gzip" : "");
}

}  // namespace tw::pcap
