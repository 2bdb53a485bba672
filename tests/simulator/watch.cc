// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/simulator/watch.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulator/watch_parts.h"
#include "tests/simulator/world.h"

namespace foxtive::test {

TaskWatch::TaskWatch(World& world, TaskPlan plan, std::string name)
    : world_(world), plan_(std::move(plan)), name_(std::move(name)) {}

int64_t TaskWatch::Now() const { return world_.Now(); }

void TaskWatch::Fail(const std::string& what) const {
  world_.Fail(absl::StrCat("task '", name_, "': ", what));
}

void TaskWatch::Note(const char* what, int64_t number) const {
  world_.Note({.nanos = Now(), .task = plan_.number, .what = what, .number = number});
}

// --- The task.

TaskSpec TaskWatch::MakeSpec() {
  made_at_ = Now();
  const std::shared_ptr<TaskWatch> self = shared_from_this();
  // Goes with the last of the callables.
  std::shared_ptr<void> witness(nullptr, [self](void*) {
    self->Note("destroyed", 0);
    if (self->inside_ != Hook::kNone) self->Fail("its callables were destroyed inside of a call");
    self->destroyed_ = true;
  });
  TaskSpec spec{.name = name_,
                .run = [self, witness](TaskContext& context) { return self->Run(context); },
                .restart_policy = plan_.policy,
                .restart_on = plan_.restart_on,
                .permanent_errors = {absl::StatusCode::kDataLoss},
                .initial_delay = plan_.initial_delay,
                .stable_after = stable_after(),
                .retry_setup = plan_.retry_setup,
                .heartbeat_timeout = plan_.heartbeat_timeout,
                .run_timeout = plan_.run_timeout,
                .on_stuck = on_stuck(),
                .stop_timeout = plan_.stop_timeout,
                .stop_order = plan_.stop_order};
  if (plan_.backoff == TaskPlan::Backoff::kCustom) {
    spec.backoff = BackoffStrategy::Custom([self](int64_t failures) {
      self->Begin(Hook::kDelay, failures);
      // What it throws is thrown after the end of the call, as far as this watch is concerned.
      self->End(Hook::kDelay);
      return self->plan_.CustomDelay(failures);
    });
  } else {
    spec.backoff = plan_.MakeBackoff();
  }
  SetHooksBefore(spec.hooks, witness);
  SetHooksAfter(spec.hooks, witness);
  return spec;
}

void TaskWatch::SetHooksBefore(TaskHooks& hooks, const std::shared_ptr<void>& witness) {
  const std::shared_ptr<TaskWatch> self = shared_from_this();
  if (plan_.Has(Hook::kSetup)) {
    hooks.setup = [self, witness] {
      const HookPlan plan = self->plan_.OfHook(Hook::kSetup, self->Calls(Hook::kSetup));
      self->Begin(Hook::kSetup, 0);
      self->setup_began_ = self->Now();
      self->Dwell(plan.takes);
      self->SetupEnded(plan.throws, plan.throws && self->Calls(Hook::kSetup) % 2 == 0);
      self->MayThrow({.throws = self->threw_});
      return self->failed_ ? self->last_error_ : absl::OkStatus();
    };
  }
  if (plan_.Has(Hook::kOnRestart)) {
    hooks.on_restart = [self, witness](int64_t n) { self->CallHook(Hook::kOnRestart, n); };
  }
  if (plan_.Has(Hook::kOnError)) {
    hooks.on_error = [self, witness](const absl::Status& error, int64_t n) {
      if (!self->IsError(error)) self->Fail(absl::StrCat("on_error with ", error.ToString()));
      self->CallHook(Hook::kOnError, n);
    };
  }
  if (plan_.Has(Hook::kOnException)) {
    hooks.on_exception = [self, witness](const std::exception_ptr& exception, std::string_view what,
                                         int64_t n) {
      if (exception == nullptr || what != kExceptionText)
        self->Fail("on_exception with another one");
      self->CallHook(Hook::kOnException, n);
    };
  }
}

void TaskWatch::SetHooksAfter(TaskHooks& hooks, const std::shared_ptr<void>& witness) {
  const std::shared_ptr<TaskWatch> self = shared_from_this();
  if (plan_.Has(Hook::kShouldRestart)) {
    hooks.should_restart = [self, witness](int64_t n, const absl::Status&) {
      const bool permits = self->plan_.Permits(n);
      const HookPlan plan = self->plan_.OfHook(Hook::kShouldRestart, n);
      // One that throws counts as true.
      if (!permits && !plan.throws) {
        self->model_ = Model::kEnds;
        self->model_status_ = SupervisionStatus::kRestartPrevented;
      }
      self->CallHook(Hook::kShouldRestart, n);
      return permits;
    };
  }
  if (plan_.Has(Hook::kCleanup)) {
    hooks.cleanup = [self, witness] { self->CallHook(Hook::kCleanup, 0); };
  }
  if (plan_.Has(Hook::kOnShutdown)) {
    hooks.on_shutdown = [self, witness] { self->CallHook(Hook::kOnShutdown, 0); };
  }
}

void TaskWatch::CallHook(Hook hook, int64_t number) {
  const HookPlan plan = plan_.OfHook(hook, hook == Hook::kShouldRestart ? number : runs_);
  Begin(hook, number);
  Dwell(plan.takes);
  End(hook);
  MayThrow(plan);
}

void TaskWatch::MayThrow(const HookPlan& plan) {
  if (plan.throws) throw std::runtime_error(kExceptionText);
}

// Deaf to everything.
void TaskWatch::Dwell(absl::Duration duration) { world_.Dwell(duration); }

absl::Status TaskWatch::Run(TaskContext& context) {
  const int64_t number = context.attempt();
  Begin(Hook::kRun, number);
  const int64_t began = began_ = last_beat_ = Now();
  missed_ = surely_missed_ = INT64_MAX;
  const AttemptPlan attempt = plan_.Attempt(number);
  if (context.name() != name_) Fail("the context has another name");
  if (context.stop_requested() && !stops()) Fail("it is told of a stop that nobody asked for");
  bool called = false;
  std::optional<std::stop_callback<std::function<void()>>> callback;
  if (attempt.token) callback.emplace(context.stop_token(), [&called] { called = true; });
  if (attempt.marks_healthy) context.MarkHealthy();
  DoDeed(attempt, context);
  Waits(attempt, context);
  callback.reset();
  const bool hung = CheckInterruption(context);
  if (called && !stops() && !hung && !maybe_hung_)
    Fail("a stop callback was called without a stop");
  // Where it can't be told what the monitor has seen of its beats, the worker says so itself.
  const bool unclear = maybe_hung_ || (hung && missed_ != INT64_MAX);
  if (unclear) context.MarkHealthy();
  const int64_t lived_until = hung ? last_beat_ : Now();
  const bool lived = absl::Nanoseconds(lived_until - began) >= stable_after();
  AttemptEnded(attempt.outcome, attempt.marks_healthy || unclear || lived, hung);
  if (attempt.outcome == Outcome::kException) throw std::runtime_error(kExceptionText);
  return ErrorOf(attempt.outcome);
}

void TaskWatch::DoDeed(const AttemptPlan& attempt, TaskContext& context) {
  using Deed = AttemptPlan::Deed;
  switch (attempt.deed) {
    case Deed::kNone:
      return;
    case Deed::kStopsItself:
      RequestStop();
      if (accepted() && !context.stop_requested()) Fail("a stop of its own does not show");
      return;
    case Deed::kSubmits:
      world_.SubmitNext();
      return;
    case Deed::kOwns:
      world_.OwnSupervisor(attempt.sleep);
      return;
    case Deed::kShutsDown:
      world_.RequestShutdown();
      return;
    case Deed::kAsksWhatItMayNot:
      if (accepted()) WaitForItself();
      world_.AskForRefusals();
      return;
  }
}

// If it has been abandoned its result is there, and there is nothing to wait for.
void TaskWatch::WaitForItself() {
  const absl::StatusOr<SupervisionResult> result = handle_.Wait();
  const bool refused = result.status().code() == absl::StatusCode::kFailedPrecondition;
  const bool there = result.ok() && result->final_status == SupervisionStatus::kAbandoned;
  if (!refused && !there) Fail("it may wait for itself");
}

// --- What the hosts did.

void TaskWatch::Accepted(TaskHandle handle) {
  handle_ = std::move(handle);
  if (!world_.WantsFinishedCall(plan_.number)) return;
  const std::shared_ptr<TaskWatch> self = shared_from_this();
  const absl::Status status =
      handle_.OnFinished([self](const SupervisionResult& result) { self->Finished(result); });
  wants_finished_call_ = status.ok();
}

void TaskWatch::Started(bool since_before) {
  if (started_) return;
  started_ = true;
  ended_at_ = last_end_ = since_before ? made_at_ : Now();
  SetDelay({plan_.initial_delay * (1 - plan_.jitter) * (1 - 1e-9),
            plan_.initial_delay * (1 + plan_.jitter) * (1 + 1e-9)});
}

void TaskWatch::RequestStop() {
  if (!accepted()) return;
  const int64_t asked_at = Now();
  ++asks_;  // whoever it reaches may see it before this thread goes on
  const bool answer = handle_.RequestStop();
  --asks_;
  Note(answer ? "RequestStop: true" : "RequestStop: false", 0);
  if (!answer) return;
  if (stop_answered_) Fail("RequestStop said true twice");
  stop_answered_ = true;
  stop_asked_at_ = asked_at;
  const absl::Duration timeout = plan_.stop_timeout.value_or(world_.plan().shutdown_timeout);
  if (timeout != absl::InfiniteDuration()) stop_deadline_ = asked_at + Nanos(timeout) + kTickNanos;
}

bool TaskWatch::stops() const { return asks_ > 0 || stop_answered_ || world_.shuts_down(); }

// --- The result.

void TaskWatch::Finished(const SupervisionResult& result) {
  Note("OnFinished", result.total_attempts);
  if (++finished_calls_ > 1) Fail("OnFinished was called twice");
  CheckResult(result);
}

void TaskWatch::Look() {
  if (!accepted() || result_seen_) return;
  const std::optional<SupervisionResult> result = handle_.TryResult();
  CheckStuckFor(handle_.info());
  if (result.has_value()) {
    CheckResult(*result);
  } else if (world_.exact() && stop_deadline_.has_value() && Now() > *stop_deadline_) {
    Fail(absl::StrCat("it has no result ",
                      absl::FormatDuration(absl::Nanoseconds(Now() - *stop_deadline_)),
                      " after its stop_timeout"));
  }
}

void TaskWatch::CheckResult(const SupervisionResult& result) {
  if (result_seen_) {
    if (result.final_status != status_) Fail("it has two results");
    return;
  }
  result_seen_ = true;
  status_ = result.final_status;
  Note(ToString(status_) == "kAbandoned" ? "abandoned" : "over", result.total_attempts);
  const bool abandoned = status_ == SupervisionStatus::kAbandoned;
  if (!started_ && result.total_attempts > 0) Fail("it has run and was not started");
  // One that was stopped before its setup is not abandoned: nothing of it can be stuck but the
  // destructors, for which the result does not wait when its time is up.
  const bool never_begun = runs_ == 0 && Calls(Hook::kSetup) == 0 && stops();
  if (!abandoned && !destroyed_ && !never_begun)
    Fail("a result before its callables were destroyed");
  if (!abandoned && inside_ != Hook::kNone) Fail("a result inside of a call");
  if (result.task_name != name_) Fail("the result of another task");
  const int64_t most = runs_ + (abandoned && !world_.exact() ? 1 : 0);
  if (result.total_attempts < runs_ || result.total_attempts > most) {
    Fail(absl::StrCat("total_attempts is ", result.total_attempts, " after ", runs_));
  }
  if (!IsEndOfModel(result)) {
    Fail(absl::StrCat(
        "its result is ", ToString(status_), ", the model says ",
        model_ == Model::kEnds ? ToString(model_status_) : std::string("that it goes on"),
        stops() ? ", and it was asked to stop" : ", and nobody asked it to stop"));
  }
  const bool given_up = result.reason.find("kRestartOrGiveUp") != std::string_view::npos;
  if (given_up && (!absl::IsDeadlineExceeded(result.last_error) || result.last_exception)) {
    Fail(absl::StrCat("given up for a hang, and last_error is ", result.last_error.ToString()));
  }
  if (!abandoned && !IsError(result.last_error)) {
    Fail(absl::StrCat("last_error is ", result.last_error.ToString(), " instead of ",
                      last_error_.ToString()));
  }
  if (result.elapsed > absl::Nanoseconds(Now() - made_at_)) Fail("it has lasted for too long");
}

bool TaskWatch::IsEndOfModel(const SupervisionResult& result) const {
  const bool as_stopped = result.final_status == SupervisionStatus::kManuallyStopped ||
                          result.final_status == SupervisionStatus::kAbandoned;
  if (stop_answered_) return as_stopped;
  if (stops() && as_stopped) return true;
  if (result.final_status == SupervisionStatus::kAbandoned) {
    return may_be_given_up_ ||
           (on_stuck() == OnStuck::kRestartOrGiveUp && runs() && MayHaveMissed(StopNanos()));
  }
  return model_ == Model::kEnds && model_status_ == result.final_status &&
         runs_ + Calls(Hook::kSetup) > 0;
}

void TaskWatch::CheckEnd() {
  if (!accepted()) return;
  Look();
  if (!result_seen_) Fail("it has no result at the end");
  if (!destroyed_) Fail("its callables are not destroyed at the end");
  if (wants_finished_call_ && finished_calls_ != 1) {
    Fail(absl::StrCat("OnFinished was called ", finished_calls_, " times"));
  }
  if (handle_.state() != TaskState::kFinished) Fail("it is not finished at the end");
  if (status_ != SupervisionStatus::kAbandoned) CheckHistory();
  const bool begun = plan_.Has(Hook::kSetup) ? Calls(Hook::kSetup) > 0 : runs_ > 0;
  if (plan_.Has(Hook::kCleanup) && begun && Calls(Hook::kCleanup) != 1) {
    Fail("cleanup was not called");
  }
  if (plan_.Has(Hook::kOnShutdown) && begun && stop_answered_ && Calls(Hook::kOnShutdown) != 1) {
    // A stop before setup calls nothing, but then setup has not begun.
    Fail("on_shutdown was not called");
  }
  if (owed_ != Hook::kNone && !maybe_hung_) {
    Fail(absl::StrCat(NameOf(owed_), " was not called"));
  }
  handle_ = TaskHandle();
}

}  // namespace foxtive::test
