// SPDX-License-Identifier: BSD-3-Clause
// How the frames of a file are numbered and which tap they belong to.
#pragma once

#include <cstdint>

namespace tw::pcap {

struct FileSourceOptions {
    std::uint64_t first_number = 1;  // Frame::number of the first frame; see next_number()
    std::uint8_t tap = 0;            // Frame::tap of every frame
    // Frame::tap is the number of the interface within its pcapng section instead; the last tap
    // stands for all interfaces from there on.
    bool tap_by_interface = false;
};

}  // namespace tw::pcap
