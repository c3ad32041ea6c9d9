// SPDX-License-Identifier: BSD-3-Clause
#include "lab/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace tw::lab {
namespace {

constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4;
constexpr std::size_t kEthernet = 14;
// Larger than what a path of 1280 bytes carries without VLAN and tunnel.
constexpr std::uint32_t kLargePayload = 1200;

[[nodiscard]] std::uint32_t big_endian(std::span<const std::uint8_t> bytes, std::size_t at,
                                       std::size_t width) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        value = value << 8 | bytes[at + i];
    }
    return value;
}

// Offset of the TCP header and bytes from there to the end of the IP packet.
struct Inside {
    std::size_t offset;
    std::size_t bytes;
};

[[nodiscard]] std::optional<Inside> tcp_inside(std::span<const std::uint8_t> frame) {
    const std::uint32_t type = frame.size() < kEthernet + 40 ? 0 : big_endian(frame, 12, 2);
    if (type == 0x0800 && frame[kEthernet + 9] == 6) {
        const std::size_t header = (frame[kEthernet] & 15U) * 4U;
        const std::size_t total = big_endian(frame, kEthernet + 2, 2);
        return Inside{kEthernet + header, total - std::min(header, total)};
    }
    if (type == 0x86DD && frame[kEthernet + 6] == 6) {
        return Inside{kEthernet + 40, big_endian(frame, kEthernet + 4, 2)};
    }
    return std::nullopt;
}

[[nodiscard]] std::optional<double> number(std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    return copy.empty() || *end != '\0' ? std::nullopt : std::optional(value);
}

}  // namespace

std::string_view name(Action action) {
    switch (action) {
        case Action::deliver:
            return "deliver";
        case Action::drop:
            return "drop";
        case Action::duplicate:
            return "duplicate";
        case Action::delay:
            return "delay";
    }
    return "?";
}

Traits traits_of(std::span<const std::uint8_t> frame, std::uint16_t server_port) {
    const std::optional<Inside> inside = tcp_inside(frame);
    if (!inside || inside->bytes < 20 || frame.size() < inside->offset + 20) {
        return {};
    }
    const std::size_t at = inside->offset;
    const auto source = static_cast<std::uint16_t>(big_endian(frame, at, 2));
    const auto target = static_cast<std::uint16_t>(big_endian(frame, at + 2, 2));
    const std::size_t header = (frame[at + 12] >> 4U) * 4U;
    Traits traits;
    traits.tcp = true;
    traits.to_server = target == server_port;
    traits.client_port = traits.to_server ? source : target;
    traits.tcp_flags = frame[at + 13];
    traits.payload_bytes =
        static_cast<std::uint32_t>(inside->bytes - std::min(header, inside->bytes));
    return traits;
}

bool Fault::set(std::string_view word) {
    struct Name {
        std::string_view text;
        std::uint32_t bit;
    };
    constexpr Name kNames[] = {{"data", data},   {"ack", ack},     {"syn", syn},
                               {"fin", fin},     {"c2s", c2s},     {"s2c", s2c},
                               {"large", large}, {"small", small}, {"quarter", quarter}};
    for (const Name& row : kNames) {
        if (row.text == word) {
            conditions_ |= row.bit;
            return true;
        }
    }
    constexpr std::string_view kPlaces[] = {"before", "after", "mirror"};
    for (std::size_t i = 0; i < std::size(kPlaces); ++i) {
        if (kPlaces[i] == word) {
            place_ = static_cast<Place>(i);
            return true;
        }
    }
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string_view key = word.substr(0, equals);
    const std::optional<double> value = number(word.substr(std::min(equals + 1, word.size())));
    if (!value || *value < 0) {
        return false;
    }
    for (const Action action : {Action::drop, Action::duplicate, Action::delay}) {
        if (name(action) == key && *value <= 1) {
            fate_.action = action;
            threshold_ = static_cast<std::uint32_t>(std::llround(*value * UINT32_MAX));
            return true;
        }
    }
    if (key == "us") {
        fate_.later_ns = static_cast<std::int64_t>(*value * 1000);
    } else if (key == "burst" && *value >= 1) {
        burst_ = static_cast<std::uint32_t>(*value);
    } else if (key == "skip") {
        skip_ = static_cast<std::uint32_t>(*value);
    } else {
        return false;
    }
    return true;
}

std::expected<Fault, std::string> Fault::parse(const std::string& text, std::uint64_t seed) {
    Fault fault(seed);
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (!fault.set(rest.substr(0, comma))) {
            return std::unexpected(fmt::format("{}: {}: no such word, --help lists them", text,
                                               rest.substr(0, comma)));
        }
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (fault.fate_.action == Action::deliver) {
        return std::unexpected(text + ": says neither drop=P, duplicate=P nor delay=P");
    }
    return fault;
}

bool Fault::concerns(const Traits& frame) const {
    const bool pure_ack = frame.payload_bytes == 0 && (frame.tcp_flags & (kSyn | kFin | kRst)) == 0;
    const struct {
        Condition asked;
        bool holds;
    } conditions[] = {
        {data, frame.payload_bytes > 0},
        {ack, pure_ack},
        {syn, (frame.tcp_flags & kSyn) != 0},
        {fin, (frame.tcp_flags & kFin) != 0},
        {c2s, frame.to_server},
        {s2c, !frame.to_server},
        {large, frame.payload_bytes > kLargePayload},
        {small, frame.payload_bytes <= kLargePayload},
        // Linux gives outgoing connections even ports first.
        {quarter, (frame.client_port >> 1U) % 4 == 0},
    };
    return frame.tcp &&
           std::all_of(std::begin(conditions), std::end(conditions),
                       [&](const auto& c) { return (conditions_ & c.asked) == 0 || c.holds; });
}

bool Fault::strikes(Place place, const Traits& frame) {
    if (place != place_ || !concerns(frame)) {
        return false;
    }
    if (skip_ > 0) {
        --skip_;
        return false;
    }
    if (burst_left_ > 0) {
        --burst_left_;
        return true;
    }
    if (threshold_ != UINT32_MAX && random_.word() >= threshold_) {
        return false;
    }
    burst_left_ = burst_ - 1;
    return true;
}

std::string Faults::add(const std::string& text, std::uint64_t seed) {
    const std::expected<Fault, std::string> fault = Fault::parse(text, seed);
    if (!fault) {
        return fault.error();
    }
    faults_.push_back(*fault);
    return {};
}

Fate Faults::decide(Place place, const Traits& frame) {
    Fate fate;
    for (Fault& fault : faults_) {
        // Each draws for each frame, so that one fault does not change where another strikes.
        if (fault.strikes(place, frame) && fate.action == Action::deliver) {
            fate = fault.fate();
        }
    }
    return fate;
}

}  // namespace tw::lab
