// SPDX-License-Identifier: BSD-3-Clause
#include "generator/pcap_output.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "support/pcap_writer.hpp"

namespace tw::generator {
namespace {

constexpr Nanos kFirstTime = 1'700'000'000 * kSecond;
constexpr std::size_t kFlushBytes = std::size_t{1} << 20;

[[nodiscard]] bool flush(test::PcapWriter& writer, std::FILE* file) {
    auto& bytes = writer.bytes();
    const bool done = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    bytes.clear();
    return done;
}

}  // namespace

std::optional<Delivery> write_capture(const SourceOptions& options, Traffic& traffic) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(options.pcap.c_str(), "wb"), std::fclose);
    Delivery delivery;
    delivery.queues.resize(options.traffic.queues);
    test::PcapWriter writer;
    std::array<std::uint8_t, 2048> frame{};
    Nanos now = kFirstTime;
    bool written = file != nullptr;
    std::uint64_t packets = 0;
    while (written && !traffic.finished()) {
        const MadeFrame made = traffic.next(frame.data(), now);
        QueueTruth& queue = delivery.queues[made.queue];
        ++queue.packets;
        queue.bytes += made.bytes;
        writer.packet(now, {frame.data(), made.bytes});
        now += options.gap;
        if (++packets == options.packets) {
            traffic.finish();
        }
        if (writer.bytes().size() >= kFlushBytes) {
            written = flush(writer, file.get());
        }
    }
    if (!written || !flush(writer, file.get()) || std::fflush(file.get()) != 0) {
        fmt::print(stderr, "traffic_source: {}: {}\n", options.pcap, std::strerror(errno));
        return {};
    }
    delivery.duration = now - kFirstTime;
    delivery.taken_known = delivery.taken = true;
    return delivery;
}

}  // namespace tw::generator
