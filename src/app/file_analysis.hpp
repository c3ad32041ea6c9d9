// SPDX-License-Identifier: BSD-3-Clause
// Capture files through the pipeline: opens them, filters, sizes the tables, moves bursts, drains
// what was found, and tells one reader of it all. What `read` and `explain` have in common; with
// the same input both see the same stream numbers, flags and episodes.
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
#include "core/verdict/settler.hpp"
#include "sinks/summary_text.hpp"

namespace tw::app {

// What is read, and how.
struct AnalysisInput {
    std::vector<std::string> files;  // "-" = standard input
    std::string filter;
    DecodeOptions decode;
    AnalysisOptions analysis;
    FlowTimeouts timeouts;
    std::uint32_t connections_max = 0;  // IPv4 and IPv6 each; 0 = from the files and the memory
    bool progress = true;
    bool observe_streams = false;  // fill in Observation::stream
};

// Who is told what is found.
class AnalysisReader {
  public:
    virtual ~AnalysisReader() = default;
    // Frames that match the filter, and what the pipeline says of each.
    virtual void take(std::span<const Frame> frames, std::span<const Observation> observations) = 0;
    // Episodes of a connection come before its record.
    virtual void take(const event::Event& event) = 0;
    virtual void take(const event::FlowRecord& record) = 0;
    // False once there is no use going on.
    [[nodiscard]] virtual bool wants_more() const = 0;
};

class FileAnalysis {
  public:
    // Everything that can be wrong before the first frame is read. `facts` by check_inputs().
    [[nodiscard]] static std::expected<std::unique_ptr<FileAnalysis>, Error> open(
        const AnalysisInput& input, const InputFacts& facts);

    // To the end of the files, or until a stop is requested. Once.
    [[nodiscard]] std::expected<void, Error> run(AnalysisReader& reader);

    [[nodiscard]] const sinks::CaptureRun& facts() const { return run_; }
    [[nodiscard]] const stats::Counters& counters() const { return counters_; }
    // What all connections have in common.
    [[nodiscard]] const verdict::Settler& settler() const { return *settler_; }
    // Files that end early, a stop, limits reached: on standard error.
    void say_warnings() const;

  private:
    FileAnalysis(const AnalysisInput& input, const InputFacts& facts);

    [[nodiscard]] std::expected<void, Error> compile_filter();
    [[nodiscard]] std::expected<void, Error> reserve_tables();
    [[nodiscard]] std::expected<std::unique_ptr<pcap::FileSource>, Error> open_source(
        const std::string& path);
    [[nodiscard]] std::expected<void, Error> read_file(const std::string& path,
                                                       AnalysisReader& reader);
    void process_burst(std::span<const Frame> frames, AnalysisReader& reader);
    void note_times(std::span<const Frame> frames);
    void drain(AnalysisReader& reader);
    void hand_out(AnalysisReader& reader);
    void close_connections(AnalysisReader& reader);
    void settle_rest(AnalysisReader& reader);
    void note_file(const pcap::FileSource& source);

    AnalysisInput input_;
    InputFacts inputs_;
    std::uint64_t bytes_done_ = 0;   // of the files before the current one
    std::uint64_t next_number_ = 1;  // of the first frame of the next file
    std::uint64_t bursts_ = 0;

    std::optional<pcap::Filter> filter_;
    std::array<Frame, kBurstMax> kept_;  // frames of a burst that match the filter

    stats::Counters counters_;
    std::unique_ptr<event::Outbox> outbox_;
    std::unique_ptr<verdict::Settler> settler_;
    std::unique_ptr<flow::PlainIndex> index_v4_;
    std::unique_ptr<flow::PlainIndex> index_v6_;
    std::unique_ptr<Pipeline> pipeline_;

    sinks::CaptureRun run_;
    StopSignal stop_;
    ProgressLine progress_;
};

}  // namespace tw::app
