// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness run`: its options, and the mistakes they can hold.
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.hpp"
#include "app/live_log.hpp"
#include "app/live_run.hpp"
#include "app/terminal.hpp"
#include "config/device.hpp"
#include "config/load.hpp"
#include "config/validate.hpp"

namespace tw::app {
namespace {

constexpr const char* kExamples =
    R"(Events are JSON lines on standard output, what the program says of itself goes to
standard error. SIGINT or SIGTERM stops cleanly, with a report of every frame: analysed,
or lost under a name. SIGHUP reads FILE again and changes what can change.

Nothing is ever sent. A kernel interface needs CAP_NET_RAW and CAP_NET_ADMIN (root, or
setcap cap_net_raw,cap_net_admin+ep on the program) and keeps to about 1 Gbit/s; a NIC of
its own (PCI address) needs huge pages and a driver of DPDK. `tapwitness check` says what
this host lacks.

Examples:
  tapwitness run -c monitor.yaml                            as configured
  tapwitness run --iface eth0                               a kernel interface (as root)
  tapwitness run --iface eth0 -f 'port 443' --events e.json only what matters, to a file
  tapwitness run --port 0000:3b:00.0                        a NIC bound to vfio-pci
  tapwitness run --port net_memif0,role=server              any DPDK virtual device
  tapwitness run --port pcap:trace.pcap --flows flows.jsonl a capture file, as if live
  tapwitness list options --yaml > monitor.yaml             a configuration to start from
Exit codes: 0 done, 2 wrong arguments, configuration or host, 3 the environment failed.
)";

struct RunArguments {
    std::string file;
    std::vector<std::string> interfaces;
    std::vector<std::string> devices;
    std::string filter;
    std::string events;
    std::string flows;
    bool has_filter = false;
    bool has_events = false;
};

// Several mistakes, one line each.
[[nodiscard]] ExitCode say_all(const std::vector<Error>& errors) {
    for (const Error& error : errors) {
        say(error.text);
    }
    return errors.empty() ? ExitCode::operator_mistake : errors.front().code;
}

[[nodiscard]] config::Port port_of(std::string device, std::string name) {
    config::Port port;
    port.device = std::move(device);
    port.name = std::move(name);
    port.tap = port.name;
    return port;
}

// Without a file everything keeps its default.
[[nodiscard]] config::Config shorthand_config(const RunArguments& arguments) {
    config::Config config;
    for (const std::string& interface : arguments.interfaces) {
        config.ports.push_back(port_of("iface:" + interface, interface));
    }
    for (const std::string& device : arguments.devices) {
        config.ports.push_back(port_of(device, fmt::format("port{}", config.ports.size())));
    }
    return config;
}

[[nodiscard]] config::Loaded configuration(const RunArguments& arguments) {
    const bool shorthand = !arguments.interfaces.empty() || !arguments.devices.empty();
    if (shorthand == !arguments.file.empty()) {
        return std::unexpected(std::vector<Error>{
            Error{"run: give either -c FILE or ports (--iface NAME, --port DEVICE)"}});
    }
    config::Config config;
    if (shorthand) {
        config = shorthand_config(arguments);
    } else {
        auto loaded = config::load(arguments.file);
        if (!loaded) {
            return loaded;
        }
        config = std::move(*loaded);
    }
    config.filter = arguments.has_filter ? arguments.filter : config.filter;
    config.events.path = arguments.has_events ? arguments.events : config.events.path;
    config.flow_records.path = arguments.flows.empty() ? config.flow_records.path : arguments.flows;
    if (auto errors = config::validate(config); !errors.empty()) {
        return std::unexpected(std::move(errors));
    }
    return config;
}

[[nodiscard]] ExitCode run(const RunArguments& arguments) {
    const auto config = configuration(arguments);
    if (!config) {
        return say_all(config.error());
    }
    auto log = LiveLog::open(config->log);
    if (!log) {
        say(log.error().text);
        return log.error().code;
    }
    if (!config->policy.empty()) {
        log->logger().info("policy: left aside; `tapwitness firewall` holds traffic against it");
    }
    LiveRun::ReadAgain read_again;
    if (!arguments.file.empty()) {
        read_again = [arguments] { return configuration(arguments); };
    }
    auto live = LiveRun::open(*config, *log, std::move(read_again));
    if (!live) {
        say(live.error().text);
        return live.error().code;
    }
    return (*live)->run();
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
    // Shared with the action, which runs after parsing has filled it.
    auto arguments = std::make_shared<RunArguments>();
    CLI::App* command = app.add_subcommand("run", "monitor ports live, through DPDK");
    command->footer(kExamples);
    command->add_option("-c,--config", arguments->file, "configuration in YAML")->type_name("FILE");
    command->add_option("--iface", arguments->interfaces, "a kernel interface, instead of -c")
        ->type_name("NAME");
    command
        ->add_option(
            "--port", arguments->devices,
            "a device as in ports[].device (PCI address, net_..., pcap:FILE), instead of -c")
        ->type_name("DEVICE");
    CLI::Option* filter =
        command
            ->add_option("-f,--filter", arguments->filter, "only frames that match, libpcap syntax")
            ->type_name("EXPR");
    CLI::Option* events =
        command->add_option("--events", arguments->events, "episodes, JSON lines (default: -)")
            ->type_name("OUT");
    command->add_option("--flows", arguments->flows, "connections, JSON lines (default: off)")
        ->type_name("OUT");
    command->callback([&action, arguments, filter, events] {
        arguments->has_filter = filter->count() != 0;
        arguments->has_events = events->count() != 0;
        action = [arguments] { return run(*arguments); };
    });
}

}  // namespace tw::app
