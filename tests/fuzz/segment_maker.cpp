// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz/segment_maker.hpp"

#include <algorithm>

namespace tw::fuzz {
namespace {

// Bits of the first byte of a record.
constexpr std::uint8_t kRaw = 0x80;     // the frame's bytes are in the input
constexpr std::uint8_t kV6 = 0x40;      // of a segment
constexpr std::uint8_t kQuoted = 0x20;  // inside an ICMP error
constexpr std::uint8_t kCut = 0x10;     // captured only in part

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kFin = 0x01;

// Distances from the expected number that decide between rules of core/tcp/analysis.
constexpr std::array<std::uint32_t, 16> kSteps{0,
                                               0,
                                               0,
                                               0,
                                               1,
                                               0xFFFF'FFFFU,
                                               10,
                                               static_cast<std::uint32_t>(-10),
                                               100,
                                               static_cast<std::uint32_t>(-100),
                                               1460,
                                               static_cast<std::uint32_t>(-1460),
                                               70'000,
                                               0x7FFF'FFFFU,
                                               0x8000'0000U,
                                               0xC000'0000U};
constexpr std::array<std::uint16_t, 8> kPayloads{0, 0, 1, 2, 10, 100, 1460, 65'000};
constexpr std::array<std::uint16_t, 8> kWindows{0, 1, 100, 1460, 8192, 8192, 8193, 65'535};

void put16(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8 & 0xFF));
    bytes.push_back(static_cast<std::uint8_t>(value & 0xFF));
}

void put32(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
    put16(bytes, value >> 16);
    put16(bytes, value & 0xFFFF);
}

void put_address(std::vector<std::uint8_t>& bytes, bool v6, std::uint32_t host) {
    if (v6) {
        bytes.insert(bytes.end(), {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0});
    }
    put32(bytes, 0x0A00'0000U + host);
}

struct IpHeader {
    bool v6 = false;
    std::uint8_t protocol = 6;
    bool first_fragment = false;
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint32_t content_bytes = 0;
};

void put_ip(std::vector<std::uint8_t>& bytes, const IpHeader& header) {
    if (header.v6) {
        put32(bytes, 0x6000'0000U);
        put16(bytes, header.content_bytes);
        bytes.insert(bytes.end(), {header.protocol, 64});
    } else {
        bytes.insert(bytes.end(), {0x45, 0});
        put16(bytes, 20 + header.content_bytes);
        put16(bytes, 1);
        put16(bytes, header.first_fragment ? 0x2000 : 0x4000);
        bytes.insert(bytes.end(), {64, header.protocol, 0, 0});
    }
    put_address(bytes, header.v6, header.source);
    put_address(bytes, header.v6, header.destination);
}

// Options that the analysis reads (window scale, SACK), and some it must step over.
std::span<const std::uint8_t> options_of(std::uint8_t choice) {
    static constexpr std::array<std::uint8_t, 12> kSynOptions{2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 1, 1};
    static constexpr std::array<std::uint8_t, 12> kSack{1, 1, 5, 10, 0, 0, 0, 10, 0, 0, 0, 20};
    static constexpr std::array<std::uint8_t, 4> kBroken{3, 40, 2, 0};
    switch (choice & 7) {
        case 1:
            return kSynOptions;
        case 2:
            return kSack;
        case 3:
            return kBroken;
        default:
            return {};
    }
}

}  // namespace

MadeFrame SegmentMaker::next(ByteFeed& feed) {
    const std::uint8_t kind = feed.u8();
    return (kind & kRaw) != 0 ? raw(feed) : segment(feed, kind);
}

MadeFrame SegmentMaker::raw(ByteFeed& feed) {
    MadeFrame made;
    made.link = static_cast<LinkType>(feed.u8() % 7);
    const auto bytes = feed.bytes(feed.u16() % 2048);
    made.bytes.assign(bytes.begin(), bytes.end());
    made.wire_bytes = static_cast<std::uint32_t>(bytes.size()) + feed.u8();
    return made;
}

MadeFrame SegmentMaker::segment(ByteFeed& feed, std::uint8_t kind) {
    const std::uint8_t who = feed.u8();
    const std::uint8_t flags = feed.u8();
    const std::uint8_t steps = feed.u8();
    const std::uint8_t sizes = feed.u8();
    const std::uint32_t number = who >> 1 & (kConversations - 1);
    const std::uint32_t side = who & 1;
    Conversation& conversation = conversations_[number];
    const std::uint32_t payload = kPayloads[sizes & 7];
    const auto options = options_of(sizes >> 6);
    const std::uint32_t seq = conversation.next_seq[side] + kSteps[steps & 15];
    const std::uint32_t tcp_bytes = 20 + static_cast<std::uint32_t>(options.size());

    MadeFrame made;
    const bool v6 = (kind & kV6) != 0;
    const IpHeader header{.v6 = v6,
                          .first_fragment = who >> 6 == 3,
                          .source = side == 0 ? number : 100,
                          .destination = side == 0 ? 100 : number,
                          .content_bytes = tcp_bytes + payload};
    if ((kind & kQuoted) != 0) {
        put_ip(made.bytes, {.v6 = v6,
                            .protocol = static_cast<std::uint8_t>(v6 ? 58 : 1),
                            .source = 200,
                            .destination = header.source,
                            .content_bytes = 8 + (v6 ? 40U : 20U) + tcp_bytes});
        put16(made.bytes, v6 ? 0x0100 : 0x0301);
        put16(made.bytes, 0);
        put32(made.bytes, 0);
    }
    put_ip(made.bytes, header);
    put16(made.bytes, side == 0 ? 1024 + number : 80);
    put16(made.bytes, side == 0 ? 80 : 1024 + number);
    put32(made.bytes, seq);
    put32(made.bytes, conversation.next_seq[side ^ 1] + kSteps[steps >> 4]);
    made.bytes.push_back(static_cast<std::uint8_t>(tcp_bytes / 4 << 4));
    made.bytes.push_back(flags);
    put16(made.bytes, kWindows[sizes >> 3 & 7]);
    put32(made.bytes, 0);
    made.bytes.insert(made.bytes.end(), options.begin(), options.end());
    made.wire_bytes = static_cast<std::uint32_t>(made.bytes.size()) + payload;
    if ((kind & kCut) != 0) {
        made.bytes.resize(std::min<std::size_t>(made.bytes.size(), feed.u8()));
    }
    const std::uint32_t end = seq + payload + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
    conversation.next_seq[side] = end;
    return made;
}

}  // namespace tw::fuzz
