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
// the verdict is committed; the verdict stands if it is committed first.
//
// A task without a delay goes on for kSlice at most while others wait.

#include <cstdint>
#include <string>
#include <utility>

#include "lib/core/lifecycle.h"
#include "lib/shell/attempt_watch.h"
#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/real_time.h"
#include "lib/shell/task_record.h"
#include "lib/shell/user_code_scope.h"

namespace foxtive::internal {
namespace {

constexpr int64_t kSliceNanos = 100'000;

}  // namespace

Job::Outcome TaskRecord::RunOnLane() noexcept {
  const UserCodeScope scope(engine_.get(), this);
  // A shutdown asks one task after the other to stop: one that was asked gives its lane to one that
  // is still in the queue.
  if (engine_->shutdown_requested()) RequestStop();
  if (!TakeUp()) return Job::Outcome::kDone;
  int64_t slice_end = engine_->real_clock().NowNanos() + kSliceNanos;
  while (OneAttempt() == Follow::kAgain) {
    const bool others_wait =
        engine_->lanes().HasWaiting() && engine_->real_clock().NowNanos() >= slice_end;
    if (!others_wait && !LaneIsLost()) continue;
    if (GiveWay()) return Job::Outcome::kAgain;
    slice_end = engine_->real_clock().NowNanos() + kSliceNanos;
  }
  return Job::Outcome::kDone;
}

// False: it was stopped in the queue, and is the service job's.
bool TaskRecord::TakeUp() {
  MutexLock lock(mutex_);
  const Transition taken = internal::Next(state_, LifeEvent::kTakenUp);
  if (!taken.taken) return false;
  MoveLocked(taken);
  on_lane_ = true;
  return true;
}

// False: it has been stopped; the next attempt finds that.
bool TaskRecord::GiveWay() {
  MutexLock lock(mutex_);
  const Transition giving = internal::Next(state_, LifeEvent::kGiveWay);
  if (!giving.taken) return false;
  MoveLocked(giving);
  attempt_job_.set_queued_at(since_nanos_);
  on_lane_ = false;
  return true;
}

TaskRecord::Follow TaskRecord::OneAttempt() { return Decide(SetUpAndRun()); }

TaskRecord::AttemptResult TaskRecord::SetUpAndRun() {
  if (!setup_done_) {
    if (user_->hooks.setup) {
      if (!BeginSetup()) return {};
      Failure failure = Guarded([this] { return user_->hooks.setup(); });
      EndIfForkChild(failure.status.ok());
      if (!failure.status.ok()) {
        return {.end = AttemptEnd::kSetupFailed,
                .failure = std::move(failure),
                .number = runs_ + 1,
                .ended_nanos = Now()};
      }
    }
    setup_done_ = true;
  }
  if (runs_ > 0 && !stop_requested()) {
    CallHook("on_restart", user_->hooks.on_restart, [this](auto& hook) { hook(runs_ + 1); });
  }
  return BeginRun() ? CallRun() : AttemptResult{};
}

bool TaskRecord::BeginSetup() {
  MutexLock lock(mutex_);
  if (state_ != TaskState::kRunning) return false;
  setup_begun_ = true;
  return true;
}

bool TaskRecord::BeginRun() {
  if (watch_ != nullptr) return BeginWatchedRun();
  MutexLock lock(mutex_);
  return BeginRunLocked();
}

bool TaskRecord::BeginRunLocked() {
  if (state_ != TaskState::kRunning) return false;
  setup_begun_ = true;  // also of a task that has none
  runs_ = ++attempts_;
  // Seldom set, and a store of its own for each attempt is not free. Nobody else writes it now.
  if (healthy_.load(std::memory_order_relaxed)) healthy_ = false;
  return true;
}

TaskRecord::AttemptResult TaskRecord::CallRun() {
  TaskContext context(*this, runs_);
  const int64_t began = Now();
  Failure failure = Guarded([&] { return user_->run(context); });
  EndIfForkChild(failure.status.ok());
  const bool interrupted = watch_ != nullptr && EndWatchedRun(failure);
  const int64_t ended = Now();
  const bool long_enough = absl::Nanoseconds(ended - began) >= stable_after_;
  return {.end = failure.status.ok() ? AttemptEnd::kSucceeded : AttemptEnd::kFailed,
          .failure = std::move(failure),
          .healthy = healthy_ || long_enough,
          .interrupted = interrupted,
          .number = runs_,
          .ended_nanos = ended};
}

TaskRecord::Follow TaskRecord::Decide(const AttemptResult& attempt) {
  const int64_t failures = Count(attempt);
  EndIfForkChild();  // the former exception has been destroyed
  const bool failed = attempt.end == AttemptEnd::kFailed || attempt.end == AttemptEnd::kSetupFailed;
  if (failed) TellFailure(attempt);
  AttemptFacts facts{.end = attempt.end,
                     .stop_requested = stop_requested(),
                     .permanent = failed && attempt.failure.exception == nullptr &&
                                  !attempt.interrupted &&
                                  IsPermanent(rules_, attempt.failure.status)};
  const bool permitted = !AsksShouldRestart(rules_, facts) || AskShouldRestart(attempt);
  facts.stop_requested = stop_requested();
  const Verdict verdict = Judge(rules_, facts, permitted, failures);
  absl::Duration delay;
  if (!verdict.final) delay = DelayAfter(failures);
  if (failed) {
    EmitFailure(attempt, verdict, delay);
  } else {
    likeness_.Forget();
  }
  const bool at_once = delay <= absl::ZeroDuration();
  return Commit(verdict, at_once ? Clock::kPast : After(attempt.ended_nanos, delay));
}

// Counts. What is replaced is destroyed after the lock, since it may be the user's.
int64_t TaskRecord::Count(const AttemptResult& attempt) {
  absl::Status error = attempt.failure.status;
  std::exception_ptr exception = attempt.failure.exception;
  MutexLock lock(mutex_);
  if (attempt.end != AttemptEnd::kNotRun) {
    std::swap(last_error_, error);
    std::swap(last_exception_, exception);
  }
  failures_in_a_row_ = CountFailures(failures_in_a_row_, attempt.end, attempt.healthy);
  if (attempt.end == AttemptEnd::kSetupFailed && attempt.failure.exception != nullptr) {
    ++hook_failures_;
  }
  return failures_in_a_row_;
}

void TaskRecord::TellFailure(const AttemptResult& attempt) {
  if (attempt.end == AttemptEnd::kSetupFailed && !rules_.retry_setup) return;
  const Failure& failure = attempt.failure;
  if (failure.exception == nullptr) {
    CallHook("on_error", user_->hooks.on_error,
             [&](auto& hook) { hook(failure.status, attempt.number); });
    return;
  }
  CallHook("on_exception", user_->hooks.on_exception,
           [&](auto& hook) { hook(failure.exception, WhatOf(failure), attempt.number); });
}

void TaskRecord::EmitFailure(const AttemptResult& attempt, const Verdict& verdict,
                             absl::Duration delay) {
  EventQueue& events = engine_->events();
  if (events.silent()) return;
  if (events.detail() == EventDetail::kNotable) {
    const absl::Status& error = attempt.failure.status;
    const std::string_view message(error.message().data(), error.message().size());
    const bool same = likeness_.IsLikeLast(error.raw_code(), message);
    if (!fold_.Count(same, verdict.final, attempt.ended_nanos)) return;
  }
  const bool in_run = attempt.end == AttemptEnd::kFailed;
  const bool delivered =
      events.Emit({.kind = in_run ? EventKind::kAttemptFailed : EventKind::kSetupFailed,
                   .task = this,
                   .attempt = attempt.number,
                   .status = attempt.failure.status,
                   .exception = attempt.failure.exception,
                   .delay = verdict.final ? absl::InfiniteDuration() : delay,
                   .reason = ReasonOf(verdict),
                   .folded = fold_.folded()});
  fold_.Told(delivered, attempt.ended_nanos);
}

bool TaskRecord::AskShouldRestart(const AttemptResult& attempt) {
  bool permitted = true;
  CallHook("should_restart", user_->hooks.should_restart,
           [&](auto& hook) { permitted = hook(attempt.number, attempt.failure.status); });
  return permitted;
}

// A Custom strategy is the user's code; if it throws the default one decides.
absl::Duration TaskRecord::DelayAfter(int64_t failures) {
  const int64_t number = DelayNumber(failures);
  const double unit = JitterUnit(engine_->seed(), table_link_.number, number);
  absl::Duration delay = absl::InfiniteDuration();
  const bool answered = CallHook("backoff", user_->backoff, [&](const BackoffStrategy& backoff) {
    delay = backoff.Delay(number, unit);
  });
  return answered ? delay : BackoffStrategy::Exponential().Delay(number, unit);
}

// Whatever was decided, a stop that came first has decided otherwise.
TaskRecord::Follow TaskRecord::Commit(const Verdict& verdict, int64_t not_before_nanos) {
  bool waits = false;
  {
    MutexLock lock(mutex_);
    const bool stopped = state_ != TaskState::kRunning;
    if (!stopped && verdict.final) {
      final_status_ = verdict.status;
      reason_ = ReasonOf(verdict);
      MoveLocked(internal::Next(state_, LifeEvent::kEndDecided));
    } else if (!stopped) {
      if (not_before_nanos == Clock::kPast || not_before_nanos <= Now()) return Follow::kAgain;
      next_attempt_nanos_ = not_before_nanos;
      MoveLocked(internal::Next(state_, LifeEvent::kBackOff));
      if (watch_ != nullptr) watch_->TimerIsTaken();
      on_lane_ = false;
      waits = true;
    }
  }
  if (waits) {
    engine_->inbox().Post(*this);
  } else {
    LetGo();
  }
  return Follow::kLetGo;
}

}  // namespace foxtive::internal
