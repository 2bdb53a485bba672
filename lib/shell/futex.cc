// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "foxtive/clock.h"

namespace foxtive::internal {

// The bitset variant is the one whose timeout is a point in time, on CLOCK_MONOTONIC.
void FutexWait(std::atomic<int32_t>& word, int32_t expected, int64_t deadline_nanos) {
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  const int saved_errno = errno;
  timespec deadline;
  deadline.tv_sec = static_cast<time_t>(deadline_nanos / kNanosPerSecond);
  deadline.tv_nsec = static_cast<int64_t>(deadline_nanos % kNanosPerSecond);
  const timespec* const limit = deadline_nanos == Clock::kNever ? nullptr : &deadline;
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, limit, nullptr,
          FUTEX_BITSET_MATCH_ANY);
  errno = saved_errno;
}

void FutexWakeOne(std::atomic<int32_t>& word) {
  const int saved_errno = errno;
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  errno = saved_errno;
}

}  // namespace foxtive::internal
