// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/lifecycle.h"

#include <cstdint>
#include <string_view>

namespace foxtive::internal {
namespace {

constexpr Transition To(TaskState next, int actions = kNoAction) {
  return {next, static_cast<uint8_t>(actions), true};
}

constexpr Transition Ignored(TaskState state) { return {state, kNoAction, false}; }

Transition FromRegistered(LifeEvent event) {
  if (event == LifeEvent::kStart) return To(TaskState::kQueued, kEnqueue);
  if (event == LifeEvent::kStartLater) return To(TaskState::kBackingOff, kArmBackoff);
  if (event == LifeEvent::kStopRequested) {
    return To(TaskState::kStopping, kWindDown | kArmStopTimer);
  }
  return Ignored(TaskState::kRegistered);
}

Transition FromQueued(LifeEvent event) {
  if (event == LifeEvent::kTakenUp) return To(TaskState::kRunning);
  if (event == LifeEvent::kStopRequested) {
    return To(TaskState::kStopping, kWithdraw | kArmStopTimer);
  }
  return Ignored(TaskState::kQueued);
}

Transition FromRunning(LifeEvent event) {
  switch (event) {
    case LifeEvent::kGiveWay:
      return To(TaskState::kQueued);
    case LifeEvent::kBackOff:
      return To(TaskState::kBackingOff, kArmBackoff);
    case LifeEvent::kEndDecided:
      return To(TaskState::kStopping);
    case LifeEvent::kStopRequested:
      return To(TaskState::kStopping, kSignalStop | kArmStopTimer);
    default:
      return Ignored(TaskState::kRunning);
  }
}

Transition FromBackingOff(LifeEvent event) {
  if (event == LifeEvent::kDelayOver) return To(TaskState::kQueued, kEnqueue);
  if (event == LifeEvent::kStopRequested) {
    return To(TaskState::kStopping, kWindDown | kArmStopTimer);
  }
  return Ignored(TaskState::kBackingOff);
}

Transition FromStopping(LifeEvent event) {
  if (event == LifeEvent::kOver) return To(TaskState::kFinished);
  if (event == LifeEvent::kStopOverdue) return To(TaskState::kOverdue);
  return Ignored(TaskState::kStopping);
}

Transition FromOverdue(LifeEvent event) {
  return event == LifeEvent::kOver ? To(TaskState::kFinished) : Ignored(TaskState::kOverdue);
}

Verdict Final(int row, SupervisionStatus status) { return {row, true, status}; }

Verdict Restart(int row) { return {row, false, {}}; }

Verdict JudgeSuccess(const RestartRules& rules) {
  if (rules.restart_on == RestartOn::kFailure || rules.policy.is_never()) {
    return Final(3, SupervisionStatus::kCompletedNormally);
  }
  return Restart(3);
}

Verdict JudgeFailure(const RestartRules& rules, bool permitted, int64_t failures_in_a_row) {
  if (!permitted) return Final(5, SupervisionStatus::kRestartPrevented);
  if (rules.policy.is_never()) return Final(6, SupervisionStatus::kManuallyStopped);
  if (!rules.policy.AllowsRestartAfter(failures_in_a_row)) {
    return Final(7, SupervisionStatus::kMaxAttemptsReached);
  }
  return Restart(8);
}

// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
// Generators", 2014): every bit of the input changes each bit of the output with probability 1/2.
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

Transition Next(TaskState state, LifeEvent event) {
  switch (state) {
    case TaskState::kRegistered:
      return FromRegistered(event);
    case TaskState::kQueued:
      return FromQueued(event);
    case TaskState::kRunning:
      return FromRunning(event);
    case TaskState::kBackingOff:
      return FromBackingOff(event);
    case TaskState::kStopping:
      return FromStopping(event);
    case TaskState::kOverdue:
      return FromOverdue(event);
    case TaskState::kFinished:
      break;
  }
  return Ignored(state);
}

int64_t CountFailures(int64_t failures_in_a_row, AttemptEnd end, bool healthy) {
  if (end == AttemptEnd::kNotRun) return failures_in_a_row;
  if (end == AttemptEnd::kSucceeded) return 0;
  return healthy ? 1 : failures_in_a_row + 1;
}

bool AsksShouldRestart(const RestartRules& rules, const AttemptFacts& attempt) {
  if (attempt.stop_requested || attempt.permanent) return false;
  return attempt.end == AttemptEnd::kFailed ||
         (attempt.end == AttemptEnd::kSetupFailed && rules.retry_setup);
}

Verdict Judge(const RestartRules& rules, const AttemptFacts& attempt, bool permitted,
              int64_t failures_in_a_row) {
  if (attempt.stop_requested || attempt.end == AttemptEnd::kNotRun) {
    return Final(1, SupervisionStatus::kManuallyStopped);
  }
  if (attempt.end == AttemptEnd::kSetupFailed && !rules.retry_setup) {
    return Final(2, SupervisionStatus::kSetupFailed);
  }
  if (attempt.end == AttemptEnd::kSucceeded) return JudgeSuccess(rules);
  if (attempt.permanent) return Final(4, SupervisionStatus::kRestartPrevented);
  return JudgeFailure(rules, permitted, failures_in_a_row);
}

std::string_view ReasonOf(const Verdict& verdict) {
  switch (verdict.row) {
    case kStopRow:
      return "a stop was requested (verdict row 1)";
    case 2:
      return "setup failed (verdict row 2)";
    case 3:
      return verdict.final ? "run returned OK (verdict row 3)"
                           : "run returned OK, and is started again on any exit (verdict row 3)";
    case 4:
      return "the error is permanent (verdict row 4)";
    case 5:
      return "should_restart said no (verdict row 5)";
    case 6:
      return "it failed, and the policy is Never (verdict row 6)";
    case 7:
      return "as many attempts in a row have failed as MaxAttempts allows (verdict row 7)";
    case kGivenUpRow:
      return "an attempt hung, was asked to stop, and has not (OnStuck::kRestartOrGiveUp)";
    case kAbandonedRow:
      return "it was asked to stop, and was not over when its time was up";
    default:
      return "the policy allows a restart (verdict row 8)";
  }
}

double JitterUnit(uint64_t seed, uint64_t task_number, int64_t failures_in_a_row) {
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
  uint64_t hash = Mix(seed + kGolden);
  hash = Mix(hash + kGolden * (task_number + 1));
  hash = Mix(hash + kGolden * (static_cast<uint64_t>(failures_in_a_row) + 1));
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

}  // namespace foxtive::internal
