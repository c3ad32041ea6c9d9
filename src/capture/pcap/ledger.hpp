// SPDX-License-Identifier: BSD-3-Clause
// What a capture file says of its own losses: per interface the counters of its statistics blocks
// and the drop counts of its packets. Only pcapng records these; a pcap file has one interface and
// no counters. An absent value means that the file does not say, which is not the same as zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "core/frame.hpp"

namespace tw::pcap {

// Names, filters and programs come from the file and are made printable: control characters and
// invalid UTF-8 are replaced, length is limited.
struct InterfaceLedger {
    std::uint32_t section = 0;           // index of its pcapng section, 0 for pcap
    std::uint32_t link_type_number = 0;  // LINKTYPE_ value of the file
    LinkType link = LinkType::unsupported;
    std::string link_name;         // "EN10MB", "IEEE802_11", or "LINKTYPE 299"
    std::string name;              // "eth0"; empty if the file does not say
    std::string description;       // for people; empty likewise
    std::string filter;            // capture filter; empty = none given
    std::string operating_system;  // of the capturing host, of the interface or its section
    std::string application;       // that wrote the section
    std::uint32_t snaplen = 0;     // 0 = unlimited

    std::uint64_t frames = 0;  // read so far from this interface
    // Sum of the drop counts in packet blocks: frames lost between this packet and the one before.
    std::optional<std::uint64_t> dropped_before_packets;
    // Last interface statistics block; counts run from the start of the capture.
    std::optional<std::uint64_t> received;           // isb_ifrecv
    std::optional<std::uint64_t> dropped_interface;  // isb_ifdrop
    std::optional<std::uint64_t> accepted;           // isb_filteraccept
    std::optional<std::uint64_t> dropped_os;         // isb_osdrop
    std::optional<std::uint64_t> delivered;          // isb_usrdeliv
    std::optional<Nanos> start;                      // isb_starttime
    std::optional<Nanos> end;                        // isb_endtime

    // All losses the file admits on this interface; absent if it says nothing at all.
    [[nodiscard]] std::optional<std::uint64_t> dropped() const;
};

struct Ledger {
    std::vector<InterfaceLedger> interfaces;  // in the order of the file, over all sections
};

}  // namespace tw::pcap
