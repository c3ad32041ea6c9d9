// SPDX-License-Identifier: BSD-3-Clause
#include "generator/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace tw::generator {
namespace {

constexpr const char* kDescription =
    "Makes TCP conversations, sends them to a DPDK device or writes a capture file, and tells the "
    "truth about\nthem as JSON: frames and bytes handed over, connections, missing bytes, and for "
    "each of Wireshark's flags\nthe exact number of frames that must carry it.";

[[nodiscard]] std::string footer() {
    std::string text = "Faults, in per mille of what they happen to:\n";
    for (const Fault& fault : fault_table()) {
        text += fmt::format(
            "  {:<17} {}{}{}\n", fault.name, fault.help,
            fault.per == Per::round ? "" : " (of connections)",
            fault.depends_on_time ? " (live: only while the monitor never pauses)" : "");
    }
    text +=
        "\nExamples:\n"
        "  a capture with every fault, then the truth beside what was found\n"
        "    traffic_source --pcap t.pcap --packets 100000 --faults 20 --truth -\n"
        "    tapwitness read t.pcap\n"
        "  a monitor that listens on memif, and ten million frames from here\n"
        "    tapwitness run --port net_memif0,role=server,socket=span\n"
        "    traffic_source --vdev net_memif0,role=client,socket=span --packets 10000000\n"
        "  two queues, both directions of a connection on the same one\n"
        "    traffic_source --vdev net_memif0,role=client,socket=span,rsize=14 --queues 2\n"
        "  what this program can make at best\n"
        "    traffic_source --vdev net_null0 --packets 50000000\n"
        "Exit codes: 0 done, 2 wrong arguments, 3 the device failed or the peer went away.\n";
    return text;
}

// "NAME=PER_MILLE"; a sentence if it is not.
[[nodiscard]] std::string set_fault(const std::string& text, TrafficOptions& traffic) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string name = text.substr(0, equals);
    std::uint32_t rate = 0;
    const char* const begin = text.data() + std::min(equals + 1, text.size());
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(begin, end, rate);
    if (error != std::errc{} || stop != end || rate > 1000) {
        return fmt::format("{}: not NAME=0..1000", text);
    }
    for (std::size_t i = 0; i < kFaults; ++i) {
        if (fault_table()[i].name == name) {
            traffic.fault_per_mille[i] = rate;
            return {};
        }
    }
    return fmt::format("{}: no such fault, --help lists them", name);
}

// Faults of one kind share one draw.
[[nodiscard]] std::string too_many(const TrafficOptions& traffic) {
    for (const Per per : {Per::round, Per::opening, Per::closing, Per::closed}) {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < kFaults; ++i) {
            sum += fault_table()[i].per == per ? traffic.fault_per_mille[i] : 0;
        }
        if (sum > 1000) {
            return fmt::format("the faults of one kind add up to {} per mille, at most 1000", sum);
        }
    }
    return {};
}

struct Texts {
    std::vector<std::string> faults;
    std::uint32_t all_faults = 0;
    std::string mix = "internet";
    double patience_ms = -1;
    double linger_ms = 500;
    double wait_seconds = 10;
};

void add_traffic(CLI::App& app, TrafficOptions& traffic, Texts& texts) {
    app.add_option("--seed", traffic.seed, "the same seed, the same conversations")
        ->capture_default_str();
    app.add_option("--connections", traffic.connections, "at one time")
        ->check(CLI::Range(1U, 16'000'000U))
        ->capture_default_str();
    app.add_option("--mix", texts.mix,
                   "small: 4..64 bytes; internet: answers of 2..12 full segments; large: 40..200")
        ->check(CLI::IsMember({"small", "internet", "large"}))
        ->capture_default_str();
    app.add_option("--rounds-min", traffic.rounds_min, "requests in a connection, at least")
        ->check(CLI::Range(1U, 60'000U))
        ->capture_default_str();
    app.add_option("--rounds-max", traffic.rounds_max, "and at most")
        ->check(CLI::Range(1U, 60'000U))
        ->capture_default_str();
    app.add_option("--ipv6", traffic.v6_per_mille, "per mille of connections")
        ->check(CLI::Range(0U, 1000U))
        ->capture_default_str();
    app.add_option("--syn-flood", traffic.syn_flood_per_mille,
                   "per mille of frames that are SYNs from ever new endpoints")
        ->check(CLI::Range(0U, 1000U))
        ->capture_default_str();
    app.add_option("--fault", texts.faults, "NAME=PER_MILLE, any number; names are below")
        ->type_name("FAULT");
    app.add_option("--faults", texts.all_faults,
                   "this rate for every fault whose flags do not depend on time")
        ->check(CLI::Range(0U, 1000U));
    app.add_option(
           "--patience-ms", texts.patience_ms,
           "handshake time of connections that may reorder: their late segments stay out of "
           "order unless\nthe monitor pauses for longer (default: 1000 live, 0 in a file)")
        ->check(CLI::Range(0.0, 4000.0));
}

void add_output(CLI::App& app, SourceOptions& options, Texts& texts) {
    CLI::Option* vdev = app.add_option("--vdev", options.vdev,
                                       "DPDK device: net_memif0,role=client,socket=NAME ...");
    CLI::Option* pcap =
        app.add_option("--pcap", options.pcap, "capture file with nanoseconds instead");
    vdev->excludes(pcap);
    app.add_option("--truth", options.truth, "file for the truth; - is standard output");
    app.add_option("--packets", options.packets, "then scripts in progress are finished")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 48))
        ->capture_default_str();
    app.add_option("--gap", options.gap, "nanoseconds between two frames of a file")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{kSecond}))
        ->capture_default_str();
    app.add_option("--rate", options.rate_pps, "frames a second; 0: as fast as they are taken")
        ->check(CLI::Range(0U, 200'000'000U))
        ->capture_default_str();
    app.add_flag(
        "--drop-refused", options.drop_refused,
        "drop what the peer has no room for when its time has come, as a mirror port does; "
        "flags are then\nnot part of the truth");
    app.add_option("--queues", options.traffic.queues,
                   "transmit queues; both directions of a connection use the same one")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_flag("--split-directions", options.traffic.split_directions,
                 "the two directions of a connection on queues side by side, as an asymmetric RSS "
                 "puts them");
    app.add_option("--cpu", options.cpu, "CPU to run on; default: wherever the system puts it");
    app.add_flag("--huge-pages", options.huge_pages, "take memory from huge pages");
    app.add_option("--memory", options.memory_mib, "MiB without huge pages")
        ->check(CLI::Range(64U, 65'536U))
        ->capture_default_str();
    app.add_option("--wait", texts.wait_seconds, "seconds for the link to come up")
        ->check(CLI::Range(0.0, 600.0))
        ->capture_default_str();
    app.add_option("--linger-ms", texts.linger_ms,
                   "how long to stay after the peer has taken everything")
        ->check(CLI::Range(0.0, 600'000.0))
        ->capture_default_str();
    app.add_option("--stay-until", options.stay_until,
                   "after the last frame stay until this file exists");
}

[[nodiscard]] std::string completed(SourceOptions& options, const Texts& texts) {
    if (options.vdev.empty() == options.pcap.empty()) {
        return "give --vdev DEVICE or --pcap FILE";
    }
    TrafficOptions& traffic = options.traffic;
    if (traffic.rounds_min > traffic.rounds_max) {
        return "--rounds-min is more than --rounds-max";
    }
    traffic.mix = texts.mix == "small"   ? SizeMix::small
                  : texts.mix == "large" ? SizeMix::large
                                         : SizeMix::internet;
    for (std::size_t i = 0; i < kFaults; ++i) {
        traffic.fault_per_mille[i] = fault_table()[i].depends_on_time ? 0 : texts.all_faults;
    }
    for (const std::string& fault : texts.faults) {
        if (std::string mistake = set_fault(fault, traffic); !mistake.empty()) {
            return mistake;
        }
    }
    constexpr double kLivePatienceMs = 1000;
    const double patience_ms = texts.patience_ms >= 0 ? texts.patience_ms
                               : options.pcap.empty() ? kLivePatienceMs
                                                      : 0;
    traffic.patience = static_cast<Nanos>(patience_ms * kMillisecond);
    options.linger = static_cast<Nanos>(texts.linger_ms * kMillisecond);
    options.wait = static_cast<Nanos>(texts.wait_seconds * kSecond);
    if (options.drop_refused && options.rate_pps == 0) {
        return "--drop-refused needs --rate";
    }
    return too_many(traffic);
}

}  // namespace

std::optional<SourceOptions> parse(int argc, char** argv, int& exit_code) {
    CLI::App app(kDescription, "traffic_source");
    app.footer(footer());
    app.get_formatter()->column_width(28);
    SourceOptions options;
    Texts texts;
    add_output(app, options, texts);
    add_traffic(app, options.traffic, texts);
    constexpr int kOperatorMistake = 2;
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        exit_code = 0;
        return {};
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "traffic_source: {}\n", error.what());
        exit_code = kOperatorMistake;
        return {};
    }
    if (const std::string mistake = completed(options, texts); !mistake.empty()) {
        fmt::print(stderr, "traffic_source: {}\n", mistake);
        exit_code = kOperatorMistake;
        return {};
    }
    return options;
}

}  // namespace tw::generator
