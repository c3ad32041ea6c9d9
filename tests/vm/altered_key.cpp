// SPDX-License-Identifier: BSD-3-Clause
// A library for LD_PRELOAD that turns the RSS key an unchanged tapwitness gives its ports into one
// that is not symmetric, as a driver with a mistake may do. ALTERED_KEY=hidden also lets the key
// read back as it was written, so that only what arrives can tell.
#include <dlfcn.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

// Microsoft's key, the default of many drivers.
constexpr std::uint8_t kKey[] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

std::vector<std::uint8_t>& key_written() {
    static std::vector<std::uint8_t> key;
    return key;
}

template <typename Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int rte_eth_dev_configure(
    std::uint16_t port, std::uint16_t rx_queues, std::uint16_t tx_queues,
    const rte_eth_conf* given) {
    rte_eth_conf config = *given;
    rte_eth_rss_conf& rss = config.rx_adv_conf.rss_conf;
    std::vector<std::uint8_t> altered;
    if (rss.rss_key != nullptr) {
        key_written().assign(rss.rss_key, rss.rss_key + rss.rss_key_len);
        altered = key_written();
        std::copy_n(std::begin(kKey), std::min(altered.size(), std::size(kKey)), altered.begin());
        rss.rss_key = altered.data();
    }
    return real<decltype(rte_eth_dev_configure)>("rte_eth_dev_configure")(port, rx_queues,
                                                                          tx_queues, &config);
}

extern "C" __attribute__((visibility("default"))) int rte_eth_dev_rss_hash_conf_get(
    std::uint16_t port, rte_eth_rss_conf* found) {
    const int result =
        real<decltype(rte_eth_dev_rss_hash_conf_get)>("rte_eth_dev_rss_hash_conf_get")(port, found);
    const char* const mode = std::getenv("ALTERED_KEY");
    if (mode != nullptr && std::strcmp(mode, "hidden") == 0 && found->rss_key != nullptr) {
        std::copy_n(key_written().begin(),
                    std::min<std::size_t>(key_written().size(), found->rss_key_len),
                    found->rss_key);
    }
    return result;
}
