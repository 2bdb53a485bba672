// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A wall clock that lies: CLOCK_REALTIME of this program, of oneTBB and of the standard library
// too, is ahead of the system's by what a test says; and every wait of theirs that would follow it
// is counted. Such a wait ends too early or too late when the wall clock is set.
//
// Replaces functions of the system: clock_gettime, and those that wait until a point in time
// (condition variables, semaphores, mutexes, futexes). A wait for a length of time is measured by
// the kernel on CLOCK_MONOTONIC.
//
// Thread safety: all functions may be called from any thread. Blocking, errors: none.

#ifndef FOXTIVE_TESTS_SUPPORT_WALL_CLOCK_H_
#define FOXTIVE_TESTS_SUPPORT_WALL_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"

namespace foxtive::test {

// From now on the wall clock is `ahead` of the system's; behind it, if negative.
void SetWallClock(absl::Duration ahead);

// How often it was asked; how many waits until a point in time began on it, and how many on another
// clock, since the program began.
int64_t WallClockReads();
int64_t WaitsByWallClock();
int64_t WaitsByOtherClocks();

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_WALL_CLOCK_H_
