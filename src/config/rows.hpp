// SPDX-License-Identifier: BSD-3-Clause
// How a row of the option table is made: one function per kind of value, which ties the row to its
// member, its parser and its printer. Included only where rows are: options.cpp, firewall_rows.cpp.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/options.hpp"
#include "config/values.hpp"

namespace tw::config::rows {

template <typename>
struct OwnerOf;
template <typename Owner, typename Member>
struct OwnerOf<Member Owner::*> {
    using type = Owner;
};

template <typename Owner>
[[nodiscard]] Owner& owner(const Target& target) {
    if constexpr (std::is_same_v<Owner, Port>) {
        return *target.port;
    } else if constexpr (std::is_same_v<Owner, Tap>) {
        return *target.tap;
    } else if constexpr (std::is_same_v<Owner, Translation>) {
        return *target.translation;
    } else if constexpr (std::is_same_v<Owner, Named>) {
        return *target.named;
    } else if constexpr (std::is_same_v<Owner, RuleKeys>) {
        return *target.rule;
    } else {
        static_assert(std::is_same_v<Owner, Config>);
        return *target.config;
    }
}

// One step towards a member: into a struct, or to an element of an array.
template <auto Step, typename Value>
[[nodiscard]] constexpr auto& step(Value& value) {
    if constexpr (std::is_integral_v<decltype(Step)>) {
        return value[Step];
    } else {
        return value.*Step;
    }
}

template <auto First, auto... Rest, typename Value>
[[nodiscard]] constexpr auto& steps(Value& value) {
    if constexpr (sizeof...(Rest) == 0) {
        return step<First>(value);
    } else {
        return steps<Rest...>(step<First>(value));
    }
}

// The member a row stands for: at<&Config::flows, &Flows::max_per_worker>(target).
template <auto First, auto... Rest>
[[nodiscard]] auto& at(const Target& target) {
    return steps<First, Rest...>(owner<typename OwnerOf<decltype(First)>::type>(target));
}

// What every row says; its kind adds the rest.
struct Words {
    std::string_view path;
    std::string_view unit;
    std::string_view help;
};

[[nodiscard]] inline OptionInfo row(Kind kind, const Words& words, std::string allowed) {
    OptionInfo info;
    info.path = words.path;
    info.kind = kind;
    info.allowed = std::move(allowed);
    info.unit = words.unit;
    info.help = words.help;
    return info;
}

// A word that stands for a number outside the range.
template <typename Number>
struct Special {
    std::string_view word;
    Number value{};
};

template <typename Number>
struct Range {
    Number min;
    Number max;
    Special<Number> special{};
};

// Integers, durations and sizes differ in their spelling only.
template <auto... Member, typename Number, typename Parse, typename Format>
[[nodiscard]] OptionInfo number_row(Kind kind, const Words& words, const Range<Number>& range,
                                    Parse parse, Format format) {
    const Special<Number> special = range.special;
    OptionInfo info =
        row(kind, words,
            special.word.empty()
                ? fmt::format("{}..{}", format(range.min), format(range.max))
                : fmt::format("{} | {}..{}", special.word, format(range.min), format(range.max)));
    info.set = [range, parse](const Target& target, std::string_view text) {
        if (!range.special.word.empty() && text == range.special.word) {
            at<Member...>(target) = range.special.value;
            return true;
        }
        const auto value = parse(text);
        if (!value || std::cmp_less(*value, range.min) || std::cmp_greater(*value, range.max)) {
            return false;
        }
        at<Member...>(target) = static_cast<Number>(*value);
        return true;
    };
    info.render = [special, format](const Target& target) {
        const Number value = at<Member...>(target);
        return !special.word.empty() && value == special.value ? std::string(special.word)
                                                               : format(value);
    };
    return info;
}

template <auto... Member>
[[nodiscard]] OptionInfo integer(const Words& words, const Range<std::uint32_t>& range) {
    return number_row<Member...>(Kind::integer, words, range, parse_integer,
                                 [](std::uint32_t value) { return fmt::format("{}", value); });
}

template <auto... Member>
[[nodiscard]] OptionInfo duration(const Words& words, const Range<Nanos>& range) {
    return number_row<Member...>(Kind::duration, words, range, parse_duration, format_duration);
}

template <auto... Member>
[[nodiscard]] OptionInfo boolean(const Words& words) {
    OptionInfo info = row(Kind::boolean, words, "true | false");
    info.set = [](const Target& target, std::string_view text) {
        const auto value = parse_boolean(text);
        at<Member...>(target) = value.value_or(at<Member...>(target));
        return value.has_value();
    };
    info.render = [](const Target& target) {
        return std::string(at<Member...>(target) ? "true" : "false");
    };
    return info;
}

template <typename Value>
using Names = std::vector<std::pair<std::string_view, Value>>;

template <typename Value>
[[nodiscard]] std::string joined(const Names<Value>& names, std::string_view separator) {
    std::vector<std::string_view> words;
    for (const auto& [name, value] : names) {
        words.push_back(name);
    }
    return fmt::format("{}", fmt::join(words, separator));
}

template <auto... Member, typename Value>
[[nodiscard]] OptionInfo choice(const Words& words, const Names<Value>& names) {
    OptionInfo info = row(Kind::choice, words, joined(names, " | "));
    info.set = [names](const Target& target, std::string_view text) {
        for (const auto& [name, value] : names) {
            if (name == text) {
                at<Member...>(target) = value;
                return true;
            }
        }
        return false;
    };
    info.render = [names](const Target& target) {
        for (const auto& [name, value] : names) {
            if (value == at<Member...>(target)) {
                return std::string(name);
            }
        }
        return std::string();
    };
    return info;
}

// A choice with one value so far, which needs no member.
[[nodiscard]] inline OptionInfo fixed(const Words& words, std::string_view only,
                                      std::vector<std::string_view> later_values) {
    OptionInfo info = row(Kind::choice, words, std::string(only));
    info.later_values = std::move(later_values);
    info.set = [only](const Target&, std::string_view text) { return text == only; };
    info.render = [only](const Target&) { return std::string(only); };
    return info;
}

template <typename Value>
[[nodiscard]] constexpr auto bits_of(Value value) {
    if constexpr (std::is_enum_v<Value>) {
        return std::to_underlying(value);
    } else {
        return value;
    }
}

// Bits of one member, each with its name.
template <auto... Member, typename Value>
[[nodiscard]] OptionInfo choice_list(const Words& words, const Names<Value>& names) {
    OptionInfo info = row(Kind::choice_list, words, "a list of " + joined(names, ", "));
    info.clear = [](const Target& target) { at<Member...>(target) = 0; };
    info.set = [names](const Target& target, std::string_view text) {
        for (const auto& [name, value] : names) {
            if (name == text) {
                auto& bits = at<Member...>(target);
                bits = static_cast<std::remove_reference_t<decltype(bits)>>(bits | bits_of(value));
                return true;
            }
        }
        return false;
    };
    info.render = [names](const Target& target) {
        std::vector<std::string_view> chosen;
        for (const auto& [name, value] : names) {
            if ((at<Member...>(target) & bits_of(value)) != 0) {
                chosen.push_back(name);
            }
        }
        return fmt::format("[{}]", fmt::join(chosen, ", "));
    };
    return info;
}

inline constexpr std::size_t kTextBytesMax = 4096;

[[nodiscard]] inline bool is_text(std::string_view text) {
    return text.size() <= kTextBytesMax && text.find('\0') == std::string_view::npos;
}

template <auto... Member>
[[nodiscard]] OptionInfo text(const Words& words, std::string_view allowed) {
    OptionInfo info = row(Kind::text, words, std::string(allowed));
    info.set = [](const Target& target, std::string_view value) {
        at<Member...>(target) = value;
        return is_text(value);
    };
    info.render = [](const Target& target) { return format_text(at<Member...>(target)); };
    return info;
}

template <auto... Member>
[[nodiscard]] OptionInfo text_list(const Words& words, std::string_view allowed) {
    OptionInfo info = row(Kind::text_list, words, std::string(allowed));
    info.clear = [](const Target& target) { at<Member...>(target).clear(); };
    info.set = [](const Target& target, std::string_view value) {
        at<Member...>(target).emplace_back(value);
        return is_text(value);
    };
    info.render = [](const Target& target) {
        std::vector<std::string> items;
        for (const std::string& item : at<Member...>(target)) {
            items.push_back(format_text(item));
        }
        return fmt::format("[{}]", fmt::join(items, ", "));
    };
    return info;
}

// One pair after the other, each as two values.
template <auto Member>
[[nodiscard]] OptionInfo pair_list(const Words& words, std::string_view allowed) {
    OptionInfo info = row(Kind::pair_list, words, std::string(allowed));
    info.clear = [](const Target& target) { at<Member>(target).clear(); };
    info.set = [](const Target& target, std::string_view value) {
        auto& pairs = at<Member>(target);
        if (pairs.empty() || !pairs.back().right.empty()) {
            pairs.push_back({std::string(value), {}});
        } else {
            pairs.back().right = value;
        }
        return !value.empty() && is_text(value);
    };
    info.render = [](const Target& target) {
        std::vector<std::string> items;
        for (const auto& pair : at<Member>(target)) {
            items.push_back(
                fmt::format("[{}, {}]", format_text(pair.left), format_text(pair.right)));
        }
        return fmt::format("[{}]", fmt::join(items, ", "));
    };
    return info;
}

template <auto... Member>
[[nodiscard]] OptionInfo integer_list(const Words& words, std::uint32_t max) {
    OptionInfo info = row(Kind::integer_list, words, fmt::format("a list of 0..{}", max));
    info.clear = [](const Target& target) { at<Member...>(target).clear(); };
    info.set = [max](const Target& target, std::string_view value) {
        const auto number = parse_integer(value);
        if (!number || *number > max) {
            return false;
        }
        at<Member...>(target).push_back(static_cast<std::uint32_t>(*number));
        return true;
    };
    info.render = [](const Target& target) {
        return fmt::format("[{}]", fmt::join(at<Member...>(target), ", "));
    };
    return info;
}

// What a rule asks for at least or at most; "off" where it asks for nothing.
enum class Bound : std::uint8_t { least, most };

template <auto... Member, typename Parse, typename Format>
[[nodiscard]] OptionInfo limit_row(const Words& words, Bound bound, std::string_view example,
                                   Parse parse, Format format) {
    const std::string_view sign = bound == Bound::least ? ">=" : "<=";
    OptionInfo info =
        row(Kind::limit, words, fmt::format("off | \"{} {}\", {}", sign, example, words.unit));
    info.unit = {};
    info.set = [sign, parse](const Target& target, std::string_view text) {
        if (text == "off") {
            at<Member...>(target).reset();
            return true;
        }
        if (!text.starts_with(sign)) {
            return false;
        }
        text.remove_prefix(sign.size());
        text.remove_prefix(text.starts_with(' ') ? 1 : 0);
        const auto value = parse(text);
        if (value) {
            at<Member...>(target) = *value;
        }
        return value.has_value();
    };
    info.render = [sign, format](const Target& target) {
        const auto& value = at<Member...>(target);
        return value ? fmt::format("\"{} {}\"", sign, format(*value)) : std::string("off");
    };
    return info;
}

template <auto... Member>
[[nodiscard]] OptionInfo share_limit(Words words, Bound bound, std::string_view example) {
    words.unit = "0%..100%";
    return limit_row<Member...>(words, bound, example, parse_percent, format_percent);
}

template <auto... Member>
[[nodiscard]] OptionInfo duration_limit(Words words, Bound bound, std::string_view example) {
    words.unit = "a duration with its unit";
    return limit_row<Member...>(words, bound, example, parse_duration, format_duration);
}

// A key that `tapwitness firewall` alone reads.
[[nodiscard]] inline OptionInfo firewall(OptionInfo info) {
    info.firewall = true;
    return info;
}

// A list that may be written as its only element.
[[nodiscard]] inline OptionInfo one_or_many(OptionInfo info) {
    info.one_or_many = true;
    return info;
}

// A key that changes without a restart.
[[nodiscard]] inline OptionInfo live(OptionInfo info) {
    info.live = true;
    return info;
}

// A key whose feature is still to come: known, described, refused when set.
[[nodiscard]] inline OptionInfo later(Kind kind, const Words& words) {
    OptionInfo info = row(kind, words, "");
    info.fallback = is_list(kind) ? "[]" : "\"\"";
    info.later = kLater;
    return info;
}

}  // namespace tw::config::rows
