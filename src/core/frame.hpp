// SPDX-License-Identifier: BSD-3-Clause
// What capture hands to the pipeline: bytes with a time stamp from one tap. Non-owning; the bytes
// must live until Pipeline::process returns.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace tw {

// How the first byte of a frame is to be read. Captures number these differently (LINKTYPE_, DLT_);
// capture/pcap translates.
enum class LinkType : std::uint8_t {
    ethernet,
    raw_ip,     // IPv4 or IPv6 header at once, told apart by the version nibble
    linux_sll,  // Linux cooked v1
    linux_sll2,
    bsd_null,     // 4-byte address family in the byte order of the capturing host
    bsd_loop,     // 4-byte address family in network byte order
    unsupported,  // counted, not decoded
};

// Most frames one Pipeline::process call takes. What l3fwd, OVS and Suricata use: enough look-ups
// in flight to hide memory, while the burst's arrays stay in L1.
inline constexpr std::uint32_t kBurstMax = 32;

struct Frame {
    const std::uint8_t* data = nullptr;
    std::uint32_t captured_bytes = 0;  // readable at data
    std::uint32_t wire_bytes = 0;      // length on the wire, >= captured_bytes in an honest capture
    Nanos time = 0;
    std::uint64_t number = 0;  // from 1 over all files; 0 = not numbered (live)
    LinkType link = LinkType::ethernet;
    std::uint8_t tap = 0;  // index into the run's taps
};

}  // namespace tw
