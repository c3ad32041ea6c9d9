// SPDX-License-Identifier: BSD-3-Clause
#include "config/addresses.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "config/values.hpp"

namespace tw::config {
namespace {

using firewall::Prefix;

constexpr std::string_view kPrefixAllowed =
    "is not allowed; allowed: ADDRESS or ADDRESS/BITS, IPv4 or IPv6";
constexpr std::string_view kEndpointAllowed =
    "is not allowed; allowed: ADDRESS or ADDRESS:PORT, IPv6 with a port as [ADDRESS]:PORT";
constexpr std::string_view kServiceAllowed =
    "is not allowed; allowed: tcp/PORT or tcp/LOW-HIGH, 1..65535";

[[nodiscard]] std::unexpected<std::string> refused(std::string_view reason) {
    return std::unexpected(std::string(reason));
}

[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto number = parse_integer(text);
    const bool allowed = number && *number >= 1 && *number <= 65'535 && !text.contains('_');
    return allowed ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
}

// Clears what lies beyond the prefix; the same address where there is nothing.
[[nodiscard]] flow::AddressV6 network_of(const flow::AddressV6& address, std::size_t bits) {
    flow::AddressV6 network = address;
    for (std::size_t i = 0; i < network.size(); ++i) {
        const std::size_t kept = bits > 8 * i ? std::min<std::size_t>(bits - 8 * i, 8) : 0;
        network[i] = static_cast<std::uint8_t>(network[i] & (0xFF00U >> kept));
    }
    return network;
}

[[nodiscard]] std::string address_text(const flow::AddressV6& address, bool v6) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(v6 ? AF_INET6 : AF_INET, address.data(), text.data(), text.size());
    return text.data();
}

}  // namespace

Parsed<flow::Endpoint> parse_address(std::string_view text) {
    const std::string word(text);
    flow::Endpoint endpoint;
    if (word.find('\0') == std::string::npos) {
        if (inet_pton(AF_INET, word.c_str(), endpoint.address.data()) == 1) {
            return endpoint;
        }
        endpoint.v6 = true;
        if (inet_pton(AF_INET6, word.c_str(), endpoint.address.data()) == 1) {
            return endpoint;
        }
    }
    return refused("is not allowed; allowed: an IPv4 or IPv6 address");
}

Parsed<flow::Endpoint> parse_endpoint(std::string_view text) {
    if (const auto alone = parse_address(text)) {
        return alone;
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return refused(kEndpointAllowed);
    }
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    auto endpoint = parse_address(host);
    const auto port = parse_port(text.substr(colon + 1));
    if (!endpoint || !port || endpoint->v6 != bracketed) {
        return refused(kEndpointAllowed);
    }
    endpoint->port = *port;
    return endpoint;
}

Parsed<Prefix> parse_prefix(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto address = parse_address(text.substr(0, slash));
    if (!address) {
        return refused(kPrefixAllowed);
    }
    const std::size_t bits_max = address->v6 ? 128 : 32;
    std::size_t bits = bits_max;
    if (slash != text.size()) {
        const auto number = parse_integer(text.substr(slash + 1));
        if (!number || *number > bits_max) {
            return refused(fmt::format("is not allowed; allowed after the slash: 0..{}", bits_max));
        }
        bits = static_cast<std::size_t>(*number);
    }
    const flow::AddressV6 network = network_of(address->address, bits);
    if (network != address->address) {
        return refused(fmt::format("has bits beyond /{}; the network is {}/{}, the host {}/{}",
                                   bits, address_text(network, address->v6), bits,
                                   address_text(address->address, address->v6), bits_max));
    }
    return Prefix{network, static_cast<std::uint8_t>(bits), address->v6};
}

Parsed<firewall::PortRange> parse_service(std::string_view text) {
    constexpr std::string_view kTcp = "tcp/";
    if (!text.starts_with(kTcp)) {
        return refused(text.contains('/') ? "is not followed, only TCP is; allowed: tcp/PORT"
                                          : kServiceAllowed);
    }
    text.remove_prefix(kTcp.size());
    const std::size_t dash = std::min(text.find('-'), text.size());
    const auto low = parse_port(text.substr(0, dash));
    const auto high = dash == text.size() ? low : parse_port(text.substr(dash + 1));
    if (!low || !high) {
        return refused(kServiceAllowed);
    }
    if (*low > *high) {
        return refused(fmt::format("is empty; did you mean tcp/{}-{}?", *high, *low));
    }
    return firewall::PortRange{*low, *high};
}

bool covers(const Prefix& outer, const Prefix& inner) {
    return outer.v6 == inner.v6 && outer.bits <= inner.bits &&
           network_of(inner.address, outer.bits) == outer.address;
}

}  // namespace tw::config
