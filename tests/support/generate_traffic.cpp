// SPDX-License-Identifier: BSD-3-Clause
// Writes generated traffic into a nanosecond pcap, frame by frame: memory does not grow with it.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "support/pcap_writer.hpp"
#include "support/realistic_traffic.hpp"
#include "support/traffic_generator.hpp"

namespace {

using tw::test::GeneratedFrame;
using Source = std::function<GeneratedFrame()>;

constexpr std::size_t kFlushBytes = std::size_t{1} << 20;

constexpr std::string_view kUsage =
    "usage: generate_traffic --out FILE [--profile hostile|realistic|flood] [--seed N]\n"
    "                        [--packets N] [--connections N] [--snaplen N]\n"
    "  hostile:   [--segments N per connection] [--flood N] [--plain] [--mptcp]\n"
    "             --plain: no tunnels, quotes, fragments, cuts; --flood: one connection of N\n"
    "             unacknowledged segments\n"
    "  realistic: [--mix small|internet|large] [--loss PER_MILLE] [--gap NANOSECONDS] [--running]\n"
    "             --running: the first connections are met in mid-life\n"
    "  flood:     SYNs from ever new addresses\n";

struct Options {
    std::string out;
    std::string profile = "hostile";
    std::map<std::string, std::uint64_t, std::less<>> numbers{
        {"seed", 1},  {"packets", 200'000}, {"connections", 0}, {"segments", 120},
        {"flood", 0}, {"loss", 10},         {"gap", 1000},      {"snaplen", 0}};
    tw::test::SizeMix mix = tw::test::SizeMix::internet;
    bool plain = false;
    bool running = false;
    bool mptcp = false;
};

std::optional<tw::test::SizeMix> mix_named(std::string_view name) {
    if (name == "small") {
        return tw::test::SizeMix::small;
    }
    if (name == "internet") {
        return tw::test::SizeMix::internet;
    }
    if (name == "large") {
        return tw::test::SizeMix::large;
    }
    return {};
}

// False if `value` is not what option `name` takes.
bool set(Options& options, std::string_view name, std::string_view value) {
    if (name == "out") {
        options.out = value;
        return true;
    }
    if (name == "profile") {
        options.profile = value;
        return value == "hostile" || value == "realistic" || value == "flood";
    }
    if (name == "mix") {
        const auto mix = mix_named(value);
        options.mix = mix.value_or(options.mix);
        return mix.has_value();
    }
    const auto row = options.numbers.find(name);
    if (row == options.numbers.end()) {
        return false;
    }
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), row->second);
    return error == std::errc{} && end == value.data() + value.size() &&
           (name == "seed" || row->second <= 1'000'000'000);
}

std::optional<Options> parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--plain") {
            options.plain = true;
        } else if (argument == "--running") {
            options.running = true;
        } else if (argument == "--mptcp") {
            options.mptcp = true;
        } else if (!argument.starts_with("--") || i + 1 == argc ||
                   !set(options, argument.substr(2), argv[i + 1])) {
            fmt::print(stderr, "generate_traffic: {} {}: not understood\n{}", argument,
                       i + 1 < argc ? argv[i + 1] : "", kUsage);
            return {};
        } else {
            ++i;
        }
    }
    if (options.out.empty()) {
        fmt::print(stderr, "{}", kUsage);
        return {};
    }
    return options;
}

Source source_of(const Options& options) {
    const auto number = [&](const char* name, std::uint32_t otherwise) {
        const std::uint64_t value = options.numbers.find(name)->second;
        return value == 0 ? otherwise : static_cast<std::uint32_t>(value);
    };
    const std::uint64_t seed = options.numbers.find("seed")->second;
    if (options.profile == "flood") {
        return [flood = std::make_shared<tw::test::SynFlood>(seed)] { return flood->next(); };
    }
    if (options.profile == "realistic") {
        auto traffic = std::make_shared<tw::test::RealisticTraffic>(tw::test::RealisticOptions{
            .seed = seed,
            .connections = number("connections", 10'000),
            .mix = options.mix,
            .loss_per_mille = number("loss", 0),
            .running = options.running,
            .gap = number("gap", 1),
            .snaplen = number("snaplen", 0),
        });
        return [traffic] { return traffic->next(); };
    }
    auto traffic = std::make_shared<tw::test::HostileTraffic>(tw::test::HostileOptions{
        .seed = seed,
        .connections = number("connections", 48),
        .segments_per_connection = number("segments", 120),
        .layers = !options.plain,
        .faults = !options.plain,
        .multipath = options.mptcp,
        .flood_segments = number("flood", 0),
    });
    return [traffic] { return traffic->next(); };
}

bool write(const Options& options) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(options.out.c_str(), "wb"), std::fclose);
    if (!file) {
        return false;
    }
    tw::test::PcapWriter writer;
    const Source next = source_of(options);
    const std::uint64_t packets = options.numbers.find("packets")->second;
    for (std::uint64_t i = 0; i < packets; ++i) {
        const GeneratedFrame frame = next();
        writer.packet(frame.time, frame.bytes, {.wire_bytes = frame.wire_bytes});
        auto& bytes = writer.bytes();
        if (bytes.size() >= kFlushBytes || i + 1 == packets) {
            if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
                return false;
            }
            bytes.clear();
        }
    }
    return std::fflush(file.get()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::optional<Options> options = parse(argc, argv);
    if (!options) {
        return 2;
    }
    if (!write(*options)) {
        fmt::print(stderr, "generate_traffic: {}: cannot be written\n", options->out);
        return 3;
    }
    return EXIT_SUCCESS;
}
