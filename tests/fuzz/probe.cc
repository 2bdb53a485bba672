// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/fuzz/probe.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/support/lifecycle_model.h"

namespace foxtive::test {
namespace {

using internal::AttemptEnd;

absl::Status ErrorOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kError:
      return absl::UnavailableError("an error");
    case Outcome::kPermanentCode:
      return absl::DataLossError("an error");
    case Outcome::kPermanentError:
      return PermanentError(absl::UnavailableError("an error"));
    case Outcome::kException:
      return absl::UnknownError("std::runtime_error: thrown");
    case Outcome::kStrangeException:
      return absl::UnknownError("int");
    case Outcome::kSuccess:
      break;
  }
  return absl::OkStatus();
}

bool IsThrown(Outcome outcome) {
  return outcome == Outcome::kException || outcome == Outcome::kStrangeException;
}

void Throw(Outcome outcome) {
  if (outcome == Outcome::kException) throw std::runtime_error("thrown");
  if (outcome == Outcome::kStrangeException) throw 1;
}

}  // namespace

Probe::Probe(Surroundings& surroundings, TaskPlan plan, int number)
    : surroundings_(surroundings), plan_(std::move(plan)), supervisor_(number) {}

void Probe::Require(bool holds, std::string_view what) const {
  if (holds) return;
  const std::string text(what);
  Broken(absl::StrCat("task '", absl::CEscape(plan_.name), "' at ",
                      absl::FormatDuration(surroundings_.Now()), ": ", text));
}

// --- What is handed over.

TaskSpec Probe::MakeSpec() {
  const std::shared_ptr<Probe> self = shared_from_this();
  // Goes with the last of the callables.
  std::shared_ptr<void> witness(nullptr, [self](void*) { self->destroyed_ = true; });
  TaskSpec spec;
  spec.name = plan_.name;
  if (plan_.has_run) {
    spec.run = [self, witness](TaskContext& context) { return self->Run(context); };
  }
  spec.restart_policy = plan_.policy.policy;
  spec.backoff = plan_.backoff.strategy;
  spec.restart_on = plan_.restart_on;
  spec.permanent_errors = plan_.permanent_errors;
  spec.initial_delay = plan_.initial_delay;
  spec.stable_after = plan_.stable_after;
  spec.retry_setup = plan_.retry_setup;
  spec.heartbeat_timeout = plan_.heartbeat_timeout;
  spec.run_timeout = plan_.run_timeout;
  spec.on_stuck = plan_.on_stuck;
  spec.stop_timeout = plan_.stop_timeout;
  spec.stop_order = plan_.stop_order;
  SetHooks(spec.hooks, witness);
  return spec;
}

void Probe::SetHooks(TaskHooks& hooks, const std::shared_ptr<void>& witness) {
  const std::shared_ptr<Probe> self = shared_from_this();
  if (plan_.Has(Hook::kSetup)) hooks.setup = [self, witness] { return self->Setup(); };
  if (plan_.Has(Hook::kCleanup)) {
    hooks.cleanup = [self, witness] { self->Call(Hook::kCleanup, 0); };
  }
  if (plan_.Has(Hook::kOnRestart)) {
    hooks.on_restart = [self, witness](int64_t n) { self->Call(Hook::kOnRestart, n); };
  }
  if (plan_.Has(Hook::kOnError)) {
    hooks.on_error = [self, witness](const absl::Status& error, int64_t n) {
      self->Require(self->IsLastError(error), "on_error with another error");
      self->Call(Hook::kOnError, n);
    };
  }
  if (plan_.Has(Hook::kOnException)) {
    hooks.on_exception = [self, witness](const std::exception_ptr& thrown, std::string_view what,
                                         int64_t n) {
      const bool same = thrown != nullptr && (what == "thrown" || what == "int");
      self->Require(same, "on_exception with another exception");
      self->Call(Hook::kOnException, n);
    };
  }
  if (plan_.Has(Hook::kShouldRestart)) {
    hooks.should_restart = [self, witness](int64_t n, const absl::Status& error) {
      self->Require(self->IsLastError(error), "should_restart with another error");
      return self->ShouldRestart(n);
    };
  }
  if (plan_.Has(Hook::kOnShutdown)) {
    hooks.on_shutdown = [self, witness] { self->Call(Hook::kOnShutdown, 0); };
  }
}

void Probe::Refused() const { Require(destroyed_, "refused, and not destroyed"); }

void Probe::Accepted(TaskHandle handle, bool registered, absl::Duration shutdown_timeout) {
  handle_ = std::move(handle);
  registered_ = registered;
  stop_timeout_ = plan_.stop_timeout.value_or(shutdown_timeout);
  Require(handle_.valid() && handle_.name() == plan_.name, "its handle names another task");
  if (!registered) Started();
  AddCallback(/*throws=*/false);
}

void Probe::Started() {
  if (std::exchange(started_, true) || shut_down_) return;
  SetDelay(plan_.initial_delay, absl::InfiniteDuration());
}

void Probe::AddCallback(bool throws) {
  const std::shared_ptr<Probe> self = shared_from_this();
  ++callbacks_;
  const absl::Status status = handle_.OnFinished([self, throws](const SupervisionResult& result) {
    self->Finished(result);
    if (throws) throw std::runtime_error("a callback");
  });
  Require(status.ok(), "OnFinished is refused");
}

// --- What it does.

absl::Status Probe::Run(TaskContext& context) {
  const int64_t number = context.attempt();
  Begin(Hook::kRun, number);
  Require(context.name() == plan_.name, "the context has another name");
  Require(!context.stop_requested() || stops() || asking_, "it is told of a stop without one");
  BeginAttempt();
  const AttemptPlan attempt = plan_.Attempt(number);
  bool called = false;
  std::optional<std::stop_callback<std::function<void()>>> callback;
  if (attempt.uses_token) callback.emplace(context.stop_token(), [&called] { called = true; });
  if (attempt.marks_healthy) context.MarkHealthy();
  surroundings_.Do(attempt.deed, *this);
  const absl::Duration asleep = surroundings_.Now();
  if (context.SleepFor(attempt.sleep)) {
    Require(surroundings_.Now() - asleep >= std::min(attempt.sleep, absl::Hours(1 << 20)),
            "SleepFor was over too early");
  } else {
    Require(context.stop_requested() && (stops() || MayBeStopped()),
            "SleepFor was cut short without a stop");
  }
  if (attempt.beats) Beat(context);
  surroundings_.Dwell(attempt.deaf);
  callback.reset();
  Require(!called || stops() || MayBeStopped(), "a stop callback without a stop");
  const bool hung = EndAttempt(context);
  // Where it can't be told what the monitor has seen of its beats, the worker says so itself.
  const bool unclear = maybe_hung_ || (hung && missed_ != absl::InfiniteDuration());
  if (unclear) context.MarkHealthy();
  const absl::Duration lived_until = hung ? last_beat_ : surroundings_.Now();
  const bool lived = lived_until - began_ >= plan_.stable_after;
  Ended(Hook::kRun, attempt.outcome, attempt.marks_healthy || unclear || lived, hung);
  Throw(attempt.outcome);
  return ErrorOf(attempt.outcome);
}

absl::Status Probe::Setup() {
  Begin(Hook::kSetup, 0);
  surroundings_.Dwell(plan_.Takes(Hook::kSetup));
  const bool fails = Calls(Hook::kSetup) <= plan_.setup_failures;
  const Outcome outcome = !fails                       ? Outcome::kSuccess
                          : plan_.Throws(Hook::kSetup) ? Outcome::kException
                                                       : Outcome::kError;
  if (fails) {
    hung_ = maybe_hung_ = false;
    Ended(Hook::kSetup, outcome, /*healthy=*/false, /*hung=*/false);
  } else {
    End(Hook::kSetup);
  }
  Throw(outcome);
  return ErrorOf(outcome);
}

bool Probe::ShouldRestart(int64_t attempt) {
  const bool permits = plan_.prevented_at != attempt;
  // One that throws counts as true.
  permitted_ = permits || plan_.Throws(Hook::kShouldRestart);
  Call(Hook::kShouldRestart, attempt);
  return permits;
}

void Probe::Call(Hook hook, int64_t number) {
  Begin(hook, number);
  surroundings_.Dwell(plan_.Takes(hook));
  End(hook);
  if (plan_.Throws(hook)) throw std::runtime_error("a hook");
}

// --- What may be.

void Probe::Begin(Hook hook, int64_t number) {
  const std::string name = NameOf(hook);
  Require(!destroyed_, name + " after its callables were destroyed");
  const bool abandoned =
      result_.has_value() && result_->final_status == SupervisionStatus::kAbandoned;
  Require(!result_.has_value() || abandoned, name + " after the result");
  ++calls_[static_cast<size_t>(hook)];
  if (hook == Hook::kOnShutdown) {
    Require(Calls(hook) == 1, "on_shutdown for the second time");
    Require((stops() || MayBeGivenUp()) && begun(), "on_shutdown without a stop, or before setup");
    in_on_shutdown_ = true;
    return;
  }
  Require(inside_ == Hook::kNone, name + " inside of " + NameOf(inside_));
  CheckOnLane(hook, number);
  inside_ = hook;
}

void Probe::End(Hook hook) {
  if (hook == Hook::kOnShutdown) {
    in_on_shutdown_ = false;
  } else {
    inside_ = Hook::kNone;
  }
}

void Probe::CheckOnLane(Hook hook, int64_t number) {
  const int64_t runs = Calls(Hook::kRun);
  Require(hook == Hook::kCleanup || Calls(Hook::kCleanup) == 0, "a call after cleanup");
  Require(owed_ == Hook::kNone || owed_ == hook || maybe_hung_,
          "on_error or on_exception is left out");
  const bool after_setup = facts_.has_value() && facts_->end == AttemptEnd::kSetupFailed;
  switch (hook) {
    case Hook::kSetup:
      Require(runs == 0, "setup after run");
      Require(Calls(hook) <= plan_.setup_failures + 1, "setup again after one that worked");
      return CheckNewAttempt(hook);
    case Hook::kOnRestart:
      Require(number == runs + 1 && runs > 0, "on_restart with another number");
      return CheckNewAttempt(hook);
    case Hook::kRun:
      Require(number == runs, "run with another number");
      Require(Calls(Hook::kSetup) == (plan_.Has(Hook::kSetup) ? plan_.setup_failures + 1 : 0),
              "run before setup has worked");
      return CheckNewAttempt(hook);
    case Hook::kOnError:
    case Hook::kOnException:
      Require(owed_ == hook || maybe_hung_, "a failure is told that was none");
      Require(number == (after_setup ? runs + 1 : runs), "a failure with another number");
      owed_ = Hook::kNone;
      return;
    case Hook::kShouldRestart:
      Require(facts_.has_value() && AsksShouldRestart({.retry_setup = plan_.retry_setup}, *facts_),
              "should_restart is asked of what is decided");
      return;
    default:
      Require(!in_on_shutdown_, "cleanup beside on_shutdown");
      Require(Calls(Hook::kCleanup) == 1, "cleanup for the second time");
  }
}

void Probe::CheckNewAttempt(Hook hook) {
  const std::string name = NameOf(hook);
  Require(started_, name + " of a task that is not started");
  Require(!Verdict().has_value(), name + " though the task had to end");
  Require(!stopped_in_backoff_, name + " of a task that was stopped while it waited");
  Require(surroundings_.Now() >= not_before_, name + " is too early");
  Require(!result_.has_value(), name + " of a task that is abandoned");
}

void Probe::Ended(Hook hook, Outcome outcome, bool healthy, bool hung) {
  End(hook);
  if (hung) outcome = Outcome::kError;  // whose text nobody asks for
  const bool setup = hook == Hook::kSetup;
  const AttemptEnd end = setup                          ? AttemptEnd::kSetupFailed
                         : outcome == Outcome::kSuccess ? AttemptEnd::kSucceeded
                                                        : AttemptEnd::kFailed;
  last_error_ = ErrorOf(outcome);
  const bool permanent = outcome == Outcome::kPermanentError ||
                         (!IsThrown(outcome) && end != AttemptEnd::kSucceeded &&
                          plan_.permanent_errors.contains(last_error_.code()) && !hung);
  facts_ = {.end = end, .permanent = permanent};
  permitted_ = true;
  failures_ = end == AttemptEnd::kSucceeded ? 0 : healthy ? 1 : failures_ + 1;
  const bool told = end == AttemptEnd::kFailed || (setup && plan_.retry_setup);
  const Hook hook_of_failure = IsThrown(outcome) ? Hook::kOnException : Hook::kOnError;
  owed_ = told && plan_.Has(hook_of_failure) ? hook_of_failure : Hook::kNone;
  const int64_t number = std::max<int64_t>(failures_, 1);
  try {
    SetDelay(plan_.backoff.strategy.Delay(number), plan_.backoff.max);
  } catch (const std::runtime_error&) {
    SetDelay(BackoffStrategy::Exponential().Delay(number), absl::InfiniteDuration());
  }
}

void Probe::SetDelay(absl::Duration delay, absl::Duration max) {
  not_before_ = not_after_ = absl::InfiniteDuration();
  if (delay == absl::InfiniteDuration()) return;
  const double jitter = plan_.backoff.jitter;
  const absl::Duration slack = kSlack + delay / (int64_t{1} << 50);
  not_before_ = surroundings_.Now() + delay * (1 - jitter) - slack;
  not_after_ = surroundings_.Now() + std::min(delay * (1 + jitter), max) + slack + kTick;
}

// Of the last attempt; nothing if there was none, or it goes on.
std::optional<SupervisionStatus> Probe::Verdict() const {
  if (!facts_.has_value()) return std::nullopt;
  const internal::RestartRules rules = {.policy = plan_.policy.policy,
                                        .restart_on = plan_.restart_on,
                                        .retry_setup = plan_.retry_setup};
  return ExpectedVerdict(rules, *facts_, permitted_, plan_.policy.limit, failures_);
}

// --- Stops.

bool Probe::RequestStop() {
  const TaskState state = handle_.state();
  asking_ = true;
  const bool answer = handle_.RequestStop();
  asking_ = false;
  if (!answer) return false;
  Require(!stop_answered_, "RequestStop said true twice");
  Require(!has_result(), "RequestStop said true after the result");
  stop_answered_ = true;
  stopped_in_backoff_ = state == TaskState::kBackingOff || state == TaskState::kRegistered;
  StopsWithin(*stop_timeout_, *stop_timeout_);
  return true;
}

void Probe::ShutDown(absl::Duration timeout, absl::Duration for_others) {
  if (!handle_.valid() || has_result()) return;
  shut_down_ = true;
  timeout = std::max(timeout, absl::ZeroDuration());
  StopsWithin(std::min(*stop_timeout_, timeout), std::min(for_others + *stop_timeout_, timeout));
}

void Probe::StopsWithin(absl::Duration least, absl::Duration most) {
  stop_due_ = std::min(stop_due_, surroundings_.Now() + least);
  stop_latest_ = std::min(stop_latest_, surroundings_.Now() + most);
}

// --- The result.

void Probe::Finished(const SupervisionResult& result) {
  Require(++callbacks_done_ <= callbacks_, "a callback is called twice");
  const bool abandoned = result.final_status == SupervisionStatus::kAbandoned;
  const absl::Duration now = surroundings_.Now();
  Require(!abandoned || now >= stop_due_ || MayBeGivenUp(), "abandoned too early");
  const bool news = !result_.has_value();
  Require(!news || now <= stop_latest_ + kTick, "its result comes after its time to stop was over");
  CheckResult(result);
}

void Probe::HandedOut(const SupervisionResult& result) {
  Require(registered_, "what was not registered is handed out");
  Require(!std::exchange(handed_out_, true), "it is handed out twice");
  CheckResult(result);
}

void Probe::Look() {
  if (!handle_.valid()) return;
  const std::optional<SupervisionResult> result = handle_.TryResult();
  const TaskInfo info = handle_.info();
  Require(info.name == plan_.name && info.attempts == handle_.attempts(), "info is of another");
  Require(info.state == handle_.state(), "info has another state");
  const bool ended = info.state == TaskState::kFinished || info.state == TaskState::kOverdue;
  Require(ended == result.has_value(), "it has a result and is not over, or the reverse");
  if (result.has_value()) return CheckResult(*result);
  const absl::Duration now = surroundings_.Now();
  Require(now <= stop_latest_ + kTick, "its time to stop is over, and it has no result");
  const bool backs_off = info.state == TaskState::kBackingOff;
  Require(!backs_off || now <= not_after_, "its delay is over, and it is not woken");
  Require(info.consecutive_failures == failures_ || in_on_shutdown_ || inside_ != Hook::kNone,
          "another count of failures");
  Require(info.attempts >= Calls(Hook::kRun), "attempts are missing");
  LookAtHang(info);
}

void Probe::CheckResult(const SupervisionResult& result) {
  if (result_.has_value()) {
    const bool same = result.final_status == result_->final_status &&
                      result.total_attempts == result_->total_attempts &&
                      result.last_error == result_->last_error &&
                      result.elapsed == result_->elapsed && result.reason == result_->reason;
    return Require(same, "it has two results");
  }
  result_ = result;
  const SupervisionStatus status = result.final_status;
  const bool abandoned = status == SupervisionStatus::kAbandoned;
  const bool stopped = abandoned || status == SupervisionStatus::kManuallyStopped;
  Require(result.task_name == plan_.name, "its result is of another task");
  Require(abandoned || destroyed_ || (!begun() && stops()), "a result before its callables went");
  Require(abandoned || inside_ == Hook::kNone, "a result inside of a call");
  const int64_t runs = Calls(Hook::kRun);
  Require(result.total_attempts == runs, "total_attempts is wrong");
  const bool expected = Verdict() == status && owed_ == Hook::kNone;
  const bool given_up = abandoned && MayBeGivenUp();
  Require(stop_answered_ ? stopped : expected || (shut_down_ && stopped) || given_up, [&] {
    const auto verdict = Verdict();
    return absl::StrCat("its result is ", ToString(status), ", the table says ",
                        verdict.has_value() ? ToString(*verdict) : std::string("restart"));
  }());
  Require(abandoned || IsLastError(result.last_error), "last_error is another");
  Require(result.elapsed <= surroundings_.Now(), "it has lasted for too long");
}

void Probe::CheckEnd() {
  if (!handle_.valid()) return;
  Look();
  Require(result_.has_value(), "it has no result at the end");
  Require(destroyed_, "its callables are there at the end");
  Require(callbacks_done_ == callbacks_, "a callback was not called");
  Require(handle_.state() == TaskState::kFinished, "it is not finished at the end");
  Require(owed_ == Hook::kNone || maybe_hung_, "on_error or on_exception was not called");
  const int64_t cleanups = plan_.Has(Hook::kCleanup) && begun() ? 1 : 0;
  Require(Calls(Hook::kCleanup) == cleanups, "cleanup was not called once");
  const bool told = plan_.Has(Hook::kOnShutdown) && begun() && stop_answered_;
  Require(!told || Calls(Hook::kOnShutdown) == 1, "on_shutdown was not called");
  handle_ = TaskHandle();
}

}  // namespace foxtive::test
