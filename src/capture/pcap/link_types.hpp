// SPDX-License-Identifier: BSD-3-Clause
// What the link type number of a capture file (LINKTYPE_, tcpdump.org/linktypes.html) means to us,
// and its name for people.
#pragma once

#include <cstdint>
#include <string>

#include "core/frame.hpp"

namespace tw::pcap {

[[nodiscard]] LinkType link_type_of(std::uint32_t link_type_number);

// "EN10MB" for 1, "IEEE802_11" for 105; "LINKTYPE 299" for a number without a row here.
[[nodiscard]] std::string link_type_name(std::uint32_t link_type_number);

}  // namespace tw::pcap
