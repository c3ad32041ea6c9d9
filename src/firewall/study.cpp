// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/study.hpp"

#include "sinks/format/human.hpp"

#include <algorithm>

namespace tw::firewall {
namespace {

using sinks::format::append_address;
using sinks::format::endpoint_text;

const flow::Endpoint& as_client_sees(const std::array<flow::Endpoint, taps::kSides>& views,
                                     taps::Side client_side) {
    const flow::Endpoint& near = views[taps::index(client_side)];
    return near.port != 0 ? near : views[taps::index(taps::other(client_side))];
}

}  // namespace

const flow::Endpoint& client_of(const taps::Conversation& conversation) {
    return as_client_sees(conversation.client, conversation.client_side);
}
const flow::Endpoint& server_of(const taps::Conversation& conversation) {
    return as_client_sees(conversation.server, conversation.client_side);
}
const flow::Endpoint& client_of(const taps::Fact& fact) {
    return as_client_sees(fact.client, fact.client_side);
}
const flow::Endpoint& server_of(const taps::Fact& fact) {
    return as_client_sees(fact.server, fact.client_side);
}

ScopeKey scope_key(Scope scope, const flow::Endpoint& client, const flow::Endpoint& server) {
    ScopeKey key{};
    if (scope == Scope::all) {
        return key;
    }
    const flow::Endpoint& end = scope == Scope::client_host ? client : server;
    std::copy(end.address.begin(), end.address.end(), key.begin());
    key[16] = end.v6 ? 6 : 4;
    if (scope == Scope::server) {
        key[17] = static_cast<std::uint8_t>(end.port >> 8U);
        key[18] = static_cast<std::uint8_t>(end.port & 0xFFU);
    }
    return key;
}

std::string scope_text(Scope scope, const flow::Endpoint& client, const flow::Endpoint& server) {
    std::string text;
    switch (scope) {
        case Scope::all:
            return "all traffic";
        case Scope::server:
            return "server " + endpoint_text(server);
        case Scope::client_host:
            text = "client ";
            append_address(text, client);
            return text;
        case Scope::server_host:
            text = "host ";
            append_address(text, server);
            return text;
    }
    return text;
}

Study::Study(const Cases& cases) : all_(cases) {
    index_of_.reserve(cases.conversations.size());
    for (std::uint32_t i = 0; i < cases.conversations.size(); ++i) {
        index_of_[cases.conversations[i].id] = i;
    }
    for (std::uint32_t i = 0; i < cases.cases.size(); ++i) {
        by_conversation_[cases.cases[i].fact->conversation].push_back(i);
    }
}

const taps::Conversation* Study::conversation_of(const taps::Fact& fact) const {
    const auto found = index_of_.find(fact.conversation);
    return found == index_of_.end() ? nullptr : &all_.conversations[found->second];
}

std::span<const std::uint32_t> Study::cases_of(std::uint64_t conversation) const {
    const auto found = by_conversation_.find(conversation);
    return found == by_conversation_.end() ? std::span<const std::uint32_t>{} : found->second;
}

bool is_drop(const Case& one) {
    return one.fact->kind == taps::FactKind::lost_between && one.grade >= taps::Grade::probable;
}

bool is_syn_drop(const Case& one) {
    constexpr std::uint8_t kHandshake = decode::tcp_flag::kSyn | decode::tcp_flag::kAck;
    return is_drop(one) && (one.fact->packet.flags & kHandshake) == decode::tcp_flag::kSyn;
}

bool is_firewall_reset(const Case& one) {
    return one.fact->kind == taps::FactKind::reset_origin && one.grade >= taps::Grade::probable;
}

bool is_final_drop(const Case& one) {
    return is_drop(one) && one.fact->cost == 0;
}

double seconds(Nanos duration) {
    return static_cast<double>(duration) / static_cast<double>(kSecond);
}

}  // namespace tw::firewall
