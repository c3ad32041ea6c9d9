// SPDX-License-Identifier: BSD-3-Clause
#include "config/policy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/nearest.hpp"
#include "config/addresses.hpp"
#include "config/shadow.hpp"
#include "config/values.hpp"

namespace tw::config {
namespace {

using firewall::Policy;
using firewall::Rule;
using taps::Side;

constexpr std::size_t kRuleNameBytesMax = 100;

// A literal in a rule ("10.0.0.0/8", "tcp/443") becomes an entry of its own, called as written.
class Builder {
  public:
    explicit Builder(const Config& config) : config_(config), keys_(config.firewall) {}

    [[nodiscard]] BuiltPolicy build();

  private:
    void device();
    void translations();
    void networks();
    void services();
    void rules(const std::vector<RuleKeys>& written, std::string_view section,
               std::vector<Rule>& rules);
    [[nodiscard]] Rule rule(const RuleKeys& written, const std::string& key);
    void unique_names();
    void coverage();
    [[nodiscard]] bool one_default_a_way();

    [[nodiscard]] std::optional<Side> side(const std::string& word, const std::string& key);
    template <typename Entry, typename Parse>
    [[nodiscard]] std::vector<std::uint32_t> look_up(const std::vector<std::string>& words,
                                                     const std::string& key,
                                                     std::vector<Entry>& known,
                                                     std::string_view noun, Parse parse);
    void rule_name(const std::string& name, const std::string& key);

    void fail(const std::string& key, const std::string& sentence) {
        built_.mistakes.push_back(
            {config_.places.of(key), {config_.places.prefix(key) + sentence}});
    }

    const Config& config_;
    const FirewallKeys& keys_;
    BuiltPolicy built_;
};

[[nodiscard]] bool is_printable_line(std::string_view text, std::size_t bytes_max) {
    return !text.empty() && text.size() <= bytes_max &&
           std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

BuiltPolicy Builder::build() {
    device();
    translations();
    networks();
    services();
    rules(keys_.policy, "policy", built_.policy.rules);
    rules(keys_.defaults, "default", built_.policy.defaults);
    if (one_default_a_way()) {
        unique_names();
    }
    coverage();
    if (built_.mistakes.empty()) {
        const Policy& policy = built_.policy;
        for (const Shadow& shadow : shadowed_rules(policy)) {
            const std::string key = fmt::format("policy[{}]", shadow.rule);
            built_.warnings.push_back(
                fmt::format("{}{} can never be reached: {} (line {}) covers it wholly",
                            config_.places.prefix(key), shown(policy.rules[shadow.rule].name),
                            shown(policy.rules[shadow.by].name), policy.rules[shadow.by].line));
        }
    }
    return std::move(built_);
}

void Builder::device() {
    Policy& policy = built_.policy;
    if (!keys_.name.empty()) {
        rule_name(keys_.name, "firewall.name");
    }
    policy.name = keys_.name;
    policy.mode = keys_.mode;
    policy.expect_rewrites = keys_.expect_rewrites;
    policy.fail_on = keys_.fail_on;
    policy.connections_min = keys_.connections_min;
    if (keys_.tap[0] == keys_.tap[1]) {
        fail("firewall.inside", fmt::format("{} is firewall.outside too; a firewall has two taps",
                                            shown(keys_.tap[1])));
    }
    for (const Side side : {Side::outside, Side::inside}) {
        const auto tap = config_.taps.find(keys_.tap[index(side)]);
        const std::string zone = tap == config_.taps.end() ? "" : tap->second.zone;
        policy.zone[index(side)] = zone.empty() ? std::string(name(side)) : zone;
    }
    for (const Side side : {Side::outside, Side::inside}) {
        const std::string& zone = policy.zone[index(side)];
        if (zone == policy.zone[index(other(side))] || zone == name(other(side))) {
            fail(
                fmt::format("taps.{}.zone", shown(keys_.tap[index(side)])),
                fmt::format("{} is the {} side; the zones differ", shown(zone), name(other(side))));
            return;
        }
    }
    for (std::size_t i = 0; i < keys_.addresses.size(); ++i) {
        const auto address = parse_address(keys_.addresses[i]);
        if (address) {
            policy.addresses.push_back(*address);
        } else {
            fail(fmt::format("firewall.addresses[{}]", i),
                 fmt::format("{} {}", shown(keys_.addresses[i]), address.error()));
        }
    }
}

void Builder::translations() {
    for (std::size_t i = 0; i < keys_.nat.size(); ++i) {
        const std::string key = fmt::format("firewall.nat[{}]", i);
        taps::NatHint hint;
        bool good = true;
        const auto read = [&](const std::string& text, const char* which, flow::Endpoint& into) {
            const auto parsed = parse_endpoint(text);
            if (parsed) {
                into = *parsed;
            } else {
                fail(fmt::format("{}.{}", key, which),
                     text.empty() ? "missing; allowed: ADDRESS or ADDRESS:PORT"
                                  : fmt::format("{} {}", shown(text), parsed.error()));
            }
            good = good && parsed.has_value();
        };
        read(keys_.nat[i].inside, "inside", hint.inside);
        read(keys_.nat[i].outside, "outside", hint.outside);
        if (good && (hint.inside.port == 0) != (hint.outside.port == 0)) {
            fail(key, "one has a port and the other has none; allowed: both or neither");
            continue;
        }
        const auto twice = std::any_of(
            built_.policy.nat.begin(), built_.policy.nat.end(),
            [&](const taps::NatHint& known) { return known.outside == hint.outside && good; });
        if (twice) {
            fail(key + ".outside",
                 fmt::format("{} is translated above already", shown(keys_.nat[i].outside)));
        } else if (good) {
            built_.policy.nat.push_back(hint);
        }
    }
}

void Builder::networks() {
    for (const Named& written : keys_.networks) {
        const std::string key = "networks." + shown(written.name);
        firewall::Network network{written.name, {}};
        if (written.values.empty()) {
            fail(key, "no address; allowed: at least one, as in [10.0.0.0/8]");
        }
        if (parse_prefix(written.name)) {
            fail(key, "an address is not allowed as a name");
        }
        for (std::size_t i = 0; i < written.values.size(); ++i) {
            const auto prefix = parse_prefix(written.values[i]);
            if (prefix) {
                network.prefixes.push_back(*prefix);
            } else {
                fail(fmt::format("{}[{}]", key, i),
                     fmt::format("{} {}", shown(written.values[i]), prefix.error()));
            }
        }
        built_.policy.networks.push_back(std::move(network));
    }
}

void Builder::services() {
    for (const Named& written : keys_.services) {
        const std::string key = "services." + shown(written.name);
        firewall::Service service{written.name, {}};
        if (written.values.empty()) {
            fail(key, "no port; allowed: at least one, as in tcp/443");
        }
        for (std::size_t i = 0; i < written.values.size(); ++i) {
            const auto range = parse_service(written.values[i]);
            if (range) {
                service.ports.push_back(*range);
            } else {
                fail(fmt::format("{}[{}]", key, i),
                     fmt::format("{} {}", shown(written.values[i]), range.error()));
            }
        }
        built_.policy.services.push_back(std::move(service));
    }
}

std::optional<Side> Builder::side(const std::string& word, const std::string& key) {
    const auto& zone = built_.policy.zone;
    for (const Side side : {Side::outside, Side::inside}) {
        if (word == name(side) || word == zone[index(side)] || word == keys_.tap[index(side)]) {
            return side;
        }
    }
    std::vector<std::string_view> known{"outside", "inside"};
    for (const std::string& each : zone) {
        if (std::find(known.begin(), known.end(), each) == known.end()) {
            known.push_back(each);
        }
    }
    fail(key, fmt::format("{} is not allowed; allowed: {}", shown(word), fmt::join(known, " | ")));
    return std::nullopt;
}

// "any" means every address unless the file gives it a meaning of its own.
template <typename Entry, typename Parse>
std::vector<std::uint32_t> Builder::look_up(const std::vector<std::string>& words,
                                            const std::string& key, std::vector<Entry>& known,
                                            std::string_view noun, Parse parse) {
    std::vector<std::uint32_t> found;
    bool any = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const auto entry = std::find_if(known.begin(), known.end(),
                                        [&](const Entry& each) { return each.name == word; });
        if (entry != known.end()) {
            found.push_back(static_cast<std::uint32_t>(entry - known.begin()));
        } else if (word == "any") {
            any = true;
        } else if (auto literal = parse(word)) {
            found.push_back(static_cast<std::uint32_t>(known.size()));
            known.push_back({word, {*literal}});
        } else {
            std::vector<std::string_view> names{"any"};
            for (const Entry& each : known) {
                names.push_back(each.name);
            }
            const auto near = nearest(word, names);
            const bool literal_meant = word.find_first_of("/:") != std::string::npos;
            fail(fmt::format("{}[{}]", key, i),
                 near
                     ? fmt::format("no {} is called {}; did you mean {}?", noun, shown(word), *near)
                 : literal_meant ? fmt::format("{} {}", shown(word), literal.error())
                                 : fmt::format("no {} is called {}; known: {}", noun, shown(word),
                                               shown(fmt::format("{}", fmt::join(names, ", ")))));
        }
    }
    return any ? std::vector<std::uint32_t>{} : found;
}

void Builder::rule_name(const std::string& name, const std::string& key) {
    if (!is_printable_line(name, kRuleNameBytesMax)) {
        fail(key, fmt::format("{} is not allowed; allowed: 1..{} characters of one line",
                              shown(name), kRuleNameBytesMax));
    }
}

Rule Builder::rule(const RuleKeys& written, const std::string& key) {
    Policy& policy = built_.policy;
    Rule rule;
    const auto from = side(written.from, key + ".from");
    rule.from = from.value_or(Side::outside);
    rule.to = other(rule.from);
    if (!written.to.empty()) {
        const auto to = side(written.to, key + ".to");
        if (from && to == from) {
            fail(key + ".to", fmt::format("{} is where it comes from; a rule is about what "
                                          "crosses the firewall",
                                          shown(written.to)));
        }
    }
    rule.name = written.name;
    rule.sources =
        look_up(written.source, key + ".source", policy.networks, "network", parse_prefix);
    rule.destinations = look_up(written.destination, key + ".destination", policy.networks,
                                "network", parse_prefix);
    rule.services =
        look_up(written.service, key + ".service", policy.services, "service", parse_service);
    rule.expect = written.expect;
    rule.with = written.with;
    rule.report_only = written.report_only;
    rule.limits = written.limits;
    rule.line = config_.places.of(key).line;
    if (written.with != firewall::With::any && written.expect != firewall::Expect::reject) {
        fail(key + ".with", "allowed only with expect: reject");
    }
    const bool refuses =
        written.expect == firewall::Expect::drop || written.expect == firewall::Expect::reject;
    if (refuses && written.limits.asked()) {
        fail(key + ".limits", "allowed only with expect: pass or any; nothing else passes");
    }
    return rule;
}

void Builder::rules(const std::vector<RuleKeys>& written, std::string_view section,
                    std::vector<Rule>& rules) {
    for (std::size_t i = 0; i < written.size(); ++i) {
        const std::string key = fmt::format("{}[{}]", section, i);
        Rule made = rule(written[i], key);
        if (made.name.empty()) {
            made.name = section == "policy"
                            ? fmt::format("rule {}", i + 1)
                            : fmt::format("default {} to {}", built_.policy.zone[index(made.from)],
                                          built_.policy.zone[index(made.to)]);
        } else {
            rule_name(made.name, key + ".name");
        }
        rules.push_back(std::move(made));
    }
}

bool Builder::one_default_a_way() {
    const auto& defaults = built_.policy.defaults;
    const bool twice = defaults.size() == 2 && defaults[0].from == defaults[1].from;
    if (twice) {
        fail("default[1]", fmt::format("default[0] is from {} too; allowed: one a direction",
                                       built_.policy.zone[index(defaults[0].from)]));
    }
    return !twice;
}

void Builder::unique_names() {
    std::vector<std::pair<std::string, std::string>> seen;  // name, key
    const auto check = [&](const std::vector<Rule>& rules, std::string_view section) {
        for (std::size_t i = 0; i < rules.size(); ++i) {
            const std::string key = fmt::format("{}[{}]", section, i);
            const auto twice = std::find_if(seen.begin(), seen.end(), [&](const auto& other) {
                return other.first == rules[i].name;
            });
            if (twice != seen.end()) {
                fail(key + ".name", fmt::format("{} is the name of {} too; names differ",
                                                shown(rules[i].name), twice->second));
            }
            seen.emplace_back(rules[i].name, key);
        }
    };
    check(built_.policy.rules, "policy");
    check(built_.policy.defaults, "default");
}

void Builder::coverage() {
    std::vector<std::string_view> names;
    for (const Rule& rule : built_.policy.rules) {
        names.push_back(rule.name);
    }
    for (std::size_t i = 0; i < keys_.require_seen.size(); ++i) {
        const std::string& wanted = keys_.require_seen[i];
        const auto found = std::find(names.begin(), names.end(), wanted);
        if (found != names.end()) {
            built_.policy.require_seen.push_back(static_cast<std::uint32_t>(found - names.begin()));
            continue;
        }
        const auto near = nearest(wanted, names);
        fail(fmt::format("coverage.require_seen[{}]", i),
             near ? fmt::format("no rule is called {}; did you mean {}?", shown(wanted),
                                shown(*near))
                  : fmt::format("no rule of policy is called {}", shown(wanted)));
    }
}

}  // namespace

BuiltPolicy build_policy(const Config& config) {
    return Builder(config).build();
}

}  // namespace tw::config
