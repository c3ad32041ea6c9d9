// SPDX-License-Identifier: BSD-3-Clause
// Makes TCP conversations with scripted faults for a DPDK device or a capture file, and tells the
// truth about them. --help teaches.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "generator/dpdk_output.hpp"
#include "generator/options.hpp"
#include "generator/pcap_output.hpp"
#include "generator/truth.hpp"

namespace {

constexpr int kEnvironmentFailed = 3;

bool tell(const std::string& path, const std::string& text) {
    if (path.empty()) {
        return true;
    }
    if (path == "-") {
        return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
               std::fflush(stdout) == 0;
    }
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                               std::fclose);
    return file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
           std::fflush(file.get()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    namespace generator = tw::generator;
    int exit_code = 0;
    const std::optional<generator::SourceOptions> options = generator::parse(argc, argv, exit_code);
    if (!options) {
        return exit_code;
    }
    for (const int number : {SIGINT, SIGTERM}) {
        std::signal(number, [](int) { generator::stop_requested = true; });
    }
    generator::Traffic traffic(options->traffic);
    const std::optional<generator::Delivery> delivery =
        options->pcap.empty() ? generator::send_frames(*options, traffic)
                              : generator::write_capture(*options, traffic);
    if (!delivery) {
        return kEnvironmentFailed;
    }
    if (!tell(options->truth, truth_text(*options, traffic.counts(), *delivery))) {
        fmt::print(stderr, "traffic_source: {}: {}\n", options->truth, std::strerror(errno));
        return kEnvironmentFailed;
    }
    return delivery->peer_gone ? kEnvironmentFailed : 0;
}
