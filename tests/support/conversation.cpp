// SPDX-License-Identifier: BSD-3-Clause
#include "support/conversation.hpp"

#include <algorithm>

namespace tw::test {
namespace {

bool has(std::string_view flags, char letter) {
    return flags.find(letter) != flags.npos;
}

}  // namespace

Conversation::Conversation(const ConversationOptions& options)
    : options_(options), now_(options.start) {}

Conversation& Conversation::client(std::string_view flags, const SegmentFields& fields) {
    return say(0, flags, fields);
}

Conversation& Conversation::server(std::string_view flags, const SegmentFields& fields) {
    return say(1, flags, fields);
}

Conversation& Conversation::handshake() {
    const auto options = [](PacketBuilder& builder) {
        builder.option_mss(1460).option_sack_permitted().option_nop().option_nop().option_nop();
        builder.option_wscale(7);
    };
    const std::array<std::uint16_t, 2> scaled{static_cast<std::uint16_t>(options_.window[0] >> 7),
                                              static_cast<std::uint16_t>(options_.window[1] >> 7)};
    client("S", {.options = options});
    wait(11 * kMillisecond).server("SA", {.options = options});
    // From here on windows are scaled.
    options_.window = scaled;
    return wait(kMillisecond / 10).client("A");
}

Conversation& Conversation::wait(Nanos time) {
    now_ += time;
    waited_ = true;
    return *this;
}

Conversation& Conversation::lost(Party sender, std::uint32_t bytes) {
    next_[static_cast<std::size_t>(sender)] += bytes;
    return *this;
}

Conversation& Conversation::unseen(Party sender, std::uint32_t bytes) {
    const auto from = static_cast<std::size_t>(sender);
    next_[from] += bytes;
    received(from, next_[from] - bytes, next_[from]);
    return *this;
}

void Conversation::write(PcapWriter& writer) const {
    for (const TimedFrame& frame : frames_) {
        writer.packet(frame.time, frame.bytes);
    }
}

Conversation& Conversation::say(std::size_t from, std::string_view flags,
                                const SegmentFields& fields) {
    const std::size_t to = from ^ 1;
    if (!waited_) {
        now_ += options_.step;
    }
    waited_ = false;
    if (fields.window) {
        options_.window[from] = *fields.window;
    }
    const std::size_t payload = fields.text.empty() ? fields.bytes : fields.text.size();
    const std::uint32_t seq = fields.seq.value_or(next_[from]);
    const std::uint32_t ack = fields.ack.value_or(received_[to]);

    PacketBuilder builder;
    const auto& below = fields.below ? fields.below : options_.below;
    below ? below(builder) : static_cast<void>(builder.ethernet());
    if (options_.address[0].find(':') == std::string::npos) {
        builder.ipv4(options_.address[from], options_.address[to]);
    } else {
        builder.ipv6(options_.address[from], options_.address[to]);
    }
    builder.ttl(fields.ttl.value_or(options_.ttl[from]));
    if (fields.ip_id) {
        builder.ip_id(*fields.ip_id);
    }
    builder.tcp(options_.port[from], options_.port[to]).flags(flags);
    builder.seq(options_.isn[from] + seq).window(options_.window[from]);
    builder.ack(has(flags, 'A') ? options_.isn[to] + ack : 0);
    if (fields.options) {
        fields.options(builder);
    }
    fields.text.empty() ? builder.payload(payload) : builder.payload(fields.text);
    frames_.push_back({now_, builder.build()});

    const std::uint32_t phantom = has(flags, 'S') || has(flags, 'F') ? 1 : 0;
    const std::uint32_t end = seq + static_cast<std::uint32_t>(payload) + phantom;
    next_[from] = std::max(next_[from], end);
    received(from, seq, end);
    return *this;
}

void Conversation::received(std::size_t from, std::uint32_t begin, std::uint32_t end) {
    if (begin <= received_[from]) {
        received_[from] = std::max(received_[from], end);
    }
}

}  // namespace tw::test
