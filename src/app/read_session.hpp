// SPDX-License-Identifier: BSD-3-Clause
// One run of `read`: capture files through the pipeline into the outputs. The loop moves bursts and
// nothing else; per packet it does no work of its own but the flag lines.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/progress.hpp"
#include "app/read_files.hpp"
#include "app/stop_signal.hpp"
#include "base/error.hpp"
#include "capture/pcap/file_source.hpp"
#include "capture/pcap/filter.hpp"
#include "core/event/outbox.hpp"
#include "core/flow/plain_index.hpp"
#include "core/pipeline.hpp"
#include "core/stats/counters.hpp"
#include "sinks/frame_lines.hpp"
#include "sinks/json_lines.hpp"
#include "sinks/summary.hpp"
#include "sinks/summary_text.hpp"

namespace tw::app {

struct ReadOptions {
    std::vector<std::string> files;  // "-" = standard input
    OutputPaths outputs;
    std::string filter;
    DecodeOptions decode;
    AnalysisOptions analysis;
    FlowTimeouts timeouts;
    std::uint32_t connections_max = 0;  // IPv4 and IPv6 each; 0 = from the files and the memory
    bool progress = true;

    [[nodiscard]] bool summary() const {
        return outputs.frames.empty() && outputs.events.empty() && outputs.flows.empty();
    }
};

class ReadSession {
  public:
    // Checks everything that can be wrong before the first frame is read; opens the outputs last,
    // so that a mistake never truncates a file.
    [[nodiscard]] static std::expected<std::unique_ptr<ReadSession>, Error> open(
        const ReadOptions& options);

    // Errors and warnings go to standard error.
    [[nodiscard]] ExitCode run();

  private:
    explicit ReadSession(const ReadOptions& options);

    [[nodiscard]] std::expected<void, Error> prepare();
    [[nodiscard]] std::expected<void, Error> compile_filter();
    [[nodiscard]] std::expected<void, Error> reserve_tables();
    [[nodiscard]] std::expected<void, Error> open_outputs();

    [[nodiscard]] std::expected<std::unique_ptr<pcap::FileSource>, Error> open_source(
        const std::string& path);
    [[nodiscard]] std::expected<void, Error> read_file(const std::string& path);
    void process_burst(std::span<const Frame> frames);
    void note_times(std::span<const Frame> frames);
    [[nodiscard]] std::span<const Frame> filtered(std::span<const Frame> frames);
    void drain();
    void close_connections();
    void note_file(const pcap::FileSource& source);
    // False once nobody is left to read what is found.
    [[nodiscard]] bool outputs_alive() const;
    [[nodiscard]] ExitCode finish();
    void say_warnings() const;

    ReadOptions options_;
    InputFacts inputs_;
    std::uint64_t bytes_done_ = 0;   // of the files before the current one
    std::uint64_t next_number_ = 1;  // of the first frame of the next file
    std::uint64_t bursts_ = 0;

    std::optional<pcap::Filter> filter_;
    std::array<Frame, kBurstMax> kept_;  // frames of a burst that match the filter

    stats::Counters counters_;
    std::unique_ptr<event::Outbox> outbox_;
    std::unique_ptr<flow::PlainIndex> index_v4_;
    std::unique_ptr<flow::PlainIndex> index_v6_;
    std::unique_ptr<Pipeline> pipeline_;

    sinks::FrameLines frames_;
    sinks::EventLines events_;
    sinks::FlowLines flows_;
    sinks::Summary summary_;
    sinks::CaptureRun run_;

    StopSignal stop_;
    ProgressLine progress_;
};

}  // namespace tw::app
