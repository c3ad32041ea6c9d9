// SPDX-License-Identifier: BSD-3-Clause
// A capture that comes through a pipe, and can be stopped while nothing comes. After a stop is
// requested, reading goes on for a moment: a capturing program that was stopped by the same Ctrl-C
// still hands over what it had buffered.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <string>

#include "app/stop_signal.hpp"
#include "base/error.hpp"
#include "capture/pcap/byte_supply.hpp"

namespace tw::app {

class StreamSupply final : public pcap::ByteSupply {
  public:
    // "-" is standard input. `cut_off` is set when a stop ended the stream before its own end; it
    // and `stop` must outlive the supply.
    [[nodiscard]] static std::expected<std::unique_ptr<StreamSupply>, Error> open(
        const std::string& path, const StopSignal& stop, bool& cut_off);

    // `owned`: the descriptor is closed with this object.
    StreamSupply(int descriptor, bool owned, const StopSignal& stop, bool& cut_off);
    ~StreamSupply() override;
    StreamSupply(const StreamSupply&) = delete;
    StreamSupply& operator=(const StreamSupply&) = delete;

    [[nodiscard]] std::expected<std::size_t, std::string> read(
        std::span<std::uint8_t> room) override;
    [[nodiscard]] std::uint64_t stored_bytes_read() const override { return bytes_read_; }
    [[nodiscard]] std::uint64_t stored_bytes_total() const override { return 0; }

  private:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] bool grace_is_over();

    int descriptor_;
    bool owned_;
    const StopSignal& stop_;
    bool& cut_off_;
    bool stop_seen_ = false;
    Clock::time_point deadline_;
    std::uint64_t bytes_read_ = 0;
};

}  // namespace tw::app
