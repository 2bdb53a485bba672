// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The life of a task as two pure functions: `Next` is the transition function, `Judge` the verdict
// on an attempt. Neither knows a thread, a lock, a clock or a callable; the shell feeds them and
// carries out what they say.
//
//   state         event           next state    actions
//   ------------  --------------  ------------  ---------------------------------------
//   kRegistered   kStart          kQueued       enqueue
//   kRegistered   kStartLater     kBackingOff   arm backoff
//   kRegistered   kStopRequested  kStopping     wind down, arm stop timer
//   kQueued       kTakenUp        kRunning      -
//   kQueued       kStopRequested  kStopping     withdraw, arm stop timer
//   kRunning      kGiveWay        kQueued       -
//   kRunning      kBackOff        kBackingOff   arm backoff
//   kRunning      kEndDecided     kStopping     -
//   kRunning      kStopRequested  kStopping     signal stop, arm stop timer
//   kBackingOff   kDelayOver      kQueued       enqueue
//   kBackingOff   kStopRequested  kStopping     wind down, arm stop timer
//   kStopping     kOver           kFinished     -
//   kStopping     kStopOverdue    kOverdue      -
//   kOverdue      kOver           kFinished     -
//
// Every other pair changes nothing: it is the loser of a race, such as a stop that comes after the
// verdict, or a lane that takes up a task which was stopped in the queue.
//
// The verdict; the first row that matches decides:
//
//   1  a stop was requested                          kManuallyStopped
//   2  setup failed, without retry_setup             kSetupFailed
//   3  run returned OK                               kCompletedNormally if RestartOn is kFailure or
//                                                    the policy Never; else restart
//   4  the error is permanent                        kRestartPrevented
//   5  should_restart says no                        kRestartPrevented
//   6  policy Never                                  kManuallyStopped
//   7  MaxAttempts(n), n failures in a row           kMaxAttemptsReached
//   8  otherwise                                     restart

#ifndef FOXTIVE_LIB_CORE_LIFECYCLE_H_
#define FOXTIVE_LIB_CORE_LIFECYCLE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "foxtive/restart_policy.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_info.h"

namespace foxtive::internal {

enum class LifeEvent : uint8_t {
  kStart,          // submitted, or started by StartAll
  kStartLater,     // the same, with a delay before the first attempt
  kTakenUp,        // a lane has taken the attempt
  kGiveWay,        // to be restarted without a delay, behind what else waits for a lane
  kBackOff,        // to be restarted after a delay
  kDelayOver,      // the delay has passed
  kEndDecided,     // a verdict that ends the task
  kStopRequested,  // by a handle, or with the Supervisor
  kStopOverdue,    // the time to stop has passed
  kOver,           // nothing of the task's code runs any more
};
inline constexpr int kLifeEvents = 10;

// A set of these goes with a transition.
enum Action : uint8_t {
  kNoAction = 0,
  kEnqueue = 1,       // wait for a lane
  kArmBackoff = 2,    // wait for the delay
  kArmStopTimer = 4,  // wait for stop_timeout
  kWithdraw = 8,      // out of the queue, then wind down; if a lane has it: signal stop
  kSignalStop = 16,   // beside the attempt: stop callbacks, on_shutdown
  kWindDown = 32,     // no lane holds it: stop callbacks, on_shutdown, cleanup, the end
  kArmWatch = 64,     // of an attempt with a timeout, and not of a transition
};

struct Transition {
  TaskState next;
  uint8_t actions;
  bool taken;  // false: the pair is not in the table
};

Transition Next(TaskState state, LifeEvent event);

// What a task says about its restarts; immutable.
struct RestartRules {
  RestartPolicy policy = RestartPolicy::Always();
  RestartOn restart_on = RestartOn::kFailure;
  bool retry_setup = false;
  uint32_t permanent_errors = 0;  // a bit for each absl::StatusCode

  friend bool operator==(const RestartRules&, const RestartRules&) = default;
};

// Whether a worker or a setup that returned `error` said that it is no use to try again: the task's
// `permanent_errors` have its code, or it was made by `PermanentError`.
bool IsPermanent(const RestartRules& rules, const absl::Status& error);

enum class AttemptEnd : uint8_t {
  kSucceeded,
  kFailed,
  kSetupFailed,
  kNotRun,  // a stop came before `run`
};

// The count of failures in a row after an attempt that ended like this. `healthy`: it ran for
// stable_after, or called MarkHealthy.
int64_t CountFailures(int64_t failures_in_a_row, AttemptEnd end, bool healthy);

// How an attempt ended, as far as the verdict asks.
struct AttemptFacts {
  AttemptEnd end;
  bool stop_requested = false;
  bool permanent = false;  // it failed by an error that is
};

struct Verdict {
  int row = 8;
  bool final = false;
  SupervisionStatus status = SupervisionStatus::kCompletedNormally;  // if final
};

// Whether row 5 is reached, so that `should_restart` is to be asked.
bool AsksShouldRestart(const RestartRules& rules, const AttemptFacts& attempt);

// `failures_in_a_row` counts this attempt. `permitted`: what should_restart said, true if not
// asked.
Verdict Judge(const RestartRules& rules, const AttemptFacts& attempt, bool permitted,
              int64_t failures_in_a_row);

// That of a stop; and beside the table, those of an attempt that was given up, and of a task that
// was abandoned.
inline constexpr int kStopRow = 1;
inline constexpr int kGivenUpRow = 9;
inline constexpr int kAbandonedRow = 10;

// The row in words, for people. Valid for ever.
std::string_view ReasonOf(const Verdict& verdict);

// Which delay of the backoff a restart waits for: after a success there is no failure to count.
inline int64_t DelayNumber(int64_t failures_in_a_row) {
  return failures_in_a_row > 0 ? failures_in_a_row : 1;
}

// Where the delay lies in the range of the jitter, in [0, 1): a hash, so that it depends neither on
// threads nor on what other tasks do.
double JitterUnit(uint64_t seed, uint64_t task_number, int64_t failures_in_a_row);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_LIFECYCLE_H_
