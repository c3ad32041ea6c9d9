// SPDX-License-Identifier: BSD-3-Clause
// `scripts/truth firewall`: plays seeded TCP conversations through a firewall between two taps,
// lets the product say what the firewall did, and holds that against what it did.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>

#include "simulation/in_threads.hpp"
#include "simulation/two_taps/campaign.hpp"
#include "simulation/two_taps/nat_load.hpp"
#include "simulation/two_taps/transcript.hpp"
#include "simulation/two_taps/world.hpp"

namespace {

using namespace tw;
using namespace tw::sim;

struct Options {
    two_taps::CampaignOptions campaign{.threads =
                                           std::max(std::thread::hardware_concurrency(), 1U)};
    std::string profile;
    std::string deed;
    std::uint64_t seed = 0;
    bool verbose = false;
    std::string folder;
    two_taps::NatLoadOptions nat;
};

int play_one(const Options& options) {
    const two_taps::Plan plan =
        two_taps::draw_plan(options.seed, options.campaign.profile, options.campaign.deed);
    const two_taps::Record record = two_taps::run(plan);
    if (!options.folder.empty()) {
        std::filesystem::create_directories(options.folder);
        two_taps::save_captures(plan, record, options.folder);
    }
    if (options.verbose) {
        fmt::print("{}", two_taps::words_of(plan, record));
    }
    const two_taps::Findings findings = two_taps::monitor(plan, record);
    const two_taps::Ground ground(plan, record);
    if (options.verbose) {
        for (const two_taps::Claim& claim : findings.claims) {
            fmt::print("{}\n", two_taps::words_of(ground, claim));
        }
    }
    two_taps::Tally tally(options.campaign.show_max);
    tally.add(ground, findings, two_taps::score(ground, findings));
    fmt::print("{}", tally.text());
    return tally.goals_missed().empty() ? 0 : 1;
}

int play_all(const Options& options) {
    return sim::tell(two_taps::run_campaign(options.campaign));
}

int play_nat(Options& options) {
    options.nat.threads = options.campaign.threads;
    options.nat.seed = options.campaign.first_seed;
    const two_taps::NatTally tally = two_taps::run_nat_load(options.nat);
    fmt::print("{}{}", tally.text(), tally.goals_met() ? "the goal is met\n" : "goal missed\n");
    return tally.goals_met() ? 0 : 1;
}

template <typename T>
std::string names(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += (i == 0 ? "" : ", ") + std::string(name(static_cast<T>(i)));
    }
    return text;
}

int check_names(Options& options) {
    if (!options.profile.empty()) {
        options.campaign.profile = two_taps::profile_named(options.profile);
        if (!options.campaign.profile) {
            fmt::print(stderr, "--profile: {} is none of {}\n", options.profile,
                       names<two_taps::Profile>(two_taps::kProfiles));
            return 2;
        }
    }
    if (!options.deed.empty()) {
        options.campaign.deed = two_taps::deed_named(options.deed);
        if (!options.campaign.deed) {
            fmt::print(stderr, "--deed: {} is none of {}\n", options.deed,
                       names<two_taps::Deed>(two_taps::kDeeds));
            return 2;
        }
    }
    return 0;
}

int parse_and_play(int count, char** arguments) {
    Options options;
    CLI::App app(
        "What is said of a firewall between two taps, against what it did. Exit code: 0 goals "
        "met, 1 a goal missed, 2 wrong arguments.");
    app.add_option("--seeds", options.campaign.seeds, "how many simulations")
        ->capture_default_str();
    app.add_option("--first", options.campaign.first_seed, "first seed")->capture_default_str();
    app.add_option(
        "--profile", options.profile,
        "only this one instead of a mixture: " + names<two_taps::Profile>(two_taps::kProfiles));
    app.add_option("--deed", options.deed,
                   "in profiles with deeds of the firewall, only this one: " +
                       names<two_taps::Deed>(two_taps::kDeeds));
    app.add_option("--mistakes", options.campaign.show_max, "examples of each kind of mistake")
        ->capture_default_str();
    app.add_option("-j,--threads", options.campaign.threads)->check(CLI::Range(1, 256));
    auto* seed = app.add_option("--seed", options.seed, "one simulation");
    app.add_flag("-v,--verbose", options.verbose, "with --seed: packets, their fates, all facts")
        ->needs(seed);
    app.add_option("--keep", options.folder,
                   "with --seed: write DIR/outside.pcap and DIR/inside.pcap")
        ->needs(seed);
    auto* nat = app.add_option("--nat", options.nat.connections,
                               "instead: so many translated connections of a few packets each");
    app.add_flag("--nat-isn", options.nat.rewrites_isn, "their sequence numbers are rewritten too")
        ->needs(nat);
    try {
        app.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (const int code = check_names(options); code != 0) {
        return code;
    }
    if (nat->count() != 0) {
        return play_nat(options);
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
