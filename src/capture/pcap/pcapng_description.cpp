// SPDX-License-Identifier: BSD-3-Clause
// The blocks of pcapng that describe: sections, interfaces and their statistics.
#include <fmt/format.h>

#include <utility>

#include "capture/pcap/byte_order.hpp"
#include "capture/pcap/link_types.hpp"
#include "capture/pcap/messages.hpp"
#include "capture/pcap/pcapng_block.hpp"
#include "capture/pcap/pcapng_format.hpp"

namespace tw::pcap {
namespace {

constexpr std::size_t kSectionHeaderBytesMin = 28;
// Over all sections: bounds the memory of the ledger.
constexpr std::size_t kInterfacesMax = 65'536;

std::optional<Nanos> time_of(const PcapngOption& option, bool swapped, const TimeScale& scale) {
    if (option.value.size() != 8) {
        return std::nullopt;
    }
    const std::uint64_t high = load32(option.value.data(), swapped);
    const std::uint64_t low = load32(option.value.data() + 4, swapped);
    return scale.nanos(high << 32 | low);
}

}  // namespace

PcapngFormat::Step PcapngFormat::section_header(std::span<const std::uint8_t> bytes,
                                                std::size_t& taken) {
    if (bytes.size() < kSectionHeaderBytesMin) {
        return wait_for(kSectionHeaderBytesMin);
    }
    const bool swapped = load32(bytes.data() + 8, false) != kByteOrderMagic;
    if (load32(bytes.data() + 8, swapped) != kByteOrderMagic) {
        return fail(fmt::format("section header with byte-order magic {:#x}, expected {:#x}",
                                load32(bytes.data() + 8, false), kByteOrderMagic));
    }
    const std::uint32_t length = load32(bytes.data() + 4, swapped);
    if (length < kSectionHeaderBytesMin || length > kBlockBytesMax) {
        return fail(fmt::format("section header of length {}, not in {}..{}", length,
                                kSectionHeaderBytesMin, kBlockBytesMax));
    }
    const std::size_t block_bytes = padded(length);
    if (bytes.size() < block_bytes) {
        return wait_for(block_bytes);
    }
    const std::uint16_t major = load16(bytes.data() + 12, swapped);
    const std::uint16_t minor = load16(bytes.data() + 14, swapped);
    // 1.2 was written by some tools and differs in nothing.
    if (major != 1 || (minor != 0 && minor != 2)) {
        return fail(fmt::format("pcapng version {}.{} is not known; allowed are 1.0 and 1.2", major,
                                minor));
    }
    const std::uint32_t trailer = load32(bytes.data() + block_bytes - 4, swapped);
    if (padded(trailer) != block_bytes) {
        return fail(fmt::format("section header of length {}, but {} at its end", length, trailer));
    }
    std::string os;
    std::string application;
    PcapngOptions options(bytes.subspan(24, block_bytes - kSectionHeaderBytesMin), swapped);
    while (const auto option = options.next()) {
        if (option->code == 3) {  // shb_os
            os = printable(option->value);
        } else if (option->code == 4) {  // shb_userappl
            application = printable(option->value);
        }
    }
    if (options.malformed()) {
        return fail("an option runs over the end of its section header");
    }
    settle_frame_counts(ledgers_);
    interfaces_.clear();
    swapped_ = swapped;
    section_os_ = std::move(os);
    section_application_ = std::move(application);
    ++sections_;
    taken = block_bytes;
    return Step::other;
}

PcapngFormat::Step PcapngFormat::interface_description(const Block& block) {
    if (ledgers_.size() == kInterfacesMax) {
        return fail(fmt::format("more than {} interfaces", kInterfacesMax));
    }
    InterfaceLedger ledger;
    ledger.section = sections_ - 1;
    ledger.link_type_number = load16(block.body.data(), swapped_);
    ledger.link = link_type_of(ledger.link_type_number);
    ledger.link_name = link_type_name(ledger.link_type_number);
    ledger.snaplen = load32(block.body.data() + 4, swapped_);
    ledger.operating_system = section_os_;
    ledger.application = section_application_;
    std::optional<std::uint8_t> resolution;  // the first one counts, as in Wireshark
    std::int64_t offset_seconds = 0;
    PcapngOptions options(block.body.subspan(8), swapped_);
    while (const auto option = options.next()) {
        switch (option->code) {
            case 2:  // if_name
                ledger.name = printable(option->value);
                break;
            case 3:  // if_description
                ledger.description = printable(option->value);
                break;
            case 9:  // if_tsresol
                if (option->value.size() == 1 && !resolution) {
                    resolution = option->value[0];
                }
                break;
            case 11:  // if_filter: kind 0 is text in libpcap's language
                if (!option->value.empty() && option->value[0] == 0) {
                    ledger.filter = printable(option->value.subspan(1));
                }
                break;
            case 12:  // if_os
                ledger.operating_system = printable(option->value);
                break;
            case 14:  // if_tsoffset
                if (option->value.size() == 8) {
                    offset_seconds =
                        static_cast<std::int64_t>(load64(option->value.data(), swapped_));
                }
                break;
            default:
                break;
        }
    }
    if (options.malformed()) {
        return fail("an option runs over the end of its interface description");
    }
    interfaces_.push_back({.time = TimeScale(resolution.value_or(6), offset_seconds),
                           .snaplen = ledger.snaplen,
                           .link = ledger.link});
    ledgers_.push_back(std::move(ledger));
    return Step::other;
}

PcapngFormat::Step PcapngFormat::interface_statistics(const Block& block) {
    const std::uint32_t interface = load32(block.body.data(), swapped_);
    if (interface >= interfaces_.size()) {
        return Step::other;  // says nothing about any interface; packets are not affected
    }
    const TimeScale& scale = interfaces_[interface].time;
    InterfaceLedger& ledger = ledger_of(interface);
    PcapngOptions options(block.body.subspan(12), swapped_);
    while (const auto option = options.next()) {
        switch (option->code) {
            case 2:  // isb_starttime
                ledger.start = time_of(*option, swapped_, scale);
                break;
            case 3:  // isb_endtime
                ledger.end = time_of(*option, swapped_, scale);
                break;
            case 4:  // isb_ifrecv
                ledger.received = option->count(swapped_);
                break;
            case 5:  // isb_ifdrop
                ledger.dropped_interface = option->count(swapped_);
                break;
            case 6:  // isb_filteraccept
                ledger.accepted = option->count(swapped_);
                break;
            case 7:  // isb_osdrop
                ledger.dropped_os = option->count(swapped_);
                break;
            case 8:  // isb_usrdeliv
                ledger.delivered = option->count(swapped_);
                break;
            default:
                break;
        }
    }
    return options.malformed() ? fail("an option runs over the end of its interface statistics")
                               : Step::other;
}

Ledger PcapngFormat::ledger() const {
    Ledger ledger{.interfaces = ledgers_};
    settle_frame_counts(ledger.interfaces);
    return ledger;
}

void PcapngFormat::settle_frame_counts(std::vector<InterfaceLedger>& ledgers) const {
    const std::size_t first = ledgers.size() - interfaces_.size();
    for (std::size_t index = 0; index < interfaces_.size(); ++index) {
        ledgers[first + index].frames = interfaces_[index].frames;
    }
}

}  // namespace tw::pcap
