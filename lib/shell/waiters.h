// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// WaiterList: the threads that wait for something that a mutex guards; a condition variable whose
// waits go through a Clock, allocate nothing, and whose wake-ups are outside of the lock.
//
//   waiter                                   waker
//   lock; condition false? Add; unlock       lock; change; unlock
//   Clock::Park                              WakeAll: lock; take one; unlock; Unpark; next one
//   lock; Remove; look again
//
// Who owns what: a Waiter lies on the stack of the thread that waits and is linked only under the
// mutex; the parker belongs to the thread. A waker marks the parker as used under the lock, so a
// thread that ends meanwhile waits for it (`~ThreadParker`). An unpark that comes late ends another
// wait of the same thread early, which looks at its condition and waits on.
// Races: a waiter whose deadline comes together with the wake-up looks at its condition once more,
// under the lock, and the condition decides. A waiter that puts itself back while WakeAll goes on
// is not woken again by that call, so WakeAll ends.

#ifndef FOXTIVE_LIB_SHELL_WAITERS_H_
#define FOXTIVE_LIB_SHELL_WAITERS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "foxtive/clock.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/mutex.h"
#include "lib/shell/thread_state.h"

namespace foxtive::internal {

// The parker of a thread, for all its waits one after the other.
class ThreadParker {
 public:
  ThreadParker() = default;
  // The wakers that are inside of Unpark leave in a moment; in a child of fork they do not exist.
  ~ThreadParker() {
    while (has_wakers() && !InForkChild()) std::this_thread::yield();
  }

  bool has_wakers() const { return wakers_.load() != 0; }

  static ThreadParker& OfThisThread() {
    if (this_thread_state.parker == nullptr) {
      thread_local ThreadParker parker;
      this_thread_state.parker = &parker;
    }
    return *this_thread_state.parker;
  }

 private:
  friend class WaiterList;
  Clock::Parker parker_;
  std::atomic<int> wakers_{0};
};

class WaiterList {
 public:
  // Waits until `condition` is true, which is called under `mutex`, or until `deadline_nanos` on
  // `clock`. The last answer of `condition`.
  // REQUIRES: `mutex` guards this list, and is held; it is given up meanwhile.
  template <typename Condition>
  bool Await(Mutex& mutex, Clock& clock, int64_t deadline_nanos, Condition condition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    while (!condition()) {
      if (deadline_nanos != Clock::kNever && clock.NowNanos() >= deadline_nanos) return false;
      Waiter self{.thread = &ThreadParker::OfThisThread()};
      Add(self);
      mutex.Unlock();
      clock.Park(self.thread->parker_, deadline_nanos);
      mutex.Lock();
      Remove(self);
    }
    return true;
  }

  // REQUIRES: the mutex that guards this list is held.
  bool empty() const { return first_ == nullptr; }

  // Wakes all that wait now.
  // REQUIRES: `mutex` guards this list.
  void WakeAll(Mutex& mutex, Clock& clock) ABSL_LOCKS_EXCLUDED(mutex) {
    mutex.Lock();
    for (size_t count = Count(); count > 0 && first_ != nullptr; --count) {
      ThreadParker& thread = *first_->thread;
      Remove(*first_);
      thread.wakers_.fetch_add(1);
      mutex.Unlock();
      clock.Unpark(thread.parker_);
      thread.wakers_.fetch_sub(1);
      mutex.Lock();
    }
    mutex.Unlock();
  }

 private:
  // In a ring, in the order in which they came; `next` is null outside of it.
  struct Waiter {
    ThreadParker* thread;
    Waiter* previous = nullptr;
    Waiter* next = nullptr;
  };

  // In front of the first one, which is behind the last one.
  void Add(Waiter& waiter) {
    if (first_ == nullptr) first_ = waiter.previous = waiter.next = &waiter;
    waiter.next = first_;
    waiter.previous = first_->previous;
    waiter.previous->next = &waiter;
    first_->previous = &waiter;
  }

  void Remove(Waiter& waiter) {
    if (waiter.next == nullptr) return;
    if (first_ == &waiter) first_ = waiter.next == &waiter ? nullptr : waiter.next;
    waiter.previous->next = waiter.next;
    waiter.next->previous = waiter.previous;
    waiter.next = nullptr;
  }

  size_t Count() const {
    size_t count = 0;
    const Waiter* waiter = first_;
    if (waiter == nullptr) return count;
    do {
      ++count;
      waiter = waiter->next;
    } while (waiter != first_);
    return count;
  }

  // One pointer, since each task has two lists of which most are always empty.
  Waiter* first_ = nullptr;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_WAITERS_H_
