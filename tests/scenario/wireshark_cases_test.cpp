// SPDX-License-Identifier: BSD-3-Clause
// Crafted captures with tshark 4.0.17's answer for every frame: stream, completeness, initial RTT
// and flags must be equal. The captures are not part of the project; without them this test is
// skipped, and tests/oracle compares the project's own captures with the installed tshark.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "capture/pcap/file_source.hpp"
#include "support/pipeline_run.hpp"

namespace tw {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(const std::string& line, char separator) {
    std::vector<std::string> parts{""};
    for (const char c : line) {
        if (c == separator) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

fs::path cases_folder() {
    const char* source = std::getenv("TAPWITNESS_SOURCE");
    return fs::path(source != nullptr ? source : ".") / "../shared/captures/wireshark-cases";
}

// Rows of a TSV with a header line, by column name.
std::vector<std::map<std::string, std::string>> read_tsv(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    const auto columns = split(line, '\t');
    std::vector<std::map<std::string, std::string>> rows;
    while (std::getline(file, line)) {
        const auto cells = split(line, '\t');
        auto& row = rows.emplace_back();
        for (std::size_t i = 0; i < columns.size() && i < cells.size(); ++i) {
            row[columns[i]] = cells[i];
        }
    }
    return rows;
}

std::set<std::string> flags_of(const Observation& observation) {
    std::set<std::string> names;
    for (const auto& flag : tcp::flag_table()) {
        if (observation.flags.has(flag.id)) {
            names.emplace(flag.name);
        }
    }
    return names;
}

std::set<std::string> flags_of(const std::string& cell) {
    std::set<std::string> names;
    std::string word;
    for (const char c : cell + ",") {
        if (c != ',' && c != ' ') {
            word += c;
        } else if (!word.empty()) {
            names.insert(std::exchange(word, ""));
        }
    }
    // tshark's fields for these carry retransmission with them; the table names them alone.
    if (names.contains("fast_retransmission") || names.contains("spurious_retransmission")) {
        names.insert("retransmission");
    }
    for (const char* other : {"tfo_syn", "tfo_ack", "tfo_ignored"}) {
        names.erase(other);
    }
    return names;
}

std::string seconds(Nanos time) {
    char text[40];
    const Nanos magnitude = time < 0 ? -time : time;
    std::snprintf(text, sizeof text, "%s%lld.%09lld", time < 0 ? "-" : "",
                  static_cast<long long>(magnitude / kSecond),
                  static_cast<long long>(magnitude % kSecond));
    return text;
}

std::vector<Observation> observe(const fs::path& file) {
    test::PipelineRun run;
    auto source = pcap::FileSource::open(file.string());
    if (!source) {
        ADD_FAILURE() << source.error().text;
        return {};
    }
    std::vector<Observation> all;
    for (auto frames = (*source)->next(); !frames.empty(); frames = (*source)->next()) {
        const auto seen = run.feed(frames);
        all.insert(all.end(), seen.begin(), seen.end());
    }
    return all;
}

TEST(WiresharkCases, stream_completeness_rtt_and_flags_equal_tshark_on_every_frame) {
    const fs::path folder = cases_folder();
    if (!fs::exists(folder / "expected.tsv")) {
        GTEST_SKIP() << folder << " is not here";
    }
    std::set<std::string> other_preferences;
    std::map<std::string, fs::path> files;
    for (auto& row : read_tsv(folder / "index.tsv")) {
        const std::string stem = fs::path(row["file"]).stem().string();
        files[stem] = folder / row["file"];
        if (!row["tshark_options"].empty()) {
            other_preferences.insert(stem);
        }
    }
    std::map<std::string, std::vector<std::map<std::string, std::string>>> expected;
    for (auto& row : read_tsv(folder / "expected.tsv")) {
        expected[row["case"]].push_back(row);
    }
    std::size_t compared = 0;
    for (auto& [name, rows] : expected) {
        if (other_preferences.contains(name)) {
            continue;
        }
        ASSERT_TRUE(files.contains(name)) << name;
        const auto seen = observe(files[name]);
        ASSERT_GE(seen.size(), rows.size()) << name;
        for (auto& row : rows) {  // long captures list only the frames that matter
            const std::size_t i = std::stoul(row["frame"]) - 1;
            ASSERT_LT(i, seen.size()) << name;
            const std::string where = name + " frame " + row["frame"] + ": " + row["packet"];
            EXPECT_EQ(seen[i].tcp, !row["stream"].empty()) << where;
            if (row["stream"].empty() || !seen[i].tcp) {
                continue;
            }
            ++compared;
            EXPECT_EQ(std::to_string(seen[i].stream), row["stream"]) << where;
            EXPECT_EQ(std::to_string(seen[i].completeness), row["compl"]) << where;
            EXPECT_EQ(flags_of(seen[i]), flags_of(row["flags"])) << where;
            if (!row["irtt"].empty()) {
                EXPECT_EQ(seconds(seen[i].initial_rtt), row["irtt"]) << where;
            }
        }
    }
    EXPECT_GT(compared, 1000U);
}

}  // namespace
}  // namespace tw
