// SPDX-License-Identifier: BSD-3-Clause
// The EAL of the test process: it can be started only once, so all tests share it. Without huge
// pages, PCI devices or privileges; two workers and a dispatcher on whatever CPUs there are.
#pragma once

#include <sched.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include <memory>
#include <stdexcept>

#include "capture/dpdk/eal.hpp"
#include "capture/dpdk/eal_log.hpp"
#include "capture/dpdk/mbuf_fields.hpp"

namespace tw::dpdk::test {

class LiveEnvironment {
  public:
    static LiveEnvironment& instance() {
        static LiveEnvironment environment;
        return environment;
    }

    spdlog::logger logger{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
    std::unique_ptr<EalLog> log;
    std::unique_ptr<Eal> eal;
    MbufFields fields;

  private:
    LiveEnvironment() {
        log = take(EalLog::open(logger));
        EalOptions options;
        const auto cpu = static_cast<std::uint32_t>(sched_getcpu());
        options.worker_cpus = {cpu, cpu};
        options.dispatcher = true;
        options.memory_bytes = std::uint64_t{512} << 20;
        options.extra_arguments = {"--no-huge"};
        eal = take(Eal::start(options, *log));
        fields = take(register_mbuf_fields());
    }

    template <typename Value>
    static Value take(std::expected<Value, Error> result) {
        if (!result) {
            throw std::runtime_error(result.error().text);
        }
        return std::move(*result);
    }
};

}  // namespace tw::dpdk::test
