// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The monotonic clock, and parking on a futex. The state of a Parker:
//
//   kEmpty      nobody parks, no unpark is left over
//   kParked     a thread parks, or is about to
//   kUnparked   an unpark that no Park has used up
//
// Who wins: Park uses up an unpark whenever it finds one, also when its deadline has passed. Unpark
// touches the Parker only by its exchange; after that only its address goes to the kernel, so the
// parked thread may destroy the Parker as soon as it sees kUnparked.

#include "foxtive/clock.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "lib/shell/futex.h"
#include "lib/shell/real_time.h"
#include "lib/shell/thread_setup.h"

namespace foxtive {
namespace {

constexpr int32_t kEmpty = 0;
constexpr int32_t kParked = -1;
constexpr int32_t kUnparked = 1;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

int64_t NanosOf(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

int64_t MonotonicNanos() { return NanosOf(CLOCK_MONOTONIC); }

// Under the thread sanitizer a handler runs when its thread next calls a function that the
// sanitizer intercepts, which a futex is not. So a thread that takes signals makes such a call now
// and then.
int64_t BeforeLookingUp(int64_t deadline_nanos) {
  constexpr int64_t kLookUpAfterNanos = 100'000'000;
  if (!internal::kThreadSanitizer || internal::BlocksSignals()) return deadline_nanos;
  usleep(0);
  return std::min(deadline_nanos, MonotonicNanos() + kLookUpAfterNanos);
}

}  // namespace

int64_t internal::WallNanos() { return NanosOf(CLOCK_REALTIME); }

int64_t Clock::NowNanos() const noexcept { return MonotonicNanos(); }

bool Clock::Park(Parker& parker, int64_t deadline_nanos) noexcept {
  std::atomic<int32_t>& state = parker.state_;
  // From kEmpty to kParked, or from kUnparked to kEmpty.
  if (state.fetch_sub(1) == kUnparked) return true;
  while (deadline_nanos == kNever || MonotonicNanos() < deadline_nanos) {
    internal::FutexWait(state, kParked, BeforeLookingUp(deadline_nanos));
    int32_t unparked = kUnparked;
    if (state.compare_exchange_strong(unparked, kEmpty)) return true;
  }
  return state.exchange(kEmpty) == kUnparked;
}

void Clock::Unpark(Parker& parker) noexcept {
  if (parker.state_.exchange(kUnparked) == kParked) internal::FutexWakeOne(parker.state_);
}

}  // namespace foxtive
