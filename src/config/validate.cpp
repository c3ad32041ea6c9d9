// SPDX-License-Identifier: BSD-3-Clause
#include "config/validate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/nearest.hpp"
#include "config/device.hpp"
#include "config/firewall_rows.hpp"
#include "config/policy.hpp"
#include "config/values.hpp"

namespace tw::config {

namespace {

constexpr std::size_t kWorkersMax = 64;
constexpr std::size_t kNameBytesMax = 32;

class Rules {
  public:
    Rules(const Config& config, Use use) : config_(config), use_(use) {}

    [[nodiscard]] std::vector<Error> check() {
        ports();
        taps();
        workers();
        bridges();
        eal();
        outputs();
        policy();
        sides();
        std::stable_sort(found_.begin(), found_.end(), [](const Mistake& a, const Mistake& b) {
            return std::pair(a.place.line, a.place.column) <
                   std::pair(b.place.line, b.place.column);
        });
        std::vector<Error> errors;
        for (const Mistake& found : found_) {
            errors.push_back(found.error);
        }
        return errors;
    }

  private:
    void ports();
    void device(std::size_t i);
    void taps();
    void workers();
    void bridges();
    [[nodiscard]] const Port* bridged_port(const std::string& key, const std::string& name);
    void eal();
    void outputs();
    void policy();
    void sides();
    [[nodiscard]] std::vector<std::string> tap_names() const;
    [[nodiscard]] bool about_firewall() const;

    void fail(const std::string& key, const std::string& sentence) {
        found_.push_back({config_.places.of(key), {config_.places.prefix(key) + sentence}});
    }

    const Config& config_;
    const Use use_;
    std::vector<Mistake> found_;
};

[[nodiscard]] bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameBytesMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '_' || c == '-';
           });
}

[[nodiscard]] std::string port_key(std::size_t i, std::string_view key) {
    return fmt::format("ports[{}].{}", i, key);
}

void Rules::ports() {
    const bool files = use_ == Use::firewall_files || (use_ == Use::any && about_firewall());
    if (config_.ports.empty() && !files) {
        fail("ports", "no port; allowed: at least one, as in ports: [{device: \"iface:eth0\"}]");
    }
    for (std::size_t i = 0; i < config_.ports.size(); ++i) {
        const Port& port = config_.ports[i];
        if (!is_name(port.name)) {
            fail(port_key(i, "name"),
                 fmt::format("{} is not allowed; allowed: {}", shown(port.name), kNameAllowed));
        }
        if (!port.tap.empty() && !is_name(port.tap)) {
            fail(port_key(i, "tap"),
                 fmt::format("{} is not allowed; allowed: {}", shown(port.tap), kNameAllowed));
        }
        for (std::size_t k = 0; k < i; ++k) {
            if (config_.ports[k].name == port.name) {
                fail(port_key(i, "name"),
                     fmt::format("{} is the name of ports[{}] too; names differ", shown(port.name),
                                 k));
                break;
            }
        }
        device(i);
    }
}

// What two ports cannot both open. A capture file can be read twice.
[[nodiscard]] std::string identity(const Device& device) {
    switch (device.kind) {
        case DeviceKind::pci:
            return "pci " + device.value;
        case DeviceKind::vdev:
            return "vdev " + device.value.substr(0, device.value.find(','));
        case DeviceKind::interface:
            return "interface " + device.value;
        case DeviceKind::capture_file:
            return "";
    }
    return "";
}

void Rules::device(std::size_t i) {
    const std::string& text = config_.ports[i].device;
    const auto device = parse_device(text);
    if (!device) {
        fail(port_key(i, "device"), text.empty() ? fmt::format("missing; allowed: {}", kDeviceForms)
                                                 : fmt::format("{} is not allowed; allowed: {}",
                                                               shown(text), kDeviceForms));
        return;
    }
    const std::string mine = identity(*device);
    for (std::size_t k = 0; k < i && !mine.empty(); ++k) {
        const auto other = parse_device(config_.ports[k].device);
        if (other && identity(*other) == mine) {
            fail(port_key(i, "device"),
                 fmt::format("{} is the device of ports[{}] too; a device is one port", shown(text),
                             k));
            return;
        }
    }
}

std::vector<std::string> Rules::tap_names() const {
    std::vector<std::string> named;
    for (const Port& port : config_.ports) {
        const std::string& tap = port.tap.empty() ? port.name : port.tap;
        if (std::find(named.begin(), named.end(), tap) == named.end()) {
            named.push_back(tap);
        }
    }
    return named;
}

void Rules::taps() {
    const std::vector<std::string> named = tap_names();
    if (named.size() > kTapsMax) {
        fail("ports",
             fmt::format("{} taps are not allowed; allowed: 1..{}", named.size(), kTapsMax));
    }
    for (const auto& [name, tap] : config_.taps) {
        // Without ports the taps are files, which have the names of the sides.
        const bool side = config_.ports.empty() &&
                          (name == config_.firewall.tap[0] || name == config_.firewall.tap[1]);
        if (!side && std::find(named.begin(), named.end(), name) == named.end()) {
            fail("taps." + shown(name), "no port belongs to this tap; taps of the ports: " +
                                            shown(fmt::format("{}", fmt::join(named, ", "))));
        }
    }
}

void Rules::workers() {
    const std::size_t count = config_.workers.cores.size();
    if (count < 1 || count > kWorkersMax) {
        fail("workers.cores",
             fmt::format("{} cores are not allowed; allowed: 1..{}", count, kWorkersMax));
    }
}

// nullptr, and said why, if there is no such port or none that can be bridged.
const Port* Rules::bridged_port(const std::string& key, const std::string& name) {
    std::vector<std::string_view> names;
    for (const Port& port : config_.ports) {
        names.push_back(port.name);
        if (port.name != name) {
            continue;
        }
        const auto device = parse_device(port.device);
        if (device && device->kind == DeviceKind::capture_file) {
            fail(key,
                 fmt::format("{} is a capture file; only live ports can be bridged", shown(name)));
            return nullptr;
        }
        return &port;
    }
    const auto near = nearest(name, names);
    fail(key, near ? fmt::format("no port is called {}; did you mean {}?", shown(name), *near)
                   : fmt::format("no port is called {}; ports: {}", shown(name),
                                 shown(fmt::format("{}", fmt::join(names, ", ")))));
    return nullptr;
}

void Rules::bridges() {
    std::vector<const Port*> taken;
    for (std::size_t i = 0; i < config_.bridges.size(); ++i) {
        const std::string key = fmt::format("inline[{}]", i);
        const Port* left = bridged_port(key, config_.bridges[i].left);
        const Port* right = bridged_port(key, config_.bridges[i].right);
        if (left == nullptr || right == nullptr) {
            continue;
        }
        if (left == right) {
            fail(key, fmt::format("{} cannot be bridged to itself; a pair is two ports",
                                  shown(left->name)));
            continue;
        }
        for (const Port* port : {left, right}) {
            if (std::find(taken.begin(), taken.end(), port) != taken.end()) {
                fail(key, fmt::format("{} is in another pair already; a port is in one at most",
                                      shown(port->name)));
            }
            taken.push_back(port);
        }
        if (left->tap != right->tap) {
            fail(key, fmt::format("{} and {} have different taps, {} and {}; the ports of a pair "
                                  "are the two directions of one",
                                  shown(left->name), shown(right->name), shown(left->tap),
                                  shown(right->tap)));
        }
    }
    if (!config_.bridges.empty() && config_.workers.distribution == Distribution::rss) {
        fail("workers.distribution",
             "rss is not allowed with inline, where a core of ours forwards every frame; allowed: "
             "auto, dispatcher");
    }
}

struct EalOption {
    std::string_view name;  // "-l" or "--lcores"
    std::string_view instead;
};

// What the program sets itself, or what would make EAL do something else than start.
constexpr std::array<EalOption, 17> kEalForbidden{{
    {"--", "only arguments of EAL belong here"},
    {"-l", "cores come from workers.cores"},
    {"-c", "cores come from workers.cores"},
    {"-s", "cores come from workers.cores"},
    {"-S", "cores come from workers.cores"},
    {"--lcores", "cores come from workers.cores"},
    {"--main-lcore", "cores come from workers.cores"},
    {"-a", "devices come from ports[].device"},
    {"-b", "devices come from ports[].device"},
    {"--allow", "devices come from ports[].device"},
    {"--block", "devices come from ports[].device"},
    {"--vdev", "devices come from ports[].device"},
    {"--proc-type", "the monitor is one process of its own"},
    {"-h", "run `tapwitness list options` instead"},
    {"-v", "run `tapwitness --version` instead"},
    {"--help", "run `tapwitness list options` instead"},
    {"--version", "run `tapwitness --version` instead"},
}};

// EAL takes short options joined with their value (-l2,3) and long ones shortened (--lcore=2).
[[nodiscard]] const EalOption* forbidden(std::string_view argument) {
    const std::string_view name = argument.substr(0, argument.find('='));
    for (const EalOption& option : kEalForbidden) {
        const bool is_long = option.name.starts_with("--");
        const bool hit = is_long ? name.starts_with("--") && option.name.starts_with(name)
                                 : argument.starts_with(option.name);
        if (hit) {
            return &option;
        }
    }
    return nullptr;
}

void Rules::eal() {
    const auto& args = config_.eal_args;
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (const EalOption* option = forbidden(args[i])) {
            fail(fmt::format("eal.args[{}]", i),
                 fmt::format("{} is not allowed; {}", shown(args[i]), option->instead));
        }
    }
    const auto has = [&](std::string_view name) {
        return std::find(args.begin(), args.end(), name) != args.end();
    };
    if (has("--no-huge") && has("--in-memory")) {
        fail("eal.args", "EAL refuses --no-huge together with --in-memory; leave one out");
    }
}

void Rules::outputs() {
    const std::string& events = config_.events.path;
    if (!events.empty() && events == config_.flow_records.path) {
        fail("outputs.flows.path",
             fmt::format("{} is outputs.events.path too; each output has its own", shown(events)));
    }
    if (config_.log.path.empty()) {
        fail("log.path", "\"\" is not allowed; allowed: a file; - : standard error");
    }
}

void Rules::policy() {
    for (Mistake& mistake : build_policy(config_).mistakes) {
        found_.push_back(std::move(mistake));
    }
    for (const auto* names : {&config_.firewall.networks, &config_.firewall.services}) {
        for (const Named& named : *names) {
            if (!is_name(named.name)) {
                fail((names == &config_.firewall.networks ? "networks." : "services.") +
                         shown(named.name),
                     fmt::format("not allowed as a name; allowed: {}", kNameAllowed));
            }
        }
    }
    if (config_.report.dir.empty()) {
        fail("report.dir", "\"\" is not allowed; allowed: a folder");
    }
}

// Whether the file is meant for a firewall, perhaps for two capture files: it says something of it
// that is not a default. What `check` prints spells all defaults out.
bool Rules::about_firewall() const {
    const FirewallKeys& keys = config_.firewall;
    return !keys.policy.empty() || !keys.defaults.empty() || !keys.nat.empty() ||
           !keys.name.empty() || keys.tap != FirewallKeys{}.tap;
}

// The two taps of a firewall are those of the ports, one on each side.
void Rules::sides() {
    const bool wanted = use_ == Use::firewall || (use_ == Use::any && about_firewall());
    if (!wanted || config_.ports.empty()) {
        return;
    }
    const std::vector<std::string> named = tap_names();
    for (const taps::Side side : {taps::Side::outside, taps::Side::inside}) {
        const std::string& tap = config_.firewall.tap[index(side)];
        if (std::find(named.begin(), named.end(), tap) == named.end()) {
            fail(fmt::format("firewall.{}", name(side)),
                 fmt::format("no tap is called {}; taps of the ports: {}", shown(tap),
                             shown(fmt::format("{}", fmt::join(named, ", ")))));
        }
    }
    if (named.size() > taps::kSides) {
        fail("ports",
             fmt::format("{} taps are not allowed around a firewall; allowed: 2", named.size()));
    }
}

}  // namespace

std::vector<Error> validate(const Config& config, Use use) {
    return Rules(config, use).check();
}

}  // namespace tw::config
