// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/stress/check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/stress/fate.h"
#include "tests/support/lifecycle_model.h"

namespace foxtive::test {
namespace {

using Kinds = std::array<int64_t, 10>;  // how many events of each kind

// The life of one task, entry by entry.
class TaskCheck {
 public:
  TaskCheck(uint64_t seed, int32_t number) : fate_(Fate::Make(seed, number)) {}

  // `place`: in the log. `shutting`: a shutdown has begun before.
  void See(const Entry& entry, size_t place, bool shutting);
  void End();

  const std::vector<std::string>& broken() const { return broken_; }
  const std::string& name() const { return fate_.name; }
  bool accepted() const { return accepted_; }
  bool abandoned() const { return status_ == SupervisionStatus::kAbandoned; }
  bool stopped() const { return stops_ > 0; }
  int64_t runs() const { return runs_; }
  int64_t waits() const { return waits_; }
  int64_t callbacks() const { return callbacks_; }

  // The places between which its name was certainly its own; the same twice, if there are none.
  std::pair<size_t, size_t> life() const {
    const bool may_have_lost_it = abandoned() || !begun_;  // when the time to stop was up
    return {accepted_at_, may_have_lost_it ? accepted_at_ : destroyed_at_};
  }
  // The events that it has to have; of a late return at most.
  Kinds events() const;

 private:
  void Expect(bool kept, std::string_view promise) {
    if (!kept) broken_.push_back(absl::StrCat("task ", fate_.number, ": ", std::string(promise)));
  }

  void SeeCaller(const Entry& entry, size_t place);
  void SeeHook(const Entry& entry);
  void SeeEnd(const Entry& entry, size_t place, bool shutting);
  void Setup(const Entry& entry);
  void RunBegins(const Entry& entry);
  void RunEnds(const Entry& entry);
  void SeeWait(const Entry& entry);
  void SeeCallback(const Entry& entry);
  void Begins(int64_t nanos);
  void Ended(int64_t nanos, Outcome outcome, bool in_setup);
  void Decide(Outcome outcome, bool in_setup);
  void EndOfAccepted();
  // Whether there is a time by which it has to have stopped.
  bool Stoppable(bool shutting) const { return shutting || fate_.stop_timeout < absl::Hours(1); }

  const Fate fate_;
  std::vector<std::string> broken_;

  // The calls.
  bool registered_ = false;
  bool accepted_ = false;
  bool refused_ = false;
  std::optional<int64_t> not_before_;
  int64_t stops_ = 0;  // answered with true
  size_t accepted_at_ = 0;
  int64_t handed_out_ = 0;

  // The lane.
  bool begun_ = false;  // setup or, without one, the first run
  bool set_up_ = false;
  bool running_ = false;
  bool in_attempt_ = false;  // after a setup that worked
  int64_t setups_ = 0;
  int64_t failed_setups_ = 0;
  int64_t runs_ = 0;
  int64_t failed_runs_ = 0;
  int64_t failures_ = 0;  // in a row
  int64_t number_ = 0;    // of the attempt that failed last
  std::optional<What> owes_hook_;
  bool owes_question_ = false;
  bool asked_ = false;
  bool restarted_ = false;                    // on_restart was called
  int64_t hooks_ = 0;                         // those that throw, if any does
  std::optional<SupervisionStatus> verdict_;  // of the last attempt; none: a restart

  // In `run`.
  std::optional<Entry> wait_;  // that is not over
  bool has_waited_ = false;    // in this attempt
  int64_t waits_ = 0;
  int64_t cancelled_ = 0;      // of those
  bool left_ = false;          // a callback
  bool made_ = false;          // the same, and it may have been called already
  int64_t calls_ = 0;          // of this one
  bool has_left_one_ = false;  // in this attempt
  int64_t callbacks_ = 0;      // calls of all

  // The end.
  int64_t on_shutdowns_ = 0;
  int64_t cleanups_ = 0;
  int64_t destroyed_ = 0;
  size_t destroyed_at_ = 0;
  int64_t finished_ = 0;
  bool was_shutting_ = false;  // when it finished
  SupervisionStatus status_ = SupervisionStatus::kCompletedNormally;
  int64_t attempts_told_ = 0;
  int64_t over_events_ = 0;
};

void TaskCheck::See(const Entry& entry, size_t place, bool shutting) {
  switch (entry.what) {
    case What::kSubmitting:
    case What::kAccepted:
    case What::kStopAnswered:
    case What::kHandedOut:
      return SeeCaller(entry, place);
    case What::kSetup:
      return Setup(entry);
    case What::kRunBegins:
      return RunBegins(entry);
    case What::kRunEnds:
      return RunEnds(entry);
    case What::kOnRestart:
    case What::kOnError:
    case What::kOnException:
    case What::kShouldRestart:
      return SeeHook(entry);
    case What::kWaits:
    case What::kWaited:
      return SeeWait(entry);
    case What::kCallbackLeft:
    case What::kCallbackMade:
    case What::kCallbackCalled:
    case What::kCallbackGone:
      return SeeCallback(entry);
    case What::kEvent:
      over_events_ += entry.number == static_cast<int64_t>(EventKind::kTaskOver);
      return Expect(over_events_ <= 1, "its end was told twice");
    case What::kOverlap:
      return Expect(false, "two of its calls overlapped");
    default:
      return SeeEnd(entry, place, shutting);
  }
}

void TaskCheck::SeeCaller(const Entry& entry, size_t place) {
  if (entry.what == What::kSubmitting) {
    registered_ = entry.number != 0;
    if (!registered_) not_before_ = entry.nanos + absl::ToInt64Nanoseconds(fate_.initial_delay);
  } else if (entry.what == What::kAccepted) {
    Expect(!accepted_ && !refused_, "it was answered twice");
    (entry.number != 0 ? accepted_ : refused_) = true;
    accepted_at_ = place;
  } else if (entry.what == What::kStopAnswered) {
    stops_ += entry.number;
    Expect(stops_ <= 1, "RequestStop said true twice");
  } else {
    Expect(registered_ && ++handed_out_ == 1, "its result was handed out twice, or unasked");
  }
}

// --- The lane

void TaskCheck::Begins(int64_t nanos) {
  Expect(!running_, "two attempts overlapped");
  Expect(!verdict_.has_value(), "an attempt after a verdict that ends the task");
  Expect(cleanups_ == 0 && destroyed_ == 0, "an attempt after the end");
  Expect(!owes_hook_.has_value(), "a hook was left out");
  Expect(!owes_question_ || asked_, "should_restart was not asked");
  Expect(!not_before_.has_value() || nanos >= *not_before_, "an attempt came too early");
  not_before_ = std::nullopt;
}

void TaskCheck::Setup(const Entry& entry) {
  Begins(entry.nanos);
  begun_ = true;
  Expect(fate_.has_setup && !set_up_, "setup after it had worked");
  Expect(entry.number == ++setups_, "setup was left out");
  const Outcome outcome = fate_.SetupOutcome(setups_);
  if (outcome == Outcome::kOk) {
    set_up_ = in_attempt_ = true;
    return;
  }
  ++failed_setups_;
  Ended(entry.nanos, outcome, /*in_setup=*/true);
}

void TaskCheck::RunBegins(const Entry& entry) {
  if (!std::exchange(in_attempt_, false)) Begins(entry.nanos);
  const bool restarted = std::exchange(restarted_, false);
  Expect(restarted == (fate_.has_hooks && runs_ > 0), "on_restart was left out");
  begun_ = running_ = true;
  Expect(set_up_ || !fate_.has_setup, "run before setup");
  Expect(entry.number == ++runs_, "an attempt is missing");
  has_waited_ = has_left_one_ = false;
}

void TaskCheck::RunEnds(const Entry& entry) {
  Expect(std::exchange(running_, false) && entry.number == runs_, "run ended twice");
  const Conduct conduct = fate_.ConductOf(runs_);
  const bool waits = conduct == Conduct::kAwaitsDescriptor || conduct == Conduct::kAwaitsCondition;
  Expect(has_waited_ == waits && !wait_.has_value(), "it has not waited as it had to");
  Expect(has_left_one_ == fate_.LeavesCallback(runs_) && !left_, "its callback has not gone");
  const Outcome outcome = fate_.OutcomeOf(runs_);
  failed_runs_ += outcome != Outcome::kOk;
  Ended(entry.nanos, outcome, /*in_setup=*/false);
}

// --- In `run`

void TaskCheck::SeeWait(const Entry& entry) {
  Expect(running_, "it waits and does not run");
  if (entry.what == What::kWaits) {
    Expect(!has_waited_ && !wait_.has_value(), "it waits twice");
    wait_ = entry;
    return;
  }
  Expect(wait_.has_value(), "a wait is over that has not begun");
  const Entry begun = std::exchange(wait_, std::nullopt).value_or(entry);
  has_waited_ = true;
  ++waits_;
  const Waited waited = WaitedOf(entry.number);
  if (waited.code == absl::StatusCode::kCancelled) {
    ++cancelled_;
    return Expect(waited.stopped, "a wait was cancelled, and its worker not asked to stop");
  }
  Expect(begun.number == 0, "a stop that came before a wait did not win");
  if (waited.code == absl::StatusCode::kOk) {
    return Expect(waited.there, "a wait was over for what is not there");
  }
  Expect(waited.code == absl::StatusCode::kDeadlineExceeded, "a wait was refused");
  const absl::Duration patience = fate_.PatienceOf(runs_);
  Expect(absl::Nanoseconds(entry.nanos - begun.nanos) >= patience, "a wait was over too early");
  // To a descriptor it may have come since.
  const bool by_descriptor = fate_.ConductOf(runs_) == Conduct::kAwaitsDescriptor;
  Expect(by_descriptor || !waited.there, "a wait gave up what is there");
}

void TaskCheck::SeeCallback(const Entry& entry) {
  Expect(entry.what == What::kCallbackMade || entry.number == runs_, "another attempt's callback");
  if (entry.what == What::kCallbackLeft) {
    Expect(running_ && !std::exchange(left_, true), "a callback inside of another");
    has_left_one_ = true;
    made_ = false;
    calls_ = 0;
  } else if (entry.what == What::kCallbackMade) {
    Expect(left_ && !std::exchange(made_, true), "a callback that was not left is made");
    Expect(entry.number == 0 || calls_ == 1, "after the stop OnStop did not call at once");
  } else if (entry.what == What::kCallbackCalled) {
    Expect(left_, "what OnStop gave was destroyed, and is called");
    Expect(++calls_ == 1, "OnStop called twice");
    ++callbacks_;
    ++hooks_;
  } else {
    Expect(std::exchange(left_, false) && made_, "a callback goes that was not there");
    const bool awaited = fate_.ConductOf(runs_) == Conduct::kAwaitsCallback;
    Expect(!awaited || calls_ == 1, "it went on without the callback that it waits for");
  }
}

void TaskCheck::Ended(int64_t nanos, Outcome outcome, bool in_setup) {
  not_before_ = nanos + absl::ToInt64Nanoseconds(fate_.delay);
  const bool failed = outcome != Outcome::kOk;
  failures_ = failed ? failures_ + 1 : 0;
  number_ = in_setup ? runs_ + 1 : runs_;
  asked_ = owes_question_ = false;
  if (failed && fate_.has_hooks && (!in_setup || fate_.retries_setup)) {
    owes_hook_ = outcome == Outcome::kException ? What::kOnException : What::kOnError;
    owes_question_ = outcome != Outcome::kPermanentError;
  }
  Decide(outcome, in_setup);
}

// As if there were no stops.
void TaskCheck::Decide(Outcome outcome, bool in_setup) {
  using internal::AttemptEnd;
  const internal::AttemptFacts facts = {.end = in_setup                  ? AttemptEnd::kSetupFailed
                                               : outcome == Outcome::kOk ? AttemptEnd::kSucceeded
                                                                         : AttemptEnd::kFailed,
                                        .permanent = outcome == Outcome::kPermanentError};
  const internal::RestartRules rules = {
      .restart_on = fate_.any_exit ? RestartOn::kAnyExit : RestartOn::kFailure,
      .retry_setup = fate_.retries_setup};
  const bool asks = fate_.has_hooks && !fate_.hooks_throw;
  verdict_ =
      ExpectedVerdict(rules, facts, !asks || fate_.MayRestart(number_), fate_.limit, failures_);
}

void TaskCheck::SeeHook(const Entry& entry) {
  ++hooks_;
  Expect(fate_.has_hooks && !running_ && cleanups_ == 0, "a hook at a wrong time");
  if (entry.what == What::kOnRestart) {
    Expect(entry.number == runs_ + 1 && runs_ > 0 && !verdict_.has_value(),
           "on_restart of another attempt");
    Expect(!std::exchange(restarted_, true), "on_restart twice");
  } else if (entry.what == What::kShouldRestart) {
    Expect(owes_question_ && !owes_hook_.has_value() && !std::exchange(asked_, true),
           "should_restart was asked out of turn");
    Expect(entry.number == number_, "should_restart of another attempt");
  } else {
    Expect(owes_hook_ == entry.what, "a hook that was not due");
    Expect(entry.number == number_, "a hook of another attempt");
    owes_hook_ = std::nullopt;
  }
}

// --- The end

void TaskCheck::SeeEnd(const Entry& entry, size_t place, bool shutting) {
  if (entry.what == What::kOnShutdown) {
    Expect(++on_shutdowns_ == 1, "on_shutdown twice");
    Expect(cleanups_ == 0, "on_shutdown after cleanup");
  } else if (entry.what == What::kCleanup) {
    ++hooks_;
    Expect(++cleanups_ == 1, "cleanup twice");
    Expect(begun_ && !running_ && !owes_hook_.has_value(), "cleanup at a wrong time");
  } else if (entry.what == What::kDestroyed) {
    Expect(++destroyed_ == 1, "destroyed twice");
    Expect(!running_ && cleanups_ == (begun_ ? 1 : 0), "destroyed without its cleanup");
    destroyed_at_ = place;
  } else if (entry.what == What::kFinished) {
    Expect(++finished_ == 1, "its result was told twice");
    status_ = static_cast<SupervisionStatus>(entry.number % 16);
    attempts_told_ = entry.number / 16;
    was_shutting_ = shutting;
    // When the time to stop is up, one that never began has its result without being abandoned.
    const bool time_was_up = abandoned() || (!begun_ && Stoppable(shutting));
    Expect(time_was_up || destroyed_ == 1, "a result before its callables were destroyed");
  }
}

void TaskCheck::End() {
  Expect(accepted_ != refused_, "it was neither accepted nor refused");
  Expect(destroyed_ == 1, "what it held was not destroyed");
  if (accepted_) return EndOfAccepted();
  Expect(!begun_ && finished_ + on_shutdowns_ + over_events_ + stops_ == 0,
         "it was refused, and lives");
}

void TaskCheck::EndOfAccepted() {
  const bool was_stopped = stops_ > 0 || was_shutting_;
  Expect(finished_ == 1, "it has no result");
  Expect(attempts_told_ == runs_, "its result has another number of attempts");
  Expect(on_shutdowns_ == 0 || (begun_ && was_stopped), "on_shutdown without a stop");
  Expect(cancelled_ + callbacks_ == 0 || was_stopped || fate_.watched,
         "a wait or a callback knows of a stop that nobody asked for");
  const bool by_verdict = verdict_ == status_;
  switch (status_) {
    case SupervisionStatus::kAbandoned:
      return Expect(was_stopped, "abandoned without a stop");
    case SupervisionStatus::kManuallyStopped:
      Expect(by_verdict || was_stopped, "stopped by nobody");
      return Expect(by_verdict || !begun_ || on_shutdowns_ == 1, "on_shutdown was left out");
    default:
      Expect(by_verdict, "its status is not that of the verdict");
      Expect(!owes_question_ || asked_, "should_restart was not asked at the end");
      return Expect(stops_ == 0, "RequestStop said true, and its verdict stood");
  }
}

Kinds TaskCheck::events() const {
  Kinds kinds{};
  kinds[static_cast<size_t>(EventKind::kAttemptFailed)] = failed_runs_;
  kinds[static_cast<size_t>(EventKind::kSetupFailed)] = failed_setups_;
  kinds[static_cast<size_t>(EventKind::kHookThrew)] = fate_.hooks_throw ? hooks_ : 0;
  kinds[static_cast<size_t>(EventKind::kTaskOver)] = accepted_ ? 1 : 0;
  kinds[static_cast<size_t>(EventKind::kLateReturn)] = abandoned() || fate_.watched ? 1 : 0;
  return kinds;
}

// --- All tasks

class LogCheck {
 public:
  LogCheck(uint64_t seed, std::span<const Entry> log) : seed_(seed), log_(log) {}

  std::vector<std::string> Run(const Listened& listened, Totals& totals) {
    for (size_t place = 0; place < log_.size(); ++place) See(log_[place], place);
    for (auto& [number, task] : tasks_) {
      task.End();
      broken_.insert(broken_.end(), task.broken().begin(), task.broken().end());
    }
    CheckNames();
    CheckEvents(listened);
    Add(totals);
    return std::move(broken_);
  }

 private:
  void See(const Entry& entry, size_t place) {
    shutting_ |= entry.what == What::kShuttingDown;
    if (entry.what == What::kEvent) ++told_[static_cast<size_t>(entry.number)];
    if (entry.task == StressLog::kNoTask) {
      if (entry.what == What::kOverlap) broken_.push_back("OnEvent overlapped itself");
      return;
    }
    tasks_.try_emplace(entry.task, seed_, entry.task).first->second.See(entry, place, shutting_);
  }

  // No two tasks of one name at a time, but for those that were abandoned.
  void CheckNames() {
    std::map<std::string, std::set<std::pair<size_t, size_t>>> lives;
    for (const auto& [number, task] : tasks_) {
      const auto life = task.life();
      if (task.accepted() && life.first < life.second) lives[task.name()].insert(life);
    }
    for (const auto& [name, all] : lives) {
      size_t end = 0;
      for (const auto& life : all) {
        if (life.first < end) broken_.push_back(absl::StrCat("two tasks were called '", name, "'"));
        end = std::max(end, life.second);
      }
    }
  }

  // The ring holds 1,024 events: if there were no more, none was lost.
  void CheckEvents(const Listened& listened) {
    Kinds due{};
    int64_t all = 0;
    for (const auto& [number, task] : tasks_) {
      const Kinds kinds = task.events();
      for (size_t kind = 0; kind < kinds.size(); ++kind) {
        due[kind] += kinds[kind];
        all += kinds[kind];
      }
    }
    constexpr auto kLate = static_cast<size_t>(EventKind::kLateReturn);
    // What depends on how fast the machine is: from this kind on.
    constexpr auto kFirstByChance = static_cast<size_t>(EventKind::kCapacityLimited);
    const int64_t by_chance =
        std::accumulate(told_.begin() + kFirstByChance, told_.end(), int64_t{0});
    for (size_t kind = 0; kind < kFirstByChance; ++kind) {
      const bool exact = listened.to_the_end && all + by_chance <= 1024 && kind != kLate;
      if (told_[kind] > due[kind] || (exact && (told_[kind] < due[kind] || listened.lost > 0))) {
        broken_.push_back(absl::StrCat("of ", due[kind], " events of kind ", kind, ", ",
                                       told_[kind], " were told, and ", listened.lost,
                                       " were lost"));
      }
    }
  }

  void Add(Totals& totals) const {
    for (const auto& [number, task] : tasks_) {
      ++(task.accepted() ? totals.tasks : totals.refused);
      totals.attempts += task.runs();
      totals.abandoned += task.abandoned();
      totals.stopped += task.stopped();
      totals.waits += task.waits();
      totals.callbacks += task.callbacks();
    }
    for (const int64_t told : told_) totals.events += told;
  }

  const uint64_t seed_;
  const std::span<const Entry> log_;
  std::map<int32_t, TaskCheck> tasks_;
  bool shutting_ = false;
  Kinds told_{};
  std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> BrokenPromises(uint64_t seed, std::span<const Entry> log,
                                        const Listened& listened, Totals& totals) {
  return LogCheck(seed, log).Run(listened, totals);
}

}  // namespace foxtive::test
