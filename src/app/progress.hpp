// SPDX-License-Identifier: BSD-3-Clause
// The progress line of `read` on a terminal: share, bytes, frame rate, time left. Redrawn at most
// five times a second; update() is cheap enough to call every few bursts.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tw::app {

// One state of the line, without control characters. bytes_total 0 = unknown.
[[nodiscard]] std::string progress_text(std::uint64_t bytes_done, std::uint64_t bytes_total,
                                        std::uint64_t frames, double seconds);

class ProgressLine {
  public:
    // Draws on standard error, or nowhere if `visible` is false.
    explicit ProgressLine(bool visible);
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    [[nodiscard]] bool visible() const { return visible_; }
    void update(std::uint64_t bytes_done, std::uint64_t bytes_total, std::uint64_t frames);
    // Takes the line away, before anything else is printed.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;

    bool visible_;
    bool drawn_ = false;
    Clock::time_point start_;
    Clock::time_point next_;
};

}  // namespace tw::app
