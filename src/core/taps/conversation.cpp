// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/conversation.hpp"

namespace tw::taps {
namespace {

// Rows in the order of the enumerators.
constexpr std::array<std::string_view, kPairings> kPairingNames{
    "unpaired", "same_tuple", "same_tuple_isn", "syn_fingerprint",
    "nat_hint", "timestamps", "byte_stream",
};
constexpr std::array<std::string_view, kOutcomes> kOutcomeNames{
    "established",          "midway",        "syn_dropped",       "syn_ack_dropped",
    "rejected_rst",         "rejected_icmp", "refused_by_server", "server_silent",
    "answered_by_firewall", "incomplete",
};
constexpr std::array<std::string_view, kEndings> kEndingNames{
    "open",    "closed", "half_closed", "reset_by_client", "reset_by_server", "reset_by_firewall",
    "stalled",
};

}  // namespace

std::string_view name(Pairing pairing) {
    return kPairingNames[static_cast<std::size_t>(pairing)];
}
std::string_view name(Outcome outcome) {
    return kOutcomeNames[static_cast<std::size_t>(outcome)];
}
std::string_view name(Ending ending) {
    return kEndingNames[static_cast<std::size_t>(ending)];
}

}  // namespace tw::taps
