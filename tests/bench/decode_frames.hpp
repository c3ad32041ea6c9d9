// SPDX-License-Identifier: BSD-3-Clause
// Frames of one encapsulation each, to measure decoding alone: they fit in the second-level cache,
// so that the cost is the decoder's and not the memory's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/frame.hpp"
#include "core/options.hpp"
#include "support/packet_builder.hpp"

namespace tw::bench {

class DecodeFrames {
  public:
    static constexpr std::uint32_t kFrames = 1024;

    // `build` makes the layers below TCP; ports and sequence numbers vary from frame to frame.
    DecodeFrames(std::string name, test::PacketBuilder (*build)());

    [[nodiscard]] const std::string& name() const { return name_; }
    // Decodes every frame `rounds` times; aborts if one is not a TCP segment.
    void run(std::uint32_t rounds) const;

  private:
    std::string name_;
    std::vector<test::Bytes> bytes_;
    std::vector<Frame> frames_;
    DecodeOptions options_;
};

[[nodiscard]] std::vector<DecodeFrames> decode_variants();

}  // namespace tw::bench
