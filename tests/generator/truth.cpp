// SPDX-License-Identifier: BSD-3-Clause
#include "generator/truth.hpp"

#include <fmt/format.h>

namespace tw::generator {
namespace {

[[nodiscard]] std::string queues_text(const Delivery& delivery) {
    std::string text;
    for (const QueueTruth& queue : delivery.queues) {
        text += fmt::format("{}{{\"packets\":{},\"bytes\":{},\"refused\":{}}}",
                            text.empty() ? "" : ",", queue.packets, queue.bytes, queue.refused);
    }
    return text;
}

[[nodiscard]] std::string flags_text(const TrafficCounts& counts) {
    std::string text;
    for (const tcp::FlagInfo& flag : tcp::flag_table()) {
        text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", flag.name,
                            counts.flags[static_cast<std::size_t>(flag.id)]);
    }
    return text;
}

[[nodiscard]] std::string scripts_text(const TrafficCounts& counts) {
    std::string text;
    for (std::size_t i = 0; i < kScripts; ++i) {
        text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",",
                            script_of(static_cast<ScriptId>(i)).name, counts.scripts[i]);
    }
    return text;
}

}  // namespace

std::string truth_text(const SourceOptions& options, const TrafficCounts& counts,
                       const Delivery& delivery) {
    QueueTruth all;
    for (const QueueTruth& queue : delivery.queues) {
        all.packets += queue.packets;
        all.bytes += queue.bytes;
        all.refused += queue.refused;
    }
    const double seconds = static_cast<double>(delivery.duration) / 1e9;
    const double sending = static_cast<double>(delivery.duration - delivery.stalled) / 1e9;
    std::string text = fmt::format(
        "{{\"schema\":\"tapwitness/truth/1\",\"seed\":{},\"packets\":{},\"bytes\":{},"
        "\"refused\":{},\"queues\":[{}],\"seconds\":{:.6f},\"pps\":{:.0f},\"offered_pps\":{:.0f},"
        "\"rate\":{},\"stalls\":{},\"stalled_seconds\":{:.6f},",
        options.traffic.seed, all.packets, all.bytes, all.refused, queues_text(delivery), seconds,
        seconds > 0 ? static_cast<double>(all.packets) / seconds : 0,
        sending > 0
            ? static_cast<double>(all.packets + (options.drop_refused ? all.refused : 0)) / sending
            : 0,
        options.rate_pps, delivery.stalls, static_cast<double>(delivery.stalled) / 1e9);
    text += fmt::format("\"peer_gone\":{},\"peer_took_all\":{},", delivery.peer_gone,
                        delivery.taken_known ? (delivery.taken ? "true" : "false") : "null");
    text += fmt::format("\"scripts\":{{{}}},\"connections\":{},\"ipv6_connections\":{}",
                        scripts_text(counts), counts.connections, counts.v6_connections);
    // A dropped frame changes what its connection looks like.
    if (!options.drop_refused && !delivery.peer_gone) {
        text += fmt::format(",\"missing_bytes\":{},\"flags\":{{{}}}", counts.missing_bytes,
                            flags_text(counts));
    }
    return text + "}\n";
}

}  // namespace tw::generator
