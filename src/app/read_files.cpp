// SPDX-License-Identifier: BSD-3-Clause
#include "app/read_files.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <array>
#include <string_view>
#include <utility>

#include "capture/pcap/file_source.hpp"

namespace tw::app {
namespace {

[[nodiscard]] bool is_regular_path(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

[[nodiscard]] std::uint64_t stored_bytes(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void add(std::optional<std::uint64_t>& sum, std::uint64_t bytes) {
    if (sum) {
        *sum += bytes;
    }
}

}  // namespace

bool same_file(const std::string& a, const std::string& b) {
    struct stat first {};
    struct stat second {};
    return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
           S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool is_stream(const std::string& path) {
    struct stat status {};
    return path == "-" ||
           (::stat(path.c_str(), &status) == 0 &&
            (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) || S_ISSOCK(status.st_mode)));
}

std::expected<void, Error> check_outputs(std::span<const NamedOutput> list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        for (std::size_t j = i + 1; j < list.size(); ++j) {
            const auto& [first_option, first] = list[i];
            const auto& [second_option, second] = list[j];
            if (first.empty() || second.empty()) {
                continue;
            }
            if (first == "-" && second == "-") {
                return std::unexpected(
                    Error{fmt::format("{} and {}: only one output can be - (standard output)",
                                      first_option, second_option)});
            }
            if (same_file(std::string(first), std::string(second)) ||
                (first == second && is_regular_path(std::string(first)))) {
                return std::unexpected(Error{fmt::format("{} and {}: both write to {}",
                                                         first_option, second_option, first)});
            }
        }
    }
    return {};
}

std::expected<InputFacts, Error> check_inputs(const std::vector<std::string>& files,
                                              std::span<const NamedOutput> outputs) {
    InputFacts facts{.stored_bytes = 0, .capture_bytes = 0};
    bool stdin_used = false;
    for (const std::string& file : files) {
        if (file == "-" && std::exchange(stdin_used, true)) {
            return std::unexpected(Error{"FILE: - (standard input) can be given only once"});
        }
        if (is_stream(file)) {
            facts = {};
            continue;
        }
        auto source = pcap::FileSource::open(file);
        if (!source) {
            return std::unexpected(source.error());
        }
        for (const auto& [option, path] : outputs) {
            if (!path.empty() && path != "-" && same_file(file, std::string(path))) {
                return std::unexpected(
                    Error{fmt::format("{}: {} is a capture to be read", option, path)});
            }
        }
        add(facts.stored_bytes, stored_bytes(file));
        if ((*source)->format_name().find("gzip") != std::string::npos) {
            facts.capture_bytes.reset();
        }
        add(facts.capture_bytes, stored_bytes(file));
    }
    return facts;
}

}  // namespace tw::app
