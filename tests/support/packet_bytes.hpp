// SPDX-License-Identifier: BSD-3-Clause
// Network byte order for the packet builder. Not for tests, which state bytes.
#pragma once

#include "support/packet_builder.hpp"

namespace tw::test {

inline void put16(std::uint8_t* at, std::size_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}

inline void put32(std::uint8_t* at, std::size_t value) {
    put16(at, value >> 16);
    put16(at + 2, value);
}

inline void append16(Bytes& bytes, std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

inline void append32(Bytes& bytes, std::size_t value) {
    append16(bytes, value >> 16);
    append16(bytes, value);
}

template <typename Range>
void append(Bytes& bytes, const Range& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

inline void pad_to(Bytes& bytes, std::size_t multiple) {
    while (bytes.size() % multiple != 0) {
        bytes.push_back(0);
    }
}

}  // namespace tw::test
