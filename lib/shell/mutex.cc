// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/mutex.h"

#include "foxtive/clock.h"
#include "lib/shell/futex.h"

namespace foxtive::internal {

void Mutex::Lock() {
  int32_t free = kFree;
  if (state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire)) return;
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    FutexWait(state_, kContended, Clock::kNever);
  }
}

void Mutex::Unlock() {
  if (state_.exchange(kFree, std::memory_order_release) == kContended) FutexWakeOne(state_);
}

}  // namespace foxtive::internal
