// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/rewrites.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <array>

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using taps::Rewrite;
using taps::Way;

// What a change is called, and of what there were so many.
struct Words {
    std::string_view what;
    std::string_view noun;
};

Words words_of(Rewrite rewrite) {
    switch (rewrite) {
        case Rewrite::ttl:
            return {"TTL changes", "packet"};
        case Rewrite::dscp:
            return {"DSCP changes", "packet"};
        case Rewrite::ect_cleared:
            return {"ECN capability is cleared", "ECN-capable packet"};
        case Rewrite::ce_cleared:
            return {"congestion marks are cleared", "marked packet"};
        case Rewrite::ecn_other:
            return {"the ECN field changes", "packet"};
        case Rewrite::tcp_ecn_flags:
            return {"ECE or CWR changes", "packet"};
        case Rewrite::mss:
            return {"MSS changes", "SYN"};
        case Rewrite::window:
            return {"the window changes", "packet"};
        case Rewrite::window_scale_removed:
            return {"window scaling is taken off or changed", "SYN with it"};
        case Rewrite::sack_permitted_removed:
            return {"SACK is taken off", "SYN with it"};
        case Rewrite::timestamps_removed:
            return {"timestamps are taken off", "packet with them"};
        case Rewrite::timestamps_changed:
            return {"timestamps change", "packet with them"};
        case Rewrite::fast_open_removed:
            return {"TCP Fast Open is taken off", "packet with it"};
        case Rewrite::mptcp_removed:
            return {"Multipath TCP is taken off", "packet with it"};
        case Rewrite::sack_removed:
            return {"SACK blocks are taken off", "packet with them"};
        case Rewrite::sack_translated:
            return {"SACK blocks are translated with the numbers", "packet with them"};
        case Rewrite::sack_untranslated:
            return {"SACK blocks are not translated though the numbers are", "packet with them"};
        case Rewrite::other_option_removed:
            return {"another option is taken off", "packet with it"};
        case Rewrite::option_added:
            return {"an option is added", "packet"};
        case Rewrite::options_reordered:
            return {"options change their order", "packet with options"};
        case Rewrite::isn:
            return {"the initial sequence number changes", "SYN"};
        case Rewrite::ack_number:
            return {"the acknowledgment number changes", "packet"};
        case Rewrite::ip_id:
            return {"the IP identification changes", "IPv4 packet"};
        case Rewrite::dont_fragment:
            return {"the don't-fragment bit changes", "IPv4 packet"};
        case Rewrite::address:
            return {"addresses change", "packet"};
        case Rewrite::port:
            return {"ports change", "packet"};
        case Rewrite::urgent_or_reserved:
            return {"TCP flags change", "packet"};
        case Rewrite::payload:
            return {"the payload changes", "packet with payload"};
        case Rewrite::payload_length:
            return {"the payload's length changes", "packet with payload"};
    }
    return {"", "packet"};
}

// "packets with it", "SYNs with it": the s belongs to the first word.
std::string many(std::uint64_t count, std::string_view noun) {
    const std::size_t word = std::min(noun.find(" with"), noun.size());
    return count_of(count, noun.substr(0, word)) + std::string(noun.substr(word));
}

std::string_view ecn_name(std::uint32_t bits) {
    constexpr std::array<std::string_view, 4> kNames{"not-ECT", "ECT(1)", "ECT(0)", "CE"};
    return kNames[bits & 3U];
}

std::string scale_text(std::uint32_t scale) {
    return scale == 0xFF ? "none" : std::to_string(scale);
}

bool is_expected(const Study& study, Rewrite rewrite, const taps::RewriteCount& count) {
    const Policy& policy = study.all().policy;
    if ((policy.expect_rewrites & taps::bit(rewrite)) != 0) {
        return true;
    }
    if (rewrite == Rewrite::ttl) {
        return policy.mode == Mode::routed && count.before == count.after + 1;
    }
    if (rewrite == Rewrite::address || rewrite == Rewrite::port) {
        return !policy.nat.empty();
    }
    return rewrite == Rewrite::sack_translated;
}

}  // namespace

std::string change_text(Rewrite rewrite, const taps::RewriteCount& count) {
    switch (rewrite) {
        case Rewrite::ttl:
        case Rewrite::dscp:
        case Rewrite::mss:
        case Rewrite::window:
        case Rewrite::dont_fragment:
        case Rewrite::payload_length:
            return fmt::format("{} -> {}", count.before, count.after);
        case Rewrite::ect_cleared:
        case Rewrite::ce_cleared:
        case Rewrite::ecn_other:
            return fmt::format("{} -> {}", ecn_name(count.before), ecn_name(count.after));
        case Rewrite::window_scale_removed:
            return fmt::format("{} -> {}", scale_text(count.before), scale_text(count.after));
        case Rewrite::tcp_ecn_flags:
        case Rewrite::sack_permitted_removed:
        case Rewrite::timestamps_removed:
        case Rewrite::timestamps_changed:
        case Rewrite::fast_open_removed:
        case Rewrite::mptcp_removed:
        case Rewrite::sack_removed:
        case Rewrite::sack_translated:
        case Rewrite::sack_untranslated:
        case Rewrite::other_option_removed:
        case Rewrite::option_added:
        case Rewrite::options_reordered:
        case Rewrite::isn:
        case Rewrite::ack_number:
        case Rewrite::ip_id:
        case Rewrite::address:
        case Rewrite::port:
        case Rewrite::urgent_or_reserved:
        case Rewrite::payload:
            return {};
    }
    return {};
}

void list_rewrites(const Study& study, Lessons& lessons) {
    for (const Way way : {Way::inward, Way::outward}) {
        for (std::size_t i = 0; i < taps::kRewrites; ++i) {
            const auto rewrite = static_cast<Rewrite>(i);
            const taps::RewriteCount count = study.all().passage.way(way).rewrite(rewrite);
            if (count.changed == 0) {
                continue;
            }
            const Words words = words_of(rewrite);
            const std::string values = change_text(rewrite, count);
            const bool all_same = count.same_values == count.changed;
            RewriteRow row;
            row.way = way;
            row.rewrite = rewrite;
            row.count = count;
            row.expected = is_expected(study, rewrite, count);
            row.sentence = fmt::format(
                "{}{} in {} of {}, {}", words.what,
                values.empty() ? "" : fmt::format(" ({}{})", all_same ? "" : "mostly ", values),
                count_text(count.changed), many(count.of, words.noun), taps::name(way));
            lessons.rewrites.push_back(std::move(row));
        }
    }
}

}  // namespace tw::firewall
