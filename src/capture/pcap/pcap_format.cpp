// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/pcap_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "capture/pcap/byte_order.hpp"
#include "capture/pcap/link_types.hpp"

namespace tw::pcap {
namespace {

struct Variant {
    std::uint32_t magic;
    std::uint32_t nanos_per_unit;
    std::uint32_t record_header_bytes;
};

constexpr std::array kVariants = {
    Variant{0xA1B2C3D4, 1000, 16}, Variant{0xA1B23C4D, 1, 16},
    Variant{0xA1B2CD34, 1000, 24},  // Kuznetzov: interface index, protocol and packet type follow
};

// Before version 2.3 the captured length came second; 2.3 files exist in both orders (libpcap).
enum class Lengths : std::uint8_t { captured_first, captured_second, smaller_is_captured };

Lengths lengths_of(std::uint16_t major, std::uint16_t minor) {
    constexpr std::uint16_t kDigital = 543;  // DG/UX writes this as its major version
    if (major == kDigital || (major == 2 && minor < 3)) {
        return Lengths::captured_second;
    }
    return major == 2 && minor == 3 ? Lengths::smaller_is_captured : Lengths::captured_first;
}

struct Header {
    Variant variant;
    bool swapped;
};

std::optional<Header> header_of(std::span<const std::uint8_t> first_bytes) {
    if (first_bytes.size() < 4) {
        return std::nullopt;
    }
    for (const bool swapped : {false, true}) {
        for (const Variant& variant : kVariants) {
            if (load32(first_bytes.data(), swapped) == variant.magic) {
                return Header{variant, swapped};
            }
        }
    }
    return std::nullopt;
}

template <bool kSwapped>
class PcapFormat final : public Format {
  public:
    PcapFormat(const Variant& variant, Lengths lengths, std::uint32_t snaplen,
               std::uint32_t link_type_number, const FileSourceOptions& options)
        : Format(options),
          variant_(variant),
          lengths_(lengths),
          link_(link_type_of(link_type_number)),
          link_type_number_(link_type_number),
          snaplen_(snaplen),
          first_number_(options.first_number) {}

    std::uint32_t parse(Window& window, std::span<Frame, kBurstMax> frames) override;

    Ledger ledger() const override {
        InterfaceLedger interface;
        interface.link_type_number = link_type_number_;
        interface.link = link_;
        interface.link_name = link_type_name(link_type_number_);
        interface.snaplen = snaplen_;
        interface.frames = next_number_ - first_number_;
        return Ledger{.interfaces = {std::move(interface)}};
    }

    std::string_view name() const override { return "pcap"; }

  private:
    // Ends reading at the record at the front of the window if its length is impossible.
    bool accept(std::uint32_t captured_bytes) {
        if (captured_bytes <= kCapturedBytesMax) [[likely]] {
            return true;
        }
        fault_ = fmt::format("a record of {} captured bytes, more than {}", captured_bytes,
                             kCapturedBytesMax);
        return false;
    }

    Variant variant_;
    Lengths lengths_;
    LinkType link_;
    std::uint32_t link_type_number_;
    std::uint32_t snaplen_;
    std::uint64_t first_number_;
};

template <bool kSwapped>
std::uint32_t PcapFormat<kSwapped>::parse(Window& window, std::span<Frame, kBurstMax> frames) {
    const std::span<const std::uint8_t> bytes = window.bytes();
    const std::uint8_t* record = bytes.data();
    std::size_t left = bytes.size();
    const std::size_t header_bytes = variant_.record_header_bytes;
    std::uint32_t count = 0;
    bytes_needed_ = header_bytes;
    while (count < kBurstMax && left >= header_bytes) {
        std::uint32_t captured = load32(record + 8, kSwapped);
        std::uint32_t wire = load32(record + 12, kSwapped);
        if (lengths_ != Lengths::captured_first) [[unlikely]] {
            if (lengths_ == Lengths::captured_second || captured > wire) {
                std::swap(captured, wire);
            }
        }
        if (!accept(captured)) {
            break;
        }
        if (left - header_bytes < captured) {
            bytes_needed_ = header_bytes + captured;
            break;
        }
        // At most 2^32 s + 2^32 us, 4.3e18 ns: fits. A fraction of a second or more carries over.
        const std::uint64_t nanos =
            load32(record, kSwapped) * std::uint64_t{kSecond} +
            std::uint64_t{load32(record + 4, kSwapped)} * variant_.nanos_per_unit;
        Frame& frame = frames[count++];
        frame.data = record + header_bytes;
        frame.captured_bytes = captured;
        frame.wire_bytes = std::min(wire, kWireBytesMax);
        frame.time = static_cast<Nanos>(nanos);
        frame.number = next_number_++;
        frame.link = link_;
        frame.tap = tap_;
        record += header_bytes + captured;
        left -= header_bytes + captured;
    }
    window.consume(bytes.size() - left);
    return count;
}

}  // namespace

bool is_pcap(std::span<const std::uint8_t> first_bytes) {
    return header_of(first_bytes).has_value();
}

std::expected<std::unique_ptr<Format>, std::string> open_pcap(Window& window,
                                                              const FileSourceOptions& options) {
    const std::uint8_t* header = window.bytes().data();
    const auto [variant, swapped] = header_of(window.bytes()).value();
    const std::uint16_t major = load16(header + 4, swapped);
    const std::uint16_t minor = load16(header + 6, swapped);
    if (major < 2) {
        return std::unexpected(
            fmt::format("pcap version {}.{} is not known; allowed is 2.x", major, minor));
    }
    const std::uint32_t snaplen = load32(header + 16, swapped);
    // The upper half holds the length of the frame check sequence, which decoding does not need.
    const std::uint32_t link_type_number = load32(header + 20, swapped) & 0xFFFF;
    window.consume(kPcapHeaderBytes);
    const Lengths lengths = lengths_of(major, minor);
    if (swapped) {
        return std::make_unique<PcapFormat<true>>(variant, lengths, snaplen, link_type_number,
                                                  options);
    }
    return std::make_unique<PcapFormat<false>>(variant, lengths, snaplen, link_type_number,
                                               options);
}

}  // namespace tw::pcap
