// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The model of a task: what may come after what, when, and what a verdict is.

#include <algorithm>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/simulator/watch.h"
#include "tests/simulator/watch_parts.h"
#include "tests/simulator/world.h"

namespace foxtive::test {

void TaskWatch::Begin(Hook hook, int64_t number) {
  Note(NameOf(hook), number);
  if (destroyed_) Fail(absl::StrCat(NameOf(hook), " after its callables were destroyed"));
  if (result_seen_ && status_ != SupervisionStatus::kAbandoned) {
    Fail(absl::StrCat(NameOf(hook), " after the result"));
  }
  ++Calls(hook);
  if (hook == Hook::kOnShutdown) {
    CheckOnShutdown();
    in_on_shutdown_ = true;
    return;
  }
  if (inside_ != Hook::kNone) {
    Fail(absl::StrCat(NameOf(hook), " began inside of ", NameOf(inside_)));
  }
  if (Calls(Hook::kCleanup) > (hook == Hook::kCleanup ? 1 : 0)) {
    Fail(absl::StrCat(NameOf(hook), " after cleanup"));
  }
  CheckBeginning(hook, number);
  inside_ = hook;
}

void TaskWatch::End(Hook hook) {
  if (hook == Hook::kOnShutdown) {
    in_on_shutdown_ = false;
  } else {
    inside_ = Hook::kNone;
    last_end_ = Now();
  }
}

void TaskWatch::CheckOnShutdown() {
  if (Calls(Hook::kOnShutdown) > 1) Fail("on_shutdown for the second time");
  const bool given_up =
      runs() && on_stuck() == OnStuck::kRestartOrGiveUp && MayHaveMissed(StopNanos());
  if (!stops() && !given_up && !may_be_given_up_) Fail("on_shutdown without a stop");
  const bool may_have_begun =
      !plan_.Has(Hook::kSetup) || !world_.exact() || Calls(Hook::kSetup) > 0;
  if (!may_have_begun) Fail("on_shutdown before setup");
  CheckTurn();
}

void TaskWatch::CheckBeginning(Hook hook, int64_t number) {
  if (owed_ != Hook::kNone && hook != owed_ && !maybe_hung_) {
    Fail(absl::StrCat(NameOf(hook), " where ", NameOf(owed_), " had to come"));
  }
  switch (hook) {
    case Hook::kSetup:
      if (setup_done_ || runs_ > 0) Fail("setup for the second time");
      if (setup_failed_ && !plan_.retry_setup) Fail("setup again without retry_setup");
      CheckNewAttempt(hook, 0);
      break;
    case Hook::kOnRestart:
      if (number != runs_ + 1 || runs_ == 0) Fail(absl::StrCat("on_restart of ", number));
      if (announced_ == number) Fail("on_restart twice");
      announced_ = number;
      CheckNewAttempt(hook, number);
      break;
    case Hook::kRun:
      if (number != runs_ + 1) Fail(absl::StrCat("attempt ", number, " after ", runs_));
      if (plan_.Has(Hook::kSetup) && !setup_done_) Fail("run without setup");
      if (plan_.Has(Hook::kOnRestart) && number > 1 && announced_ != number) {
        Fail("run without on_restart");
      }
      CheckNewAttempt(hook, number);
      runs_ = number;
      break;
    case Hook::kOnError:
    case Hook::kOnException:
      if (hook != owed_ && !maybe_hung_) Fail(absl::StrCat(NameOf(hook), " without a cause"));
      if (number != (setup_failed_ ? runs_ + 1 : runs_)) Fail("a hook with another number");
      owed_ = Hook::kNone;
      break;
    case Hook::kShouldRestart:
      if (!failed_ || permanent_) Fail("should_restart was asked of what is decided");
      break;
    case Hook::kDelay:
      if (number != (failures_ > 0 ? failures_ : 1)) {
        Fail(absl::StrCat("the backoff was asked for ", number, ", there are ", failures_));
      }
      if (model_ == Model::kEnds) Fail("the backoff was asked though the task is to end");
      break;
    case Hook::kCleanup:
      if (in_on_shutdown_) Fail("cleanup beside on_shutdown");
      break;
    case Hook::kNone:
    case Hook::kOnShutdown:
      break;
  }
  if (hook == Hook::kDelay) {
    delay_owed_ = false;
    absl::Duration delay;
    try {
      delay = plan_.CustomDelay(number);
      const absl::Duration low = delay * (1 - plan_.jitter) * (1 - 1e-9);
      SetDelay({std::max(low, absl::ZeroDuration()), delay});
    } catch (const std::runtime_error&) {
      const double seconds = std::min(60.0, number > 6 ? 60.0 : 2.0 * (1 << (number - 1)));
      SetDelay({absl::Seconds(seconds), absl::Seconds(seconds)});
    }
  }
}

// With whatever begins it.
void TaskWatch::CheckNewAttempt(Hook hook, int64_t number) {
  if (model_ == Model::kEnds) {
    Fail(absl::StrCat(NameOf(hook), " though the task had to end: ", ToString(model_status_)));
  }
  if (delay_owed_) Fail("a new attempt without asking the backoff");
  if (not_before_ > Now()) {
    Fail(absl::StrCat(NameOf(hook), " of attempt ", number, " is too early by ",
                      absl::FormatDuration(absl::Nanoseconds(not_before_ - Now()))));
  }
  // With what comes first only: that may take time itself.
  const bool first = hook != Hook::kRun || announced_ != number || number == 1;
  const bool after_setup = hook == Hook::kRun && plan_.Has(Hook::kSetup) && number == 1;
  const int64_t limit = std::max(not_after_, last_end_);
  if (first && !after_setup && queues_once_ && Now() != last_end_) world_.CheckOrder(*this);
  if (world_.uncontended() && first && !after_setup && Now() > limit) {
    Fail(absl::StrCat(NameOf(hook), " of attempt ", number, " is too late by ",
                      absl::FormatDuration(absl::Nanoseconds(Now() - limit))));
  }
}

void TaskWatch::SetupEnded(bool failed, bool threw) {
  End(Hook::kSetup);
  setup_done_ = !failed;
  hung_ = maybe_hung_ = false;
  setup_failed_ = failed;
  failed_ = failed;
  threw_ = threw;
  permanent_ = false;
  if (failed) NoteEnded(/*in_setup=*/true, setup_began_);
  if (!failed) return;  // what was before stays the last error until `run` has ended
  last_error_ = threw ? absl::UnknownError(absl::StrCat("std::runtime_error: ", kExceptionText))
                      : absl::UnavailableError(kErrorText);
  ++failures_;
  Judge();
}

void TaskWatch::AttemptEnded(Outcome outcome, bool healthy, bool hung) {
  if (hung) outcome = Outcome::kError;
  Note(hung ? "run hung" : outcome == Outcome::kSuccess ? "run succeeded" : "run failed", runs_);
  End(Hook::kRun);
  setup_failed_ = false;
  failed_ = outcome != Outcome::kSuccess;
  threw_ = outcome == Outcome::kException;
  permanent_ = outcome == Outcome::kPermanentCode || outcome == Outcome::kPermanentError;
  last_error_ = threw_ ? absl::UnknownError(absl::StrCat("std::runtime_error: ", kExceptionText))
                       : ErrorOf(outcome);
  failures_ = !failed_ ? 0 : healthy ? 1 : failures_ + 1;
  NoteEnded(/*in_setup=*/false, began_);
  Judge();
}

void TaskWatch::NoteEnded(bool in_setup, int64_t began) {
  ended_.push_back({.number = in_setup ? runs_ + 1 : runs_,
                    .in_setup = in_setup,
                    .failed = failed_,
                    .nanos = Now() - began});
  may_have_hung_ = may_have_hung_ || maybe_hung_;
}

// Without memory the task may have none but the last one.
void TaskWatch::CheckHistory() const {
  const TaskHistory history = handle_.history();
  const bool all = !world_.plan().allocations_fail;
  const size_t most = std::min<size_t>(ended_.size(), 8);
  if (history.attempts.size() > most || (all && history.attempts.size() < most)) {
    Fail(absl::StrCat("of ", ended_.size(), " attempts ", history.attempts.size(),
                      " are remembered"));
    return;
  }
  auto ended = ended_.end() - static_cast<std::ptrdiff_t>(history.attempts.size());
  for (const TaskHistory::Attempt& told : history.attempts) {
    const bool same = told.number == ended->number && told.in_setup == ended->in_setup;
    const bool timed = !world_.exact() || Nanos(told.duration) == ended->nanos;
    const bool failed = may_have_hung_ || told.status.ok() != ended->failed;
    if (!same || !timed || !failed) {
      Fail(absl::StrCat("its history has:\n", ToString(history), "\nwhere attempt ", ended->number,
                        " took ", ended->nanos, " ns and ", ended->failed ? "failed" : "did not"));
    }
    ++ended;
  }
  int64_t counted = history.other_failures;
  for (const TaskHistory::Cause& cause : history.causes) counted += cause.count;
  const auto failed = std::count_if(ended_.begin(), ended_.end(),
                                    [](const Ended& attempt) { return attempt.failed; });
  if (all && !may_have_hung_ && counted != failed) {
    Fail(absl::StrCat(counted, " failures are in its causes, there were ", failed));
  }
}

// The table of verdicts, without the rows of a stop and of should_restart, which are events of
// their own.
void TaskWatch::Judge() {
  ended_at_ = Now();
  model_ = Model::kEnds;
  const bool never = plan_.max_attempts < 0;
  owed_ = Hook::kNone;
  if (failed_ && (!setup_failed_ || plan_.retry_setup)) {
    const Hook hook = threw_ ? Hook::kOnException : Hook::kOnError;
    if (plan_.Has(hook)) owed_ = hook;
  }
  if (setup_failed_ && !plan_.retry_setup) {
    model_status_ = SupervisionStatus::kSetupFailed;
  } else if (!failed_ && (plan_.restart_on == RestartOn::kFailure || never)) {
    model_status_ = SupervisionStatus::kCompletedNormally;
  } else if (failed_ && permanent_) {
    model_status_ = SupervisionStatus::kRestartPrevented;
  } else if (failed_ && never) {
    model_status_ = SupervisionStatus::kManuallyStopped;
  } else if (failed_ && plan_.max_attempts > 0 && failures_ >= plan_.max_attempts) {
    model_status_ = SupervisionStatus::kMaxAttemptsReached;
  } else {
    model_ = Model::kGoesOn;
    delay_owed_ = plan_.backoff == TaskPlan::Backoff::kCustom;
    if (!delay_owed_) SetDelay(plan_.DelayAfter(failures_ > 0 ? failures_ : 1));
  }
}

void TaskWatch::SetDelay(TaskPlan::Range range) {
  queues_once_ = range.low > absl::ZeroDuration() || runs_ + Calls(Hook::kSetup) == 0;
  not_before_ = not_after_ = Clock::kNever;
  if (range.low < absl::InfiniteDuration()) not_before_ = ended_at_ + Nanos(range.low);
  if (range.high < absl::InfiniteDuration()) {
    not_after_ = (ended_at_ + Nanos(range.high) + kTickNanos - 1) / kTickNanos * kTickNanos;
  }
}

// --- Attempts that hang.
//
// The monitor looks when a tick is full: what is due within one may be missed or not, and a beat
// that comes before it looks is in time.

// Where time passes by itself, whether an attempt was asked to stop in the end could not be told.
OnStuck TaskWatch::on_stuck() const { return world_.exact() ? plan_.on_stuck : OnStuck::kReport; }

// The same of how long it has lasted.
absl::Duration TaskWatch::stable_after() const {
  const bool always = plan_.stable_after == absl::ZeroDuration();
  return world_.exact() || always ? plan_.stable_after : absl::InfiniteDuration();
}

int64_t TaskWatch::StopNanos() const {
  const absl::Duration timeout = plan_.stop_timeout.value_or(world_.plan().shutdown_timeout);
  return timeout == absl::InfiniteDuration() ? INT64_MAX : Nanos(timeout);
}

void TaskWatch::Beat(TaskContext& context) {
  NoteMissed();
  context.Heartbeat();
  last_beat_ = Now();
}

void TaskWatch::NoteMissed() {
  if (HasMissed()) surely_missed_ = SurelyMissedAt();
  if (MayHaveMissed()) missed_ = MissedAt();
}

int64_t TaskWatch::DueAt() const {
  int64_t due = INT64_MAX;
  if (plan_.heartbeat_timeout < absl::InfiniteDuration()) {
    due = last_beat_ + Nanos(plan_.heartbeat_timeout);
  }
  if (plan_.run_timeout < absl::InfiniteDuration()) {
    due = std::min(due, began_ + Nanos(plan_.run_timeout));
  }
  return due;
}

int64_t TaskWatch::MissedAt() const { return std::min(missed_, DueAt()); }

int64_t TaskWatch::SurelyMissedAt() const { return std::min(surely_missed_, DueAt()); }

// In floating point there is no overflow.
bool TaskWatch::MayHaveMissed(int64_t after) const {
  const double due = static_cast<double>(MissedAt()) + static_cast<double>(after);
  return MissedAt() != INT64_MAX && static_cast<double>(Now()) >= due;
}

bool TaskWatch::HasMissed(int64_t after) const {
  const double due = static_cast<double>(SurelyMissedAt()) + static_cast<double>(after);
  return SurelyMissedAt() != INT64_MAX && static_cast<double>(Now()) > due + 2 * kTickNanos;
}

// At the end of `run`. Whether the attempt has been asked to stop, and the task has not.
bool TaskWatch::CheckInterruption(const TaskContext& context) {
  hung_ = maybe_hung_ = false;
  const bool may = on_stuck() != OnStuck::kReport && MayHaveMissed();
  const bool asked = context.stop_requested();
  if (asked && !stops() && !may) Fail("it was asked to stop, and has missed nothing");
  if (!asked && on_stuck() != OnStuck::kReport && HasMissed() && world_.exact()) {
    Fail("it hangs, and was not asked to stop");
  }
  if (on_stuck() == OnStuck::kRestartOrGiveUp && MayHaveMissed(StopNanos())) {
    may_be_given_up_ = true;
  }
  // A stop that is under way may have reached it, or not yet.
  const bool stopped = accepted() ? handle_.state() != TaskState::kRunning : stops();
  maybe_hung_ = stopped && may;
  hung_ = asked && !stopped;
  return hung_;
}

bool TaskWatch::IsError(const absl::Status& error) {
  if (hung_ || (maybe_hung_ && absl::IsDeadlineExceeded(error))) {
    return absl::IsDeadlineExceeded(error);
  }
  return error == last_error_;
}

void TaskWatch::CheckStuckFor(const TaskInfo& info) const {
  if (!world_.exact() || !runs()) return;
  const bool now = MissedAt() != INT64_MAX && missed_ == INT64_MAX && HasMissed();
  if (now && info.stuck_for <= absl::ZeroDuration() && info.state == TaskState::kRunning) {
    Fail("it hangs, and nobody knows");
  }
  if (!MayHaveMissed() && info.stuck_for > absl::ZeroDuration()) Fail("it is said to hang");
}

bool TaskWatch::may_have_lost_lane() const {
  return on_stuck() == OnStuck::kRestart && runs() && MayHaveMissed(StopNanos());
}

bool TaskWatch::has_lost_lane() const {
  return may_have_lost_lane() && HasMissed(StopNanos()) && handle_.state() == TaskState::kRunning;
}

}  // namespace foxtive::test
