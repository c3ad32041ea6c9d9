// SPDX-License-Identifier: BSD-3-Clause
// `scripts/truth sim`: plays seeded TCP conversations past a tap, lets the product judge what the
// tap captured, and holds its verdicts against what really happened.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <string>
#include <thread>

#include "simulation/campaign.hpp"
#include "simulation/in_threads.hpp"
#include "simulation/monitor.hpp"
#include "simulation/transcript.hpp"
#include "simulation/world.hpp"

namespace {

using namespace tw;

struct Options {
    sim::CampaignOptions campaign{.first_seed = 1,
                                  .seeds = 1000,
                                  .threads = std::max(std::thread::hardware_concurrency(), 1U)};
    std::string profile;
    std::uint64_t seed = 0;
    bool one = false;
    bool verbose = false;
    std::string pcap;
};

int play_one(const Options& options) {
    const sim::Plan plan = sim::draw_plan(options.seed, options.campaign.profile);
    const sim::Record record = sim::run(plan);
    const sim::Findings findings = sim::monitor(plan, record);
    const sim::Ground ground(plan, record);
    const sim::Score score = sim::score(ground, findings);
    if (!options.pcap.empty()) {
        sim::save_capture(plan, record, options.pcap);
    }
    if (options.verbose) {
        fmt::print("{}", sim::transcript(ground, findings, score));
    }
    sim::Tally tally(options.campaign.show_max);
    tally.add(ground, findings, score);
    if (!options.verbose) {
        fmt::print("{}", tally.text());
    }
    return tally.goals_missed().empty() ? 0 : 1;
}

int play_all(const Options& options) {
    return sim::tell(sim::run_campaign(options.campaign));
}

int parse_and_play(int count, char** arguments) {
    Options options;
    CLI::App app(
        "Verdicts against the truth of simulated conversations. Exit code: 0 goals met, 1 "
        "a goal missed, 2 wrong arguments.");
    std::string profiles;
    for (std::size_t i = 0; i < sim::kProfiles; ++i) {
        profiles += (i == 0 ? "" : ", ") + std::string(name(static_cast<sim::Profile>(i)));
    }
    app.add_option("--seeds", options.campaign.seeds, "how many simulations")
        ->capture_default_str();
    app.add_option("--first", options.campaign.first_seed, "first seed")->capture_default_str();
    app.add_option("--profile", options.profile, "only this one instead of a mixture: " + profiles);
    app.add_option("--show", options.campaign.show_max, "examples of each kind of mistake")
        ->capture_default_str();
    app.add_option("-j,--threads", options.campaign.threads)->check(CLI::Range(1, 256));
    auto* seed = app.add_option("--seed", options.seed, "one simulation");
    app.add_flag("-v,--verbose", options.verbose, "with --seed: packets, fates, events, scores")
        ->needs(seed);
    app.add_option("--pcap", options.pcap, "with --seed: write what the tap captured")->needs(seed);
    try {
        app.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (!options.profile.empty()) {
        options.campaign.profile = sim::profile_named(options.profile);
        if (!options.campaign.profile) {
            fmt::print(stderr, "--profile: {} is none of {}\n", options.profile, profiles);
            return 2;
        }
    }
    return seed->count() != 0 ? play_one(options) : play_all(options);
}

}  // namespace

int main(int count, char** arguments) {
    try {
        return parse_and_play(count, arguments);
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 3;
    }
}
