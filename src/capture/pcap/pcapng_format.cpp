// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/pcapng_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "capture/pcap/byte_order.hpp"
#include "capture/pcap/pcapng_block.hpp"
#include "core/options.hpp"

namespace tw::pcap {
namespace {

// Not packets, but Wireshark gives them frame numbers: systemd journal entries, sysdig events and
// custom blocks. Counted so that our numbers are the ones seen there (tried with tshark 4.0.17).
constexpr std::array<std::uint32_t, 6> kNumberedBlocks = {0x9,   0x204, 0x216,
                                                          0x221, 0xBAD, 0x40000BAD};

// Smallest body by type; 0 for blocks that are skipped.
std::size_t body_bytes_min(std::uint32_t type) {
    switch (type) {
        case block_type::kInterfaceDescription:
            return 8;
        case block_type::kObsoletePacket:
        case block_type::kEnhancedPacket:
            return 20;
        case block_type::kSimplePacket:
            return 4;
        case block_type::kInterfaceStatistics:
            return 12;
        default:
            return 0;
    }
}

// Saturates: a hostile sum must not come out small.
void add_drops(std::optional<std::uint64_t>& total, std::uint64_t dropped) {
    const std::uint64_t before = total.value_or(0);
    const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - before;
    total = before + std::min(dropped, room);
}

}  // namespace

bool is_pcapng(std::span<const std::uint8_t> first_bytes) {
    return first_bytes.size() >= kPcapngStartBytes &&
           load32(first_bytes.data(), false) == block_type::kSectionHeader &&
           (load32(first_bytes.data() + 8, false) == kByteOrderMagic ||
            load32(first_bytes.data() + 8, true) == kByteOrderMagic);
}

std::expected<std::unique_ptr<Format>, std::string> PcapngFormat::open(
    Window& window, const FileSourceOptions& options) {
    std::unique_ptr<PcapngFormat> format(new PcapngFormat(options));
    std::size_t taken = 0;
    Step step = format->section_header(window.bytes(), taken);
    while (step == Step::wait) {
        if (!window.fill(format->bytes_needed_)) {
            return std::unexpected("it is cut short in its first section header");
        }
        step = format->section_header(window.bytes(), taken);
    }
    if (step == Step::fault) {
        return std::unexpected(*format->fault_);
    }
    window.consume(taken);
    format->take_descriptions(window);
    return format;
}

void PcapngFormat::take_descriptions(Window& window) {
    Frame unused;
    Step result = Step::other;
    while (result == Step::other && window.bytes().size() >= kBlockFrameBytes &&
           load32(window.bytes().data(), swapped_) == block_type::kInterfaceDescription) {
        std::size_t taken = 0;
        result = step(window.bytes(), unused, taken);
        window.consume(taken);
    }
}

std::uint32_t PcapngFormat::parse(Window& window, std::span<Frame, kBurstMax> frames) {
    const std::span<const std::uint8_t> bytes = window.bytes();
    std::size_t offset = 0;
    std::uint32_t count = 0;
    while (count < kBurstMax && !fault_) {
        std::size_t taken = 0;
        const Step result = step(bytes.subspan(offset), frames[count], taken);
        offset += taken;
        if (result == Step::frame) {
            ++count;
        } else if (result == Step::wait || result == Step::fault) {
            break;
        }
    }
    window.consume(offset);
    return count;
}

PcapngFormat::Step PcapngFormat::wait_for(std::size_t bytes_needed) {
    bytes_needed_ = bytes_needed;
    return Step::wait;
}

PcapngFormat::Step PcapngFormat::fail(std::string what) {
    fault_ = std::move(what);
    return Step::fault;
}

PcapngFormat::Step PcapngFormat::step(std::span<const std::uint8_t> bytes, Frame& frame,
                                      std::size_t& taken) {
    if (skip_bytes_ != 0 || trailer_due_) [[unlikely]] {
        return continue_skip(bytes, taken);
    }
    if (bytes.size() < kBlockFrameBytes) {
        return wait_for(bytes.empty() ? 1 : kBlockFrameBytes);
    }
    Block block{.type = load32(bytes.data(), swapped_), .body = {}};
    if (block.type == block_type::kSectionHeader) [[unlikely]] {
        return section_header(bytes, taken);
    }
    const std::uint32_t length = load32(bytes.data() + 4, swapped_);
    const std::size_t body_min = body_bytes_min(block.type);
    if (length < kBlockFrameBytes + body_min) {
        return fail(fmt::format("block of type {:#x} and length {}, less than {}", block.type,
                                length, kBlockFrameBytes + body_min));
    }
    if (body_min == 0) {
        return begin_skip(block.type, length);
    }
    if (length > kBlockBytesMax) {
        return fail(fmt::format("block of type {:#x} and length {}, more than {}", block.type,
                                length, kBlockBytesMax));
    }
    // Some writers leave the padding out of the length; Wireshark accepts that and so do we.
    const std::size_t block_bytes = padded(length);
    if (bytes.size() < block_bytes) {
        return wait_for(block_bytes);
    }
    const std::uint32_t trailer = load32(bytes.data() + block_bytes - 4, swapped_);
    if (padded(trailer) != block_bytes) [[unlikely]] {
        return fail(fmt::format("block of type {:#x} and length {}, but {} at its end", block.type,
                                length, trailer));
    }
    block.body = bytes.subspan(8, block_bytes - kBlockFrameBytes);
    const Step result = take_block(block, frame);
    if (result != Step::fault) {
        taken = block_bytes;
    }
    return result;
}

PcapngFormat::Step PcapngFormat::take_block(const Block& block, Frame& frame) {
    switch (block.type) {
        case block_type::kEnhancedPacket:
            return enhanced_packet(block, frame);
        case block_type::kSimplePacket:
            return simple_packet(block, frame);
        case block_type::kObsoletePacket:
            return obsolete_packet(block, frame);
        case block_type::kInterfaceDescription:
            return interface_description(block);
        default:
            return interface_statistics(block);
    }
}

PcapngFormat::Step PcapngFormat::begin_skip(std::uint32_t type, std::uint32_t length) {
    if (std::find(kNumberedBlocks.begin(), kNumberedBlocks.end(), type) != kNumberedBlocks.end()) {
        ++next_number_;
    }
    // In 64 bits: a length close to 2^32 is rounded up beyond it.
    skip_bytes_ = (std::uint64_t{length} + 3) / 4 * 4 - 4;
    trailer_due_ = true;
    trailer_ = length;
    return Step::other;
}

PcapngFormat::Step PcapngFormat::continue_skip(std::span<const std::uint8_t> bytes,
                                               std::size_t& taken) {
    if (skip_bytes_ != 0) {
        taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), skip_bytes_));
        skip_bytes_ -= taken;
        return skip_bytes_ == 0 ? Step::other : wait_for(1);
    }
    if (bytes.size() < 4) {
        return wait_for(4);
    }
    const std::uint32_t trailer = load32(bytes.data(), swapped_);
    if (padded(trailer) != padded(trailer_)) {
        return fail(fmt::format("block of length {}, but {} at its end", trailer_, trailer));
    }
    taken = 4;
    trailer_due_ = false;
    return Step::other;
}

PcapngFormat::Step PcapngFormat::enhanced_packet(const Block& block, Frame& frame) {
    const std::uint8_t* body = block.body.data();
    const Packet packet{
        .interface = load32(body, swapped_),
        .captured_bytes = load32(body + 12, swapped_),
        .wire_bytes = load32(body + 16, swapped_),
        .ticks = std::uint64_t{load32(body + 4, swapped_)} << 32 | load32(body + 8, swapped_),
        .data_offset = 20};
    return deliver(block, packet, frame);
}

PcapngFormat::Step PcapngFormat::simple_packet(const Block& block, Frame& frame) {
    if (interfaces_.empty()) {
        return fail("a packet, but no interface before it");
    }
    const std::uint32_t wire = load32(block.body.data(), swapped_);
    const std::uint32_t snaplen = interfaces_[0].snaplen;
    const Packet packet{.captured_bytes = snaplen == 0 ? wire : std::min(wire, snaplen),
                        .wire_bytes = wire,
                        .timed = false,
                        .data_offset = 4};
    return deliver(block, packet, frame);
}

PcapngFormat::Step PcapngFormat::obsolete_packet(const Block& block, Frame& frame) {
    const std::uint8_t* body = block.body.data();
    const Packet packet{
        .interface = load16(body, swapped_),
        .captured_bytes = load32(body + 12, swapped_),
        .wire_bytes = load32(body + 16, swapped_),
        .ticks = std::uint64_t{load32(body + 4, swapped_)} << 32 | load32(body + 8, swapped_),
        .data_offset = 20};
    const Step result = deliver(block, packet, frame);
    const std::uint16_t dropped = load16(body + 2, swapped_);
    constexpr std::uint16_t kUnknown = 0xFFFF;
    if (result == Step::frame && dropped != kUnknown) {
        add_drops(ledger_of(packet.interface).dropped_before_packets, dropped);
    }
    return result;
}

PcapngFormat::Step PcapngFormat::deliver(const Block& block, const Packet& packet, Frame& frame) {
    if (packet.interface >= interfaces_.size()) [[unlikely]] {
        return fail(fmt::format("a packet of interface {}, but only {} are described",
                                packet.interface, interfaces_.size()));
    }
    const std::size_t room = block.body.size() - packet.data_offset;
    if (packet.captured_bytes > room) [[unlikely]] {
        return fail(fmt::format("{} captured bytes in a block with room for {}",
                                packet.captured_bytes, room));
    }
    if (packet.captured_bytes > kCapturedBytesMax) [[unlikely]] {
        return fail(fmt::format("{} captured bytes, more than {}", packet.captured_bytes,
                                kCapturedBytesMax));
    }
    Interface& interface = interfaces_[packet.interface];
    // The body is a multiple of 4 bytes long, so the padded data fits too.
    const std::size_t options_offset = packet.data_offset + padded(packet.captured_bytes);
    if (options_offset < block.body.size() && packet.timed) [[unlikely]] {
        const Step result =
            packet_options(block.body.subspan(options_offset), ledger_of(packet.interface));
        if (result == Step::fault) {
            return result;
        }
    }
    ++interface.frames;
    frame.data = block.body.data() + packet.data_offset;
    frame.captured_bytes = packet.captured_bytes;
    frame.wire_bytes = std::min(packet.wire_bytes, kWireBytesMax);
    // A Simple Packet Block has no time; Wireshark analyses it at 0 too.
    frame.time = packet.timed ? interface.time.nanos(packet.ticks) : 0;
    frame.number = next_number_++;
    frame.link = interface.link;
    frame.tap = tap_by_interface_
                    ? static_cast<std::uint8_t>(std::min(packet.interface, kTapsMax - 1))
                    : tap_;
    return Step::frame;
}

PcapngFormat::Step PcapngFormat::packet_options(std::span<const std::uint8_t> bytes,
                                                InterfaceLedger& ledger) {
    PcapngOptions options(bytes, swapped_);
    std::optional<std::uint64_t> dropped;
    while (const auto option = options.next()) {
        constexpr std::uint16_t kDropCount =
            4;  // epb_dropcount, pack_… of the obsolete block: none
        if (option->code == kDropCount) {
            dropped = option->count(swapped_);
            if (!dropped) {
                return fail(
                    fmt::format("a drop count of {} bytes, expected 8", option->value.size()));
            }
        }
    }
    if (options.malformed()) {
        return fail("an option runs over the end of its packet");
    }
    if (dropped) {
        add_drops(ledger.dropped_before_packets, *dropped);
    }
    return Step::other;
}

}  // namespace tw::pcap
