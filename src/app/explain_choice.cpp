// SPDX-License-Identifier: BSD-3-Clause
#include "app/explain_choice.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>

#include "config/values.hpp"

namespace tw::app {
namespace {

constexpr std::string_view kAllowed =
    "allowed: A:port-B:port or A-B, with IPv4 addresses or [v6]:port, such as "
    "10.0.0.5:51000-93.184.216.34:80";

[[nodiscard]] std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

[[nodiscard]] bool parse_address(std::string_view text, flow::Endpoint& endpoint) {
    const std::string address(text);
    endpoint.address = {};
    if (::inet_pton(AF_INET, address.c_str(), endpoint.address.data()) == 1) {
        endpoint.v6 = false;
        return true;
    }
    endpoint.v6 = true;
    return ::inet_pton(AF_INET6, address.c_str(), endpoint.address.data()) == 1;
}

[[nodiscard]] bool parse_port(std::string_view text, EndChoice& end) {
    const auto port = config::parse_integer(text);
    if (!port || *port > UINT16_MAX) {
        return false;
    }
    end.endpoint.port = static_cast<std::uint16_t>(*port);
    end.port_given = true;
    return true;
}

[[nodiscard]] std::optional<EndChoice> parse_end(std::string_view text) {
    EndChoice end;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos ||
            !parse_address(text.substr(1, close - 1), end.endpoint) || !end.endpoint.v6) {
            return std::nullopt;
        }
        text.remove_prefix(close + 1);
        const bool fits = text.empty() || (text.front() == ':' && parse_port(text.substr(1), end));
        return fits ? std::optional(end) : std::nullopt;
    }
    // More than one colon: an IPv6 address without a port.
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        if (!parse_port(text.substr(colon + 1), end)) {
            return std::nullopt;
        }
        text = text.substr(0, colon);
    }
    return parse_address(text, end.endpoint) ? std::optional(end) : std::nullopt;
}

// Addresses weigh more than ports, which are often the same by chance.
[[nodiscard]] int agreement_of(const EndChoice& choice, const flow::Endpoint& end) {
    const bool address = flow::same_host(choice.endpoint, end);
    const bool port = choice.port_given && choice.endpoint.port == end.port;
    return (address ? 4 : 0) + (port ? (address ? 2 : 1) : 0);
}

[[nodiscard]] bool fits(const EndChoice& choice, const flow::Endpoint& end) {
    return flow::same_host(choice.endpoint, end) &&
           (!choice.port_given || choice.endpoint.port == end.port);
}

}  // namespace

int FlowChoice::agreement(const flow::Endpoint& a, const flow::Endpoint& b) const {
    return std::max(agreement_of(ends[0], a) + agreement_of(ends[1], b),
                    agreement_of(ends[0], b) + agreement_of(ends[1], a));
}

bool FlowChoice::matches(const flow::Endpoint& a, const flow::Endpoint& b) const {
    return (fits(ends[0], a) && fits(ends[1], b)) || (fits(ends[0], b) && fits(ends[1], a));
}

std::expected<FlowChoice, Error> parse_flow(std::string_view text) {
    const auto refused = [text] {
        return std::unexpected(
            Error{fmt::format("--flow: {} is not allowed; {}", config::shown(text), kAllowed)});
    };
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) {
        return refused();
    }
    std::string_view rest = text.substr(dash + 1);
    if (rest.starts_with('>') || rest.starts_with('-')) {
        rest.remove_prefix(1);
    }
    const auto first = parse_end(trimmed(text.substr(0, dash)));
    const auto second = parse_end(trimmed(rest));
    if (!first || !second || first->endpoint.v6 != second->endpoint.v6) {
        return refused();
    }
    return FlowChoice{{*first, *second}};
}

}  // namespace tw::app
