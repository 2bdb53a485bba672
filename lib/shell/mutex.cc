// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/mutex.h"

#include <cerrno>
#include <thread>

#include "foxtive/clock.h"
#include "lib/shell/futex.h"

namespace foxtive::internal {
namespace {

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// On one processor who holds it does not go on meanwhile. errno may be what a worker looks at next.
int Looks() {
  constexpr int kLooks = 100;
  const int saved_errno = errno;
  const bool on_one = std::thread::hardware_concurrency() == 1;
  errno = saved_errno;
  return on_one ? 0 : kLooks;
}

}  // namespace

void Mutex::Lock() {
  if (TryLock()) return;
  static const int looks = Looks();
  for (int i = 0; i < looks; ++i) {
    Pause();
    if (state_.load(std::memory_order_relaxed) == kFree && TryLock()) return;
  }
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    FutexWait(state_, kContended, Clock::kNever);
  }
}

bool Mutex::TryLock() {
  int32_t free = kFree;
  return state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire);
}

void Mutex::Unlock() {
  if (state_.exchange(kFree, std::memory_order_release) == kContended) FutexWakeOne(state_);
}

}  // namespace foxtive::internal
