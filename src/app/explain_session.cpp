// SPDX-License-Identifier: BSD-3-Clause
#include "app/explain_session.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/terminal.hpp"
#include "config/values.hpp"
#include "core/decode/decode.hpp"
#include "sinks/format/human.hpp"
#include "sinks/output_file.hpp"

namespace tw::app {
namespace {

// Looks for one episode, to learn its connection.
class EpisodeFinder final : public AnalysisReader {
  public:
    explicit EpisodeFinder(std::uint64_t id) : id_(id) {}

    void take(std::span<const Frame>, std::span<const Observation>) override {}
    void take(const event::Event& event) override {
        last_id_ = std::max(last_id_, event.id);
        if (event.id == id_) {
            stream_ = event.flow.stream;
        }
    }
    void take(const event::FlowRecord&) override {}
    [[nodiscard]] bool wants_more() const override { return !stream_; }

    [[nodiscard]] std::optional<std::uint32_t> stream() const { return stream_; }
    [[nodiscard]] std::uint64_t last_id() const { return last_id_; }

  private:
    std::uint64_t id_;
    std::uint64_t last_id_ = 0;
    std::optional<std::uint32_t> stream_;
};

}  // namespace

ExplainSession::ExplainSession(const ExplainOptions& options)
    : options_(options),
      stream_(options.stream),
      log_({.rows_max = options.all ? kRowsAll : kRows, .episode = options.episode.value_or(0)}) {
    options_.input.observe_streams = true;
}

std::expected<std::unique_ptr<ExplainSession>, Error> ExplainSession::open(
    const ExplainOptions& options) {
    std::unique_ptr<ExplainSession> session(new ExplainSession(options));
    if (!options.flow.empty()) {
        auto flow = parse_flow(options.flow);
        if (!flow) {
            return std::unexpected(flow.error());
        }
        session->flow_ = *flow;
    }
    const auto& files = options.input.files;
    const auto stream = std::find_if(files.begin(), files.end(), is_stream);
    if (options.episode && stream != files.end()) {
        return std::unexpected(Error{fmt::format(
            "--episode: {} can be read only once, and an episode is found by reading twice; "
            "allowed: files, or --flow or --stream",
            *stream == "-" ? "standard input" : *stream)});
    }
    auto facts = check_inputs(files, {});
    if (!facts) {
        return std::unexpected(facts.error());
    }
    session->facts_ = *facts;
    auto analysis = session->new_analysis();
    if (!analysis) {
        return std::unexpected(analysis.error());
    }
    session->analysis_ = std::move(*analysis);
    return session;
}

std::expected<std::unique_ptr<FileAnalysis>, Error> ExplainSession::new_analysis() const {
    return FileAnalysis::open(options_.input, facts_);
}

ExitCode ExplainSession::run() {
    auto done = options_.episode ? find_episode() : std::expected<void, Error>{};
    if (done) {
        done = analysis_->run(*this);
    }
    if (!done) {
        say(done.error().text);
        return done.error().code;
    }
    return finish();
}

// The first reading; the second one is made anew, and finds the same.
std::expected<void, Error> ExplainSession::find_episode() {
    EpisodeFinder finder(*options_.episode);
    if (auto done = analysis_->run(finder); !done) {
        return done;
    }
    if (!finder.stream()) {
        return std::unexpected(Error{
            finder.last_id() == 0
                ? fmt::format("--episode: {} is none of this capture, which has no episode",
                              *options_.episode)
                : fmt::format("--episode: {} is none of this capture; allowed: 1..{}, as in the id "
                              "of read --events with the same arguments",
                              *options_.episode, finder.last_id())});
    }
    stream_ = *finder.stream();
    analysis_.reset();  // one StopSignal at a time
    auto analysis = new_analysis();
    if (!analysis) {
        return std::unexpected(analysis.error());
    }
    analysis_ = std::move(*analysis);
    return {};
}

void ExplainSession::take(std::span<const Frame> frames,
                          std::span<const Observation> observations) {
    for (std::size_t i = 0; i < observations.size(); ++i) {
        const Observation& observation = observations[i];
        if (!observation.tcp) {
            continue;
        }
        const bool fresh = observation.stream >= streams_;
        if (!fresh && (matches_ != 1 || observation.stream != stream_)) {
            continue;
        }
        decode::Decoded found;
        decode::decode(frames[i], options_.input.decode, scratch_, found);
        if (fresh) {
            streams_ = std::uint64_t{observation.stream} + 1;
            meet(observation.stream, found);
        }
        if (matches_ == 1 && observation.stream == stream_) {
            if (!first_side_) {
                first_side_ = found.sender;
                first_sender_ = decode::endpoint_of(found, found.sender);
            }
            log_.add(frames[i], found, observation);
        }
    }
}

void ExplainSession::meet(std::uint32_t stream, const decode::Decoded& found) {
    if (options_.stream || options_.episode) {
        const bool wanted = stream == *stream_;
        matches_ += wanted ? 1 : 0;
        return;
    }
    if (!flow_ || flow_->matches(endpoint_of(found, 0), endpoint_of(found, 1))) {
        ++matches_;
        stream_ = stream;
    }
}

void ExplainSession::take(const event::Event& event) {
    if (matches_ == 1 && event.flow.stream == stream_) {
        log_.add(event);
    }
    if (!options_.stream && !options_.episode) {
        candidates_.add(event);
    }
}

void ExplainSession::take(const event::FlowRecord& record) {
    if (matches_ == 1 && record.flow.stream == stream_) {
        record_ = record;
    }
    if (options_.stream || options_.episode) {
        return;
    }
    const event::FlowName& flow = record.flow;
    int fit = 0;
    if (flow_) {
        fit = flow_->matches(flow.client, flow.server) ? ExplainCandidates::kFitsExactly
                                                       : flow_->agreement(flow.client, flow.server);
    }
    if (!flow_ || fit != 0) {
        candidates_.add(record, fit);
    }
}

ExitCode ExplainSession::finish() {
    analysis_->say_warnings();
    if (matches_ == 1 && record_) {
        if (flow_ && !flow_->matches(record_->flow.client, record_->flow.server)) {
            say(fmt::format("--stream: {} is {} -> {}, not {}", record_->flow.stream,
                            sinks::format::endpoint_text(record_->flow.client),
                            sinks::format::endpoint_text(record_->flow.server),
                            config::shown(options_.flow)));
            return ExitCode::operator_mistake;
        }
        return explain();
    }
    return offer_choice();
}

ExitCode ExplainSession::explain() const {
    const sinks::LadderSubject subject{
        .record = *record_,
        .client_side = first_sender_ == record_->flow.client
                           ? *first_side_
                           : static_cast<std::uint8_t>(*first_side_ ^ 1U),
        .files = options_.input.files,
        .streams_differ =
            !options_.input.filter.empty() || options_.input.decode.decap != kDecapAll,
        .interrupted = analysis_->facts().interrupted};
    const sinks::LadderView view{.all = options_.all,
                                 .episode = options_.episode.value_or(0),
                                 .initial_rtt = record_->initial_rtt};
    const sinks::LadderStyle style{.page = terminal_style(STDOUT_FILENO),
                                   .ascii = options_.ascii || !speaks_utf8()};
    return print(
        [&](const sinks::LadderOut& out) { sinks::write_ladder(log_, subject, view, style, out); });
}

// Exit 0 only if nothing was chosen: then the list is the answer.
ExitCode ExplainSession::offer_choice() const {
    const bool asked = flow_ || options_.stream || options_.episode;
    if (asked || streams_ == 0) {
        say(mistake());
    }
    if (!candidates_.empty()) {
        sinks::format::Page page(terminal_style(STDOUT_FILENO));
        page.line(!flow_          ? "The worst connections"
                  : matches_ == 0 ? "The nearest connections"
                                  : "The connections that fit, the worst first",
                  sinks::format::Tone::strong);
        candidates_.write(page, options_.command,
                          flow_ && matches_ != 0 ? ExplainCandidates::kFitsExactly : 0);
        const ExitCode code = print([&](const sinks::LadderOut& out) { (void)out(page.text()); });
        if (code != ExitCode::done) {
            return code;
        }
    }
    return asked ? ExitCode::operator_mistake : ExitCode::done;
}

std::string ExplainSession::mistake() const {
    if (streams_ == 0) {
        return "no TCP connection was found in what was read";
    }
    if (flow_ && !options_.stream) {
        const std::string typed = config::shown(options_.flow);
        if (matches_ != 0) {
            return fmt::format("--flow: {} names {} connections; choose with --stream N", typed,
                               sinks::format::count_text(matches_));
        }
        return fmt::format("--flow: {} is no connection of this capture; {}", typed,
                           candidates_.empty() ? "none has one of these addresses or ports"
                                               : "the nearest are listed, choose with --stream N");
    }
    if (matches_ == 1) {
        return "no record of the connection: a limit was reached, see above";
    }
    return fmt::format("--stream: {} is no connection of this capture; allowed: 0..{}",
                       stream_.value_or(0), streams_ - 1);
}

ExitCode ExplainSession::print(const std::function<void(const sinks::LadderOut&)>& write) {
    sinks::OutputFile out;
    if (auto opened = out.open("-"); !opened) {
        say(opened.error().text);
        return opened.error().code;
    }
    write([&out](std::string_view text) {
        out.append(text);
        return out.good();
    });
    out.flush();
    if (out.error()) {
        say(out.error()->text);
        return out.error()->code;
    }
    return ExitCode::done;
}

}  // namespace tw::app
