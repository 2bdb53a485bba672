// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Real time, for what must not stand still with a clock that a test supplies: lanes and their
// recovery, the time slice of a task without a delay, and the deadline of a destructor.

#ifndef FOXTIVE_LIB_SHELL_REAL_TIME_H_
#define FOXTIVE_LIB_SHELL_REAL_TIME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include "absl/time/time.h"
#include "foxtive/clock.h"

namespace foxtive::internal {

// Never destroyed: lanes may park on it while the process exits. Not from the heap: who comes first
// may be where nothing may be thrown.
inline Clock& RealClock() {
  alignas(Clock) static std::array<std::byte, sizeof(Clock)> memory;
  static Clock& clock = *new (memory.data()) Clock;
  return clock;
}

// The wall clock, since 1970: only to be shown. In clock.cc.
int64_t WallNanos();

// `start` plus `duration`, rounded up, so that nothing comes early; kNever if that is never. What
// is negative counts as 0.
inline int64_t After(int64_t start_nanos, absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return start_nanos;
  int64_t nanos = absl::ToInt64Nanoseconds(duration);
  if (nanos < INT64_MAX && absl::Nanoseconds(nanos) < duration) ++nanos;
  int64_t sum;
  return __builtin_add_overflow(start_nanos, nanos, &sum) ? Clock::kNever : sum;
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_REAL_TIME_H_
