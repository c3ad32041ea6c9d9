// SPDX-License-Identifier: BSD-3-Clause
// One run of `explain`: the whole capture goes through the analysis, so that numbers and verdicts
// are those of `read`; the segments of one connection are kept and drawn.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "app/explain_candidates.hpp"
#include "app/explain_choice.hpp"
#include "app/file_analysis.hpp"
#include "base/error.hpp"
#include "sinks/ladder.hpp"
#include "sinks/ladder_log.hpp"

namespace tw::app {

struct ExplainOptions {
    AnalysisInput input;
    std::string flow;  // as typed, "" = none
    std::optional<std::uint64_t> stream;
    std::optional<std::uint64_t> episode;
    bool all = false;
    bool ascii = false;
    std::string command;  // what to type again, up to the choice of a connection
};

class ExplainSession final : private AnalysisReader {
  public:
    // Segments kept of the connection: 17 MB, and 134 MB with --all.
    static constexpr std::size_t kRows = 131'072;
    static constexpr std::size_t kRowsAll = 1'048'576;

    // Checks everything that can be wrong before the first frame is read.
    [[nodiscard]] static std::expected<std::unique_ptr<ExplainSession>, Error> open(
        const ExplainOptions& options);

    // Errors and warnings go to standard error.
    [[nodiscard]] ExitCode run();

  private:
    explicit ExplainSession(const ExplainOptions& options);

    void take(std::span<const Frame> frames, std::span<const Observation> observations) override;
    void take(const event::Event& event) override;
    void take(const event::FlowRecord& record) override;
    [[nodiscard]] bool wants_more() const override { return true; }

    // A connection seen for the first time: is it the one?
    void meet(std::uint32_t stream, const decode::Decoded& found);
    [[nodiscard]] std::expected<std::unique_ptr<FileAnalysis>, Error> new_analysis() const;
    [[nodiscard]] std::expected<void, Error> find_episode();
    [[nodiscard]] ExitCode finish();
    [[nodiscard]] ExitCode explain() const;
    [[nodiscard]] ExitCode offer_choice() const;
    // What `write` hands over goes to standard output.
    [[nodiscard]] static ExitCode print(const std::function<void(const sinks::LadderOut&)>& write);
    [[nodiscard]] std::string mistake() const;

    ExplainOptions options_;
    InputFacts facts_;
    std::optional<FlowChoice> flow_;
    std::unique_ptr<FileAnalysis> analysis_;

    std::optional<std::uint64_t> stream_;  // of the connection, once known
    std::uint64_t matches_ = 0;            // connections that fit
    std::uint64_t streams_ = 0;            // all of them
    stats::Counters scratch_;              // decoding once more counts nothing
    sinks::LadderLog log_;
    std::optional<std::uint8_t> first_side_;
    flow::Endpoint first_sender_;
    std::optional<event::FlowRecord> record_;
    ExplainCandidates candidates_;
};

}  // namespace tw::app
