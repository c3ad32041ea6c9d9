// SPDX-License-Identifier: BSD-3-Clause
// One run of `read`: what the analysis of the files finds goes into the outputs asked for, or into
// the summary. Per packet it does no work of its own but the flag lines.
#pragma once

#include <expected>
#include <memory>
#include <span>

#include "app/file_analysis.hpp"
#include "app/read_files.hpp"
#include "base/error.hpp"
#include "sinks/frame_lines.hpp"
#include "sinks/json_lines.hpp"
#include "sinks/summary.hpp"

namespace tw::app {

struct ReadOptions {
    AnalysisInput input;
    OutputPaths outputs;

    [[nodiscard]] bool summary() const {
        return outputs.frames.empty() && outputs.events.empty() && outputs.flows.empty();
    }
};

class ReadSession final : private AnalysisReader {
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
    [[nodiscard]] std::expected<void, Error> open_outputs();
    void take(std::span<const Frame> frames, std::span<const Observation> observations) override;
    void take(const event::Event& event) override;
    void take(const event::FlowRecord& record) override;
    // False once nobody is left to read what is found.
    [[nodiscard]] bool wants_more() const override;
    [[nodiscard]] ExitCode finish();

    ReadOptions options_;
    std::unique_ptr<FileAnalysis> analysis_;
    sinks::FrameLines frames_;
    sinks::EventLines events_;
    sinks::FlowLines flows_;
    sinks::Summary summary_;
};

}  // namespace tw::app
