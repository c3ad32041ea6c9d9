// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a capture file, read twice: from memory at once, and in small pieces as a slow pipe
// brings them. Both must give the same frames; a read past the bytes that have arrived would find
// other ones there.
//
// Input: the file.
#include <algorithm>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "capture/pcap/byte_supply.hpp"
#include "capture/pcap/file_source.hpp"
#include "capture/pcap/filter.hpp"

namespace tw::fuzz {
namespace {

class PieceSupply final : public pcap::ByteSupply {
  public:
    PieceSupply(std::span<const std::uint8_t> bytes, std::size_t piece_bytes)
        : rest_(bytes), total_(bytes.size()), piece_bytes_(piece_bytes) {}

    std::expected<std::size_t, std::string> read(std::span<std::uint8_t> room) override {
        TW_CHECK(!room.empty());
        const std::size_t count = std::min({room.size(), rest_.size(), piece_bytes_});
        std::copy_n(rest_.begin(), count, room.begin());
        rest_ = rest_.subspan(count);
        // What lies behind the piece is not the file's: it may change with every read.
        const std::size_t noise_bytes = std::min<std::size_t>(room.size() - count, 256);
        const auto behind = room.subspan(count, noise_bytes);
        std::fill(behind.begin(), behind.end(), ++noise_);
        return count;
    }
    std::uint64_t stored_bytes_read() const override { return total_ - rest_.size(); }
    std::uint64_t stored_bytes_total() const override { return 0; }

  private:
    std::span<const std::uint8_t> rest_;
    std::size_t total_;
    std::size_t piece_bytes_;
    std::uint8_t noise_ = 0;
};

struct Seen {
    std::uint64_t number;
    Nanos time;
    std::uint32_t wire_bytes;
    LinkType link;
    std::vector<std::uint8_t> bytes;

    bool operator==(const Seen&) const = default;
};

struct Result {
    bool opened = false;
    std::vector<Seen> frames;
    std::uint64_t next_number = 0;
    std::optional<std::string> message;
};

void check_end(pcap::FileSource& source) {
    TW_CHECK(source.next().empty());
    std::uint64_t frames = 0;
    for (const pcap::InterfaceLedger& interface : source.ledger().interfaces) {
        frames += interface.frames;
        TW_CHECK(interface.name.size() <= 256 && !interface.link_name.empty());
    }
    TW_CHECK(frames == source.frames_read());
    TW_CHECK(!source.warning() || source.warning()->find('\n') == std::string::npos);
}

Result read_all(std::unique_ptr<pcap::ByteSupply> supply, const pcap::Filter& filter) {
    Result result;
    auto opened = pcap::FileSource::open_supply(std::move(supply), "input");
    if (!opened) {
        result.message = opened.error().text;
        return result;
    }
    result.opened = true;
    pcap::FileSource& source = **opened;
    std::uint64_t number_before = 0;
    for (auto burst = source.next(); !burst.empty(); burst = source.next()) {
        TW_CHECK(burst.size() <= kBurstMax);
        for (const Frame& frame : burst) {
            TW_CHECK(frame.captured_bytes <= 262'144);
            TW_CHECK(frame.number > number_before);
            number_before = frame.number;
            static_cast<void>(filter.matches(frame));
            result.frames.push_back({frame.number,
                                     frame.time,
                                     frame.wire_bytes,
                                     frame.link,
                                     {frame.data, frame.data + frame.captured_bytes}});
        }
    }
    result.next_number = source.next_number();
    result.message = source.warning();
    check_end(source);
    return result;
}

void read_one(std::span<const std::uint8_t> input) {
    static const pcap::Filter filter =
        pcap::Filter::compile("tcp port 80 or len > 100 or ip6 host ::1").value();
    const Result at_once = read_all(pcap::supply_from_memory(input), filter);
    const Result pieces =
        read_all(std::make_unique<PieceSupply>(input, 1 + input.size() % 61), filter);
    TW_CHECK(at_once.opened == pieces.opened);
    TW_CHECK(at_once.frames == pieces.frames);
    TW_CHECK(at_once.next_number == pieces.next_number);
    TW_CHECK(at_once.message.has_value() == pieces.message.has_value());
}

}  // namespace
}  // namespace tw::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tw::fuzz::read_one({data, size});
    return 0;
}
