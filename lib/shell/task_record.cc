// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What handles and the monitor ask of a task. attempt.cc has what a lane does with it,
// attempt_waits.cc what the worker asks meanwhile, ending.cc how it ends.

#include "lib/shell/task_record.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lib/shell/attempt_watch.h"
#include "lib/shell/engine.h"
#include "lib/shell/real_time.h"
#include "lib/shell/user_code_scope.h"

namespace foxtive::internal {
namespace {

bool HasUserParts(const TaskSpec& spec) {
  const TaskHooks& hooks = spec.hooks;
  const bool has_hooks = hooks.setup || hooks.cleanup || hooks.on_restart || hooks.on_error ||
                         hooks.on_exception || hooks.should_restart || hooks.on_shutdown;
  return has_hooks || spec.backoff.is_custom();
}

// What a task has from the beginning; null if there is nothing.
ExtrasPointer PartsOf(TaskSpec& spec, absl::Duration stop_timeout) {
  const bool has_user_parts = HasUserParts(spec);
  std::unique_ptr<AttemptWatch> watch = AttemptWatch::For(spec, stop_timeout);
  if (!has_user_parts && watch == nullptr) return nullptr;
  auto parts = std::make_unique<RecordExtras>();
  parts->watch = std::move(watch);
  if (has_user_parts) {
    parts->user = std::make_unique<UserParts>(
        UserParts{.hooks = std::move(spec.hooks), .backoff = std::move(spec.backoff)});
  }
  return parts;
}

}  // namespace

TaskRecord::TaskRecord(TaskSpec&& spec, Engine& engine, bool registered)
    : name_(std::move(spec.name)),
      settings_(engine.settings().SettingsOf(spec, engine)),
      since_nanos_(engine.clock().NowNanos()),
      registered_(registered),
      run_(std::move(spec.run.function_)),
      extras_(PartsOf(spec, settings_->stop_timeout)) {
  has_parts_ = extras_ != nullptr;
  if (!BeginsQueued()) return;
  state_ = internal::Next(state_, LifeEvent::kStart).next;
  elapsed_nanos_ = since_nanos();
}

// Nobody has to look at it between its beginning and its start.
bool TaskRecord::BeginsQueued() const {
  return !registered_ && settings_->initial_delay == absl::ZeroDuration();
}

TaskRecord::~TaskRecord() = default;

// Release, so that whoever destroys the record sees what others did to it; acquire, to see it.
void TaskRecord::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

bool TaskRecord::UnrefUnlessLast() {
  int references = references_.load(std::memory_order_relaxed);
  while (references > 1) {
    if (references_.compare_exchange_weak(references, references - 1, std::memory_order_acq_rel)) {
      return true;
    }
  }
  return false;
}

TaskHandle TaskRecord::MakeHandle() { return TaskHandle(this); }

int64_t TaskRecord::Now() const { return engine().clock().NowNanos(); }

void TaskRecord::MoveLocked(const Transition& transition) {
  if (!transition.taken) return;
  state_ = transition.next;
  since_nanos_.store(Now(), std::memory_order_release);
  // Whoever starts or awakens a task pushes it itself.
  orders_ |= transition.actions & ~kEnqueue;
}

// --- For handles.

TaskState TaskRecord::state() const {
  MutexLock lock(mutex_);
  return state_;
}

int64_t TaskRecord::attempts() const {
  MutexLock lock(mutex_);
  return attempts_;
}

TaskInfo TaskRecord::info() const {
  TaskInfo info{.name = name_};
  MutexLock lock(mutex_);
  FillLocked(info, Now());
  return info;
}

ShutdownReport::Task TaskRecord::AtShutdown() const {
  ShutdownReport::Task task{.info = {.name = name_}, .stop_order = stop_order()};
  MutexLock lock(mutex_);
  const int64_t now = Now();
  FillLocked(task.info, now);
  task.final_status = final_status_;
  if (stopping_nanos_ != Clock::kNever) {
    const bool over = state_ == TaskState::kFinished;
    task.since_stop = absl::Nanoseconds((over ? since_nanos() : now) - stopping_nanos_);
  }
  return task;
}

// All but the name, which needs memory.
void TaskRecord::FillLocked(TaskInfo& info, int64_t now) const {
  info.state = state_;
  info.attempts = attempts_;
  info.consecutive_failures = failures_in_a_row_;
  if (extras_ != nullptr) info.hook_failures = extras_->hook_failures;
  info.last_error = UnsharedCopy(last_error_);
  info.in_state_for = absl::Nanoseconds(now - since_nanos());
  if (watch() != nullptr && watch()->stuck()) {
    info.stuck_for = absl::Nanoseconds(now - watch()->missed_at());
  }
  info.phase = PhaseLocked();
  if (watch() != nullptr && watch()->last_beat() != Clock::kPast) {
    info.since_heartbeat = absl::Nanoseconds(now - watch()->last_beat());
  }
  if (extras_ != nullptr && extras_->stack_attempt == attempts_) info.stack = extras_->stack;
  if (state_ == TaskState::kBackingOff) {
    info.next_attempt_in = next_attempt_nanos_ == Clock::kNever
                               ? absl::InfiniteDuration()
                               : absl::Nanoseconds(std::max<int64_t>(next_attempt_nanos_ - now, 0));
  }
}

// Of a task that no lane has only its end, on whatever thread that is, and what a stop calls.
TaskPhase TaskRecord::PhaseLocked() const {
  if (state_ == TaskState::kFinished) return TaskPhase::kNone;
  const TaskPhase phase = phase_.load(std::memory_order_relaxed);
  if (on_lane_ || phase >= TaskPhase::kCleanup) return phase;
  return service_thread_ != 0 ? TaskPhase::kStopCalls : TaskPhase::kNone;
}

// Of a task that was never started it is 0.
absl::Duration TaskRecord::ElapsedLocked() const {
  return elapsed_nanos_ != Clock::kNever ? absl::Nanoseconds(elapsed_nanos_) : absl::ZeroDuration();
}

std::string_view TaskRecord::ReasonLocked() const {
  return ReasonOf({.row = final_row_, .final = true});
}

SupervisionResult TaskRecord::MakeResultLocked() const {
  return {.task_name = name_,
          .total_attempts = attempts_,
          .final_status = final_status_,
          .last_error = UnsharedCopy(last_error_),
          .last_exception = last_exception_,
          .elapsed = ElapsedLocked(),
          .reason = ReasonLocked()};
}

std::shared_future<SupervisionResult> TaskRecord::future() {
  {
    MutexLock lock(mutex_);
    if (extras_ != nullptr && extras_->future != nullptr) return extras_->future->future;
  }
  auto made = std::make_unique<RecordExtras>();
  made->future = std::make_unique<FutureState>();
  made->future->result.task_name = name_;
  MutexLock lock(mutex_);
  const bool first = extras_ == nullptr || extras_->future == nullptr;
  Adopt(extras_, std::move(made));
  if (first && has_result_) SetLocked(*extras_->future);
  return extras_->future->future;
}

std::optional<SupervisionResult> TaskRecord::TryResult() const {
  MutexLock lock(mutex_);
  if (!has_result_) return std::nullopt;
  return MakeResultLocked();
}

absl::StatusOr<SupervisionResult> TaskRecord::Wait(absl::Duration timeout) {
  MutexLock lock(mutex_);
  if (has_result_) return MakeResultLocked();
  if (UserCodeScope::InsideOf(*this)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the code of task '", name_, "' can't wait for its own result"));
  }
  if (AwaitResultLocked(After(Now(), timeout))) return MakeResultLocked();
  return absl::DeadlineExceededError(
      absl::StrCat("task '", name_, "' is not over after ", absl::FormatDuration(timeout)));
}

SupervisionResult TaskRecord::ResultInAMoment() {
  MutexLock lock(mutex_);
  AwaitResultLocked(Clock::kNever);
  return MakeResultLocked();
}

bool TaskRecord::AwaitResultLocked(int64_t deadline_nanos) {
  return waiters_.Await(mutex_, engine().clock(), deadline_nanos, [this] {
    mutex_.AssertHeld();
    return has_result_;
  });
}

// Beside the lane the hook is looked at and not touched, and is there while the task is running.
bool TaskRecord::HasStopCallsLocked() const {
  const bool has_source = extras_ != nullptr && extras_->stop.stop_possible();
  return has_source || (user() != nullptr && user()->hooks.on_shutdown);
}

// The lane of a running task with nothing to be called beside it winds it down without the service
// job. What is registered on a source that is made from now on is called by whoever registers it.
bool TaskRecord::StopLocked() {
  const bool needs_service = state_ != TaskState::kRunning || HasStopCallsLocked();
  const Transition stop = internal::Next(state_, LifeEvent::kStopRequested);
  if (!stop.taken) return false;
  stop_requested_ = true;  // before the time of the state: queued_at_nanos
  MoveLocked(stop);
  run_stopped_ = true;
  service_due_ = needs_service;
  if (!needs_service) orders_ &= ~kSignalStop;
  stopping_nanos_ = since_nanos();
  return true;
}

bool TaskRecord::RequestStop() {
  std::shared_ptr<WaitBreaker> breaker;
  {
    MutexLock lock(mutex_);
    if (!StopLocked()) return false;
    breaker = BreakerLocked();
  }
  EndWaits(breaker.get());
  engine().inbox().Post(*this);
  return true;
}

// --- For whoever starts it, for the monitor, and for Shutdown.

// Jitter is relative to the delay, whatever the longest delay of the backoff is.
absl::Duration TaskRecord::FirstDelay() const {
  const absl::Duration delay = settings_->initial_delay;
  if (delay == absl::ZeroDuration()) return delay;
  const double unit = JitterUnit(engine().seed(), table_link_.number, 0);
  return BackoffStrategy::Constant(delay).WithJitter(settings_->jitter).Delay(1, unit);
}

bool TaskRecord::Start() {
  const absl::Duration delay = FirstDelay();
  const bool later = delay > absl::ZeroDuration();
  if (!BeginsQueued()) {
    MutexLock lock(mutex_);
    const Transition start =
        internal::Next(state_, later ? LifeEvent::kStartLater : LifeEvent::kStart);
    if (!start.taken) return false;
    MoveLocked(start);
    elapsed_nanos_ = since_nanos();
    if (later) next_attempt_nanos_ = After(since_nanos(), delay);
  }
  if (later) {
    engine().inbox().Post(*this);
    return true;
  }
  Ref();
  if (engine().lanes().Push(attempt_job())) return true;
  Unref();
  return false;
}

TaskRecord::Orders TaskRecord::TakeOrders() {
  MutexLock lock(mutex_);
  Orders orders{.actions = std::exchange(orders_, static_cast<uint8_t>(kNoAction)),
                .state = state_};
  if (concluded_) orders.actions &= ~kArmStopTimer;
  if (state_ != TaskState::kBackingOff) orders.actions &= ~kArmBackoff;
  if (state_ != TaskState::kRunning && state_ != TaskState::kQueued) orders.actions &= ~kArmWatch;
  if ((orders.actions & kArmStopTimer) != 0) {
    orders.timer_nanos = After(stopping_nanos_, settings_->stop_timeout);
  } else if ((orders.actions & kArmBackoff) != 0) {
    orders.timer_nanos = next_attempt_nanos_;
  } else if ((orders.actions & kArmWatch) != 0) {
    orders.timer_nanos = watch()->FirstLook(Now());
  }
  return orders;
}

TaskRecord::Due TaskRecord::TimerDue() {
  MutexLock lock(mutex_);
  if (state_ == TaskState::kBackingOff) {
    // It may be that of the attempt before, and the monitor has not seen the order for this one.
    if (Now() < next_attempt_nanos_) return Due::kNothing;
    MoveLocked(internal::Next(state_, LifeEvent::kDelayOver));
    return Due::kEnqueue;
  }
  if (state_ == TaskState::kRunning || state_ == TaskState::kQueued) {
    return watch() != nullptr ? Due::kLookAfterRun : Due::kNothing;
  }
  // It may be the timer of a backoff that a stop has ended, and the monitor has not seen that yet.
  const bool stop_overdue = Now() >= After(stopping_nanos_, settings_->stop_timeout);
  const bool abandon = state_ == TaskState::kStopping && !concluded_ && stop_overdue;
  return abandon ? Due::kAbandon : Due::kNothing;
}

void TaskRecord::StopForShutdown() {
  if (RequestStop()) return;
  {
    MutexLock lock(mutex_);
    if (stop_requested_ || concluded_ || stopping_nanos_ != Clock::kNever) return;
    stopping_nanos_ = Now();
    orders_ |= kArmStopTimer;
  }
  engine().inbox().Post(*this);
}

TaskRecord::LaneUse TaskRecord::UseOfLane() const {
  MutexLock lock(mutex_);
  const bool lost = watch() != nullptr && watch()->lane_lost();
  return {.held = on_lane_ && !lost && state_ != TaskState::kOverdue,
          .state = state_,
          .in_state_for = absl::Nanoseconds(Now() - since_nanos())};
}

absl::Duration TaskRecord::StoppingFor() const {
  MutexLock lock(mutex_);
  return absl::Nanoseconds(Now() - stopping_nanos_);
}

}  // namespace foxtive::internal
