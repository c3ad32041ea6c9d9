// SPDX-License-Identifier: BSD-3-Clause
// DPDK's environment (EAL) of this process: its arguments, start and stop, and the threads it pins
// to CPUs. Can be started once in the life of a process. Only configured devices are ever touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "capture/dpdk/eal_log.hpp"

namespace tw::dpdk {

struct EalOptions {
    std::vector<std::string> pci_devices;    // "0000:3b:00.0" or with ",driver=arguments"
    std::vector<std::uint32_t> worker_cpus;  // one worker each, repeats allowed
    bool dispatcher = false;                 // keep a thread for a dispatcher
    std::uint64_t memory_bytes = 0;          // what mbuf pools, rings and indexes will ask for
    bool telemetry = false;                  // opens DPDK's telemetry socket
    std::vector<std::string> extra_arguments;
};

enum class Memory : std::uint8_t { huge_pages, ordinary };

// Where each thread may run: the CPUs of this process, as sched_getaffinity gives them, shared out.
struct Placement {
    std::vector<std::uint32_t> control_cpus;     // main thread: housekeeping
    std::vector<std::uint32_t> dispatcher_cpus;  // empty without a dispatcher
    std::vector<std::uint32_t> worker_cpus;      // one per worker
    // A busy thread has no CPU to itself: it must give way when there is nothing to do.
    bool crowded = false;
};
[[nodiscard]] std::expected<Placement, Error> place_threads(
    const EalOptions& options, std::span<const std::uint32_t> allowed_cpus);

// What rte_eal_init gets, program name first.
[[nodiscard]] std::vector<std::string> eal_arguments(const EalOptions& options,
                                                     const Placement& placement, Memory memory,
                                                     std::uint64_t process_id);

// Free huge pages of all sizes in bytes.
[[nodiscard]] std::uint64_t free_huge_page_bytes();
// Huge pages where they suffice; virtual devices can do without, PCI devices cannot.
[[nodiscard]] std::expected<Memory, Error> choose_memory(const EalOptions& options,
                                                         std::uint64_t free_bytes);

// Work for one thread. Plain function and context: no allocation, nothing thrown.
struct Task {
    int (*function)(void*) = nullptr;
    void* context = nullptr;
};

class Eal {
  public:
    [[nodiscard]] static std::expected<std::unique_ptr<Eal>, Error> start(const EalOptions& options,
                                                                          EalLog& log);
    ~Eal();
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;

    [[nodiscard]] Memory memory() const { return memory_; }
    // What DPDK's tools take as -f.
    [[nodiscard]] std::string file_prefix() const;
    [[nodiscard]] const Placement& placement() const { return placement_; }

    // Starts a task on a worker's thread, or the dispatcher's. It must have finished its last one.
    void launch_worker(std::uint32_t worker, const Task& task);
    void launch_dispatcher(const Task& task);
    // True once no task runs any more; what the tasks wrote is visible then.
    [[nodiscard]] bool all_finished();

  private:
    Eal(Placement placement, Memory memory);
    void launch(std::uint32_t lcore, const Task& task);
    [[nodiscard]] std::uint32_t dispatcher_lcore() const;

    Placement placement_;
    Memory memory_;
};

}  // namespace tw::dpdk
