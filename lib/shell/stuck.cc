// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What is done about an attempt that hangs; attempt_watch.h has the whole of it.
//
// Races. What is decided about an attempt is decided under the record's mutex, where `run` has not
// returned yet as far as the record knows; the lane finds it when it returns. So an attempt is
// stopped, loses its lane or is given up before its end or not at all, and the next one is never
// meant. What follows from the decision is done after the lock, and is harmless to whoever comes
// between: callbacks that are registered on the source of this attempt only, a wake-up, a replaced
// lane that is found by the number of the run.

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "lib/core/watch.h"
#include "lib/shell/attempt_watch.h"
#include "lib/shell/engine.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/real_time.h"
#include "lib/shell/stack_capture.h"
#include "lib/shell/task_record.h"
#include "lib/shell/thread_state.h"
#include "lib/shell/wait_breaker.h"

namespace foxtive::internal {
namespace {

// How long the listener may take before the process is aborted.
constexpr int64_t kTellBeforeAbortNanos = 1'000'000'000;

// Of static storage.
std::string_view WhatIsDone(OnStuck on_stuck) {
  switch (on_stuck) {
    case OnStuck::kReport:
      return "it goes on (OnStuck::kReport)";
    case OnStuck::kRestart:
      return "it is asked to stop (OnStuck::kRestart)";
    case OnStuck::kRestartOrGiveUp:
      return "it is asked to stop (OnStuck::kRestartOrGiveUp)";
    case OnStuck::kAbort:
      break;
  }
  return "the process is aborted (OnStuck::kAbort)";
}

std::string WhatIsMissed(Missed missed, const WatchLimits& limits) {
  if (missed == Missed::kHeartbeat) {
    return absl::StrCat("no heartbeat for ",
                        absl::FormatDuration(absl::Nanoseconds(limits.heartbeat_nanos)));
  }
  return absl::StrCat("it has run for longer than its run_timeout, ",
                      absl::FormatDuration(absl::Nanoseconds(limits.run_nanos)));
}

// Without a text if there is no memory for it.
absl::Status StuckStatus(Missed missed, const WatchLimits& limits, std::string_view more = {}) {
  try {
    return absl::DeadlineExceededError(
        absl::StrCat(WhatIsMissed(missed, limits), std::string(more)));
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kDeadlineExceeded, "");
  }
}

// How an attempt that was asked to stop has ended after all.
std::string HowItReturned(const Failure& failure, absl::Duration took) {
  const absl::Status& status = failure.status;
  const char* const verb = failure.exception != nullptr ? "threw " : "returned ";
  return absl::StrCat("; asked to stop, it ", verb,
                      status.ok() ? "OK" : absl::StatusCodeToString(status.code()),
                      status.ok() ? "" : ": ", status.message(), " after ",
                      absl::FormatDuration(absl::Trunc(took, absl::Microseconds(1))));
}

}  // namespace

void TaskRecord::Heartbeat() {
  if (watch() != nullptr) watch()->Heartbeat(Now());
}

// --- On the lane.

bool TaskRecord::BeginWatchedRun() {
  // What an attempt that was asked to stop had of its own; destroyed after the lock.
  std::stop_source source(std::nostopstate);
  std::shared_ptr<WaitBreaker> breaker;
  {
    MutexLock lock(mutex_);
    if (!BeginRunLocked()) return false;
    if (watch()->interrupted()) {
      run_stopped_ = false;
      source.swap(extras_->stop);
      breaker.swap(extras_->breaker);
    }
    if (!watch()->Begin(attempt_job().run_number(), Now())) return true;
    orders_ |= kArmWatch;
  }
  engine().inbox().Post(*this);
  return true;
}

// `run` has returned. If it had been asked to stop, that is now what the attempt has failed by.
void TaskRecord::EndWatchedRun(AttemptResult& attempt) {
  AttemptWatch::Ended ended;
  {
    MutexLock lock(mutex_);
    ended = watch()->End(Now());
  }
  if (!ended.interrupted) return;
  std::string how;
  try {
    how = HowItReturned(attempt.failure, ended.since_missed);
  } catch (const std::bad_alloc&) {
  }
  attempt.failure = {.status = StuckStatus(ended.missed, watch()->limits(), how)};
  EndIfForkChild();  // what it threw has been destroyed
  attempt.interrupted = true;
  attempt.lived_nanos = ended.lived_nanos;
  attempt.lane_lost = ended.lane_lost;
  if (!ended.lane_lost) return;
  engine().events().Emit(
      {.kind = EventKind::kLateReturn, .task = this, .reason = "its lane was replaced"});
}

// --- On any thread.

// The request is sent while the thread can't let go of the task, so it goes to the right one.
absl::StatusOr<std::shared_ptr<const StackTrace>> TaskRecord::CaptureStack(absl::Duration timeout) {
  if (engine().stack_signal() == 0) {
    return absl::FailedPreconditionError("SupervisorOptions::stack_signal is not set");
  }
  if (!engine().system().lanes_own_threads()) {
    return absl::FailedPreconditionError("on simulated time tasks have no threads of their own");
  }
  const auto send = [this](const StackRequest& request) -> absl::StatusOr<pid_t> {
    int error = ESRCH;
    {
      MutexLock lock(mutex_);
      const pid_t thread = ThreadLocked();
      if (thread != 0) error = request.SendTo(thread);
      if (error == 0) return thread;
    }
    if (error == EAGAIN) return absl::UnavailableError("no answer: too many signals wait");
    return absl::NotFoundError(absl::StrCat("no code of task '", name_, "' runs"));
  };
  const absl::StatusOr<RawStack> stack =
      internal::CaptureStack(*this, send, After(engine().real_clock().NowNanos(), timeout));
  if (!stack.ok()) return stack.status();
  auto trace = std::make_shared<const StackTrace>(Symbolize(*stack));
  KeepStack(trace);
  return trace;
}

std::shared_ptr<const StackTrace> TaskRecord::AskWhere(absl::Duration timeout) {
  const absl::StatusOr<std::shared_ptr<const StackTrace>> stack = CaptureStack(timeout);
  if (stack.ok()) return *stack;
  auto missing = std::make_shared<const StackTrace>(
      StackTrace{.missing = std::string(stack.status().message())});
  KeepStack(missing);
  return missing;
}

void TaskRecord::KeepStack(std::shared_ptr<const StackTrace> stack) {
  auto made = std::make_unique<RecordExtras>();
  made->stack = std::move(stack);
  MutexLock lock(mutex_);
  made->stack_attempt = attempts_;
  Adopt(extras_, std::move(made));
}

// Of whoever runs its code. Zero: nobody does.
pid_t TaskRecord::ThreadLocked() const {
  switch (PhaseLocked()) {
    case TaskPhase::kNone:
      return 0;
    case TaskPhase::kStopCalls:
      return service_thread_;
    default:
      return lane_thread_;
  }
}

// --- On a service lane: the stop callbacks of an attempt that was asked to stop.
//
// They may outlast the attempt, if the worker has left them somewhere; then the task may be over
// meanwhile, and is wound down here.
void TaskRecord::TellInterrupted() {
  if (watch() == nullptr) return;
  std::stop_source source(std::nostopstate);
  {
    MutexLock lock(mutex_);
    if (!watch()->BeginTelling()) return;
    service_thread_ = ThisThreadId();
    source = StopSourceLocked();
  }
  source.request_stop();
  EndIfForkChild();
  {
    MutexLock lock(mutex_);
    const pid_t thread = std::exchange(service_thread_, 0);
    if (!watch()->EndTelling()) return;
    lane_thread_ = thread;
  }
  WindDown();
}

// --- On the monitor.

int64_t TaskRecord::LookAfterRun(int64_t resumed_nanos) {
  StuckStep step;
  std::shared_ptr<WaitBreaker> breaker;
  {
    MutexLock lock(mutex_);
    // Between attempts the watch has nothing to say; after a stop the timer is not its own.
    if (state_ != TaskState::kRunning && state_ != TaskState::kQueued) return Clock::kNever;
    step = watch()->NextStep(resumed_nanos, Now());
    if (step.then == StuckStep::kInterrupt) run_stopped_ = true;
    if (step.then == StuckStep::kGiveUp) GiveUpLocked();
    breaker = BreakerLocked();
  }
  if (step.missed != Missed::kNothing) TellStuck(step.missed);
  switch (step.then) {
    case StuckStep::kNothingElse:
      break;
    case StuckStep::kInterrupt:
      EndWaits(breaker.get());
      Ref();
      if (!engine().services().Push(service_job())) engine().UnrefElsewhere(*this);
      break;
    case StuckStep::kReplaceLane:
      ReplaceLane(step.run_number);
      break;
    case StuckStep::kGiveUp:
      EndWaits(breaker.get());
      engine().inbox().Post(*this);
      PublishAbandoned(/*stuck=*/true);
      break;
    case StuckStep::kAbortProcess:
      AbortProcess(step.missed);
  }
  return step.look_again_nanos;
}

// At once, with the decision: whatever the attempt still comes to is late. The result has the hang
// for its cause.
void TaskRecord::GiveUpLocked() {
  StopLocked();
  const Failure failure{.status = StuckStatus(watch()->missed(), watch()->limits(),
                                              "; asked to stop, it has not returned")};
  if (ExtrasPointer made = MadeLog()) Adopt(extras_, std::move(made));
  watch()->Keep(ReplaceErrorLocked(failure, attempts_, /*same=*/false));
  last_times_ = {.began_nanos = watch()->began(), .ended_nanos = since_nanos()};
  last_marks_ = {.row = kGivenUpRow, .final = true, .is_current = true};
  concluded_ = true;
  final_status_ = SupervisionStatus::kAbandoned;
  final_row_ = kGivenUpRow;
}

void TaskRecord::TellStuck(Missed missed) {
  EventQueue& events = engine().events();
  if (events.silent()) return;
  events.Emit({.kind = EventKind::kStuck,
               .task = this,
               .attempt = attempts(),
               .status = StuckStatus(missed, watch()->limits()),
               .delay = absl::InfiniteDuration(),
               .reason = WhatIsDone(watch()->on_stuck())});
}

void TaskRecord::ReplaceLane(uint32_t run_number) {
  const bool replaced = engine().lanes().AbandonRun(attempt_job(), run_number);
  engine().events().Emit(
      {.kind = EventKind::kStopIgnored,
       .task = this,
       .attempt = attempts(),
       .reason = "its lane is replaced, and its task waits for it (OnStuck::kRestart)"});
  if (!replaced) TellNotReplaced();
}

// The line is written here, where it can't be lost, after the listener, which may be slow, was
// told.
void TaskRecord::AbortProcess(Missed missed) {
  engine().events().Drain(engine().real_clock().NowNanos() + kTellBeforeAbortNanos);
  const absl::Status status = StuckStatus(missed, watch()->limits());
  for (const std::string_view part :
       {std::string_view("foxtive: task '"), std::string_view(name_),
        std::string_view("' is stuck, and the process is aborted: "),
        std::string_view(status.message().data(), status.message().size()),
        std::string_view("\n")}) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, part.data(), part.size());
  }
  std::abort();
}

}  // namespace foxtive::internal
