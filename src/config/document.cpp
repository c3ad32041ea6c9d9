// SPDX-License-Identifier: BSD-3-Clause
#include "config/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <utility>

#include "config/values.hpp"

namespace tw::config {

namespace {

[[nodiscard]] Place place_of(const YAML::Mark& mark) {
    return {mark.line + 1, mark.column + 1};
}

// Stops yaml-cpp's parser from inside an event; caught in parse_document, nowhere else.
struct Refused {
    Place place;
    std::string sentence;
};

class TreeBuilder final : public YAML::EventHandler {
  public:
    explicit TreeBuilder(const DocumentLimits& limits) : limits_(limits) {}
    [[nodiscard]] Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_count_ > 1) {
            throw Refused{place_of(mark), "a second document is not allowed"};
        }
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(mark, "", anchor, Node::Kind::null);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        add(mark, tag, anchor, Node::Kind::scalar).text = value;
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open_.push_back(&add(mark, tag, anchor, Node::Kind::sequence));
    }
    void OnSequenceEnd() override { open_.pop_back(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open_.push_back(&add(mark, tag, anchor, Node::Kind::map));
    }
    void OnMapEnd() override { open_.pop_back(); }

  private:
    [[noreturn]] static void refuse_anchor(const YAML::Mark& mark) {
        throw Refused{place_of(mark), "anchors and aliases are not allowed; write the value out"};
    }

    // Where the next node of the innermost open collection goes. Pointers in open_ stay valid: a
    // parent's vector grows only after its last child was closed.
    [[nodiscard]] Node& next_node(Node::Kind kind, const Place& place) {
        if (open_.empty()) {
            return root_;
        }
        Node& parent = *open_.back();
        if (parent.kind != Node::Kind::map || parent.keys.size() > parent.items.size()) {
            return parent.items.emplace_back();
        }
        if (kind != Node::Kind::scalar) {
            throw Refused{place, "a key must be a word"};
        }
        return parent.keys.emplace_back();
    }

    Node& add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              Node::Kind kind) {
        const Place place = place_of(mark);
        if (anchor != YAML::NullAnchor) {
            refuse_anchor(mark);
        }
        // yaml-cpp's own marks: "?" plain, "!" quoted.
        if (!tag.empty() && tag != "?" && tag != "!") {
            throw Refused{place, "tags are not allowed"};
        }
        if (open_.size() >= limits_.depth_max) {
            throw Refused{place, fmt::format("nested deeper than {} levels", limits_.depth_max)};
        }
        if (++nodes_count_ > limits_.nodes_max) {
            throw Refused{place, fmt::format("more than {} values", limits_.nodes_max)};
        }
        Node& node = next_node(kind, place);
        node.kind = kind;
        node.place = place;
        return node;
    }

    const DocumentLimits& limits_;
    Node root_;
    std::vector<Node*> open_;  // collections around the next node, outermost first
    std::size_t nodes_count_ = 0;
    std::size_t documents_count_ = 0;
};

[[nodiscard]] std::unexpected<Error> error_at(const std::string& name, const Place& place,
                                              const std::string& sentence) {
    return std::unexpected(
        Error{fmt::format("{}:{}:{}: {}", name, place.line, place.column, sentence)});
}

}  // namespace

std::expected<Node, Error> parse_document(std::string_view text, const std::string& name,
                                          const DocumentLimits& limits) {
    std::istringstream stream{std::string(text)};
    TreeBuilder builder(limits);
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused& refused) {
        return error_at(name, refused.place, refused.sentence);
    } catch (const YAML::Exception& exception) {
        const Place place = exception.mark.is_null() ? Place{1, 1} : place_of(exception.mark);
        return error_at(name, place, "not YAML: " + shown(exception.msg));
    }
    Node root = builder.take();
    if (root.kind == Node::Kind::null) {
        root.kind = Node::Kind::map;
        root.place = {1, 1};
    }
    return root;
}

}  // namespace tw::config
