// SPDX-License-Identifier: BSD-3-Clause
#include "config/load.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/nearest.hpp"
#include "config/document.hpp"
#include "config/groups.hpp"
#include "config/options.hpp"
#include "config/policy.hpp"
#include "config/validate.hpp"
#include "config/values.hpp"

namespace tw::config {

namespace {

constexpr std::size_t kWordsMax = 64;  // elements of one list

// Walks the tree beside the table. Mistakes are collected, so that one run shows them all.
class Reader {
  public:
    Reader(const std::string& name, Use use) : use_(use) { config_.places.name = name; }

    [[nodiscard]] Loaded read(const Node& root);

  private:
    // A map still to be read: `pattern` is its path in the table, `key` its path in this file.
    struct Section {
        const Node* node;
        std::string pattern;
        std::string key;
        Target target;
    };

    void read_section(const Section& section);
    void read_key(const Section& section, const Node& name, const Node& value);
    void read_option(const OptionInfo& info, const Node& node, const std::string& key,
                     const Target& target);
    void read_value(const OptionInfo& info, const Node& node, const std::string& key,
                    const Target& target);
    void read_pair(const OptionInfo& info, const Node& node, const std::string& key,
                   const Target& target);
    void name_taps();
    void open_section(const Node& node, std::string pattern, std::string key, Target target);
    void open_group(const Group& group, const Node& node, const std::string& key);
    void unknown_key(const Section& section, const Node& name);
    void fail(const Place& place, const std::string& key, const std::string& sentence);

    const Use use_;
    Config config_;
    std::vector<Section> sections_;
    std::vector<std::pair<Place, Error>> errors_;
};

[[nodiscard]] std::string joined(const std::string& section, std::string_view key) {
    return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

[[nodiscard]] const OptionInfo* find_option(std::string_view path) {
    const auto table = option_table();
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const OptionInfo& info) { return info.path == path; });
    return found == table.end() ? nullptr : &*found;
}

// Where a key is known that was written in the wrong section.
[[nodiscard]] const OptionInfo* option_ending_in(const std::string& key) {
    const auto table = option_table();
    const auto found = std::find_if(table.begin(), table.end(), [&](const OptionInfo& info) {
        return info.path.ends_with("." + key);
    });
    return found == table.end() ? nullptr : &*found;
}

[[nodiscard]] const Group* find_group(std::string_view key) {
    const auto groups = group_table();
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const Group& group) { return group.key() == key; });
    return found == groups.end() ? nullptr : &*found;
}

// True if rows begin with this path: it is a section.
[[nodiscard]] bool is_section(const std::string& prefix) {
    const auto table = option_table();
    return std::any_of(table.begin(), table.end(),
                       [&](const OptionInfo& info) { return info.path.starts_with(prefix); });
}

// The keys a section may hold, in the table's order.
[[nodiscard]] std::vector<std::string_view> keys_of(const std::string& pattern) {
    const std::string prefix = pattern.empty() ? "" : pattern + ".";
    std::vector<std::string_view> keys;
    for (const OptionInfo& info : option_table()) {
        if (info.path.starts_with(prefix)) {
            const std::string_view rest = info.path.substr(prefix.size());
            const std::string_view key = rest.substr(0, rest.find_first_of(".["));
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
                keys.push_back(key);
            }
        }
    }
    return keys;
}

[[nodiscard]] std::string_view what_is(const Node& node) {
    switch (node.kind) {
        case Node::Kind::null:
            return "nothing";
        case Node::Kind::scalar:
            return "a single value";
        case Node::Kind::sequence:
            return "a list";
        case Node::Kind::map:
            return "a group of keys";
    }
    return "";
}

[[nodiscard]] bool is_nothing(const Node& node) {
    return node.kind == Node::Kind::null || (node.text.empty() && node.items.empty());
}

// The same key, earlier in its map.
[[nodiscard]] const Node* written_before(const Node& map, std::size_t i) {
    const auto end = map.keys.begin() + static_cast<std::ptrdiff_t>(i);
    const auto same = std::find_if(map.keys.begin(), end, [&](const Node& earlier) {
        return earlier.text == map.keys[i].text;
    });
    return same == end ? nullptr : &*same;
}

Loaded Reader::read(const Node& root) {
    if (root.kind != Node::Kind::map) {
        fail(root.place, "",
             fmt::format("{} is not allowed here; allowed: keys, as in ports:", what_is(root)));
    } else {
        sections_.push_back({&root, "", "", {.config = &config_}});
    }
    while (!sections_.empty()) {
        const Section section = sections_.back();
        sections_.pop_back();
        read_section(section);
    }
    name_taps();
    // Rules across keys would only repeat what a wrong value already said.
    std::vector<Error> errors;
    if (errors_.empty()) {
        errors = validate(config_, use_);
    }
    std::stable_sort(errors_.begin(), errors_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
    });
    for (auto& [place, error] : errors_) {
        errors.push_back(std::move(error));
    }
    if (errors.empty()) {
        BuiltPolicy built = build_policy(config_);
        config_.policy = std::move(built.policy);
        config_.warnings = std::move(built.warnings);
        return std::move(config_);
    }
    if (errors.size() > kErrorsMax) {
        const std::size_t more = errors.size() - kErrorsMax;
        errors.resize(kErrorsMax);
        errors.push_back({fmt::format("{}: {} more mistakes", config_.places.name, more)});
    }
    return std::unexpected(std::move(errors));
}

// Names of ports, and of taps where none is given: a bridged pair is one tap.
void Reader::name_taps() {
    for (std::size_t i = 0; i < config_.ports.size(); ++i) {
        Port& port = config_.ports[i];
        port.name = port.name.empty() ? fmt::format("port{}", i) : port.name;
    }
    const auto find = [this](const std::string& name) {
        return std::find_if(config_.ports.begin(), config_.ports.end(),
                            [&](const Port& port) { return port.name == name; });
    };
    for (const Bridge& bridge : config_.bridges) {
        const auto left = find(bridge.left);
        const auto right = find(bridge.right);
        if (left == config_.ports.end() || right == config_.ports.end()) {
            continue;  // validate.cpp says so
        }
        const std::string tap = !left->tap.empty() ? left->tap
                                : !right->tap.empty()
                                    ? right->tap
                                    : fmt::format("{}-{}", left->name, right->name);
        left->tap = left->tap.empty() ? tap : left->tap;
        right->tap = right->tap.empty() ? tap : right->tap;
    }
    for (Port& port : config_.ports) {
        port.tap = port.tap.empty() ? port.name : port.tap;
    }
}

void Reader::read_section(const Section& section) {
    const Node& node = *section.node;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const Node& name = node.keys[i];
        if (const Node* same = written_before(node, i)) {
            fail(name.place, joined(section.key, shown(name.text)),
                 fmt::format("written twice; first in line {}", same->place.line));
            continue;
        }
        read_key(section, name, node.items[i]);
    }
}

void Reader::read_key(const Section& section, const Node& name, const Node& value) {
    const bool is_word = name.text.find_first_of(".[]*") == std::string::npos;
    const std::string pattern = joined(section.pattern, name.text);
    const std::string key = joined(section.key, shown(name.text));
    const OptionInfo* info = is_word ? find_option(pattern) : nullptr;
    if (is_word) {
        config_.places.keys[key] = name.place;
    }
    const Group* group = is_word ? find_group(pattern) : nullptr;
    if (info != nullptr) {
        read_option(*info, value, key, section.target);
    } else if (group != nullptr) {
        open_group(*group, value, key);
    } else if (is_word && is_section(pattern + ".")) {
        open_section(value, pattern, key, section.target);
    } else {
        unknown_key(section, name);
    }
}

void Reader::read_option(const OptionInfo& info, const Node& node, const std::string& key,
                         const Target& target) {
    if (!info.later.empty()) {
        if (!is_nothing(node)) {
            fail(node.place, key, std::string(info.later));
        }
        return;
    }
    const bool only_one = info.one_or_many && node.kind == Node::Kind::scalar;
    const bool list = is_list(info.kind) && !only_one;
    const bool right_kind =
        list ? node.kind == Node::Kind::sequence : node.kind == Node::Kind::scalar;
    if (!right_kind) {
        fail(node.place, key,
             fmt::format("{} is not allowed; allowed: {}", what_is(node), info.allowed));
        return;
    }
    config_.places.keys[key] = node.place;
    if (!list) {
        if (only_one) {
            info.clear(target);
        }
        read_value(info, node, key, target);
        return;
    }
    if (node.items.size() > kWordsMax) {
        fail(node.place, key,
             fmt::format("{} elements are not allowed; allowed: at most {}", node.items.size(),
                         kWordsMax));
        return;
    }
    info.clear(target);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const std::string element = fmt::format("{}[{}]", key, i);
        config_.places.keys[element] = node.items[i].place;
        if (info.kind == Kind::pair_list) {
            read_pair(info, node.items[i], element, target);
        } else {
            read_value(info, node.items[i], element, target);
        }
    }
}

void Reader::read_pair(const OptionInfo& info, const Node& node, const std::string& key,
                       const Target& target) {
    if (node.kind != Node::Kind::sequence || node.items.size() != 2) {
        fail(node.place, key,
             fmt::format("{} is not allowed; allowed: {}",
                         node.kind == Node::Kind::sequence
                             ? fmt::format("a list of {}", node.items.size())
                             : std::string(what_is(node)),
                         info.allowed));
        return;
    }
    for (const Node& name : node.items) {
        read_value(info, name, key, target);
    }
}

void Reader::read_value(const OptionInfo& info, const Node& node, const std::string& key,
                        const Target& target) {
    if (node.kind != Node::Kind::scalar) {
        fail(node.place, key,
             fmt::format("{} is not allowed; allowed: {}", what_is(node), info.allowed));
        return;
    }
    if (info.set(target, node.text)) {
        return;
    }
    const auto& later = info.later_values;
    if (std::find(later.begin(), later.end(), node.text) != later.end()) {
        fail(node.place, key,
             fmt::format("{} is {}; allowed: {}", node.text, kLater, info.allowed));
        return;
    }
    const std::string value = node.text.empty() ? "\"\"" : shown(node.text);
    const bool no_unit = info.kind == Kind::duration && parse_integer(node.text).has_value();
    fail(node.place, key,
         fmt::format("{} {}; allowed: {}", value,
                     no_unit ? "has no unit (ms, s, m, h, d)" : "is not allowed", info.allowed));
}

void Reader::open_section(const Node& node, std::string pattern, std::string key, Target target) {
    if (node.kind == Node::Kind::map) {
        sections_.push_back({&node, std::move(pattern), std::move(key), target});
    } else if (!is_nothing(node)) {
        fail(node.place, key,
             fmt::format("{} is not allowed; allowed: the keys {}", what_is(node),
                         fmt::join(keys_of(pattern), ", ")));
    }
}

void Reader::open_group(const Group& group, const Node& node, const std::string& key) {
    if (is_nothing(node)) {
        return;
    }
    const auto kind = group.is_list() ? Node::Kind::sequence : Node::Kind::map;
    if (node.kind != kind || node.items.size() > group.max) {
        const auto what = node.kind == kind ? "this number" : what_is(node);
        fail(node.place, key,
             group.is_list() || node.kind == kind
                 ? fmt::format("{} is not allowed; allowed: a list of at most {} {}", what,
                               group.max, group.noun)
                 : fmt::format("{} is not allowed; allowed: {}", what, group.noun));
        return;
    }
    group.resize(config_, node.items.size());
    const OptionInfo* info = find_option(group.pattern);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const std::string name = group.is_list() ? "" : node.keys[i].text;
        const Place place = group.is_list() ? node.items[i].place : node.keys[i].place;
        const std::string element =
            group.is_list() ? fmt::format("{}[{}]", key, i) : joined(key, shown(name));
        if (!group.is_list() && written_before(node, i) != nullptr) {
            fail(place, element, "written twice");
            continue;
        }
        config_.places.keys[element] = place;
        const Target target = group.element(config_, i, name);
        if (info != nullptr) {
            read_option(*info, node.items[i], element, target);
        } else {
            open_section(node.items[i], std::string(group.pattern), element, target);
        }
    }
}

void Reader::unknown_key(const Section& section, const Node& name) {
    const auto keys = keys_of(section.pattern);
    std::string advice;
    if (const auto near = nearest(name.text, keys)) {
        advice = fmt::format("did you mean {}?", *near);
    } else if (const OptionInfo* elsewhere = option_ending_in(name.text)) {
        advice = fmt::format("did you mean {}?", elsewhere->path);
    } else {
        advice = fmt::format("allowed: {}", fmt::join(keys, ", "));
    }
    fail(name.place, joined(section.key, shown(name.text)), "unknown key; " + advice);
}

void Reader::fail(const Place& place, const std::string& key, const std::string& sentence) {
    errors_.emplace_back(
        place, Error{fmt::format("{}:{}:{}: {}{}{}", config_.places.name, place.line, place.column,
                                 key, key.empty() ? "" : ": ", sentence)});
}

// At most one byte more than allowed, so that a pipe or a device cannot fill the memory.
[[nodiscard]] std::expected<std::string, std::error_code> read_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return std::unexpected(std::error_code(errno, std::generic_category()));
    }
    std::string text(kFileBytesMax + 1, '\0');
    std::size_t bytes = 0;
    ssize_t got = 1;
    while (got > 0 && bytes < text.size()) {
        got = ::read(file, text.data() + bytes, text.size() - bytes);
        bytes += got > 0 ? static_cast<std::size_t>(got) : 0;
        got = got < 0 && errno == EINTR ? 1 : got;
    }
    const std::error_code error(got < 0 ? errno : 0, std::generic_category());
    ::close(file);
    if (error) {
        return std::unexpected(error);
    }
    text.resize(bytes);
    return text;
}

[[nodiscard]] std::unexpected<std::vector<Error>> one_error(const std::string& text) {
    return std::unexpected(std::vector<Error>{Error{text}});
}

}  // namespace

Loaded load(const std::string& path, Use use) {
    const auto text = read_file(path);
    if (!text) {
        return one_error(fmt::format("{}: cannot be read: {}", path, text.error().message()));
    }
    return load_text(*text, path, use);
}

Loaded load_text(std::string_view text, const std::string& name, Use use) {
    if (text.size() > kFileBytesMax) {
        return one_error(fmt::format("{}: larger than {}", name, format_size(kFileBytesMax)));
    }
    const auto root = parse_document(text, name);
    if (!root) {
        return std::unexpected(std::vector<Error>{root.error()});
    }
    return Reader(name, use).read(*root);
}

}  // namespace tw::config
