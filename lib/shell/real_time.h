// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Real time, for what must not stand still with a clock that a test supplies: lanes and their
// recovery, the time slice of a task without a delay, and the deadline of a destructor.

#ifndef FOXTIVE_LIB_SHELL_REAL_TIME_H_
#define FOXTIVE_LIB_SHELL_REAL_TIME_H_

#include <cstdint>

#include "absl/time/time.h"
#include "foxtive/clock.h"

namespace foxtive::internal {

// Leaked: lanes may park on it while the process exits.
inline Clock& RealClock() {
  static Clock& clock = *new Clock;
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
