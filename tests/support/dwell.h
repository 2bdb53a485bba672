// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#ifndef FOXTIVE_TESTS_SUPPORT_DWELL_H_
#define FOXTIVE_TESTS_SUPPORT_DWELL_H_

#include <cstdint>

#include "absl/time/time.h"
#include "foxtive/clock.h"

namespace foxtive::test {

// Waits on `clock`, deaf to any stop: as a worker that hangs does on simulated time.
inline void Dwell(Clock& clock, absl::Duration duration) {
  Clock::Parker parker;
  const int64_t end = clock.NowNanos() + absl::ToInt64Nanoseconds(duration);
  while (clock.NowNanos() < end) clock.Park(parker, end);
}

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_DWELL_H_
