// SPDX-License-Identifier: BSD-3-Clause
// Writes capture files for tests and generators: pcap with micro- or nanoseconds and pcapng with
// any number of interfaces, in either byte order. Everything is built in memory; save() writes it
// out. Shares no code with the reader in src/capture/pcap.
//
//   PcapWriter writer;                       // nanosecond pcap, Ethernet
//   writer.packet(1'700'000'000 * kSecond, frame_bytes);
//   writer.save("/tmp/x.pcap");
//
//   PcapWriter ng({.format = PcapFormat::pcapng});
//   const auto eth = ng.interface({.name = "eth0"});
//   const auto raw = ng.interface({.link_type = 101});
//   ng.packet(time, bytes, {.interface = raw, .dropped_before = 3});
//   ng.statistics({.interface = eth, .received = 100, .dropped_interface = 7});
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace tw::test {

enum class PcapFormat : std::uint8_t { pcap_micro, pcap_nano, pcapng };

struct PcapWriterOptions {
    PcapFormat format = PcapFormat::pcap_nano;
    bool big_endian = false;
    std::uint32_t link_type = 1;     // pcap; LINKTYPE_ number
    std::uint32_t snaplen = 262144;  // pcap
    bool empty = false;              // write no file or section header: the caller does
};

// A pcapng option as stored: code and value. Padding is added.
using PcapngOption = std::pair<std::uint16_t, std::vector<std::uint8_t>>;

struct PcapngSection {
    std::string hardware{};
    std::string operating_system{};
    std::string application{};
    std::optional<bool> big_endian{};  // default: as the file so far
};

struct PcapngInterface {
    std::uint16_t link_type = 1;
    std::uint32_t snaplen = 262144;
    std::string name{};
    std::string description{};
    std::string filter{};
    std::string operating_system{};
    // Powers of ten 10^-n, or with bit 7 set of two; absent = the option is left out
    // (microseconds).
    std::optional<std::uint8_t> time_resolution = 9;
    std::optional<std::int64_t> time_offset_seconds{};
    std::vector<PcapngOption> more{};
};

struct PacketFields {
    std::uint32_t interface = 0;                    // pcapng
    std::optional<std::uint32_t> wire_bytes{};      // default: as captured
    std::optional<std::uint64_t> dropped_before{};  // pcapng, epb_dropcount
    std::vector<PcapngOption> more{};               // pcapng
};

struct PcapngStatistics {
    std::uint32_t interface = 0;
    std::optional<Nanos> start{};  // stored in units of the interface
    std::optional<Nanos> end{};
    std::optional<std::uint64_t> received{};
    std::optional<std::uint64_t> dropped_interface{};
    std::optional<std::uint64_t> accepted{};
    std::optional<std::uint64_t> dropped_os{};
    std::optional<std::uint64_t> delivered{};
};

class PcapWriter {
  public:
    explicit PcapWriter(const PcapWriterOptions& options = {});

    // Time in the units of the format or interface, rounded down. A pcapng writer without any
    // interface gets an Ethernet one with nanoseconds first.
    void packet(Nanos time, std::span<const std::uint8_t> bytes, const PacketFields& fields = {});
    // The same with the time as stored: seconds and fraction for pcap, ticks for pcapng.
    void packet_at(std::uint32_t seconds, std::uint32_t fraction,
                   std::span<const std::uint8_t> bytes, const PacketFields& fields = {});
    void packet_at_ticks(std::uint64_t ticks, std::span<const std::uint8_t> bytes,
                         const PacketFields& fields = {});

    // --- pcapng only
    void section(const PcapngSection& fields = {});  // a further one; interfaces count from 0 again
    std::uint32_t interface(const PcapngInterface& fields = {});  // returns its index
    void simple_packet(std::span<const std::uint8_t> bytes,
                       std::optional<std::uint32_t> wire_bytes = {});
    // The obsolete Packet Block; dropped_before 0xFFFF = unknown.
    void obsolete_packet(std::uint64_t ticks, std::span<const std::uint8_t> bytes,
                         std::uint16_t interface = 0, std::uint16_t dropped_before = 0xFFFF);
    void statistics(const PcapngStatistics& fields);
    // Any block: type and body; length fields and padding are added.
    void block(std::uint32_t type, std::span<const std::uint8_t> body);

    // --- for hostile files
    void put8(std::uint8_t value) { bytes_.push_back(value); }
    void put16(std::uint16_t value);
    void put32(std::uint32_t value);
    void put64(std::uint64_t value);
    void put_raw(std::span<const std::uint8_t> bytes);
    void put_options(std::span<const PcapngOption> options);

    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
    [[nodiscard]] std::vector<std::uint8_t>& bytes() { return bytes_; }
    // Throws std::system_error if the file cannot be written.
    void save(const std::string& path) const;
    void save_gzip(const std::string& path) const;

  private:
    struct Scale {
        std::uint8_t resolution;
        std::int64_t offset_seconds;
    };
    [[nodiscard]] std::uint64_t ticks_of(Nanos time, std::uint32_t interface) const;
    void section_header(const PcapngSection& fields);

    PcapWriterOptions options_;
    std::vector<Scale> interfaces_;  // of the current section
    std::vector<std::uint8_t> bytes_;
};

// One gzip member holding `bytes`; members may be concatenated.
[[nodiscard]] std::vector<std::uint8_t> gzip(std::span<const std::uint8_t> bytes);

void write_file(const std::string& path, std::span<const std::uint8_t> bytes);

}  // namespace tw::test
