// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/monitor.hpp"

#include <algorithm>
#include <array>

#include "core/flow/plain_index.hpp"
#include "core/pipeline.hpp"
#include "core/verdict/settler.hpp"
#include "simulation/frame_bytes.hpp"
#include "support/pcap_writer.hpp"
#include "support/pipeline_run.hpp"

namespace tw::sim {
namespace {

constexpr std::uint32_t kFlowsMax = 64;
constexpr std::size_t kBurst = 8;

// With a ledger as in a live run, without as for a file.
verdict::SettlerOptions settler_options(bool live) {
    verdict::SettlerOptions options;
    options.events_max = 4096;
    options.streams_max = kFlowsMax;
    options.hold = !live;
    return options;
}

std::vector<std::uint8_t> bytes_of(const Plan& plan, const Record& record, const Capture& one) {
    const Packet& packet = record.transmissions[one.transmission].packet;
    return frame_bytes(packet, plan.connections[packet.connection], one.ttl_less);
}

class MonitorRun {
  public:
    MonitorRun(const Plan& plan, const Record& record)
        : plan_(plan),
          record_(record),
          with_ledger_(plan.has(Fault::monitor_loss)),
          v4_(sizeof(flow::KeyV4), kFlowsMax, Backing::lazy),
          v6_(sizeof(flow::KeyV6), kFlowsMax, Backing::lazy),
          outbox_({.events_max = 2048, .flow_records_max = 64, .await_capture = with_ledger_}),
          pipeline_(test::read_options(kFlowsMax), v4_, v6_, outbox_, counters_),
          settler_(settler_options(with_ledger_), counters_) {}

    Findings run() {
        for (std::size_t at = 0; at < record_.captures.size();) {
            at += feed(at);
            collect();
        }
        while (!pipeline_.close_some(8)) {
            collect();
        }
        tell_until(record_.end + 100 * kSecond);
        collect();
        settler_.finish();
        take_settled();
        return std::move(findings_);
    }

  private:
    std::size_t feed(std::size_t first) {
        const std::size_t count = std::min(kBurst, record_.captures.size() - first);
        std::array<std::vector<std::uint8_t>, kBurst> bytes;
        std::array<Frame, kBurst> frames;
        for (std::size_t i = 0; i < count; ++i) {
            const Capture& one = record_.captures[first + i];
            bytes[i] = bytes_of(plan_, record_, one);
            Frame& frame = frames[i];
            frame.data = bytes[i].data();
            frame.captured_bytes = frame.wire_bytes = static_cast<std::uint32_t>(bytes[i].size());
            frame.time = plan_.start + one.time;
            frame.number = first + i + 1;
        }
        // The word on an interval is spoken one reading later.
        tell_until(record_.captures[first].time - kLedgerInterval);
        (void)pipeline_.process(std::span(frames).first(count));
        pipeline_.tick(frames[count - 1].time);
        settler_.advance(frames[count - 1].time);
        return count;
    }

    void tell_until(Nanos time) {
        if (!with_ledger_) {
            return;
        }
        const auto& losses = record_.monitor_losses;
        for (; told_ + kLedgerInterval <= time; told_ += kLedgerInterval) {
            event::CaptureMark mark;
            mark.from = plan_.start + told_;
            mark.until = mark.from + kLedgerInterval;
            const auto lost = std::ranges::lower_bound(losses, told_);
            if (lost != losses.end() && *lost < told_ + kLedgerInterval) {
                mark.faults[0] = event::CaptureFault::loss;
            }
            outbox_.tell(mark, counters_);
            settler_.add(mark);
        }
    }

    void collect() {
        event::Event event;
        while (outbox_.pop(event)) {
            settler_.add(event);
        }
        event::FlowRecord flow;
        while (outbox_.pop(flow)) {
            settler_.add(flow);
        }
        take_settled();
    }

    void take_settled() {
        event::Event event;
        while (settler_.pop(event)) {
            findings_.events.push_back(event);
        }
        event::FlowRecord flow;
        while (settler_.pop(flow)) {
            findings_.flows.push_back(flow);
        }
    }

    const Plan& plan_;
    const Record& record_;
    bool with_ledger_;
    stats::Counters counters_;
    flow::PlainIndex v4_;
    flow::PlainIndex v6_;
    event::Outbox outbox_;
    Pipeline pipeline_;
    verdict::Settler settler_;
    Nanos told_ = 0;
    Findings findings_;
};

}  // namespace

Findings monitor(const Plan& plan, const Record& record) {
    return MonitorRun(plan, record).run();
}

void save_capture(const Plan& plan, const Record& record, const std::string& path) {
    test::PcapWriter writer;
    for (const Capture& one : record.captures) {
        writer.packet(plan.start + one.time, bytes_of(plan, record, one));
    }
    writer.save(path);
}

}  // namespace tw::sim
