// SPDX-License-Identifier: BSD-3-Clause
#include "app/tap_clock.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_map>

#include "core/decode/decode.hpp"
#include "core/stats/counters.hpp"
#include "core/tcp/options.hpp"

namespace tw::app {
namespace {

// Enough for a median to a microsecond, and a bound on memory: 64 MiB at most.
constexpr std::size_t kPacketsMax = 1'000'000;
constexpr std::size_t kSamplesMin = 4;
constexpr std::uint64_t kFramesPerLook = 8192;
// Less than this is not worth a correction: mirrors delay as much.
constexpr Nanos kOffsetMin = kMillisecond;
constexpr double kDriftMax = 1e-3;  // a second in 17 minutes; more is no clock

struct Seen {
    Nanos time = 0;
    bool from_lower = false;
    bool twice = false;  // a repeat or a copy: tells nothing
};

// What survives a firewall, address translation included. Sampled by itself, so that both captures
// keep the same packets.
[[nodiscard]] std::uint64_t mark_of(const decode::Segment& segment) {
    std::uint32_t tsval = 0;
    if (segment.options_bytes != 0) {
        tsval = tcp::read_options(segment, 0).tsval;
    }
    std::uint64_t mark = std::uint64_t{segment.seq} << 32 | segment.ack;
    for (const std::uint64_t part :
         {std::uint64_t{tsval} << 32 | segment.payload_bytes, std::uint64_t{segment.flags}}) {
        mark = (mark ^ part) * 0x9E3779B97F4A7C15U;
        mark ^= mark >> 29;
    }
    return mark;
}

// SYNs and their answers always, and every 16th segment with payload.
[[nodiscard]] bool is_sampled(const decode::Segment& segment, std::uint64_t mark) {
    return (segment.flags & decode::tcp_flag::kSyn) != 0 ||
           (segment.payload_bytes > 1 && mark >> 60 == 0);
}

struct Marks {
    std::unordered_map<std::uint64_t, Seen> outside;
    std::unordered_map<std::uint64_t, Seen> inside;
};

void note(std::unordered_map<std::uint64_t, Seen>& seen, std::uint64_t mark, Nanos time,
          bool from_lower) {
    if (const auto found = seen.find(mark); found != seen.end()) {
        found->second.twice = true;
    } else if (seen.size() < kPacketsMax) {
        seen.emplace(mark, Seen{.time = time, .from_lower = from_lower});
    }
}

[[nodiscard]] Nanos quantile(std::vector<Nanos>& values, double share) {
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

// Between what goes one way and what goes the other.
[[nodiscard]] Nanos middle(const std::vector<CommonPacket>& common) {
    std::vector<Nanos> differences[2];
    for (const CommonPacket& packet : common) {
        differences[packet.from_lower ? 1 : 0].push_back(packet.difference);
    }
    if (differences[0].empty() || differences[1].empty()) {
        std::vector<Nanos>& all = differences[0].empty() ? differences[1] : differences[0];
        return all.empty() ? 0 : quantile(all, 0.5);
    }
    return (quantile(differences[0], 0.5) + quantile(differences[1], 0.5)) / 2;
}

[[nodiscard]] double drift_of(const std::vector<CommonPacket>& common) {
    const std::size_t quarter = common.size() / 4;
    if (quarter < kSamplesMin) {
        return 0;
    }
    const std::vector<CommonPacket> early(common.begin(),
                                          common.begin() + static_cast<std::ptrdiff_t>(quarter));
    const std::vector<CommonPacket> late(common.end() - static_cast<std::ptrdiff_t>(quarter),
                                         common.end());
    const Nanos apart = late[quarter / 2].outside - early[quarter / 2].outside;
    const Nanos moved = middle(late) - middle(early);
    if (apart <= 0 || std::abs(moved) < kOffsetMin) {
        return 0;
    }
    const double drift = static_cast<double>(moved) / static_cast<double>(apart);
    return std::abs(drift) <= kDriftMax ? drift : 0;
}

}  // namespace

ClockEstimate estimate(std::vector<CommonPacket> common) {
    ClockEstimate result;
    result.samples = common.size();
    if (common.size() < kSamplesMin) {
        return result;
    }
    std::ranges::sort(common, {}, &CommonPacket::outside);
    result.correction.drift = drift_of(common);
    result.correction.at = common.front().outside + common.front().difference;
    std::vector<Nanos> differences;
    for (CommonPacket& packet : common) {
        const Nanos inside = packet.outside + packet.difference;
        packet.difference -= result.correction.of(inside);
        differences.push_back(packet.difference);
    }
    result.both_directions =
        std::ranges::any_of(common, &CommonPacket::from_lower) &&
        std::ranges::any_of(common, [](const CommonPacket& one) { return !one.from_lower; });
    const Nanos low = quantile(differences, 0.05);
    const Nanos high = quantile(differences, 0.95);
    result.jitter = (high - low) / 2;
    // With one clock what goes inward shows a positive difference, and outward a negative one.
    const Nanos offset = middle(common);
    const bool one_sign = low > 0 || high < 0;
    result.differs = result.correction.drift != 0 ||
                     (one_sign && result.both_directions && std::abs(offset) >= kOffsetMin);
    if (result.differs) {
        result.correction.offset = offset;
    } else {
        result.correction = {};
    }
    return result;
}

std::expected<ClockEstimate, Error> estimate_clocks(
    const TapFilePair& files, const std::function<bool(std::uint64_t)>& progress) {
    auto reader = TapReader::open(files);
    if (!reader) {
        return std::unexpected(reader.error());
    }
    Marks marks;
    stats::Counters counters;
    decode::Decoded decoded;
    std::uint64_t frames = 0;
    for (auto burst = (*reader)->next(); !burst.empty(); burst = (*reader)->next()) {
        for (const Frame& frame : burst) {
            decode::decode(frame, {}, counters, decoded);
            const decode::Segment& segment = decoded.segment;
            if (decoded.outcome != stats::Counter::decoded_segments || !segment.payload_known) {
                continue;
            }
            const std::uint64_t mark = mark_of(segment);
            if (is_sampled(segment, mark)) {
                note(frame.tap == 0 ? marks.outside : marks.inside, mark, frame.time,
                     decoded.sender == 0);
            }
        }
        frames += burst.size();
        if (frames % kFramesPerLook < burst.size() && !progress((*reader)->bytes_read())) {
            break;
        }
    }
    std::vector<CommonPacket> common;
    for (const auto& [mark, outside] : marks.outside) {
        const auto inside = marks.inside.find(mark);
        if (inside != marks.inside.end() && !outside.twice && !inside->second.twice) {
            common.push_back({.outside = outside.time,
                              .difference = inside->second.time - outside.time,
                              .from_lower = outside.from_lower});
        }
    }
    return estimate(std::move(common));
}

}  // namespace tw::app
