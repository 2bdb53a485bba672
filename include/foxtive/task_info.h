// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskState and TaskInfo: what a task is doing right now.
//
//             start             lane free            run failed
//   kRegistered ──▶ kQueued ─────────────▶ kRunning ────────────▶ kBackingOff
//                      ▲                     │   │                     │
//                      └─────────────────────┼───┼─────────────────────┘ delay over
//                             ending verdict │   │ stop (from any of these states)
//                                            ▼   ▼
//                         kFinished ◀── kStopping ──▶ kOverdue ──▶ kFinished
//                                    over      stop timeout    late return
//
// Lifetime: values. Thread safety: as `std::string`. Blocking and errors: none.

#ifndef FOXTIVE_TASK_INFO_H_
#define FOXTIVE_TASK_INFO_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace foxtive {

enum class TaskState : uint8_t {
  kRegistered,  // known, not started
  kQueued,      // ready, waits for a lane
  kRunning,     // a lane runs `setup`, `run` or a hook
  kBackingOff,  // waits for the delay before its next attempt, or its first (`initial_delay`)
  kStopping,    // asked to stop, or ending by itself; the result is not there yet
  kOverdue,     // abandoned: the result says kAbandoned, but user code is still inside
  kFinished,    // over; the result is there
};

// A snapshot: all fields belong to the same instant.
struct TaskInfo {
  std::string name{};
  TaskState state = TaskState::kRegistered;
  int64_t attempts = 0;              // calls of `run` so far, the current one included
  int64_t consecutive_failures = 0;  // what the backoff and `MaxAttempts` count
  int64_t hook_failures = 0;         // exceptions of hooks
  absl::Status last_error{};         // of the last attempt that ended; OK if it did not fail
  absl::Duration in_state_for{};
  absl::Duration next_attempt_in{};  // 0 unless kBackingOff; infinite if only a stop ends the wait
};

}  // namespace foxtive

#endif  // FOXTIVE_TASK_INFO_H_
