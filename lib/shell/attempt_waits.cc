// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a worker asks by its context: whether it is to stop, and waits that a stop ends.
//
//   SleepFor                       parks, in the record's list of waiters
//   WaitReadable, WaitWritable     in the kernel ─┐
//   Wait                           on a condition ┴─ ended by the task's WaitBreaker
//
// RequestStop ends all of them before it returns; so does the monitor, for an attempt that hangs.

#include <memory>
#include <stop_token>
#include <utility>

#include "lib/shell/call_hook.h"
#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/real_time.h"
#include "lib/shell/task_record.h"
#include "lib/shell/user_code_scope.h"
#include "lib/shell/wait_breaker.h"

namespace foxtive::internal {

// A source that is made after the stop has fired before anybody sees it: the service job may have
// been through already, and found none.
std::stop_token TaskRecord::StopToken() {
  {
    MutexLock lock(mutex_);
    if (std::stop_source source = StopSourceLocked(); source.stop_possible()) {
      return source.get_token();
    }
  }
  auto made = std::make_unique<RecordExtras>();
  made->stop = std::stop_source();
  MutexLock lock(mutex_);
  if (run_stopped_) made->stop.request_stop();  // has no callbacks yet
  Adopt(extras_, std::move(made));
  return extras_->stop.get_token();
}

// Without a state if nobody has asked for a token.
std::stop_source TaskRecord::StopSourceLocked() const {
  return extras_ != nullptr ? extras_->stop : std::stop_source(std::nostopstate);
}

bool TaskRecord::SleepFor(absl::Duration duration) {
  MutexLock lock(mutex_);
  const bool stopped = waiters_.Await(mutex_, engine().clock(), After(Now(), duration), [this] {
    mutex_.AssertHeld();
    return run_stopped();
  });
  return !stopped;
}

void TaskRecord::MarkHealthy() {
  if (healthy_.exchange(true)) return;
  MutexLock lock(mutex_);
  failures_in_a_row_ = 0;
}

std::shared_ptr<WaitBreaker> TaskRecord::Breaker() {
  {
    MutexLock lock(mutex_);
    if (std::shared_ptr<WaitBreaker> breaker = BreakerLocked()) return breaker;
  }
  auto made = std::make_unique<RecordExtras>();
  made->breaker = std::make_shared<WaitBreaker>();
  MutexLock lock(mutex_);
  if (run_stopped_) made->breaker->Break();  // nobody waits for it yet
  Adopt(extras_, std::move(made));
  return extras_->breaker;
}

std::shared_ptr<WaitBreaker> TaskRecord::BreakerLocked() const {
  return extras_ != nullptr ? extras_->breaker : nullptr;
}

// By whoever has set `run_stopped_`.
void TaskRecord::EndWaits(WaitBreaker* breaker) {
  waiters_.WakeAll(mutex_, engine().clock());
  if (breaker != nullptr) breaker->Break();
}

absl::Status TaskRecord::AwaitDescriptor(int fd, short events, absl::Duration timeout) {
  if (run_stopped()) return StopCameError();
  if (!engine().system().lanes_own_threads() || !engine().has_real_clock()) {
    return absl::FailedPreconditionError(
        "a descriptor can't be waited for on simulated time, or a clock of one's own, which the "
        "kernel does not know");
  }
  return Breaker()->AwaitDescriptor(fd, events, After(Now(), timeout));
}

ConditionWait TaskRecord::BeginWait(absl::Duration timeout) {
  ConditionWait wait{.takes_turns = !engine().system().lanes_own_threads()};
  wait.deadline_nanos = After(Now(), timeout);
  wait.has_deadline = wait.deadline_nanos != Clock::kNever;
  if (wait.takes_turns) {
    engine().system().BeginTurns();
    return wait;
  }
  if (wait.has_deadline && !engine().has_real_clock()) {
    wait.refused = run_stopped() ? StopCameError()
                                 : absl::FailedPreconditionError(
                                       "timeout: a condition variable follows the real clock only, "
                                       "and this Supervisor has one of its own");
    return wait;
  }
  wait.stop = Breaker()->token();
  return wait;
}

bool TaskRecord::AwaitTurn(int64_t deadline_nanos) {
  return engine().system().AwaitTurn(deadline_nanos);
}

absl::Status TaskRecord::EndWait(bool ready) const {
  if (run_stopped()) return StopCameError();
  return ready ? absl::OkStatus() : WaitedTooLongError();
}

// On a service lane, or, if the stop has come before, on the thread that makes the callback.
void TaskRecord::CallOnStop(void (*call)(void*), void* callback) {
  const UserCodeScope scope(&engine(), this);
  const auto hook = [&] { call(callback); };
  CallHook("OnStop", hook, [](const auto& function) { function(); });
}

}  // namespace foxtive::internal
