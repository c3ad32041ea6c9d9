// SPDX-License-Identifier: BSD-3-Clause
// Finds out what a filter does with encapsulated frames by walking its compiled program with a
// frame of which only some fields are known: no list of keywords could tell "tcp" from "not tcp".
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

#include "capture/pcap/filter.hpp"
#include "capture/pcap/filter_program.hpp"

namespace tw::pcap {
namespace {

constexpr std::uint32_t kIpv4 = 0x0800;
constexpr std::uint32_t kIpv6 = 0x86DD;
constexpr std::uint32_t kVlan = 0x8100;
constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kUdp = 17;

// A frame in the abstract: Ethernet, perhaps a VLAN tag, IPv4 or IPv6, a protocol, perhaps ports.
struct Probe {
    std::uint32_t ethertype = kIpv4;
    bool tagged = false;  // `ethertype` comes after a VLAN tag
    std::uint32_t protocol = kTcp;
    std::optional<std::uint32_t> destination_port{};
    // What the expression names (addresses, ports) is not in the outer headers of a tunnel: unknown
    // content equals no constant. Otherwise unknown content may be anything.
    bool tunnel = false;
};

struct Value {
    enum class Kind : std::uint8_t { known, content, free };
    Kind kind = Kind::free;
    std::uint32_t number = 0;  // if known

    auto operator<=>(const Value&) const = default;
};
constexpr Value kFree{Value::Kind::free, 0};
constexpr Value kContent{Value::Kind::content, 0};
constexpr Value known(std::uint32_t number) {
    return {Value::Kind::known, number};
}

Value load_ip(const Probe& probe, std::uint32_t offset, std::uint32_t bytes) {
    if (probe.ethertype == kIpv4) {
        if (offset == 9 && bytes == 1) {
            return known(probe.protocol);
        }
        if (offset == 6 && bytes == 2) {
            return known(0);  // no fragment
        }
    } else if (probe.ethertype == kIpv6) {
        if (offset == 6 && bytes == 1) {
            return known(probe.protocol);
        }
        if (offset == 42 && bytes == 2 && probe.destination_port) {
            return known(*probe.destination_port);
        }
    }
    return kContent;
}

Value load_absolute(const Probe& probe, std::uint32_t offset, std::uint32_t bytes) {
    constexpr std::uint32_t kTypeOffset = 12;
    if (offset < kTypeOffset) {
        return kFree;  // addresses of the link layer say nothing about what is inside
    }
    if (probe.tagged && offset == kTypeOffset && bytes == 2) {
        return known(kVlan);
    }
    const std::uint32_t type_offset = kTypeOffset + (probe.tagged ? 4 : 0);
    if (offset == type_offset && bytes == 2) {
        return known(probe.ethertype);
    }
    return offset < type_offset ? kFree : load_ip(probe, offset - type_offset - 2, bytes);
}

// libpcap reads ports of IPv4 behind the header length in X: [x + 14] and [x + 16].
Value load_indirect(const Probe& probe, std::uint32_t offset, std::uint32_t bytes) {
    const std::uint32_t ip_offset = 14 + (probe.tagged ? 4 : 0);
    if (probe.destination_port && offset == ip_offset + 2 && bytes == 2) {
        return known(*probe.destination_port);
    }
    return kContent;
}

Value load(const Probe& probe, const bpf_insn& instruction) {
    const std::uint32_t bytes = BPF_SIZE(instruction.code) == BPF_W   ? 4
                                : BPF_SIZE(instruction.code) == BPF_H ? 2
                                                                      : 1;
    switch (BPF_MODE(instruction.code)) {
        case BPF_IMM:
            return known(instruction.k);
        case BPF_ABS:
            return load_absolute(probe, instruction.k, bytes);
        case BPF_IND:
            return load_indirect(probe, instruction.k, bytes);
        case BPF_LEN:
            return kFree;
        default:
            return kContent;  // scratch memory
    }
}

struct Branches {
    bool yes;
    bool no;
};

Branches compare(const Probe& probe, const bpf_insn& instruction, const Value& a) {
    const bool constant = BPF_SRC(instruction.code) == BPF_K;
    const int operation = BPF_OP(instruction.code);
    if (a.kind == Value::Kind::known && constant) {
        const bool result = operation == BPF_JEQ   ? a.number == instruction.k
                            : operation == BPF_JGT ? a.number > instruction.k
                            : operation == BPF_JGE ? a.number >= instruction.k
                                                   : (a.number & instruction.k) != 0;
        return {result, !result};
    }
    if (probe.tunnel && a.kind == Value::Kind::content && operation == BPF_JEQ) {
        return {false, true};
    }
    return {true, true};
}

// True if some frame that looks like the probe passes. Jumps only go forward, and a place is not
// visited twice with the same value, so this ends.
bool may_pass(std::span<const bpf_insn> program, const Probe& probe) {
    std::set<std::pair<std::size_t, Value>> visited;
    std::vector<std::pair<std::size_t, Value>> open = {{0, kFree}};
    while (!open.empty()) {
        const auto [at, a] = open.back();
        open.pop_back();
        if (at >= program.size() || !visited.emplace(at, a).second) {
            continue;
        }
        const bpf_insn& instruction = program[at];
        switch (BPF_CLASS(instruction.code)) {
            case BPF_RET:
                if (BPF_RVAL(instruction.code) != BPF_K || instruction.k != 0) {
                    return true;
                }
                break;
            case BPF_LD:
                open.emplace_back(at + 1, load(probe, instruction));
                break;
            case BPF_ALU:
                open.emplace_back(at + 1, a.kind == Value::Kind::free ? kFree : kContent);
                break;
            case BPF_MISC:
                open.emplace_back(at + 1, BPF_MISCOP(instruction.code) == BPF_TAX ? a : kContent);
                break;
            case BPF_JMP:
                if (BPF_OP(instruction.code) == BPF_JA) {
                    open.emplace_back(at + 1 + instruction.k, a);
                } else {
                    const Branches taken = compare(probe, instruction, a);
                    if (taken.yes) {
                        open.emplace_back(at + 1 + instruction.jt, a);
                    }
                    if (taken.no) {
                        open.emplace_back(at + 1 + instruction.jf, a);
                    }
                }
                break;
            default:  // LDX, ST, STX: X and scratch memory are not followed
                open.emplace_back(at + 1, a);
                break;
        }
    }
    return false;
}

struct Encapsulation {
    std::string_view name;
    std::string_view remedy;  // lets it through; none of these shifts offsets as "vlan" does
    std::uint32_t ethertype;  // 0: below IP
    std::uint32_t protocol;
    std::uint32_t port;  // 0: none
};

constexpr std::array kEncapsulations = {
    Encapsulation{"VLAN", "ether proto 0x8100", kVlan, 0, 0},
    Encapsulation{"MPLS", "ether proto 0x8847", 0x8847, 0, 0},
    Encapsulation{"PPPoE", "ether proto 0x8864", 0x8864, 0, 0},
    Encapsulation{"GRE", "proto 47", 0, 47, 0},
    Encapsulation{"IP-in-IP", "proto 4", 0, 4, 0},
    Encapsulation{"VXLAN", "udp port 4789", 0, kUdp, 4789},
    Encapsulation{"GENEVE", "udp port 6081", 0, kUdp, 6081},
    Encapsulation{"GTP-U", "udp port 2152", 0, kUdp, 2152},
};

// Missed: plain TCP may pass, and no frame of this kind ever does. An expression that wants a VLAN
// tag is asked about tunnels inside one.
bool misses(std::span<const bpf_insn> program, const Encapsulation& kind) {
    for (const std::uint32_t ip : {kIpv4, kIpv6}) {
        const bool tagged = !may_pass(program, {.ethertype = ip});
        if (tagged &&
            (kind.ethertype != 0 || !may_pass(program, {.ethertype = ip, .tagged = true}))) {
            continue;
        }
        Probe probe{.ethertype = kind.ethertype};
        if (kind.ethertype == 0) {
            probe = {.ethertype = ip, .tagged = tagged, .protocol = kind.protocol, .tunnel = true};
        }
        if (kind.port != 0) {
            probe.destination_port = kind.port;
        }
        if (!may_pass(program, probe)) {
            return true;
        }
    }
    return false;
}

std::vector<Encapsulation> missed_by(const std::string& expression) {
    std::vector<Encapsulation> missed;
    const auto program = FilterProgram::compile(expression, DLT_EN10MB);
    if (program) {
        std::copy_if(
            kEncapsulations.begin(), kEncapsulations.end(), std::back_inserter(missed),
            [&](const Encapsulation& kind) { return misses(program->instructions(), kind); });
    }
    return missed;
}

}  // namespace

bool misses_encapsulated(const std::string& expression) {
    return !missed_by(expression).empty();
}

std::string encapsulation_warning(const std::string& expression) {
    const auto missed = missed_by(expression);
    if (missed.empty()) {
        return {};
    }
    std::string names;
    std::string remedies;
    for (const Encapsulation& kind : missed) {
        names += (names.empty() ? "" : ", ") + std::string(kind.name);
        remedies += std::string(kind.remedy) + " or ";
    }
    std::string text =
        fmt::format("filter \"{}\" loses what is encapsulated in {}", expression, names);
    const std::string wider = fmt::format("{}({})", remedies, expression);
    if (missed_by(wider).empty()) {
        text += fmt::format("; to keep it, write \"{}\"", wider);
    }
    return text;
}

}  // namespace tw::pcap
