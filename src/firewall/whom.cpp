// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/whom.hpp"

#include <fmt/format.h>

#include <array>

#include "core/taps/side.hpp"
#include "sinks/format/human.hpp"

namespace tw::firewall {
namespace {

using EndpointsBySide = std::array<flow::Endpoint, taps::kSides>;

// As its own side knows it; as the other does where its own tap never saw it.
[[nodiscard]] const flow::Endpoint& known(const EndpointsBySide& by_side, taps::Side own) {
    const flow::Endpoint& there = by_side[taps::index(own)];
    return there.port != 0 ? there : by_side[taps::index(taps::other(own))];
}

[[nodiscard]] std::string address_text(const flow::Endpoint& endpoint) {
    std::string text;
    sinks::format::append_address(text, endpoint);
    return text;
}

}  // namespace

Ends ends_of(const taps::Fact& fact) {
    return {known(fact.client, fact.client_side),
            known(fact.server, taps::other(fact.client_side))};
}

Ends ends_of(const taps::Conversation& conversation) {
    return {known(conversation.client, conversation.client_side),
            known(conversation.server, taps::other(conversation.client_side))};
}

void Whom::add(const Ends& ends) {
    if (!any_) {
        first_ = ends;
        any_ = true;
        return;
    }
    same_server_address_ = same_server_address_ && flow::same_host(ends.server, first_.server);
    same_client_address_ = same_client_address_ && flow::same_host(ends.client, first_.client);
    same_port_ = same_port_ && ends.server.port == first_.server.port;
    same_server_ = same_server_address_ && same_port_;
}

std::string Whom::text() const {
    if (!any_) {
        return "all traffic";
    }
    if (same_server_) {
        return fmt::format("server {}", sinks::format::endpoint_text(first_.server));
    }
    if (same_server_address_) {
        return fmt::format("server {}", address_text(first_.server));
    }
    if (same_client_address_) {
        return fmt::format("client {}", address_text(first_.client));
    }
    return same_port_ ? fmt::format("port {}", first_.server.port) : "all traffic";
}

}  // namespace tw::firewall
