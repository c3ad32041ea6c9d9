// SPDX-License-Identifier: BSD-3-Clause
// The captures of two taps as one stream of bursts in order of time: two files, or one pcapng with
// an interface for each. Frame::tap is the side (core/taps/side.hpp); the numbers are those of the
// frame's own file, as Wireshark shows them.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "capture/pcap/file_source.hpp"
#include "core/frame.hpp"
#include "core/taps/side.hpp"

namespace tw::app {

// Where the frames of one tap are.
struct TapFile {
    std::string path;
    // Interface within each section of a pcapng file; absent: all of the file.
    std::optional<std::uint8_t> interface;
    std::string interface_name;  // for people, may be empty
};

using TapFilePair = std::array<TapFile, taps::kSides>;  // index: Side

// Two different files, readable, no pipes: they are read more than once.
[[nodiscard]] std::expected<TapFilePair, Error> tap_files(const std::string& outside,
                                                          const std::string& inside);
// One pcapng with two interfaces: `interfaces` is "OUTSIDE,INSIDE" by name or number; empty: those
// that are called outside and inside, else the file's only two, the first of them outside.
[[nodiscard]] std::expected<TapFilePair, Error> tap_files_of(const std::string& capture,
                                                             const std::string& interfaces);

// What the inside tap's clock shows more than the outside tap's, as it runs on.
struct ClockCorrection {
    Nanos offset = 0;  // at `at`
    double drift = 0;  // more each nanosecond
    Nanos at = 0;
    [[nodiscard]] Nanos of(Nanos inside_time) const {
        return offset + static_cast<Nanos>(drift * static_cast<double>(inside_time - at));
    }
};

class TapReader {
  public:
    // The error names the file. `correction` is taken off the times of the inside tap.
    [[nodiscard]] static std::expected<std::unique_ptr<TapReader>, Error> open(
        const TapFilePair& files, const ClockCorrection& correction = {});

    // The next frames of both, at most kBurstMax; empty at the end. Their bytes stay valid until
    // the next call.
    [[nodiscard]] std::span<const Frame> next();
    // Time that both taps have reached: nothing earlier is still to come, as far as each file is in
    // order. Stands still once one of them has ended.
    [[nodiscard]] Nanos reached() const;

    struct Lane {
        std::unique_ptr<pcap::FileSource> source;
        std::optional<std::uint8_t> interface;
        std::span<const Frame> burst;
        std::size_t at = 0;
        bool ended = false;
        std::uint64_t frames = 0;
        Nanos first = 0;
        Nanos last = 0;  // of the frames handed out
    };
    [[nodiscard]] const Lane& lane(taps::Side side) const { return lanes_[taps::index(side)]; }
    [[nodiscard]] std::uint64_t bytes_read() const;
    // Drops that the file itself counts for this tap's interfaces; absent if it says nothing.
    [[nodiscard]] std::optional<std::uint64_t> dropped(taps::Side side) const;

  private:
    explicit TapReader(const ClockCorrection& correction) : correction_(correction) {}
    [[nodiscard]] bool refill(Lane& lane);
    void skip_others(Lane& lane) const;
    [[nodiscard]] Nanos time_of(const Lane& lane) const;

    ClockCorrection correction_;
    std::array<Lane, taps::kSides> lanes_;
    std::array<Frame, kBurstMax> frames_;
};

}  // namespace tw::app
