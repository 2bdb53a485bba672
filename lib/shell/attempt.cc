// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a lane does with a task:
//
//   take up ─▶ setup, once ─▶ on_restart ─▶ run ─▶ on_error / on_exception ─▶ verdict
//                   ▲                                                            │
//                   └────────────────── no delay ────────────────────────────────┤
//                          a delay: to the monitor; the end: ending.cc ◀─────────┘
//
// A stop may come at any moment. It is looked at under the mutex before setup, before run, and when
// the verdict is committed; the verdict stands if it is committed first. An attempt with no hook
// before it begins where the task is taken up, or, if it follows at once, where the verdict on the
// former one is committed: so a restart takes the mutex once.
//
// A task without a delay goes on for kSlice at most while others wait.

#include <cstdint>
#include <exception>
#include <utility>

#include "lib/core/lifecycle.h"
#include "lib/shell/attempt_watch.h"
#include "lib/shell/call_hook.h"
#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/real_time.h"
#include "lib/shell/task_record.h"
#include "lib/shell/thread_state.h"
#include "lib/shell/user_code_scope.h"

namespace foxtive::internal {
namespace {

constexpr int64_t kSliceNanos = 100'000;

}  // namespace

Job::Outcome TaskRecord::RunOnLane() noexcept {
  const UserCodeScope scope(&engine(), this);
  // A shutdown asks one task after the other to stop: one that was asked gives its lane to one that
  // is still in the queue.
  if (engine().table().IsToStop(stop_order())) RequestStop();
  const TakenUp up = TakeUp();
  if (!up.taken) return Job::Outcome::kDone;
  const int64_t slice_end = RealNanos(up.now) + kSliceNanos;
  AttemptResult attempt = up.begun ? CallRun(Since(up.now)) : SetUpAndRun();
  while (true) {
    switch (Decide(attempt, slice_end)) {
      case Follow::kRun:
        attempt = CallRun(BeginningAfter(attempt));
        break;
      case Follow::kAgain:
        attempt = SetUpAndRun();
        break;
      case Follow::kGivesWay:
        return Job::Outcome::kAgain;
      case Follow::kBackOff:
      case Follow::kWindDown:
      case Follow::kLetGo:
        return Job::Outcome::kDone;
    }
  }
}

TaskRecord::TakenUp TaskRecord::TakeUp() {
  MutexLock lock(mutex_);
  const Transition taken = internal::Next(state_, LifeEvent::kTakenUp);
  if (!taken.taken) return {};
  MoveLocked(taken);
  on_lane_ = true;
  lane_thread_ = ThisThreadId();
  TakenUp up{.taken = true, .now = since_nanos()};
  if (user() != nullptr || watch() != nullptr) return up;
  setup_done_ = true;  // there is none
  Enter(TaskPhase::kRun);
  up.begun = BeginRunLocked();
  return up;
}

AttemptResult TaskRecord::SetUpAndRun() {
  if (!setup_done_) {
    if (user() != nullptr && user()->hooks.setup) {
      if (!BeginSetup()) return {};
      Enter(TaskPhase::kSetup);
      const int64_t began = Now();
      Failure failure = Guarded([this] { return user()->hooks.setup(); });
      EndIfForkChild(failure.status.ok());
      if (!failure.status.ok()) {
        return {.end = AttemptEnd::kSetupFailed,
                .failure = std::move(failure),
                .number = attempts_of_lane() + 1,
                .began_nanos = began,
                .ended_nanos = Now()};
      }
    }
    setup_done_ = true;
  }
  if (attempts_of_lane() > 0 && user() != nullptr && !stop_requested()) {
    CallLaneHook("on_restart", user()->hooks.on_restart,
                 [this](auto& hook) { hook(attempts_of_lane() + 1); });
  }
  Enter(TaskPhase::kRun);
  return BeginRun() ? CallRun(Now()) : AttemptResult{};
}

bool TaskRecord::BeginSetup() {
  MutexLock lock(mutex_);
  if (state_ != TaskState::kRunning) return false;
  setup_begun_ = true;
  return true;
}

bool TaskRecord::BeginRun() {
  if (watch() != nullptr) return BeginWatchedRun();
  MutexLock lock(mutex_);
  return BeginRunLocked();
}

bool TaskRecord::BeginRunLocked() {
  if (state_ != TaskState::kRunning) return false;
  setup_begun_ = true;  // also of a task that has none
  ++attempts_;
  last_marks_.is_current = false;
  // Seldom set, and a store of its own for each attempt is not free. Nobody else writes it now.
  if (healthy_.load(std::memory_order_relaxed)) healthy_ = false;
  return true;
}

// Where nothing of the user's has come between two attempts the second one begins where the first
// one ends: a look at the clock costs as much as all else.
int64_t TaskRecord::BeginningAfter(const AttemptResult& attempt) const {
  return user() == nullptr ? Since(attempt.ended_nanos) : Now();
}

// What has just been `now` on the Supervisor's clock; one of the user's is asked.
int64_t TaskRecord::Since(int64_t now) const { return engine().has_real_clock() ? now : Now(); }

AttemptResult TaskRecord::CallRun(int64_t began_nanos) {
  AttemptResult attempt{.number = attempts_of_lane(), .began_nanos = began_nanos};
  TaskContext context(*this, attempt.number);
  attempt.failure.status = run_(context, attempt.failure.exception);
  EndIfForkChild(attempt.failure.status.ok());
  if (watch() != nullptr) EndWatchedRun(attempt);
  attempt.end = attempt.failure.status.ok() ? AttemptEnd::kSucceeded : AttemptEnd::kFailed;
  attempt.ended_nanos = Now();
  if (!attempt.interrupted) attempt.lived_nanos = attempt.ended_nanos - began_nanos;
  attempt.healthy = healthy_ || attempt.lived_nanos >= settings_->stable_after_nanos;
  return attempt;
}

Follow TaskRecord::Decide(const AttemptResult& attempt, int64_t slice_end) {
  const absl::Status& status = attempt.failure.status;
  const bool same = attempt.failed() && ShareOneText(last_error_of_lane(), status);
  const bool alike = same || (attempt.failed() && AreAlike(last_error_of_lane(), status));
  Decision decision{.failures = FailuresAfter(attempt), .same = same, .alike = alike};
  if (!has_log_ && attempt.end != AttemptEnd::kNotRun) PrepareLog();
  // Hooks find it in the task's info, and what may run the user's code by its destruction is not
  // left until the task has been let go. All others are counted when the verdict is committed.
  if (user() != nullptr || HasExceptions(attempt)) Count(attempt, decision);
  if (user() != nullptr && attempt.failed()) TellFailure(attempt);
  const RestartRules& rules = settings_->rules;
  AttemptFacts facts{.end = attempt.end,
                     .stop_requested = stop_requested(),
                     .permanent = attempt.failed() && attempt.failure.exception == nullptr &&
                                  !attempt.interrupted &&
                                  // What there was a restart after is not marked.
                                  (!same || rules.permanent_errors != 0) &&
                                  IsPermanent(rules, status)};
  const bool permitted =
      user() == nullptr || !AsksShouldRestart(rules, facts) || AskShouldRestart(attempt);
  facts.stop_requested = stop_requested();
  decision.verdict = Judge(rules, facts, permitted, decision.failures);
  if (!decision.verdict.final && !settings_->never_delays) {
    decision.delay = DelayAfter(decision.failures);
  }
  if (IsToBeTold(attempt, decision.verdict.final, alike)) {
    Count(attempt, decision);
    EmitFailure(attempt, decision);
  }
  decision.give_way = attempt.lane_lost || (engine().lanes().HasWaiting() &&
                                            RealNanos(attempt.ended_nanos) >= slice_end);
  return Commit(attempt, decision);
}

// What has just been `now` on the Supervisor's clock, in real time.
int64_t TaskRecord::RealNanos(int64_t now) const {
  return engine().has_real_clock() ? now : engine().real_clock().NowNanos();
}

int64_t TaskRecord::FailuresAfter(const AttemptResult& attempt) const {
  return CountFailures(failures_in_a_row_, attempt.end, attempt.healthy);
}

bool TaskRecord::HasExceptions(const AttemptResult& attempt) const {
  return attempt.failure.exception != nullptr || last_exception_ != nullptr;
}

const absl::Status& TaskRecord::last_error_of_lane() const { return last_error_; }

// Unless it has been counted.
void TaskRecord::Count(const AttemptResult& attempt, Decision& decision) {
  if (std::exchange(decision.counted, true)) return;
  {
    Replaced replaced;
    MutexLock lock(mutex_);
    replaced = CountLocked(attempt, decision);
  }
  EndIfForkChild();
}

// Returns what it replaces. The result stands, if there is one.
Replaced TaskRecord::CountLocked(const AttemptResult& attempt, const Decision& decision) {
  if (concluded_) return {};
  failures_in_a_row_ = decision.failures;
  if (attempt.end == AttemptEnd::kNotRun) return {};
  const bool in_setup = attempt.end == AttemptEnd::kSetupFailed;
  if (in_setup && attempt.failure.exception != nullptr) ++extras_->hook_failures;
  Replaced replaced = ReplaceErrorLocked(attempt.failure, attempt.number, decision.same);
  last_times_ = {.began_nanos = attempt.began_nanos, .ended_nanos = attempt.ended_nanos};
  last_marks_ = {.in_setup = in_setup, .alike = decision.alike, .is_current = true};
  return replaced;
}

void TaskRecord::TellFailure(const AttemptResult& attempt) {
  if (attempt.end == AttemptEnd::kSetupFailed && !settings_->rules.retry_setup) return;
  const Failure& failure = attempt.failure;
  if (failure.exception == nullptr) {
    CallLaneHook("on_error", user()->hooks.on_error,
                 [&](auto& hook) { hook(failure.status, attempt.number); });
    return;
  }
  CallLaneHook("on_exception", user()->hooks.on_exception,
               [&](auto& hook) { hook(failure.exception, WhatOf(failure), attempt.number); });
}

bool TaskRecord::IsToBeTold(const AttemptResult& attempt, bool last, bool alike) {
  const EventQueue& events = engine().events();
  if (!attempt.failed() || events.silent()) return false;
  return events.detail() != EventDetail::kNotable || fold_.Count(alike, last, attempt.ended_nanos);
}

void TaskRecord::EmitFailure(const AttemptResult& attempt, const Decision& decision) {
  const Verdict& verdict = decision.verdict;
  const bool in_run = attempt.end == AttemptEnd::kFailed;
  const bool delivered =
      engine().events().Emit({.kind = in_run ? EventKind::kAttemptFailed : EventKind::kSetupFailed,
                              .task = this,
                              .attempt = attempt.number,
                              .status = attempt.failure.status,
                              .exception = attempt.failure.exception,
                              .delay = verdict.final ? absl::InfiniteDuration() : decision.delay,
                              .reason = ReasonOf(verdict),
                              .folded = fold_.folded()});
  fold_.Told(delivered, attempt.ended_nanos);
}

bool TaskRecord::AskShouldRestart(const AttemptResult& attempt) {
  bool permitted = true;
  CallLaneHook("should_restart", user()->hooks.should_restart,
               [&](auto& hook) { permitted = hook(attempt.number, attempt.failure.status); });
  return permitted;
}

// A Custom strategy is the user's code; if it throws the default one decides.
absl::Duration TaskRecord::DelayAfter(int64_t failures) {
  const int64_t number = DelayNumber(failures);
  double unit = 0;
  if (settings_->jitter != 0) unit = JitterUnit(engine().seed(), table_link_.number, number);
  absl::Duration delay = absl::InfiniteDuration();
  if (user() != nullptr && user()->backoff.is_custom() &&
      CallLaneHook("backoff", user()->backoff,
                   [&](const BackoffStrategy& backoff) { delay = backoff.Delay(number, unit); })) {
    return delay;
  }
  return settings_->backoff.Delay(number, unit);
}

Follow TaskRecord::Commit(const AttemptResult& attempt, const Decision& decision) {
  Replaced replaced;
  Follow follow;
  {
    MutexLock lock(mutex_);
    if (!decision.counted) replaced = CountLocked(attempt, decision);
    follow = CommitLocked(attempt, decision);
  }
  if (follow == Follow::kBackOff) engine().inbox().Post(*this);
  if (follow == Follow::kWindDown) WindDown();
  return follow;
}

// Whatever was decided, a stop that came first has decided otherwise.
Follow TaskRecord::CommitLocked(const AttemptResult& attempt, const Decision& decision) {
  if (state_ != TaskState::kRunning) {
    NoteVerdictLocked(attempt, {.row = kStopRow, .final = true});
    return LetGoLocked();
  }
  NoteVerdictLocked(attempt, decision.verdict);
  if (decision.verdict.final) {
    final_status_ = decision.verdict.status;
    final_row_ = static_cast<uint8_t>(decision.verdict.row);
    MoveLocked(internal::Next(state_, LifeEvent::kEndDecided));
    return LetGoLocked();
  }
  if (decision.delay > absl::ZeroDuration()) {
    const int64_t not_before = After(attempt.ended_nanos, decision.delay);
    if (not_before > Now()) {
      next_attempt_nanos_ = not_before;
      last_marks_.waits = true;
      MoveLocked(internal::Next(state_, LifeEvent::kBackOff));
      if (watch() != nullptr) watch()->TimerIsTaken();
      on_lane_ = false;
      return Follow::kBackOff;
    }
  }
  if (decision.give_way) {
    MoveLocked(internal::Next(state_, LifeEvent::kGiveWay));
    on_lane_ = false;
    return Follow::kGivesWay;
  }
  const bool has_hook = user() != nullptr && user()->hooks.on_restart;
  if (!setup_done_ || watch() != nullptr || has_hook) return Follow::kAgain;
  BeginRunLocked();
  return Follow::kRun;
}

}  // namespace foxtive::internal
