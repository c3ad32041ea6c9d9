// SPDX-License-Identifier: BSD-3-Clause
// pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, each with its own interfaces.
// Packets come from Enhanced, Simple and the obsolete Packet Blocks; interface statistics and drop
// counts go to the ledger; every other block is skipped.
//
//   block: type(4) total length(4) body … options … total length(4), a multiple of 4 bytes
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "capture/pcap/format.hpp"
#include "capture/pcap/time_scale.hpp"

namespace tw::pcap {

inline constexpr std::size_t kPcapngStartBytes = 12;  // type, length, byte-order magic

[[nodiscard]] bool is_pcapng(std::span<const std::uint8_t> first_bytes);

class PcapngFormat final : public Format {
  public:
    // Takes the first section header from the window, which holds it.
    [[nodiscard]] static std::expected<std::unique_ptr<Format>, std::string> open(
        Window& window, const FileSourceOptions& options);

    std::uint32_t parse(Window& window, std::span<Frame, kBurstMax> frames) override;
    Ledger ledger() const override;
    std::string_view name() const override { return "pcapng"; }
    bool between_records() const override { return skip_bytes_ == 0 && !trailer_due_; }

  private:
    // What packets need of their interface, apart from its ledger.
    struct Interface {
        TimeScale time;
        std::uint64_t frames = 0;
        std::uint32_t snaplen = 0;
        LinkType link = LinkType::unsupported;
    };
    struct Block {
        std::uint32_t type = 0;
        std::span<const std::uint8_t> body;  // between the two lengths
    };
    struct Packet {
        std::uint32_t interface = 0;
        std::uint32_t captured_bytes = 0;
        std::uint32_t wire_bytes = 0;
        std::uint64_t ticks = 0;
        bool timed = true;
        std::size_t data_offset = 0;  // in the body
    };
    enum class Step : std::uint8_t { frame, other, wait, fault };

    explicit PcapngFormat(const FileSourceOptions& options) : Format(options) {}

    // The interfaces at the front of the window, as far as they have arrived.
    void take_descriptions(Window& window);
    // One step at the front of `bytes`: sets how many of them it took.
    Step step(std::span<const std::uint8_t> bytes, Frame& frame, std::size_t& taken);
    Step take_block(const Block& block, Frame& frame);
    Step begin_skip(std::uint32_t type, std::uint32_t padded_bytes);
    Step continue_skip(std::span<const std::uint8_t> bytes, std::size_t& taken);
    Step wait_for(std::size_t bytes_needed);
    Step fail(std::string what);

    Step section_header(std::span<const std::uint8_t> bytes, std::size_t& taken);
    Step interface_description(const Block& block);
    Step interface_statistics(const Block& block);
    Step enhanced_packet(const Block& block, Frame& frame);
    Step simple_packet(const Block& block, Frame& frame);
    Step obsolete_packet(const Block& block, Frame& frame);
    Step deliver(const Block& block, const Packet& packet, Frame& frame);
    Step packet_options(std::span<const std::uint8_t> bytes, InterfaceLedger& ledger);
    // Frames are counted in interfaces_ while their section lasts.
    void settle_frame_counts(std::vector<InterfaceLedger>& ledgers) const;
    InterfaceLedger& ledger_of(std::uint32_t interface) {
        return ledgers_[ledgers_.size() - interfaces_.size() + interface];
    }

    bool swapped_ = false;
    std::vector<Interface> interfaces_;     // of the current section
    std::vector<InterfaceLedger> ledgers_;  // of all sections so far
    std::uint32_t sections_ = 0;
    std::string section_os_;
    std::string section_application_;
    // A skipped block, which may be larger than any buffer: what is left of it, then its trailer.
    std::uint64_t skip_bytes_ = 0;
    bool trailer_due_ = false;
    std::uint32_t trailer_ = 0;
};

}  // namespace tw::pcap
