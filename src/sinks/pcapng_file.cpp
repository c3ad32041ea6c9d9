// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/pcapng_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "sinks/version.hpp"

namespace tw::sinks {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr std::uint32_t kByteOrderMagic = 0x1A2B3C4D;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kInterfaceStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::size_t kBlockFrameBytes = 12;  // type, and the length twice

// Options; each block counts its own from 2 on.
constexpr std::uint16_t kEnd = 0;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kSectionApplication = 4;
constexpr std::uint16_t kInterfaceName = 2;
constexpr std::uint16_t kInterfaceText = 3;
constexpr std::uint16_t kInterfaceResolution = 9;
constexpr std::uint16_t kInterfaceDrops = 5;

constexpr std::size_t kOptionBytesMax = 65'535;
constexpr char kNanoseconds = 9;  // ten to the minus

// LINKTYPE_ values, tcpdump.org/linktypes.html.
[[nodiscard]] std::uint16_t link_type_number(LinkType link) {
    switch (link) {
        case LinkType::ethernet:
        case LinkType::unsupported:
            return 1;
        case LinkType::raw_ip:
            return 101;
        case LinkType::linux_sll:
            return 113;
        case LinkType::linux_sll2:
            return 276;
        case LinkType::bsd_null:
            return 0;
        case LinkType::bsd_loop:
            return 108;
    }
    return 1;
}

// Not in the middle of a character.
[[nodiscard]] std::string_view cut(std::string_view text) {
    if (text.size() <= kOptionBytesMax) {
        return text;
    }
    std::size_t end = kOptionBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end);
}

}  // namespace

void PcapngFile::put16(std::uint16_t value) {
    const auto bytes = std::bit_cast<std::array<char, 2>>(value);
    body_.append(bytes.data(), bytes.size());
}

void PcapngFile::put32(std::uint32_t value) {
    const auto bytes = std::bit_cast<std::array<char, 4>>(value);
    body_.append(bytes.data(), bytes.size());
}

void PcapngFile::put_padded(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) {
        body_ += static_cast<char>(byte);
    }
    body_.append((4 - bytes.size() % 4) % 4, '\0');
}

void PcapngFile::put_option(std::uint16_t code, std::string_view value) {
    const std::string_view kept = cut(value);
    put16(code);
    put16(static_cast<std::uint16_t>(kept.size()));
    body_.append(kept);
    body_.append((4 - kept.size() % 4) % 4, '\0');
}

void PcapngFile::put_count(std::uint16_t code, std::uint64_t value) {
    const auto bytes = std::bit_cast<std::array<char, 8>>(value);
    put_option(code, {bytes.data(), bytes.size()});
}

void PcapngFile::write_block(std::uint32_t type) {
    const auto total = static_cast<std::uint32_t>(body_.size() + kBlockFrameBytes);
    std::array<char, 4> length = std::bit_cast<std::array<char, 4>>(total);
    std::string block;
    block.reserve(total);
    const auto type_bytes = std::bit_cast<std::array<char, 4>>(type);
    block.append(type_bytes.data(), 4).append(length.data(), 4).append(body_);
    block.append(length.data(), 4);
    body_.clear();
    std::array<std::uint8_t, 512> part{};
    for (std::size_t at = 0; at < block.size(); at += part.size()) {
        const std::size_t count = std::min(part.size(), block.size() - at);
        std::memcpy(part.data(), block.data() + at, count);
        sha256_update(&hash_, count, part.data());
    }
    file_.append(block);
}

std::expected<void, Error> PcapngFile::open(const std::string& path) {
    return file_.open(path);
}

void PcapngFile::begin(std::string_view comment) {
    sha256_init(&hash_);
    put32(kByteOrderMagic);
    put16(1);  // version 1.0
    put16(0);
    put32(UINT32_MAX);  // the section's length is not given
    put32(UINT32_MAX);
    if (!comment.empty()) {
        put_option(kComment, comment);
    }
    put_option(kSectionApplication, fmt::format("tapwitness {}", version()));
    put_option(kEnd, {});
    write_block(kSectionHeader);
}

std::uint32_t PcapngFile::add_interface(const PcapngInterface& interface) {
    put16(link_type_number(interface.link));
    put16(0);
    put32(0);  // no limit on the captured length
    put_option(kInterfaceName, interface.name);
    if (!interface.description.empty()) {
        put_option(kInterfaceText, interface.description);
    }
    put_option(kInterfaceResolution, {&kNanoseconds, 1});
    put_option(kEnd, {});
    write_block(kInterfaceDescription);
    interfaces_.push_back(interface);
    last_.push_back(0);
    return static_cast<std::uint32_t>(interfaces_.size() - 1);
}

void PcapngFile::add(std::uint32_t interface, const Frame& frame, std::string_view comment) {
    const auto ticks = static_cast<std::uint64_t>(frame.time);
    put32(interface);
    put32(static_cast<std::uint32_t>(ticks >> 32));
    put32(static_cast<std::uint32_t>(ticks));
    put32(frame.captured_bytes);
    put32(frame.wire_bytes);
    put_padded({frame.data, frame.captured_bytes});
    if (!comment.empty()) {
        put_option(kComment, comment);
        put_option(kEnd, {});
    }
    write_block(kEnhancedPacket);
    last_[interface] = std::max(last_[interface], frame.time);
}

std::expected<std::string, Error> PcapngFile::finish() {
    for (std::uint32_t i = 0; i < interfaces_.size(); ++i) {
        if (!interfaces_[i].dropped) {
            continue;
        }
        const auto ticks = static_cast<std::uint64_t>(last_[i]);
        put32(i);
        put32(static_cast<std::uint32_t>(ticks >> 32));
        put32(static_cast<std::uint32_t>(ticks));
        put_count(kInterfaceDrops, *interfaces_[i].dropped);
        put_option(kEnd, {});
        write_block(kInterfaceStatistics);
    }
    (void)file_.flush();
    if (file_.error()) {
        return std::unexpected(*file_.error());
    }
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
    sha256_digest(&hash_, digest.size(), digest.data());
    std::string text;
    for (const std::uint8_t byte : digest) {
        text += fmt::format("{:02x}", byte);
    }
    return text;
}

}  // namespace tw::sinks
