// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Probe: one task of the API target. It makes the spec that its plan describes, watches each call
// of its worker and its hooks, and checks what the contract says about one task: what may come
// after what, never too early, one result, that of the table.

#ifndef FOXTIVE_TESTS_FUZZ_PROBE_H_
#define FOXTIVE_TESTS_FUZZ_PROBE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "lib/core/lifecycle.h"
#include "tests/fuzz/task_plan.h"

namespace foxtive::test {

class Probe;

// What a task runs in.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual absl::Duration Now() const = 0;
  // Deaf to everything.
  virtual void Dwell(absl::Duration duration) = 0;
  virtual void Do(Deed deed, Probe& probe) = 0;
};

class Probe : public std::enable_shared_from_this<Probe> {
 public:
  // `number` is that of its Supervisor among all of the run.
  Probe(Surroundings& surroundings, TaskPlan plan, int number);

  TaskSpec MakeSpec();
  void Refused() const;
  void Accepted(TaskHandle handle, bool registered, absl::Duration shutdown_timeout);
  void Started();
  bool RequestStop();
  // The Supervisor was asked to end, and all are to be over by then: infinite if it is not said.
  // `for_others`: the most that it waits for those that stop before it.
  void ShutDown(absl::Duration timeout, absl::Duration for_others);
  void HandedOut(const SupervisionResult& result);
  void AddCallback(bool throws);

  // While nobody is inside of the library.
  void Look();
  void CheckEnd();

  const TaskPlan& plan() const { return plan_; }
  const std::string& name() const { return plan_.name; }
  const TaskHandle& handle() const { return handle_; }
  int supervisor() const { return supervisor_; }
  bool registered() const { return registered_; }
  bool started() const { return started_; }
  bool handed_out() const { return handed_out_; }
  bool has_result() const { return handle_.TryResult().has_value(); }

 private:
  void SetHooks(TaskHooks& hooks, const std::shared_ptr<void>& witness);
  absl::Status Run(TaskContext& context);
  absl::Status Setup();
  bool ShouldRestart(int64_t attempt);
  void Call(Hook hook, int64_t number);

  void StopsWithin(absl::Duration least, absl::Duration most);

  // --- probe_hang.cc
  void BeginAttempt();
  void Beat(TaskContext& context);
  absl::Duration MissedAt() const;
  bool MayHaveMissed(absl::Duration after = {}) const;
  bool HasMissed() const;
  bool MayBeStopped() const;
  bool MayBeGivenUp() const;
  bool EndAttempt(const TaskContext& context);
  bool IsLastError(const absl::Status& error) const;
  void LookAtHang(const TaskInfo& info) const;

  void Begin(Hook hook, int64_t number);
  void End(Hook hook);
  void CheckOnLane(Hook hook, int64_t number);
  void CheckNewAttempt(Hook hook);
  void Ended(Hook hook, Outcome outcome, bool healthy, bool hung);
  void SetDelay(absl::Duration delay, absl::Duration max);
  std::optional<SupervisionStatus> Verdict() const;

  void Finished(const SupervisionResult& result);
  void CheckResult(const SupervisionResult& result);
  bool begun() const { return Calls(plan_.Has(Hook::kSetup) ? Hook::kSetup : Hook::kRun) > 0; }
  bool stops() const { return stop_answered_ || shut_down_; }
  int64_t Calls(Hook hook) const { return calls_[static_cast<size_t>(hook)]; }
  void Require(bool holds, std::string_view what) const;

  // A product of a duration is rounded, and a time to a nanosecond.
  static constexpr absl::Duration kSlack = absl::Nanoseconds(1);
  // The monitor counts in microseconds, and never wakes early. With the slack.
  static constexpr absl::Duration kTick = absl::Nanoseconds(1001);

  Surroundings& surroundings_;
  const TaskPlan plan_;
  const int supervisor_;
  TaskHandle handle_;
  bool registered_ = false;
  bool started_ = false;
  bool handed_out_ = false;

  Hook inside_ = Hook::kNone;
  bool in_on_shutdown_ = false;
  bool destroyed_ = false;          // its callables
  std::array<int64_t, 8> calls_{};  // of each hook
  Hook owed_ = Hook::kNone;         // on_error or on_exception is to come
  // Of the last attempt, or setup.
  std::optional<internal::AttemptFacts> facts_;
  bool permitted_ = true;
  int64_t failures_ = 0;
  absl::Status last_error_;
  // When the next one may begin, and when it must have left the backoff.
  absl::Duration not_before_;
  absl::Duration not_after_;

  // Of the attempt.
  absl::Duration began_;
  absl::Duration last_beat_;  // or its beginning
  absl::Duration missed_;     // before the last beat, at the earliest
  bool surely_missed_ = false;
  bool hung_ = false;        // the last one, as far as it was asked to stop for that
  bool maybe_hung_ = false;  // the same, or the task was stopped first
  bool may_have_been_given_up_ = false;

  bool asking_ = false;  // a RequestStop is under way
  bool stop_answered_ = false;
  bool stopped_in_backoff_ = false;
  bool shut_down_ = false;
  std::optional<absl::Duration> stop_timeout_;             // once it is accepted
  absl::Duration stop_due_ = absl::InfiniteDuration();     // it is not abandoned before
  absl::Duration stop_latest_ = absl::InfiniteDuration();  // the result is there then
  std::optional<SupervisionResult> result_;
  int64_t callbacks_ = 0;  // that are to be called
  int64_t callbacks_done_ = 0;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_FUZZ_PROBE_H_
