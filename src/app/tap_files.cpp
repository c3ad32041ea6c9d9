// SPDX-License-Identifier: BSD-3-Clause
#include "app/tap_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "app/read_files.hpp"
#include "core/options.hpp"
#include "sinks/format/page.hpp"

namespace tw::app {
namespace {

using sinks::format::printable;
using taps::index;
using taps::Side;

constexpr std::size_t kNamesShown = 16;

[[nodiscard]] std::unexpected<Error> mistake(std::string text) {
    return std::unexpected(Error{std::move(text)});
}

[[nodiscard]] std::expected<void, Error> check_readable(const std::string& path) {
    if (is_stream(path)) {
        return mistake(
            fmt::format("{}: a pipe gives its bytes only once, and the captures of two taps are "
                        "read more than once; allowed: pcap and pcapng files",
                        path == "-" ? "standard input" : printable(path)));
    }
    if (auto source = pcap::FileSource::open(path); !source) {
        return std::unexpected(source.error());
    }
    return {};
}

// Interfaces of the file's first section, known once its first packets have been read.
[[nodiscard]] std::expected<std::vector<pcap::InterfaceLedger>, Error> interfaces_of(
    const std::string& path) {
    auto source = pcap::FileSource::open(path);
    if (!source) {
        return std::unexpected(source.error());
    }
    (void)(*source)->next();
    std::vector<pcap::InterfaceLedger> first;
    for (pcap::InterfaceLedger& interface : (*source)->ledger().interfaces) {
        if (interface.section == 0 && first.size() < kTapsMax) {
            first.push_back(std::move(interface));
        }
    }
    return first;
}

[[nodiscard]] std::string names_of(const std::vector<pcap::InterfaceLedger>& interfaces) {
    std::string text;
    for (std::size_t i = 0; i < std::min(interfaces.size(), kNamesShown); ++i) {
        text += fmt::format("{}{}{}", text.empty() ? "" : ", ", i,
                            interfaces[i].name.empty() ? "" : " (" + interfaces[i].name + ")");
    }
    return text;
}

[[nodiscard]] std::optional<std::uint8_t> find_interface(
    const std::vector<pcap::InterfaceLedger>& interfaces, std::string_view wanted) {
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
        if (interfaces[i].name == wanted) {
            return static_cast<std::uint8_t>(i);
        }
    }
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
    if (error == std::errc{} && end == wanted.data() + wanted.size() &&
        number < interfaces.size()) {
        return static_cast<std::uint8_t>(number);
    }
    return std::nullopt;
}

using InterfaceChoice = std::array<std::uint8_t, taps::kSides>;

[[nodiscard]] std::expected<InterfaceChoice, Error> chosen_interfaces(
    const std::string& capture, const std::string& wanted,
    const std::vector<pcap::InterfaceLedger>& interfaces) {
    const std::size_t comma = wanted.find(',');
    if (comma == std::string::npos) {
        return mistake(
            fmt::format("--interfaces: {} is not allowed; allowed: OUTSIDE,INSIDE, each "
                        "a name or number of: {}",
                        printable(wanted), printable(names_of(interfaces))));
    }
    InterfaceChoice choice{};
    const std::string_view all = wanted;
    for (const auto& [side, name] : {std::pair(Side::outside, all.substr(0, comma)),
                                     std::pair(Side::inside, all.substr(comma + 1))}) {
        const auto found = find_interface(interfaces, name);
        if (!found) {
            return mistake(fmt::format("--interfaces: {} has no interface {}; it has: {}",
                                       printable(capture), printable(name),
                                       printable(names_of(interfaces))));
        }
        choice[index(side)] = *found;
    }
    if (choice[0] == choice[1]) {
        return mistake(
            fmt::format("--interfaces: {}: both taps are the same interface", printable(wanted)));
    }
    return choice;
}

[[nodiscard]] std::expected<InterfaceChoice, Error> usual_interfaces(
    const std::string& capture, const std::vector<pcap::InterfaceLedger>& interfaces) {
    const auto outside = find_interface(interfaces, "outside");
    const auto inside = find_interface(interfaces, "inside");
    if (outside && inside) {
        return InterfaceChoice{*outside, *inside};
    }
    if (interfaces.size() == 2) {
        return InterfaceChoice{0, 1};
    }
    if (interfaces.size() < 2) {
        return mistake(fmt::format(
            "{}: one interface only; a firewall needs the captures of two taps: --outside FILE "
            "--inside FILE, or one pcapng file with two interfaces",
            printable(capture)));
    }
    return mistake(fmt::format("{}: {} interfaces; --interfaces OUTSIDE,INSIDE says which: {}",
                               printable(capture), interfaces.size(),
                               printable(names_of(interfaces))));
}

}  // namespace

std::expected<TapFilePair, Error> tap_files(const std::string& outside, const std::string& inside) {
    for (const std::string& path : {outside, inside}) {
        if (auto readable = check_readable(path); !readable) {
            return std::unexpected(readable.error());
        }
    }
    if (same_file(outside, inside)) {
        return mistake(fmt::format(
            "--outside and --inside: both are {}; a firewall needs the captures of two taps",
            printable(outside)));
    }
    return TapFilePair{TapFile{.path = outside, .interface = {}, .interface_name = {}},
                       TapFile{.path = inside, .interface = {}, .interface_name = {}}};
}

std::expected<TapFilePair, Error> tap_files_of(const std::string& capture,
                                               const std::string& interfaces) {
    if (auto readable = check_readable(capture); !readable) {
        return std::unexpected(readable.error());
    }
    const auto known = interfaces_of(capture);
    if (!known) {
        return std::unexpected(known.error());
    }
    const auto choice = interfaces.empty() ? usual_interfaces(capture, *known)
                                           : chosen_interfaces(capture, interfaces, *known);
    if (!choice) {
        return std::unexpected(choice.error());
    }
    TapFilePair files;
    for (std::size_t side = 0; side < taps::kSides; ++side) {
        files[side] = {.path = capture,
                       .interface = (*choice)[side],
                       .interface_name = (*known)[(*choice)[side]].name};
    }
    return files;
}

std::expected<std::unique_ptr<TapReader>, Error> TapReader::open(
    const TapFilePair& files, const ClockCorrection& correction) {
    std::unique_ptr<TapReader> reader(new TapReader(correction));
    for (std::size_t side = 0; side < taps::kSides; ++side) {
        Lane& lane = reader->lanes_[side];
        lane.interface = files[side].interface;
        auto source = pcap::FileSource::open(files[side].path,
                                             {.tap = static_cast<std::uint8_t>(side),
                                              .tap_by_interface = lane.interface.has_value()});
        if (!source) {
            return std::unexpected(source.error());
        }
        lane.source = std::move(*source);
    }
    return reader;
}

bool TapReader::refill(Lane& lane) {
    while (!lane.ended && lane.at == lane.burst.size()) {
        lane.burst = lane.source->next();
        lane.at = 0;
        lane.ended = lane.burst.empty();
        skip_others(lane);
    }
    return !lane.ended;
}

void TapReader::skip_others(Lane& lane) const {
    while (lane.interface && lane.at < lane.burst.size() &&
           lane.burst[lane.at].tap != *lane.interface) {
        ++lane.at;
    }
}

Nanos TapReader::time_of(const Lane& lane) const {
    const Nanos time = lane.burst[lane.at].time;
    return &lane == &lanes_[index(Side::inside)] ? time - correction_.of(time) : time;
}

std::span<const Frame> TapReader::next() {
    std::size_t count = 0;
    // Frames handed out point into the bursts of their files: those must not be refilled before.
    for (Lane& lane : lanes_) {
        (void)refill(lane);
    }
    while (count < kBurstMax) {
        const bool none_left = lanes_[0].ended && lanes_[1].ended;
        const bool must_refill = std::ranges::any_of(
            lanes_, [](const Lane& lane) { return !lane.ended && lane.at == lane.burst.size(); });
        if (none_left || must_refill) {
            break;
        }
        const bool take_inside =
            lanes_[0].ended || (!lanes_[1].ended && time_of(lanes_[1]) < time_of(lanes_[0]));
        Lane& lane = lanes_[take_inside ? 1 : 0];
        Frame& frame = frames_[count++];
        const Nanos time = time_of(lane);
        frame = lane.burst[lane.at++];
        frame.time = time;
        frame.tap = take_inside ? 1 : 0;
        lane.first = lane.frames++ == 0 ? time : lane.first;
        lane.last = time;
        skip_others(lane);
    }
    return std::span(frames_).first(count);
}

Nanos TapReader::reached() const {
    return std::min(lanes_[0].last, lanes_[1].last);
}

std::uint64_t TapReader::bytes_read() const {
    return lanes_[0].source->progress().bytes_read + lanes_[1].source->progress().bytes_read;
}

std::optional<std::uint64_t> TapReader::dropped(Side side) const {
    const Lane& of = lane(side);
    std::optional<std::uint64_t> sum;
    std::uint32_t section = 0;
    std::uint32_t number = 0;
    for (const pcap::InterfaceLedger& interface : of.source->ledger().interfaces) {
        number = interface.section == section ? number : 0;
        section = interface.section;
        const bool wanted = !of.interface || *of.interface == number;
        ++number;
        if (wanted && interface.dropped()) {
            sum = sum.value_or(0) + *interface.dropped();
        }
    }
    return sum;
}

}  // namespace tw::app
