// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Fiber: a call stack that can be left in the middle and gone on with later, so that the threads of
// a simulation take turns on one thread of the system.
//
// The first switch to a fiber goes by makecontext, the others by setjmp and longjmp, which need no
// system call. What belongs to a thread and matters here is swapped at each switch: what the
// library knows of it (ThreadState), and the exceptions that it is handling. Both sanitizers are
// told.
//
// Lifetime: a fiber is destroyed when its body has returned, or never: a stack can't be unwound
// from outside. Thread safety: a fiber belongs to the thread that made it. Errors: no memory for a
// stack ends the process.

#ifndef FOXTIVE_LIB_TESTING_FIBER_H_
#define FOXTIVE_LIB_TESTING_FIBER_H_

#include <setjmp.h>
#include <ucontext.h>

#include <cstddef>
#include <functional>

#include "lib/shell/thread_state.h"
#include "lib/shell/waiters.h"

namespace foxtive::internal {

class Fiber {
 public:
  // Pages that are not touched cost nothing.
  static constexpr size_t kStackBytes = size_t{1} << 20;

  // The one that runs already: whoever makes it.
  Fiber();
  // Runs `body` when it is switched to first. `body` does not return: it ends with a SwitchFrom.
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Goes on with this fiber, until somebody goes on with `current`. REQUIRES: `current` runs.
  // `for_good`: nobody will.
  void SwitchFrom(Fiber& current, bool for_good = false);

  // Whether another fiber is about to wake this one, which can't end before.
  bool has_wakers() const { return parker_.has_wakers(); }

 private:
  // As the C++ ABI has it.
  struct Exceptions {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  static void Enter();
  void Jump(Fiber& current);
  void TellSanitizersBefore(Fiber& current, bool for_good);
  void TellSanitizersAfter();

  std::function<void()> body_;
  ThreadParker parker_;
  void* stack_ = nullptr;  // with a page in front that can't be touched; null: not our own
  bool entered_ = true;
  ucontext_t context_;  // until it is entered
  jmp_buf left_at_;     // from then on
  ThreadState thread_state_;
  Exceptions exceptions_;

  // For the sanitizers.
  [[maybe_unused]] void* fake_stack_ = nullptr;
  [[maybe_unused]] void* tsan_fiber_ = nullptr;
  Fiber* came_from_ = nullptr;
  const void* bottom_ = nullptr;
  size_t size_ = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_TESTING_FIBER_H_
