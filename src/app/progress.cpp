// SPDX-License-Identifier: BSD-3-Clause
#include "app/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <string_view>

#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
// Back to the first column, and erase to the end of the line.
constexpr std::string_view kHome = "\r\033[K";

void write_terminal(std::string_view text) {
    // A terminal that takes nothing is no reason to stop.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string progress_text(std::uint64_t bytes_done, std::uint64_t bytes_total, std::uint64_t frames,
                          double seconds) {
    using sinks::format::bytes_text;
    std::string text;
    if (bytes_total != 0) {
        text =
            fmt::format("{:3.0f} %  {} of {}",
                        100.0 * static_cast<double>(bytes_done) / static_cast<double>(bytes_total),
                        bytes_text(bytes_done), bytes_text(bytes_total));
    } else {
        text = bytes_text(bytes_done);
    }
    text += fmt::format("  {} frames", sinks::format::count_text(frames));
    if (seconds > 0) {
        text += fmt::format("  {:.2f} Mpps", static_cast<double>(frames) / seconds / 1e6);
    }
    if (seconds > 0 && bytes_done != 0 && bytes_total > bytes_done) {
        const double left = seconds * static_cast<double>(bytes_total - bytes_done) /
                            static_cast<double>(bytes_done);
        text += fmt::format("  {:.0f} s left", left);
    }
    return text;
}

ProgressLine::ProgressLine(bool visible)
    : visible_(visible), start_(Clock::now()), next_(start_ + kRedraw) {}

void ProgressLine::update(std::uint64_t bytes_done, std::uint64_t bytes_total,
                          std::uint64_t frames) {
    if (!visible_) {
        return;
    }
    const Clock::time_point now = Clock::now();
    if (now < next_) {
        return;
    }
    next_ = now + kRedraw;
    drawn_ = true;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    write_terminal(
        std::string(kHome).append(progress_text(bytes_done, bytes_total, frames, seconds)));
}

void ProgressLine::clear() {
    if (drawn_) {
        write_terminal(kHome);
        drawn_ = false;
    }
}

}  // namespace tw::app
