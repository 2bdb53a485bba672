// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The tables of lib/core/lifecycle.h once more, to hold against the functions.

#ifndef FOXTIVE_TESTS_SUPPORT_LIFECYCLE_MODEL_H_
#define FOXTIVE_TESTS_SUPPORT_LIFECYCLE_MODEL_H_

#include <array>
#include <cstdint>
#include <optional>

#include "foxtive/restart_policy.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_info.h"
#include "lib/core/lifecycle.h"

namespace foxtive::test {

struct LifecycleRow {
  TaskState state;
  internal::LifeEvent event;
  TaskState next;
  int actions;
};

inline constexpr std::array kLifecycleTable = [] {
  using S = TaskState;
  using E = internal::LifeEvent;
  using namespace internal;  // of the actions
  return std::array{
      LifecycleRow{S::kRegistered, E::kStart, S::kQueued, kEnqueue},
      LifecycleRow{S::kRegistered, E::kStartLater, S::kBackingOff, kArmBackoff},
      LifecycleRow{S::kRegistered, E::kStopRequested, S::kStopping, kWindDown | kArmStopTimer},
      LifecycleRow{S::kQueued, E::kTakenUp, S::kRunning, kNoAction},
      LifecycleRow{S::kQueued, E::kStopRequested, S::kStopping, kWithdraw | kArmStopTimer},
      LifecycleRow{S::kRunning, E::kGiveWay, S::kQueued, kNoAction},
      LifecycleRow{S::kRunning, E::kBackOff, S::kBackingOff, kArmBackoff},
      LifecycleRow{S::kRunning, E::kEndDecided, S::kStopping, kNoAction},
      LifecycleRow{S::kRunning, E::kStopRequested, S::kStopping, kSignalStop | kArmStopTimer},
      LifecycleRow{S::kBackingOff, E::kDelayOver, S::kQueued, kEnqueue},
      LifecycleRow{S::kBackingOff, E::kStopRequested, S::kStopping, kWindDown | kArmStopTimer},
      LifecycleRow{S::kStopping, E::kOver, S::kFinished, kNoAction},
      LifecycleRow{S::kStopping, E::kStopOverdue, S::kOverdue, kNoAction},
      LifecycleRow{S::kOverdue, E::kOver, S::kFinished, kNoAction},
  };
}();

// Null: the pair is not in the table.
inline const LifecycleRow* FindLifecycleRow(TaskState state, internal::LifeEvent event) {
  for (const LifecycleRow& row : kLifecycleTable) {
    if (row.state == state && row.event == event) return &row;
  }
  return nullptr;
}

// A limit instead of a policy: 0 is Never, -1 Always, else MaxAttempts.
inline RestartPolicy PolicyOf(int64_t limit) {
  if (limit == 0) return RestartPolicy::Never();
  return limit < 0 ? RestartPolicy::Always() : RestartPolicy::MaxAttempts(limit);
}

// The verdict as the table reads; nothing: a restart. `limit` is that of `rules.policy`.
inline std::optional<SupervisionStatus> ExpectedVerdict(const internal::RestartRules& rules,
                                                        const internal::AttemptFacts& attempt,
                                                        bool permitted, int64_t limit,
                                                        int64_t failures) {
  using internal::AttemptEnd;
  const AttemptEnd end = attempt.end;
  if (attempt.stop_requested || end == AttemptEnd::kNotRun)
    return SupervisionStatus::kManuallyStopped;
  if (end == AttemptEnd::kSetupFailed && !rules.retry_setup) return SupervisionStatus::kSetupFailed;
  if (end == AttemptEnd::kSucceeded) {
    if (rules.restart_on == RestartOn::kAnyExit && limit != 0) return std::nullopt;
    return SupervisionStatus::kCompletedNormally;
  }
  if (attempt.permanent || !permitted) return SupervisionStatus::kRestartPrevented;
  if (limit == 0) return SupervisionStatus::kManuallyStopped;
  if (limit > 0 && failures >= limit) return SupervisionStatus::kMaxAttemptsReached;
  return std::nullopt;
}

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_LIFECYCLE_MODEL_H_
