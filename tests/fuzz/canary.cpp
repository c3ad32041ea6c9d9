// SPDX-License-Identifier: BSD-3-Clause
// Two planted mistakes that scripts/fuzz must find, or the fuzzing itself is broken. CANARY=memory:
// a read one byte past an exact-size frame once the frame holds a TCP segment, which takes
// instrumented code, a mutator that gets through the decoder, and AddressSanitizer.
// CANARY=arithmetic: a shift beyond the width of its operand behind a two-byte word, which takes
// UndefinedBehaviorSanitizer.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/decode/decode.hpp"
#include "fuzz/byte_feed.hpp"

namespace {

void read_past_the_end(std::span<const std::uint8_t> bytes) {
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    tw::Frame frame;
    frame.link = tw::LinkType::raw_ip;
    frame.data = exact.get();
    frame.captured_bytes = frame.wire_bytes = static_cast<std::uint32_t>(bytes.size());
    tw::stats::Counters counters;
    tw::decode::Decoded decoded;
    tw::decode::decode(frame, tw::DecodeOptions{}, counters, decoded);
    if (decoded.outcome == tw::stats::Counter::decoded_segments) {
        const volatile std::uint8_t* const bait = exact.get();
        static_cast<void>(bait[bytes.size()]);
    }
}

void shift_too_far(std::span<const std::uint8_t> bytes) {
    if (bytes.size() >= 2 && bytes[0] == 'T' && bytes[1] == 'W') {
        const volatile int width = 32 + static_cast<int>(bytes.size());
        const volatile std::uint32_t shifted = 1U << width;
        static_cast<void>(shifted);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const char* const canary = std::getenv("CANARY");
    if (canary != nullptr && std::strcmp(canary, "memory") == 0) {
        read_past_the_end({data, size});
    } else if (canary != nullptr && std::strcmp(canary, "arithmetic") == 0) {
        shift_too_far({data, size});
    }
    return 0;
}
