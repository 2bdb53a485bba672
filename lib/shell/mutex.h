// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Mutex: with the annotations of clang's thread-safety analysis, and of four bytes, since every
// task has one. What it does is the second mutex of Drepper, "Futexes Are Tricky" (2011):
//
//   kFree ── Lock ──▶ kHeld ── another Lock ──▶ kContended ── Unlock ──▶ kFree, and one is woken
//
// A Lock that has waited takes it as kContended, since it can't know whether others wait. Who is
// woken has to try again, so nothing is fair; nothing is held for long. So a Lock looks again for a
// microsecond or two before it sleeps, which would take longer: threads that submit and stop at
// once (C1 in benchmarks/) need a seventh less time by it.
//
// Not std::mutex, whose forty bytes are a tenth of a task, nor absl::Mutex: a distribution's build
// of it hides its hand-offs from the thread sanitizer, which sees those of atomics.
//
// Unlock touches the mutex by its exchange alone; after that only its address goes to the kernel.
// So whoever locks it next may destroy it.
//
// Not inline: where a mutex is let go of is where threads get in each other's way, so the simulator
// puts itself in front of these two (tests/simulator/preemption.h).

#ifndef FOXTIVE_LIB_SHELL_MUTEX_H_
#define FOXTIVE_LIB_SHELL_MUTEX_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"

namespace foxtive::internal {

class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION();
  void Unlock() ABSL_UNLOCK_FUNCTION();

  // Tells the analysis what it can't see, in a function that is called under the lock.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

 private:
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);

  static constexpr int32_t kFree = 0;
  static constexpr int32_t kHeld = 1;
  static constexpr int32_t kContended = 2;

  std::atomic<int32_t> state_{kFree};
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_MUTEX_H_
