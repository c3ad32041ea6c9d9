// SPDX-License-Identifier: BSD-3-Clause
// Reads a capture file as bursts of frames: pcap and pcapng of either byte order, plain or gzip,
// from a path, a FIFO or standard input. Our own reader, because libpcap refuses pcapng with
// several link types and hides interface statistics and drop counts. It does not decode, filter or
// merge.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "capture/pcap/ledger.hpp"
#include "capture/pcap/source_options.hpp"
#include "core/frame.hpp"

namespace tw::pcap {

class ByteSupply;
class Format;
class Window;

struct Progress {
    std::uint64_t bytes_read = 0;   // of the file as stored: compressed bytes for gzip
    std::uint64_t bytes_total = 0;  // 0 = unknown: a pipe
};

class FileSource {
  public:
    // "-" is standard input. The error names the path, what is wrong and what is allowed. On a FIFO
    // this waits until the writer has sent the file header. The ledger then knows the interfaces
    // that come before the first packet, unless a slow pipe has not brought them yet.
    [[nodiscard]] static std::expected<std::unique_ptr<FileSource>, Error> open(
        const std::string& path, const FileSourceOptions& options = {});

    // The same from memory, which must outlive the source. `name` stands for the path in messages.
    [[nodiscard]] static std::expected<std::unique_ptr<FileSource>, Error> open_memory(
        std::span<const std::uint8_t> bytes, const std::string& name,
        const FileSourceOptions& options = {});

    // The same from any supply.
    [[nodiscard]] static std::expected<std::unique_ptr<FileSource>, Error> open_supply(
        std::unique_ptr<ByteSupply> supply, const std::string& name,
        const FileSourceOptions& options = {});

    ~FileSource();
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    // The next frames, at most kBurstMax, in the order of the file; empty at the end, and from then
    // on. Their bytes stay valid until the next call. A growing pipe is never waited on while
    // complete frames are at hand.
    [[nodiscard]] std::span<const Frame> next();

    [[nodiscard]] std::uint64_t frames_read() const { return frames_read_; }
    // Where the next file goes on. Counts a few pcapng blocks that are no packets but have a frame
    // number in Wireshark (custom blocks, journal entries), so that numbers agree with it.
    [[nodiscard]] std::uint64_t next_number() const;
    // Set once reading ended before the end of the file: cut short or corrupt. One sentence with
    // path, frame number and byte offset (after decompression).
    [[nodiscard]] const std::optional<std::string>& warning() const { return warning_; }
    [[nodiscard]] Progress progress() const;
    // Complete once next() has returned an empty span; until then, what was read so far. Builds
    // strings: not for every burst.
    [[nodiscard]] Ledger ledger() const;
    [[nodiscard]] const std::string& path() const { return path_; }
    // "pcap", "pcapng", "pcap, gzip" …
    [[nodiscard]] std::string format_name() const;

  private:
    FileSource(std::string path, bool gzip, std::unique_ptr<Window> window,
               std::unique_ptr<Format> format);
    void end();

    std::string path_;
    bool gzip_;
    bool ended_ = false;
    std::unique_ptr<Window> window_;
    std::unique_ptr<Format> format_;
    std::uint64_t frames_read_ = 0;
    std::optional<std::string> warning_;
    std::array<Frame, kBurstMax> frames_;
};

}  // namespace tw::pcap
