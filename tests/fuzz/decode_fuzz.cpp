// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as one frame of any link type under any decode options. The frame lies in a heap block
// of exactly its size, so that AddressSanitizer sees a read one byte past the captured ones.
//
// Input: link type (1), decap bits (2), key scope bits (1), bytes cut from the wire (2), the frame.
#include <algorithm>
#include <array>
#include <memory>

#include "base/check.hpp"
#include "core/decode/decode.hpp"
#include "fuzz/byte_feed.hpp"

namespace tw::fuzz {
namespace {

constexpr std::array kLinks{
    LinkType::ethernet, LinkType::raw_ip,   LinkType::linux_sll,   LinkType::linux_sll2,
    LinkType::bsd_null, LinkType::bsd_loop, LinkType::unsupported,
};

// What the rest of the program relies on for every frame.
void check(const Frame& frame, const decode::Decoded& decoded) {
    if (decoded.outcome != stats::Counter::decoded_segments) {
        return;
    }
    const decode::Segment& segment = decoded.segment;
    TW_CHECK(decoded.sender <= 1);
    TW_CHECK(segment.payload_known || segment.payload_bytes == 0);
    TW_CHECK(segment.options_bytes == 0 || segment.options != nullptr);
    TW_CHECK(segment.options_bytes <= 40);
    if (segment.options != nullptr) {
        TW_CHECK(segment.options >= frame.data);
        TW_CHECK(segment.options + segment.options_bytes <= frame.data + frame.captured_bytes);
    }
}

void decode_one(std::span<const std::uint8_t> input) {
    ByteFeed feed(input);
    Frame frame;
    frame.link = kLinks[feed.u8() % kLinks.size()];
    DecodeOptions options;
    options.decap = feed.u16() & kDecapAll;
    const std::uint8_t scope = feed.u8();
    options.key_scope[0] = {.vlan = (scope & 1) != 0, .tunnel = (scope & 2) != 0};
    const std::uint16_t cut = feed.u16();
    const auto bytes = feed.rest();
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    frame.data = exact.get();
    frame.captured_bytes = static_cast<std::uint32_t>(bytes.size());
    frame.wire_bytes = frame.captured_bytes + cut;
    stats::Counters counters;
    decode::Decoded decoded;
    decode::decode(frame, options, counters, decoded);
    check(frame, decoded);
}

}  // namespace
}  // namespace tw::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tw::fuzz::decode_one({data, size});
    return 0;
}
