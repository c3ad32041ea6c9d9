// SPDX-License-Identifier: BSD-3-Clause
// A library for LD_PRELOAD that makes every worker of an unchanged tapwitness slow: each bulk
// look-up of connections, which is one per burst and IP version, sleeps first. SLOW_WORKER_US is
// for how long. For tests of what happens when the analysis cannot keep up.
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

struct rte_hash;

namespace {

using LookUp = int(const rte_hash*, const void**, std::uint32_t*, std::uint32_t, std::uint64_t*,
                   void**);

LookUp* real_look_up() {
    return reinterpret_cast<LookUp*>(dlsym(RTLD_NEXT, "rte_hash_lookup_with_hash_bulk_data"));
}

timespec pause_of_environment() {
    const char* const text = std::getenv("SLOW_WORKER_US");
    const long micros = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
    return {micros / 1'000'000, micros % 1'000'000 * 1000};
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int rte_hash_lookup_with_hash_bulk_data(
    const rte_hash* table, const void** keys, std::uint32_t* hashes, std::uint32_t count,
    std::uint64_t* hits, void** data) {
    static LookUp* const real = real_look_up();
    static const timespec pause = pause_of_environment();
    nanosleep(&pause, nullptr);
    return real(table, keys, hashes, count, hits, data);
}
