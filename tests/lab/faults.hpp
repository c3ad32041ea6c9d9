// SPDX-License-Identifier: BSD-3-Clause
// What the lab's wire does to frames: which ones a fault concerns, how often it strikes, and what
// becomes of them. A fault is a line such as "before,data,drop=0.02"; --help of the wire teaches.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/random.hpp"

namespace tw::lab {

// Where on its way a frame is, in its own direction.
enum class Place : std::uint8_t { before, after, mirror };

// What a fault may ask about a frame. Frames without TCP match no fault.
struct Traits {
    bool tcp = false;
    bool to_server = false;
    std::uint16_t client_port = 0;
    std::uint8_t tcp_flags = 0;
    std::uint32_t payload_bytes = 0;
};

[[nodiscard]] Traits traits_of(std::span<const std::uint8_t> frame, std::uint16_t server_port);

enum class Action : std::uint8_t { deliver, drop, duplicate, delay };
[[nodiscard]] std::string_view name(Action action);

struct Fate {
    Action action = Action::deliver;
    std::int64_t later_ns = 0;  // delay: of the frame; duplicate: of the second copy
};

class Fault {
  public:
    // A sentence if it is not one.
    [[nodiscard]] static std::expected<Fault, std::string> parse(const std::string& text,
                                                                 std::uint64_t seed);
    // Draws for every frame it concerns: whether it strikes this one.
    [[nodiscard]] bool strikes(Place place, const Traits& frame);
    [[nodiscard]] Fate fate() const { return fate_; }

  private:
    enum Condition : std::uint32_t {
        data = 1,
        ack = 2,
        syn = 4,
        fin = 8,
        c2s = 16,
        s2c = 32,
        large = 64,
        small = 128,
        quarter = 256,
    };
    explicit Fault(std::uint64_t seed) : random_(seed) {}
    [[nodiscard]] bool concerns(const Traits& frame) const;
    [[nodiscard]] bool set(std::string_view word);

    test::Random random_;
    Place place_ = Place::before;
    std::uint32_t conditions_ = 0;
    std::uint32_t threshold_ = 0;   // strikes where a random word is below it; 2^32 - 1 = always
    std::uint32_t burst_ = 1;       // frames in a row that one draw takes
    std::uint32_t burst_left_ = 0;  // of the current burst
    std::uint32_t skip_ = 0;        // frames concerned that pass untouched at first
    Fate fate_;
};

// "before,data,drop=0.02" among commas; the first fault that strikes decides.
class Faults {
  public:
    [[nodiscard]] std::string add(const std::string& text, std::uint64_t seed);  // "" or a sentence
    [[nodiscard]] Fate decide(Place place, const Traits& frame);

  private:
    std::vector<Fault> faults_;
};

}  // namespace tw::lab
