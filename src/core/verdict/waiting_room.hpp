// SPDX-License-Identifier: BSD-3-Clause
// Where events wait until they may leave: the earliest key first, of equals the lowest id. What may
// leave stays in order until it is taken. Fixed capacity; the caller asks before it puts.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/pool.hpp"
#include "core/event/event.hpp"

namespace tw::verdict {

// First in, first out, of indices into a pool.
class IndexQueue {
  public:
    explicit IndexQueue(std::uint32_t indices_max) : ring_(indices_max, Backing::lazy) {}
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] bool full() const { return count_ == ring_.size(); }
    [[nodiscard]] std::uint32_t size() const { return count_; }
    [[nodiscard]] std::uint32_t front() const { return ring_[head_]; }
    void push(std::uint32_t index) {
        TW_DCHECK(!full());
        ring_[(head_ + count_++) % ring_.size()] = index;
    }
    std::uint32_t pop() {
        const std::uint32_t index = ring_[head_];
        head_ = static_cast<std::uint32_t>((head_ + 1) % ring_.size());
        --count_;
        return index;
    }

  private:
    LazyArray<std::uint32_t> ring_;
    std::size_t head_ = 0;
    std::uint32_t count_ = 0;
};

class WaitingRoom {
  public:
    WaitingRoom(std::uint32_t waiting_max, std::uint32_t ready_max)
        : waiting_max_(waiting_max),
          events_max_(waiting_max + ready_max),
          events_(waiting_max + ready_max, Backing::lazy),
          waiters_(waiting_max, Backing::lazy),
          ready_(waiting_max + ready_max) {}

    [[nodiscard]] bool has_room() const { return events_.used() < events_max_; }
    [[nodiscard]] std::uint32_t waiting() const { return waiting_count_; }
    [[nodiscard]] std::uint32_t ready() const { return ready_.size(); }
    [[nodiscard]] bool waiting_full() const { return waiting_count_ == waiting_max_; }

    // Not while waiting_full(), nor without room.
    void wait(const event::Event& event, Nanos key) {
        const std::uint32_t index = events_.take();
        events_[index] = event;
        waiters_[waiting_count_++] = {key, event.id, index};
        std::push_heap(waiters_.data(), waiters_.data() + waiting_count_, leaves_later);
    }
    // Of those that wait; not while there is none.
    [[nodiscard]] Nanos first_key() const { return waiters_[0].key; }
    // The first is ready from here on. The caller may still change it.
    event::Event& release_first() {
        std::pop_heap(waiters_.data(), waiters_.data() + waiting_count_, leaves_later);
        const std::uint32_t index = waiters_[--waiting_count_].index;
        ready_.push(index);
        return events_[index];
    }
    // Ready at once. Not without room.
    event::Event& pass(const event::Event& event) {
        const std::uint32_t index = events_.take();
        events_[index] = event;
        ready_.push(index);
        return events_[index];
    }

    [[nodiscard]] bool pop(event::Event& event) {
        if (ready_.empty()) {
            return false;
        }
        const std::uint32_t index = ready_.pop();
        event = events_[index];
        events_.give_back(index);
        return true;
    }

  private:
    struct Waiter {
        Nanos key;
        std::uint64_t id;
        std::uint32_t index;
    };
    static bool leaves_later(const Waiter& a, const Waiter& b) {
        return a.key != b.key ? a.key > b.key : a.id > b.id;
    }

    std::uint32_t waiting_max_;
    std::uint32_t events_max_;
    Pool<event::Event> events_;
    LazyArray<Waiter> waiters_;  // heap, the first to leave in front
    std::uint32_t waiting_count_ = 0;
    IndexQueue ready_;
};

}  // namespace tw::verdict
