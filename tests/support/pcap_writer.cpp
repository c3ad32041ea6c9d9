// SPDX-License-Identifier: BSD-3-Clause
#include "support/pcap_writer.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace tw::test {
namespace {

constexpr std::uint32_t kMagicMicro = 0xA1B2C3D4;
constexpr std::uint32_t kMagicNano = 0xA1B23C4D;
constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kPacketBlock = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kInterfaceStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;

// Blocks hold fields in the byte order of their section, so bodies are built by a writer without a
// file header of its own.
PcapWriter body_writer(const PcapWriterOptions& options) {
    return PcapWriter(
        {.format = PcapFormat::pcapng, .big_endian = options.big_endian, .empty = true});
}

std::vector<std::uint8_t> text(const std::string& value) {
    return {value.begin(), value.end()};
}

void pad_to_word(std::vector<std::uint8_t>& bytes) {
    while (bytes.size() % 4 != 0) {
        bytes.push_back(0);
    }
}

std::vector<std::uint8_t> number64(const PcapWriterOptions& options, std::uint64_t value) {
    PcapWriter body = body_writer(options);
    body.put64(value);
    return body.bytes();
}

std::uint32_t size32(std::size_t bytes) {
    return static_cast<std::uint32_t>(bytes);
}

}  // namespace

PcapWriter::PcapWriter(const PcapWriterOptions& options) : options_(options) {
    if (options.empty) {
        return;
    }
    if (options.format == PcapFormat::pcapng) {
        section_header({});
        return;
    }
    put32(options.format == PcapFormat::pcap_nano ? kMagicNano : kMagicMicro);
    put16(2);
    put16(4);
    put32(0);  // time zone
    put32(0);  // accuracy
    put32(options.snaplen);
    put32(options.link_type);
}

void PcapWriter::put16(std::uint16_t value) {
    const auto high = static_cast<std::uint8_t>(value >> 8);
    const auto low = static_cast<std::uint8_t>(value & 0xFF);
    put8(options_.big_endian ? high : low);
    put8(options_.big_endian ? low : high);
}

void PcapWriter::put32(std::uint32_t value) {
    const auto high = static_cast<std::uint16_t>(value >> 16);
    const auto low = static_cast<std::uint16_t>(value & 0xFFFF);
    put16(options_.big_endian ? high : low);
    put16(options_.big_endian ? low : high);
}

void PcapWriter::put64(std::uint64_t value) {
    const auto high = static_cast<std::uint32_t>(value >> 32);
    const auto low = static_cast<std::uint32_t>(value & 0xFFFF'FFFF);
    put32(options_.big_endian ? high : low);
    put32(options_.big_endian ? low : high);
}

void PcapWriter::put_raw(std::span<const std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void PcapWriter::put_options(std::span<const PcapngOption> options) {
    for (const auto& [code, value] : options) {
        put16(code);
        put16(static_cast<std::uint16_t>(value.size()));
        put_raw(value);
        pad_to_word(bytes_);
    }
    if (!options.empty()) {
        put32(0);  // end of options
    }
}

void PcapWriter::packet(Nanos time, std::span<const std::uint8_t> bytes,
                        const PacketFields& fields) {
    if (options_.format == PcapFormat::pcapng) {
        if (interfaces_.empty()) {
            interface();
        }
        packet_at_ticks(ticks_of(time, fields.interface), bytes, fields);
        return;
    }
    const auto nanos = static_cast<std::uint32_t>(time % kSecond);
    packet_at(static_cast<std::uint32_t>(time / kSecond),
              options_.format == PcapFormat::pcap_nano ? nanos : nanos / 1000, bytes, fields);
}

void PcapWriter::packet_at(std::uint32_t seconds, std::uint32_t fraction,
                           std::span<const std::uint8_t> bytes, const PacketFields& fields) {
    put32(seconds);
    put32(fraction);
    put32(size32(bytes.size()));
    put32(fields.wire_bytes.value_or(size32(bytes.size())));
    put_raw(bytes);
}

void PcapWriter::packet_at_ticks(std::uint64_t ticks, std::span<const std::uint8_t> bytes,
                                 const PacketFields& fields) {
    std::vector<PcapngOption> options = fields.more;
    if (fields.dropped_before) {
        options.emplace_back(std::uint16_t{4}, number64(options_, *fields.dropped_before));
    }
    PcapWriter body = body_writer(options_);
    body.put32(fields.interface);
    body.put32(static_cast<std::uint32_t>(ticks >> 32));
    body.put32(static_cast<std::uint32_t>(ticks & 0xFFFF'FFFF));
    body.put32(size32(bytes.size()));
    body.put32(fields.wire_bytes.value_or(size32(bytes.size())));
    body.put_raw(bytes);
    pad_to_word(body.bytes());
    body.put_options(options);
    block(kEnhancedPacket, body.bytes());
}

std::uint64_t PcapWriter::ticks_of(Nanos time, std::uint32_t interface) const {
    if (interface >= interfaces_.size()) {
        throw std::invalid_argument("PcapWriter: no such interface");
    }
    const Scale& scale = interfaces_[interface];
    if ((scale.resolution & 0x80) != 0 || scale.resolution > 9) {
        throw std::invalid_argument("PcapWriter: give packet_at_ticks() for this resolution");
    }
    std::int64_t nanos_per_tick = 1;
    for (int power = scale.resolution; power < 9; ++power) {
        nanos_per_tick *= 10;
    }
    return static_cast<std::uint64_t>((time - scale.offset_seconds * kSecond) / nanos_per_tick);
}

void PcapWriter::section(const PcapngSection& fields) {
    section_header(fields);
}

void PcapWriter::section_header(const PcapngSection& fields) {
    options_.big_endian = fields.big_endian.value_or(options_.big_endian);
    interfaces_.clear();
    std::vector<PcapngOption> options;
    if (!fields.hardware.empty()) {
        options.emplace_back(std::uint16_t{2}, text(fields.hardware));
    }
    if (!fields.operating_system.empty()) {
        options.emplace_back(std::uint16_t{3}, text(fields.operating_system));
    }
    if (!fields.application.empty()) {
        options.emplace_back(std::uint16_t{4}, text(fields.application));
    }
    PcapWriter body = body_writer(options_);
    body.put32(0x1A2B3C4D);
    body.put16(1);
    body.put16(0);
    body.put64(~std::uint64_t{0});  // length of the section not given
    body.put_options(options);
    block(kSectionHeader, body.bytes());
}

std::uint32_t PcapWriter::interface(const PcapngInterface& fields) {
    std::vector<PcapngOption> options;
    if (!fields.name.empty()) {
        options.emplace_back(std::uint16_t{2}, text(fields.name));
    }
    if (!fields.description.empty()) {
        options.emplace_back(std::uint16_t{3}, text(fields.description));
    }
    if (fields.time_resolution) {
        options.emplace_back(std::uint16_t{9}, std::vector<std::uint8_t>{*fields.time_resolution});
    }
    if (!fields.filter.empty()) {
        std::vector<std::uint8_t> value = text(fields.filter);
        value.insert(value.begin(), 0);  // 0: libpcap's language
        options.emplace_back(std::uint16_t{11}, value);
    }
    if (!fields.operating_system.empty()) {
        options.emplace_back(std::uint16_t{12}, text(fields.operating_system));
    }
    if (fields.time_offset_seconds) {
        options.emplace_back(
            std::uint16_t{14},
            number64(options_, static_cast<std::uint64_t>(*fields.time_offset_seconds)));
    }
    options.insert(options.end(), fields.more.begin(), fields.more.end());
    PcapWriter body = body_writer(options_);
    body.put16(fields.link_type);
    body.put16(0);
    body.put32(fields.snaplen);
    body.put_options(options);
    block(kInterfaceDescription, body.bytes());
    interfaces_.push_back({.resolution = fields.time_resolution.value_or(6),
                           .offset_seconds = fields.time_offset_seconds.value_or(0)});
    return size32(interfaces_.size() - 1);
}

void PcapWriter::simple_packet(std::span<const std::uint8_t> bytes,
                               std::optional<std::uint32_t> wire_bytes) {
    PcapWriter body = body_writer(options_);
    body.put32(wire_bytes.value_or(size32(bytes.size())));
    body.put_raw(bytes);
    block(kSimplePacket, body.bytes());
}

void PcapWriter::obsolete_packet(std::uint64_t ticks, std::span<const std::uint8_t> bytes,
                                 std::uint16_t interface, std::uint16_t dropped_before) {
    PcapWriter body = body_writer(options_);
    body.put16(interface);
    body.put16(dropped_before);
    body.put32(static_cast<std::uint32_t>(ticks >> 32));
    body.put32(static_cast<std::uint32_t>(ticks & 0xFFFF'FFFF));
    body.put32(size32(bytes.size()));
    body.put32(size32(bytes.size()));
    body.put_raw(bytes);
    block(kPacketBlock, body.bytes());
}

void PcapWriter::statistics(const PcapngStatistics& fields) {
    std::vector<PcapngOption> options;
    const auto add_time = [&](std::uint16_t code, const std::optional<Nanos>& time) {
        if (time) {  // high word first, whatever the byte order of the section
            const std::uint64_t ticks = ticks_of(*time, fields.interface);
            PcapWriter value = body_writer(options_);
            value.put32(static_cast<std::uint32_t>(ticks >> 32));
            value.put32(static_cast<std::uint32_t>(ticks & 0xFFFF'FFFF));
            options.emplace_back(code, value.bytes());
        }
    };
    const auto add_count = [&](std::uint16_t code, const std::optional<std::uint64_t>& count) {
        if (count) {
            options.emplace_back(code, number64(options_, *count));
        }
    };
    add_time(2, fields.start);
    add_time(3, fields.end);
    add_count(4, fields.received);
    add_count(5, fields.dropped_interface);
    add_count(6, fields.accepted);
    add_count(7, fields.dropped_os);
    add_count(8, fields.delivered);
    PcapWriter body = body_writer(options_);
    body.put32(fields.interface);
    body.put32(0);  // time of the statistics: the reader does not use it
    body.put32(0);
    body.put_options(options);
    block(kInterfaceStatistics, body.bytes());
}

void PcapWriter::block(std::uint32_t type, std::span<const std::uint8_t> body) {
    const std::size_t padded = (body.size() + 3) / 4 * 4;
    put32(type);
    put32(size32(padded + 12));
    put_raw(body);
    bytes_.resize(bytes_.size() + padded - body.size());
    put32(size32(padded + 12));
}

void PcapWriter::save(const std::string& path) const {
    write_file(path, bytes_);
}

void PcapWriter::save_gzip(const std::string& path) const {
    write_file(path, gzip(bytes_));
}

std::vector<std::uint8_t> gzip(std::span<const std::uint8_t> bytes) {
    z_stream stream{};
    constexpr int kGzipWindow = 15 + 16;  // zlib.h: 16 more asks for a gzip header
    if (deflateInit2(&stream, 6, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("deflateInit2 failed");
    }
    std::vector<std::uint8_t> input(bytes.begin(), bytes.end());  // zlib's pointer is not const
    std::vector<std::uint8_t> output(deflateBound(&stream, input.size()));
    stream.next_in = input.data();
    stream.avail_in = size32(input.size());
    stream.next_out = output.data();
    stream.avail_out = size32(output.size());
    const int result = deflate(&stream, Z_FINISH);
    output.resize(stream.total_out);
    deflateEnd(&stream);
    if (result != Z_STREAM_END) {
        throw std::runtime_error("deflate failed");
    }
    return output;
}

void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) {
        throw std::system_error(errno, std::generic_category(), path);
    }
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0) {
            const int code = errno;
            ::close(file);
            throw std::system_error(code, std::generic_category(), path);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (::close(file) != 0) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

}  // namespace tw::test
