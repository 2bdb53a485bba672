// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How a task ends.
//
//   lane:        verdict ──────────────────▶ LetGo ─┐
//                                                   ├─ the last one ─▶ WindDown ─▶ Publish
//   service job: stop callbacks, on_shutdown ───────┘
//   monitor, or Shutdown, when the time is over: Abandon ────────────────────────▶ Publish
//
// Who publishes is settled by Claim, or by GiveUpLocked (stuck.cc), once. From then on nothing that
// the result shows changes. Who comes second is late: what it had to do to the task is done by
// then, and only the list of workers that have not returned changes. The order of publication is:
// name free and counts lowered; result, state, future and waiters of handles; WaitAny, WaitAll and
// Shutdown.

#include <memory>
#include <stop_token>
#include <utility>

#include "lib/core/lifecycle.h"
#include "lib/shell/attempt_watch.h"
#include "lib/shell/call_hook.h"
#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/task_record.h"
#include "lib/shell/thread_setup.h"
#include "lib/shell/thread_state.h"
#include "lib/shell/user_code_scope.h"
#include "lib/shell/wait_breaker.h"

namespace foxtive::internal {

void TaskRecord::HookThrew(const char* hook_name, const Failure& failure) {
  int64_t attempt;
  {
    MutexLock lock(mutex_);
    ++extras_->hook_failures;
    attempt = attempts_;
  }
  engine().events().Emit({.kind = EventKind::kHookThrew,
                          .task = this,
                          .attempt = attempt,
                          .status = failure.status,
                          .exception = failure.exception,
                          .reason = hook_name});
}

// The lane is through with the task.
Follow TaskRecord::LetGoLocked() {
  on_lane_ = false;
  if (service_due_) return Follow::kLetGo;
  if (watch() != nullptr && watch()->LeavesWindDown()) return Follow::kLetGo;
  return Follow::kWindDown;
}

Job::Outcome TaskRecord::RunService() noexcept {
  const UserCodeScope scope(&engine(), this);
  TellInterrupted();
  if (TellStop()) WindDown();
  return Job::Outcome::kDone;
}

// True: no lane has the task, so it is to be wound down. False also if there was nothing to do: the
// job is pushed a last time to give the last reference back.
bool TaskRecord::TellStop() {
  std::stop_source source(std::nostopstate);
  bool set_up;
  {
    MutexLock lock(mutex_);
    if (!service_due_) return false;
    service_thread_ = ThisThreadId();
    source = StopSourceLocked();
    set_up = setup_begun_;
  }
  source.request_stop();
  EndIfForkChild();
  // Beside `run`: nothing else touches this hook before both are through.
  if (set_up && user() != nullptr) {
    CallHook("on_shutdown", user()->hooks.on_shutdown, [](auto& hook) { hook(); });
  }
  MutexLock lock(mutex_);
  service_due_ = false;
  const pid_t thread = std::exchange(service_thread_, 0);
  if (!on_lane_) lane_thread_ = thread;
  return !on_lane_;
}

void TaskRecord::WindDown() {
  if (user() != nullptr && was_set_up()) {
    Enter(TaskPhase::kCleanup);
    CallHook("cleanup", user()->hooks.cleanup, [](auto& hook) { hook(); });
  }
  Enter(TaskPhase::kDestruction);
  if (has_parts_) parts().user.reset();
  run_ = nullptr;
  EndIfForkChild();
  if (Claim(/*abandoned=*/false) == Claimed::kOver) {
    Publish(/*abandoned=*/false, /*on_lane=*/true);
  } else {
    ReturnLate();
  }
}

bool TaskRecord::Abandon() {
  const Claimed claimed = Claim(/*abandoned=*/true);
  if (claimed == Claimed::kByAnother) return false;
  PublishAbandoned(claimed == Claimed::kStuck);
  return true;
}

// By whoever has claimed it.
void TaskRecord::PublishAbandoned(bool stuck) {
  const bool lane_replaced = engine().lanes().Abandon(attempt_job());
  const bool service_replaced = engine().services().Abandon(service_job());
  Publish(/*abandoned=*/stuck, /*on_lane=*/false);
  engine().inbox().Post(*this);  // its timer, if another thread was faster
  if (stuck && !(lane_replaced && service_replaced)) TellNotReplaced();
}

void TaskRecord::TellNotReplaced() {
  engine().events().Emit({.kind = EventKind::kCapacityLimited,
                          .task = this,
                          .reason = "has a lane that can't be replaced: as many abandoned workers "
                                    "as max_concurrency have not returned; tasks wait for one"});
}

TaskRecord::Claimed TaskRecord::Claim(bool abandoned) {
  std::shared_ptr<WaitBreaker> breaker;
  MutexLock lock(mutex_);
  // Nobody waits any more: its descriptor goes, if it has one.
  if (!abandoned && extras_ != nullptr) breaker.swap(extras_->breaker);
  if (std::exchange(concluded_, true)) return Claimed::kByAnother;
  // Nothing of it is stuck but, at worst, a destructor; the result does not wait for that.
  if (!abandoned || !setup_begun_) return Claimed::kOver;
  final_status_ = SupervisionStatus::kAbandoned;
  final_row_ = kAbandonedRow;
  return Claimed::kStuck;
}

void TaskRecord::Publish(bool abandoned, bool on_lane) {
  engine().table().BeforeResult(*this, abandoned);
  EmitEnd(on_lane);
  SetResult(abandoned, on_lane);
  const TaskTable::Left left = engine().table().AfterResult(*this);
  if (left.stage_over) engine().inbox().Nudge();
  if (left.reference) engine().UnrefElsewhere(*this);
}

// Before the result: a Shutdown that sees it finds the event in the queue. Whoever publishes reads
// without the mutex: nothing of it changes any more.
void TaskRecord::EmitEnd(bool on_lane) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  EventQueue& events = engine().events();
  if (events.silent()) return;
  const bool plain = final_status_ == SupervisionStatus::kCompletedNormally && attempts_ == 1;
  if (plain && events.detail() == EventDetail::kNotable) return;
  events.Emit({.kind = EventKind::kTaskOver,
               .task = this,
               .attempt = attempts_,
               .status = last_error_,
               .exception = last_exception_,
               .reason = ReasonLocked(),
               .final_status = final_status_,
               // Else a lane may still be counting.
               .folded = on_lane ? fold_.folded() : 0});
}

// All at once, so that whoever sees one sees the other. That sets the future under the mutex: its
// waiters are woken by the standard library, and no user code runs.
void TaskRecord::SetResult(bool abandoned, bool on_lane) {
  bool stopped = false;
  bool awaited = false;
  std::unique_ptr<FinishedCall> calls;
  {
    MutexLock lock(mutex_);
    MoveLocked(internal::Next(state_, abandoned ? LifeEvent::kStopOverdue : LifeEvent::kOver));
    has_result_ = true;
    if (elapsed_nanos_ != Clock::kNever) elapsed_nanos_ = since_nanos() - elapsed_nanos_;
    if (abandoned && returned_) MoveLocked(internal::Next(state_, LifeEvent::kOver));
    stopped = stop_requested_;
    awaited = !waiters_.empty();
    if (extras_ != nullptr) {
      if (extras_->future != nullptr) SetLocked(*extras_->future);
      calls = std::move(extras_->calls);
    }
    for (FinishedCall* call = calls.get(); call != nullptr; call = call->next.get()) {
      FillLocked(call->result);
    }
  }
  if (awaited) waiters_.WakeAll(mutex_, engine().clock());
  FireAll(std::move(calls), on_lane);
  if (stopped) engine().inbox().Post(*this);  // its timer
}

// All but the name, which needs memory.
void TaskRecord::FillLocked(SupervisionResult& result) const {
  result.total_attempts = attempts_;
  result.final_status = final_status_;
  result.last_error = last_error_;
  if (kThreadSanitizer) ShareNothing(result.last_error);
  result.last_exception = last_exception_;
  result.elapsed = ElapsedLocked();
  result.reason = ReasonLocked();
}

void TaskRecord::SetLocked(FutureState& future) const {
  FillLocked(future.result);
  future.promise.set_value(std::move(future.result));
}

void TaskRecord::OnFinished(FinishedCallback callback) {
  auto call = std::make_unique<FinishedCall>(name_, std::move(callback));
  auto made = std::make_unique<RecordExtras>();
  {
    MutexLock lock(mutex_);
    Adopt(extras_, std::move(made));
    if (!has_result_) {
      call->next = std::move(extras_->calls);
      extras_->calls = std::move(call);
      return;
    }
    FillLocked(call->result);
  }
  FinishedCall::Fire(std::move(call), *this, engine(), /*may_run_here=*/true);
}

// In the order in which they came.
void TaskRecord::FireAll(std::unique_ptr<FinishedCall> calls, bool on_lane) {
  std::unique_ptr<FinishedCall> first;
  while (calls != nullptr) {
    std::unique_ptr<FinishedCall> rest = std::move(calls->next);
    calls->next = std::move(first);
    first = std::move(calls);
    calls = std::move(rest);
  }
  while (first != nullptr) {
    std::unique_ptr<FinishedCall> rest = std::move(first->next);
    FinishedCall::Fire(std::move(first), *this, engine(), /*may_run_here=*/on_lane);
    first = std::move(rest);
  }
}

// The record keeps the exception: so the user's destructor runs when that goes, and not here after
// the scope.
void TaskRecord::CallFinished(FinishedCallback& callback, SupervisionResult& result) {
  const UserCodeScope scope(&engine(), this);
  CallHook("OnFinished", callback, [&result](auto& hook) { hook(result); });
  callback = nullptr;
  result.last_exception = nullptr;
}

// The result is there, or another thread is about to set it.
void TaskRecord::ReturnLate() {
  // First, so that whoever sees kFinished can rely on it that a Shutdown no longer names the task.
  engine().table().Returned(*this);
  bool abandoned;
  {
    MutexLock lock(mutex_);
    returned_ = true;
    abandoned = final_status_ == SupervisionStatus::kAbandoned;
    if (has_result_) MoveLocked(internal::Next(state_, LifeEvent::kOver));
  }
  if (!abandoned) return;
  engine().events().Emit(
      {.kind = EventKind::kLateReturn, .task = this, .reason = "it was abandoned"});
}

void TaskRecord::ReleaseOnLane() {
  const UserCodeScope scope(&engine(), this);
  Unref();
  EndIfForkChild();
}

}  // namespace foxtive::internal
