// SPDX-License-Identifier: BSD-3-Clause
// One frame decoded on its own, with its counters. The bytes are copied into a heap buffer of
// exactly their size, so that a sanitizer sees a read past the captured end.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "core/decode/decode.hpp"
#include "support/packet_builder.hpp"

namespace tw::decode {

// Ends of the TCP connection in every sample.
inline constexpr std::string_view kClient4 = "10.0.0.1";
inline constexpr std::string_view kServer4 = "10.0.0.2";
inline constexpr std::string_view kClient6 = "2001:db8::1";
inline constexpr std::string_view kServer6 = "2001:db8::2";
inline constexpr std::uint16_t kClientPort = 40000;
inline constexpr std::uint16_t kServerPort = 443;

struct Decoding {
    Decoded out;
    stats::Counters counters;
    std::unique_ptr<std::uint8_t[]> buffer;  // segment.options points into it

    [[nodiscard]] std::uint64_t count(stats::Counter counter) const {
        return counters.get(counter);
    }
    [[nodiscard]] bool has_segment() const {
        return out.outcome == stats::Counter::decoded_segments;
    }
};

// wire_bytes 0: as long as the bytes.
[[nodiscard]] inline std::unique_ptr<Decoding> decode_bytes(const test::Bytes& bytes,
                                                            LinkType link = LinkType::ethernet,
                                                            std::uint32_t wire_bytes = 0,
                                                            const DecodeOptions& options = {},
                                                            std::uint8_t tap = 0) {
    auto decoding = std::make_unique<Decoding>();
    decoding->buffer = std::make_unique<std::uint8_t[]>(bytes.size());
    std::ranges::copy(bytes, decoding->buffer.get());
    Frame frame = test::frame_of(bytes, 0, 1, link, wire_bytes);
    frame.data = decoding->buffer.get();
    frame.tap = tap;
    decode(frame, options, decoding->counters, decoding->out);
    return decoding;
}

[[nodiscard]] inline std::unique_ptr<Decoding> decode_built(const test::PacketBuilder& builder,
                                                            LinkType link = LinkType::ethernet) {
    return decode_bytes(builder.build(), link);
}

// Frames of any outcome, as the "decode" rows of counters.def promise: their sum is the frames.
[[nodiscard]] inline std::uint64_t outcomes(const stats::Counters& counters) {
    std::uint64_t sum = 0;
    for (auto i = static_cast<std::size_t>(stats::Counter::decoded_segments);
         i <= static_cast<std::size_t>(stats::Counter::decode_filtered); ++i) {
        sum += counters.get(static_cast<stats::Counter>(i));
    }
    return sum;
}

[[nodiscard]] inline std::string_view name_of(stats::Counter counter) {
    return stats::counter_table()[static_cast<std::size_t>(counter)].name;
}

}  // namespace tw::decode

namespace tw::stats {
// GoogleTest prints a mismatch by name.
inline void PrintTo(Counter counter, std::ostream* out) {
    *out << counter_table()[static_cast<std::size_t>(counter)].name;
}
}  // namespace tw::stats
