// SPDX-License-Identifier: BSD-3-Clause
// An expression compiled by libpcap for one link type. Only for .cpp files of this folder: it shows
// libpcap's types.
#pragma once

#include <pcap/pcap.h>

#include <expected>
#include <memory>
#include <span>
#include <string>

#include "core/frame.hpp"

namespace tw::pcap {

class FilterProgram {
  public:
    // The error is libpcap's message.
    [[nodiscard]] static std::expected<FilterProgram, std::string> compile(
        const std::string& expression, int dlt);

    FilterProgram() = default;  // matches nothing

    [[nodiscard]] bool matches(const Frame& frame) const {
        return program_ != nullptr && bpf_filter(program_->bf_insns, frame.data, frame.wire_bytes,
                                                 frame.captured_bytes) != 0;
    }
    [[nodiscard]] std::span<const bpf_insn> instructions() const {
        return program_ == nullptr
                   ? std::span<const bpf_insn>()
                   : std::span<const bpf_insn>(program_->bf_insns, program_->bf_len);
    }

  private:
    struct Free {
        void operator()(bpf_program* program) const;
    };
    std::unique_ptr<bpf_program, Free> program_;
};

}  // namespace tw::pcap
