// SPDX-License-Identifier: BSD-3-Clause
// What generated connections do, as a table: scripts of a few segments each, and for every segment
// the Wireshark flags it must carry. A script begins and ends with nothing outstanding that a later
// one could trip over, so scripts follow each other in any order. The flags follow from tshark's
// rules (tests/oracle proves them with tshark itself), and none depends on time unless its fault
// says so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "core/tcp/flags.hpp"

namespace tw::generator {

enum class Side : std::uint8_t { client, server };

// TCP flag bits as they are on the wire.
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;

// The shift that every SYN announces, and the window that sides with room have.
inline constexpr std::uint8_t kWindowShift = 7;
inline constexpr std::uint16_t kOpenWindow = 502;
inline constexpr std::uint16_t kSynWindow = 64'240;

// A position is counted in the sender's units (a server's segment, a client's request) from where
// the script began, plus bytes for what SYN, FIN, probes and keep-alives do.
struct Position {
    std::int8_t units = 0;
    std::int8_t bytes = 0;
};

struct Step {
    Side side = Side::client;
    std::uint8_t tcp_flags = kAck;
    Position seq{};
    Position payload{};
    Position ack{};  // in the peer's units
    std::uint16_t window = kOpenWindow;
    tcp::FlagSet expected{};
    std::uint8_t missing_units = 0;  // never seen again, found missing by this segment
    bool copy = false;               // a copy made by the network: same IP identification
    bool joined = false;             // no frame of another connection between the last one and this
};

enum class ScriptId : std::uint8_t {
    handshake,
    handshake_copied_syn,
    handshake_reused_ports,
    request,
    answer,
    loss,
    repaired_loss,
    reorder,
    copy,
    late_copy,
    copied_ack,
    early_ack,
    repeated_request,
    zero_window,
    full_window,
    keep_alive,
    fast_repeat,
    close,
    close_copied_fin,
    close_reset_in_hole,
    syn_flood,
};
inline constexpr std::size_t kScripts = static_cast<std::size_t>(ScriptId::syn_flood) + 1;

struct Script {
    std::string_view name;
    std::span<const Step> steps;
    std::array<Position, 2> advance{};  // where the next script begins, per side
    std::uint16_t unit_bytes_max = 0;   // of the server's unit; 0 = as the mix has it
    std::uint16_t unit_bytes = 0;       // exactly this; 0 = as the mix has it
};

[[nodiscard]] const Script& script_of(ScriptId id);

// What a per mille of faults is counted against.
enum class Per : std::uint8_t { round, opening, closing, closed };

struct Fault {
    std::string_view name;
    ScriptId script;
    Per per;
    // Live frames get their time when they are polled: a monitor that pauses turns this fault's
    // flags into others.
    bool depends_on_time;
    std::string_view help;
};

inline constexpr std::size_t kFaults = 16;
[[nodiscard]] std::span<const Fault, kFaults> fault_table();

}  // namespace tw::generator
