// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/eal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include "base/check.hpp"

namespace tw::dpdk {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::size_t kArgumentsMax = 256;

[[nodiscard]] std::vector<std::uint32_t> cpus_of_process() {
    std::vector<std::uint32_t> cpus;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &set)) {
                cpus.push_back(cpu);
            }
        }
    }
    return cpus;
}

[[nodiscard]] bool asks_for_memory_mode(const std::vector<std::string>& arguments) {
    constexpr std::string_view kModes[] = {"--no-huge", "--in-memory", "--legacy-mem",
                                           "--huge-dir"};
    return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
        return std::any_of(std::begin(kModes), std::end(kModes),
                           [&](std::string_view mode) { return argument.starts_with(mode); });
    });
}

[[nodiscard]] bool contains(const std::vector<std::string>& arguments, std::string_view wanted) {
    return std::find(arguments.begin(), arguments.end(), wanted) != arguments.end();
}

// lcore 0 is the main thread, 1..n the workers, n+1 the dispatcher. Given as id@(cpus), so that CPU
// ids may repeat and lie beyond RTE_MAX_LCORE.
[[nodiscard]] std::string lcores_argument(const Placement& placement) {
    std::string text = fmt::format("0@({})", fmt::join(placement.control_cpus, ","));
    for (std::size_t i = 0; i < placement.worker_cpus.size(); ++i) {
        text += fmt::format(",{}@{}", i + 1, placement.worker_cpus[i]);
    }
    if (!placement.dispatcher_cpus.empty()) {
        text += fmt::format(",{}@({})", placement.worker_cpus.size() + 1,
                            fmt::join(placement.dispatcher_cpus, ","));
    }
    return text;
}

}  // namespace

std::uint64_t free_huge_page_bytes() {
    std::uint64_t bytes = 0;
    std::error_code failed;
    for (const auto& entry :
         std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", failed)) {
        // hugepages-2048kB
        const std::string name = entry.path().filename();
        constexpr std::string_view kPrefix = "hugepages-";
        std::uint64_t pages = 0;
        std::ifstream file(entry.path() / "free_hugepages");
        if (name.starts_with(kPrefix) && file >> pages) {
            bytes += pages * std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10) * 1024;
        }
    }
    return bytes;
}

std::expected<Memory, Error> choose_memory(const EalOptions& options, std::uint64_t free_bytes) {
    if (contains(options.extra_arguments, "--no-huge")) {
        return Memory::ordinary;
    }
    if (asks_for_memory_mode(options.extra_arguments)) {
        return Memory::huge_pages;
    }
    if (free_bytes >= options.memory_bytes && free_bytes != 0) {
        return Memory::huge_pages;
    }
    if (!options.pci_devices.empty()) {
        return std::unexpected(
            Error{fmt::format("PCI device {} needs huge pages: {} MiB, of which {} MiB are free; "
                              "reserve them with: dpdk-hugepages.py --setup {}M",
                              options.pci_devices.front().substr(0, 12),
                              options.memory_bytes / kMebibyte + 1, free_bytes / kMebibyte,
                              (options.memory_bytes / kMebibyte + 2) / 2 * 2),
                  ExitCode::environment_failed});
    }
    return Memory::ordinary;
}

std::expected<Placement, Error> place_threads(const EalOptions& options,
                                              std::span<const std::uint32_t> allowed_cpus) {
    Placement placement;
    std::set<std::uint32_t> spare(allowed_cpus.begin(), allowed_cpus.end());
    for (const std::uint32_t cpu : options.worker_cpus) {
        if (std::find(allowed_cpus.begin(), allowed_cpus.end(), cpu) == allowed_cpus.end()) {
            return std::unexpected(Error{
                fmt::format("workers.cores: CPU {} is not available to this process; allowed: {}",
                            cpu, fmt::join(allowed_cpus, ", "))});
        }
        placement.crowded = placement.crowded || !spare.contains(cpu);
        spare.erase(cpu);
        placement.worker_cpus.push_back(cpu);
    }
    const std::uint32_t threads =
        1 + static_cast<std::uint32_t>(options.worker_cpus.size()) + (options.dispatcher ? 1 : 0);
    if (threads > RTE_MAX_LCORE) {
        return std::unexpected(Error{fmt::format("workers.cores: {} workers; allowed: 1..{}",
                                                 options.worker_cpus.size(), RTE_MAX_LCORE - 2)});
    }
    const std::vector<std::uint32_t> everywhere(allowed_cpus.begin(), allowed_cpus.end());
    if (options.dispatcher) {
        if (spare.empty()) {
            placement.dispatcher_cpus = everywhere;
            placement.crowded = true;
        } else {
            placement.dispatcher_cpus = {*spare.begin()};
            spare.erase(spare.begin());
        }
    }
    placement.control_cpus =
        spare.empty() ? everywhere : std::vector<std::uint32_t>(spare.begin(), spare.end());
    // Housekeeping sleeps most of the time, so it makes a busy core crowded only if it has no
    // other.
    placement.crowded = placement.crowded || spare.empty();
    return placement;
}

std::vector<std::string> eal_arguments(const EalOptions& options, const Placement& placement,
                                       Memory memory, std::uint64_t process_id) {
    std::vector<std::string> arguments{"tapwitness", "--lcores", lcores_argument(placement),
                                       fmt::format("--file-prefix=tapwitness-{}", process_id)};
    if (!options.telemetry) {
        // Its own commands read counters from another thread, which some NICs clear by reading.
        arguments.emplace_back("--no-telemetry");
    }
    if (options.pci_devices.empty()) {
        arguments.emplace_back("--no-pci");
    }
    for (const std::string& device : options.pci_devices) {
        arguments.emplace_back("-a");
        arguments.push_back(device);
    }
    if (memory == Memory::ordinary) {
        if (!contains(options.extra_arguments, "--no-huge")) {
            arguments.emplace_back("--no-huge");
        }
        // Debian's 22.11 implies it; others do not, and physical addresses need huge pages.
        arguments.emplace_back("--iova-mode=va");
        if (!contains(options.extra_arguments, "--no-shconf")) {
            arguments.emplace_back("--no-shconf");
        }
        if (!contains(options.extra_arguments, "-m")) {
            // A buffer of 2.4 KiB must not cross an ordinary page, so it takes one for itself. What
            // is not used is never touched.
            arguments.emplace_back("-m");
            arguments.push_back(fmt::format("{}", 2 * options.memory_bytes / kMebibyte + 1));
        }
    } else if (!asks_for_memory_mode(options.extra_arguments)) {
        arguments.emplace_back("--in-memory");
    }
    arguments.insert(arguments.end(), options.extra_arguments.begin(),
                     options.extra_arguments.end());
    return arguments;
}

std::expected<std::unique_ptr<Eal>, Error> Eal::start(const EalOptions& options, EalLog& log) {
    auto placement = place_threads(options, cpus_of_process());
    if (!placement) {
        return std::unexpected(std::move(placement.error()));
    }
    const auto memory = choose_memory(options, free_huge_page_bytes());
    if (!memory) {
        return std::unexpected(memory.error());
    }
    std::vector<std::string> arguments =
        eal_arguments(options, *placement, *memory, static_cast<std::uint64_t>(getpid()));
    TW_CHECK(arguments.size() < kArgumentsMax);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) {
        pointers.push_back(argument.data());
    }
    pointers.push_back(nullptr);
    log.begin_attempt();
    const int used = rte_eal_init(static_cast<int>(arguments.size()), pointers.data());
    log.end_attempt();
    if (used < 0) {
        return std::unexpected(
            Error{fmt::format("DPDK did not start: {} (arguments: {})",
                              log.reason(rte_strerror(rte_errno)),
                              fmt::join(arguments.begin() + 1, arguments.end(), " ")),
                  ExitCode::environment_failed});
    }
    return std::unique_ptr<Eal>(new Eal(std::move(*placement), *memory));
}

Eal::Eal(Placement placement, Memory memory) : placement_(std::move(placement)), memory_(memory) {}

Eal::~Eal() {
    const std::string runtime_folder = rte_eal_get_runtime_dir();
    rte_eal_mp_wait_lcore();
    rte_eal_cleanup();
    // Named after this process, so nobody else can use what is left of it.
    std::error_code ignored;
    std::filesystem::remove(runtime_folder, ignored);
}

std::string Eal::file_prefix() const {
    return std::filesystem::path(rte_eal_get_runtime_dir()).filename();
}

std::uint32_t Eal::dispatcher_lcore() const {
    return static_cast<std::uint32_t>(placement_.worker_cpus.size()) + 1;
}

void Eal::launch(std::uint32_t lcore, const Task& task) {
    const int failed = rte_eal_remote_launch(task.function, task.context, lcore);
    TW_CHECK(failed == 0);
}

void Eal::launch_worker(std::uint32_t worker, const Task& task) {
    TW_CHECK(worker < placement_.worker_cpus.size());
    launch(worker + 1, task);
}

void Eal::launch_dispatcher(const Task& task) {
    TW_CHECK(!placement_.dispatcher_cpus.empty());
    launch(dispatcher_lcore(), task);
}

bool Eal::all_finished() {
    const std::uint32_t last =
        placement_.dispatcher_cpus.empty() ? dispatcher_lcore() - 1 : dispatcher_lcore();
    for (std::uint32_t lcore = 1; lcore <= last; ++lcore) {
        if (rte_eal_get_lcore_state(lcore) == RUNNING) {
            return false;
        }
    }
    rte_eal_mp_wait_lcore();
    return true;
}

}  // namespace tw::dpdk
