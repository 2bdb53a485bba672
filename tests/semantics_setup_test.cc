// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S3 row by row: what a setup that fails, throws or is stopped leads to, tried once or again.

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;

using Setup = absl::AnyInvocable<absl::Status()>;

// One object, as all threads know it: the thread sanitizer does not see Abseil count references.
const absl::Status& NoKey() {
  static const auto& status = *new absl::Status(absl::PermissionDeniedError("no key"));
  return status;
}

const absl::Status& Down() {
  static const auto& status = *new absl::Status(absl::UnavailableError("down"));
  return status;
}

// Fails `failures` times, and then works.
Setup FailingSetup(EventLog& log, int failures) {
  return [&log, failures, calls = 0]() mutable {
    log.Add("setup");
    return ++calls <= failures ? NoKey() : absl::OkStatus();
  };
}

// A task whose `run` and hooks write to `log`, and whose run succeeds.
TaskSpec SpecWithSetup(EventLog& log, Setup setup, bool retry_setup) {
  TaskSpec spec = Spec("task", [&log] { log.Add("run"); });
  spec.hooks = LoggingHooks(log);
  spec.hooks.setup = std::move(setup);
  spec.retry_setup = retry_setup;
  return spec;
}

SupervisionResult ResultOf(TaskSpec spec) {
  auto supervisor = MakeSupervisor();
  return AwaitResult(Submit(*supervisor, std::move(spec)));
}

TEST(Semantics, S3_NeitherPolicyNorRestartOnMakeUpForASetupThatFails) {
  for (const RestartPolicy policy :
       {RestartPolicy::Never(), RestartPolicy::MaxAttempts(5), RestartPolicy::Always()}) {
    EventLog log;
    TaskSpec spec = SpecWithSetup(log, FailingSetup(log, 1), false);
    spec.restart_policy = policy;
    spec.restart_on = RestartOn::kAnyExit;
    EXPECT_EQ(ResultOf(std::move(spec)).final_status, SupervisionStatus::kSetupFailed);
    EXPECT_THAT(log.Entries(), ElementsAre("setup", "cleanup"));
  }
}

TEST(Semantics, S5_TheVerdictOnASetupComesAtOnce) {
  EventLog log;
  auto supervisor = MakeSupervisor(OptionsWith(std::make_shared<ManualClock>()));
  TaskSpec spec = SpecWithSetup(log, FailingSetup(log, 1), false);
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  EXPECT_EQ(AwaitResult(Submit(*supervisor, std::move(spec))).elapsed, absl::ZeroDuration());
}

TEST(Semantics, S3_ARetriedSetupThatThrowsIsToldToOnException) {
  EventLog log;
  TaskSpec spec = SpecWithSetup(
      log,
      [&log, calls = 0]() mutable {
        log.Add("setup");
        if (++calls == 1) throw std::runtime_error("no key");
        return absl::OkStatus();
      },
      true);
  spec.hooks.on_exception = [&](const std::exception_ptr& exception, std::string_view what,
                                int64_t attempt) {
    log.Add("on_exception");
    EXPECT_THROW(std::rethrow_exception(exception), std::runtime_error);
    EXPECT_EQ(what, "no key");
    EXPECT_EQ(attempt, 1);
  };
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.total_attempts, 1) << result;
  EXPECT_EQ(result.last_error, absl::OkStatus()) << result;
  EXPECT_EQ(result.last_exception, nullptr);
  EXPECT_EQ(handle.info().hook_failures, 1);
  EXPECT_THAT(log.Entries(),
              ElementsAre("setup", "on_exception", "should_restart", "setup", "run", "cleanup"));
}

TEST(Semantics, S3_TheLastSetupThatMaxAttemptsAllowsMayWork) {
  EventLog log;
  TaskSpec spec = SpecWithSetup(log, FailingSetup(log, 2), true);
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  EXPECT_EQ(ResultOf(std::move(spec)).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S3_FailuresOfSetupAndOfRunAreOneRow) {
  EventLog log;
  TaskSpec spec = SpecWithSetup(log, FailingSetup(log, 2), true);
  spec.run = [] { return Down(); };
  spec.restart_policy = RestartPolicy::MaxAttempts(4);
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached) << result;
  EXPECT_EQ(result.total_attempts, 2) << result;
  EXPECT_EQ(result.last_error, Down()) << result;
}

TEST(Semantics, S3_ARetriedSetupUnderNeverIsNotTriedAgain) {
  EventLog log;
  TaskSpec spec = SpecWithSetup(log, FailingSetup(log, 1), true);
  spec.restart_policy = RestartPolicy::Never();
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.total_attempts, 0) << result;
  EXPECT_EQ(result.last_error, NoKey()) << result;
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "on_error", "should_restart", "cleanup"));
}

TEST(Semantics, S12_AFailedSetupIsNoRun) {
  EventLog log;
  const auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  TaskSpec spec = SpecWithSetup(
      log,
      [&] {
        log.Add("setup");
        clock->Advance(absl::Hours(1));
        return NoKey();
      },
      true);
  spec.stable_after = absl::ZeroDuration();
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.hooks.on_error = nullptr;
  spec.hooks.should_restart = nullptr;
  EXPECT_EQ(AwaitResult(Submit(*supervisor, std::move(spec))).final_status,
            SupervisionStatus::kMaxAttemptsReached);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "setup", "setup", "cleanup"));
}

// The result of a task that is stopped while its setup runs, which then returns `status`.
SupervisionResult StopDuringSetup(EventLog& log, const absl::Status& status, bool retry_setup) {
  Notification in_setup, go_on;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = SpecWithSetup(
      log,
      [&] {
        log.Add("setup");
        in_setup.Notify();
        go_on.Await("the stop");
        return status;
      },
      retry_setup);
  spec.hooks.on_shutdown = nullptr;  // it may come at any moment
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  in_setup.Await("setup");
  EXPECT_EQ(handle.state(), TaskState::kRunning);
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  go_on.Notify();
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.total_attempts, 0) << result;
  EXPECT_EQ(result.last_error, status) << result;
  return result;
}

TEST(Semantics, S3_AfterAStopASetupThatWorkedIsNotFollowedByRun) {
  EventLog log;
  StopDuringSetup(log, absl::OkStatus(), false);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "cleanup"));
}

TEST(Semantics, S3_AStopWinsOverASetupThatThenFails) {
  EventLog log;
  StopDuringSetup(log, NoKey(), false);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "cleanup"));
}

TEST(Semantics, S3_AStopWinsOverARetriedSetupThatThenFails) {
  EventLog log;
  StopDuringSetup(log, NoKey(), true);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "on_error", "cleanup"));
}

}  // namespace
}  // namespace foxtive::test
