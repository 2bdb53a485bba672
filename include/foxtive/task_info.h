// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskState, TaskPhase and TaskInfo: what a task is doing right now.
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
// Lifetime: values. Thread safety: as `std::string`. Blocking: none. Errors: copying and printing
// may throw `std::bad_alloc`.

#ifndef FOXTIVE_TASK_INFO_H_
#define FOXTIVE_TASK_INFO_H_

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/stack_trace.h"

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

// Which of its code a task is in.
enum class TaskPhase : uint8_t {
  kNone,         // none
  kSetup,        // `setup`
  kRun,          // `run`
  kHook,         // `on_restart`, `on_error`, `on_exception`, `should_restart`, a custom backoff
  kStopCalls,    // what a stop calls, while no lane has it: callbacks of its token, `on_shutdown`
  kCleanup,      // `cleanup`
  kDestruction,  // the destructors of what its callables have captured
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
  absl::Duration stuck_for{};        // since it was found to hang, see `OnStuck`; 0 if it does not
  TaskPhase phase = TaskPhase::kNone;
  // Since `TaskContext::Heartbeat` was last called; infinite: never, or it has no
  // `heartbeat_timeout` or `run_timeout`, for which it is counted.
  absl::Duration since_heartbeat = absl::InfiniteDuration();
  // Where this attempt was when it was last asked: by `CaptureStack`, or for an event or a
  // ShutdownReport. Null: not at all.
  std::shared_ptr<const StackTrace> stack{};
};

// For people. The state as it is written, `kRunning`, and `TaskState(17)` for a value that has no
// name. An info in one line, whatever its strings hold: control characters in them are escaped,
// `\x0a`. Streams and Abseil's formatting print the same.
//
//   'feed': kBackingOff for 1.2s, next attempt in 800ms; 3 attempts, 2 failures in a row, 0 hook
//   failures; last error: UNAVAILABLE: no route
//   'feed': kStopping for 4s in kCleanup, last heartbeat 9s ago; 3 attempts, ...
std::string ToString(TaskState state);
std::string ToString(TaskPhase phase);
std::string ToString(const TaskInfo& info);

std::ostream& operator<<(std::ostream& out, TaskState state);
std::ostream& operator<<(std::ostream& out, TaskPhase phase);
std::ostream& operator<<(std::ostream& out, const TaskInfo& info);

template <typename Sink>
void AbslStringify(Sink& sink, TaskState state) {
  sink.Append(ToString(state));
}
template <typename Sink>
void AbslStringify(Sink& sink, TaskPhase phase) {
  sink.Append(ToString(phase));
}
template <typename Sink>
void AbslStringify(Sink& sink, const TaskInfo& info) {
  sink.Append(ToString(info));
}

}  // namespace foxtive

#endif  // FOXTIVE_TASK_INFO_H_
