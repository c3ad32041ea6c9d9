// SPDX-License-Identifier: BSD-3-Clause
#include "app/doctor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "config/device.hpp"
#include "config/values.hpp"

namespace tw::app {

namespace {

using Cpus = std::vector<std::uint32_t>;
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;

[[nodiscard]] bool contains(const Cpus& cpus, std::uint32_t cpu) {
    return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

[[nodiscard]] std::string mebibytes(std::uint64_t bytes) {
    return fmt::format("{} MiB", (bytes + kMebibyte - 1) / kMebibyte);
}

[[nodiscard]] std::uint64_t free_huge_bytes(const Host& host) {
    std::uint64_t bytes = 0;
    for (const HugePages& pages : host.huge_pages()) {
        bytes += pages.free * pages.page_bytes;
    }
    return bytes;
}

// "CPU 2 is", "CPUs 2-3 are"
[[nodiscard]] std::string cpus_are(const Cpus& cpus) {
    return cpus.size() == 1 ? fmt::format("CPU {} is", cpus.front())
                            : fmt::format("CPUs {} are", cpu_list_text(cpus));
}

[[nodiscard]] std::string huge_pages_fix(std::uint64_t bytes) {
    // Whole 2 MiB pages, and one to spare for EAL itself.
    return fmt::format("dpdk-hugepages.py --setup {}M", (bytes / kMebibyte / 2 + 2) * 2);
}

[[nodiscard]] bool has_pci(const config::Config& config) {
    return std::any_of(config.ports.begin(), config.ports.end(), [](const config::Port& port) {
        const auto device = config::parse_device(port.device);
        return device && device->kind == config::DeviceKind::pci;
    });
}

// Cores that exist and are ours; a problem for each other one.
[[nodiscard]] Cpus usable_cores(const Host& host, const config::Config& config,
                                Findings& findings) {
    const Cpus online = host.online_cpus();
    const Cpus allowed = host.allowed_cpus();
    Cpus usable;
    for (std::size_t i = 0; i < config.workers.cores.size(); ++i) {
        const std::uint32_t cpu = config.workers.cores[i];
        const std::string place = config.places.prefix(fmt::format("workers.cores[{}]", i));
        if (!contains(online, cpu)) {
            findings.problem(fmt::format("{}this host has no CPU {} online", place, cpu),
                             fmt::format("choose from {}", cpu_list_text(online)));
        } else if (!contains(allowed, cpu)) {
            findings.problem(
                fmt::format("{}CPU {} is not allowed to this process", place, cpu),
                fmt::format("choose from {}, or widen the cgroup's or service's CPU set",
                            cpu_list_text(allowed)));
        } else {
            usable.push_back(cpu);
        }
    }
    return usable;
}

void examine_sharing(const Host& host, const config::Config& config, const Cpus& cores,
                     Findings& findings) {
    std::map<std::uint32_t, int> workers_on;
    for (const std::uint32_t cpu : cores) {
        ++workers_on[cpu];
    }
    for (const auto& [cpu, workers] : workers_on) {
        if (workers > 1) {
            findings.note(fmt::format("CPU {} carries {} workers, which take turns", cpu, workers),
                          "give every worker a core of its own");
        }
        for (const std::uint32_t sibling : host.siblings_of(cpu)) {
            if (sibling > cpu && workers_on.contains(sibling)) {
                findings.note(
                    fmt::format("CPUs {} and {} are threads of one core and slow each other down",
                                cpu, sibling),
                    "use one of them and leave the other idle");
            }
        }
    }
    const Cpus allowed = host.allowed_cpus();
    if (workers_on.size() >= allowed.size() && config.workers.poll == config::Poll::busy) {
        findings.note(
            "no CPU is left for everything else: outputs and the system interrupt workers",
            "leave one CPU out of workers.cores, or set workers.poll: adaptive");
    }
}

void examine_quiet(const Host& host, const Cpus& cores, Findings& findings) {
    const Cpus isolated = host.isolated_cpus();
    const Cpus tickless = host.tickless_cpus();
    const std::set<std::uint32_t> sorted(cores.begin(), cores.end());
    const Cpus unique(sorted.begin(), sorted.end());
    Cpus disturbed;
    Cpus slow;
    for (const std::uint32_t cpu : unique) {
        if (!contains(isolated, cpu) || !contains(tickless, cpu)) {
            disturbed.push_back(cpu);
        }
        const std::string governor = host.governor_of(cpu);
        if (!governor.empty() && governor != "performance") {
            slow.push_back(cpu);
        }
    }
    const std::string list = cpu_list_text(disturbed);
    if (disturbed.empty()) {
        findings.ok(fmt::format("{} isolated from the scheduler", cpus_are(unique)));
    } else {
        findings.note(
            fmt::format("{} not isolated: other tasks can interrupt workers", cpus_are(disturbed)),
            fmt::format("kernel command line: isolcpus=managed_irq,domain,{} nohz_full={} "
                        "rcu_nocbs={}",
                        list, list, list));
    }
    if (!slow.empty()) {
        findings.note(
            fmt::format("{} saving power: the clock rises too late for a burst", cpus_are(slow)),
            fmt::format("cpupower -c {} frequency-set -g performance", cpu_list_text(slow)));
    }
}

// Workers of a node whose pages do not suffice look up connections across the nodes.
void examine_nodes(const Host& host, const config::Config& config, const MemoryPlan& plan,
                   Findings& findings) {
    std::map<int, std::uint64_t> free_on;
    for (const HugePages& pages : host.huge_pages()) {
        free_on[pages.node] += pages.free * pages.page_bytes;
    }
    std::map<int, std::uint64_t> workers_on;
    for (const std::uint32_t cpu : config.workers.cores) {
        ++workers_on[host.node_of(cpu)];
    }
    for (const auto& [node, workers] : workers_on) {
        const std::uint64_t need = plan.dpdk_bytes() / plan.workers * workers;
        if (node >= 0 && free_on.size() > 1 && free_on[node] < need) {
            findings.note(fmt::format("huge pages of node {}: {} free, its workers take {}", node,
                                      mebibytes(free_on[node]), mebibytes(need)),
                          fmt::format("dpdk-hugepages.py --node {} --setup {}M", node,
                                      (need / kMebibyte / 2 + 2) * 2));
        }
    }
}

void examine_huge_pages(const Host& host, const config::Config& config, const MemoryPlan& plan,
                        Findings& findings) {
    const auto& args = config.eal_args;
    const std::uint64_t free = free_huge_bytes(host);
    const std::string numbers =
        fmt::format("huge pages: {} free, DPDK takes {}, with the tables {}", mebibytes(free),
                    mebibytes(plan.eal_bytes()), mebibytes(plan.total_bytes()));
    if (std::find(args.begin(), args.end(), "--no-huge") != args.end()) {
        findings.ok("huge pages: not used, as eal.args asks");
    } else if (free >= plan.eal_bytes()) {
        findings.ok(numbers);
        examine_nodes(host, config, plan, findings);
    } else if (has_pci(config)) {
        findings.problem(numbers + "; a PCI device cannot do without",
                         huge_pages_fix(plan.total_bytes()));
    } else {
        findings.note(numbers + "; ordinary pages will do, with slower look-ups",
                      huge_pages_fix(plan.total_bytes()));
    }
}

}  // namespace

std::size_t Findings::problems_count() const {
    return static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(),
                      [](const Finding& finding) { return finding.health == Health::problem; }));
}

std::string cpu_list_text(Cpus cpus) {
    std::sort(cpus.begin(), cpus.end());
    cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
    std::vector<std::string> runs;
    for (std::size_t i = 0; i < cpus.size();) {
        std::size_t last = i;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) {
            ++last;
        }
        runs.push_back(i == last ? fmt::format("{}", cpus[i])
                                 : fmt::format("{}-{}", cpus[i], cpus[last]));
        i = last + 1;
    }
    return runs.empty() ? "none" : fmt::format("{}", fmt::join(runs, ","));
}

void examine_cpus(const Host& host, const config::Config& config, Findings& findings) {
    const Cpus cores = usable_cores(host, config, findings);
    if (cores.empty()) {
        return;
    }
    examine_sharing(host, config, cores, findings);
    examine_quiet(host, cores, findings);
}

void examine_memory(const Host& host, const config::Config& config, const MemoryPlan& plan,
                    Findings& findings) {
    if (plan.live) {
        examine_huge_pages(host, config, plan, findings);
    }
    const std::uint64_t available = host.available_bytes() + free_huge_bytes(host);
    if (plan.total_bytes() > available) {
        // Three quarters, so that the rest of the system lives as well.
        const double share =
            0.75 * static_cast<double>(available) / static_cast<double>(plan.total_bytes());
        const auto fitting = [share](std::uint32_t count) {
            return static_cast<std::uint64_t>(share * count) / 1000 * 1000;
        };
        findings.problem(
            fmt::format("{}memory: {} needed, {} available",
                        config.places.at("flows.max_per_worker"), mebibytes(plan.total_bytes()),
                        mebibytes(available)),
            fmt::format("fewer workers, or flows.max_per_worker: {}, max_ipv6_per_worker: {}",
                        fitting(config.flows.max_per_worker),
                        fitting(config.flows.max_ipv6_per_worker)));
    } else {
        findings.ok(fmt::format("memory: {} needed, {} available", mebibytes(plan.total_bytes()),
                                mebibytes(available)));
    }
}

void examine_outputs(const config::Config& config, Findings& findings) {
    const std::pair<std::string_view, const std::string&> outputs[] = {
        {"outputs.events.path", config.events.path},
        {"outputs.flows.path", config.flow_records.path},
        {"log.path", config.log.path},
    };
    for (const auto& [key, path] : outputs) {
        if (path.empty() || path == "-") {
            continue;
        }
        namespace fs = std::filesystem;
        std::error_code failed;
        const bool exists = fs::exists(path, failed);
        const fs::path folder = fs::path(path).parent_path();
        const fs::path tested = exists ? fs::path(path) : folder.empty() ? "." : folder;
        std::string why;
        std::string fix = "name a file that this user may write";
        if (exists && fs::is_directory(tested, failed)) {
            why = "is a directory";
        } else if (!exists && !fs::is_directory(tested, failed)) {
            why = fmt::format("{}: no such folder", tested.string());
            fix = fmt::format("mkdir -p {}", tested.string());
        } else if (::access(tested.c_str(), W_OK) != 0) {
            why = fmt::format("{}: {}", tested.string(), std::generic_category().message(errno));
        }
        if (!why.empty()) {
            findings.problem(fmt::format("{}{} cannot be written: {}",
                                         config.places.prefix(std::string(key)), path, why),
                             std::move(fix));
        }
    }
}

void examine_host(const Host& host, Findings& findings) {
    findings.ok(fmt::format("CPUs: {} online, {} allowed to this process, {} isolated",
                            cpu_list_text(host.online_cpus()), cpu_list_text(host.allowed_cpus()),
                            cpu_list_text(host.isolated_cpus())));
    findings.ok(fmt::format("memory: {} available", mebibytes(host.available_bytes())));
    std::uint64_t huge_total = 0;
    for (const HugePages& pages : host.huge_pages()) {
        huge_total += pages.total;
        if (pages.total != 0) {
            findings.ok(fmt::format("huge pages{}: {} of {} of {} are free",
                                    pages.node < 0 ? "" : fmt::format(" of node {}", pages.node),
                                    pages.free, pages.total,
                                    config::format_size(pages.page_bytes)));
        }
    }
    if (huge_total == 0) {
        findings.note("huge pages: none reserved; PCI devices need them",
                      "dpdk-hugepages.py --setup 2G");
    }
    if (!host.has_iommu()) {
        findings.note("no IOMMU: vfio-pci works only in its unsafe mode",
                      "kernel command line: intel_iommu=on iommu=pt (and VT-d or AMD-Vi in the "
                      "firmware)");
    }
    for (const std::string& address : host.network_pci_addresses()) {
        if (const auto device = host.pci_device(address)) {
            findings.ok(
                fmt::format("device \"{}\": driver {}{}", address,
                            device->driver.empty() ? "none" : device->driver,
                            device->interface.empty() ? "" : ", interface " + device->interface));
        }
    }
    std::vector<std::string> usable;
    for (const std::string& name : host.interfaces()) {
        const auto interface = host.interface(name);
        if (interface && interface->up) {
            usable.push_back("iface:" + name);
        }
    }
    findings.ok(fmt::format("devices that need no setting up: {}", fmt::join(usable, ", ")));
}

}  // namespace tw::app
