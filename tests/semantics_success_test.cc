// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S4 and S9: what follows a success, and that attempts never overlap.

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;

// The result of a task that does nothing but `run`.
SupervisionResult ResultOf(RunFunction run) {
  auto supervisor = MakeSupervisor();
  return AwaitResult(Submit(*supervisor, Spec("task", std::move(run))));
}

TEST(Semantics, S4_OkFromAnyFormOfRunCompletesTheTask) {
  std::vector<SupervisionResult> results;
  results.push_back(ResultOf([](TaskContext&) { return absl::OkStatus(); }));
  results.push_back(ResultOf([](TaskContext&) {}));
  results.push_back(ResultOf([](std::stop_token) { return absl::OkStatus(); }));
  results.push_back(ResultOf([](std::stop_token) {}));
  results.push_back(ResultOf([] { return absl::OkStatus(); }));
  results.push_back(ResultOf([] {}));
  results.push_back(ResultOf([owned = std::make_unique<int>(1)] { ASSERT_NE(owned, nullptr); }));
  for (const SupervisionResult& result : results) {
    EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally) << result;
    EXPECT_EQ(result.total_attempts, 1);
    EXPECT_TRUE(result.last_error.ok());
    EXPECT_EQ(result.last_exception, nullptr);
  }
}

TEST(Semantics, S4_OkAfterFailuresLeavesNoError) {
  const SupervisionResult result = ResultOf([](TaskContext& context) {
    return context.attempt() < 3 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 3);
  EXPECT_TRUE(result.last_error.ok()) << result;
}

// Attempts 1 and 2 succeed, then one fails: MaxAttempts(1) has not counted the successes.
TEST(Semantics, S4_AnyExitRestartsAfterOk) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&log](TaskContext& context) {
    log.Add(absl::StrCat("run ", context.attempt()));
    return context.attempt() < 3 ? absl::OkStatus() : absl::UnavailableError("down");
  });
  spec.restart_on = RestartOn::kAnyExit;
  spec.restart_policy = RestartPolicy::MaxAttempts(1);
  spec.hooks = LoggingHooks(log);
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.total_attempts, 3);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "run 1", "on_restart", "run 2", "on_restart",
                                         "run 3", "on_error", "should_restart", "cleanup"));
}

// Every second attempt succeeds, so two failures are never in a row, until the end.
TEST(Semantics, S4_ASuccessEndsARowOfFailures) {
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [](TaskContext& context) {
    const bool good = context.attempt() % 2 == 0 && context.attempt() < 20;
    return good ? absl::OkStatus() : absl::UnavailableError("down");
  });
  spec.restart_on = RestartOn::kAnyExit;
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.total_attempts, 20);
}

TEST(Semantics, S4_AnyExitUnderNeverCompletesAfterOk) {
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] {});
  spec.restart_on = RestartOn::kAnyExit;
  spec.restart_policy = RestartPolicy::Never();
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 1);
}

TEST(Semantics, S4_AnyExitUnderAlwaysGoesOnUntilStopped) {
  Latch attempts(50);
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&] { attempts.CountDown(); });
  spec.restart_on = RestartOn::kAnyExit;
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  attempts.Await("50 attempts");
  EXPECT_TRUE(handle.RequestStop());
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_GE(result.total_attempts, 50);
}

TEST(Semantics, S9_AttemptsOfManyTasksNeverOverlapWithinATask) {
  constexpr int kTasks = 8, kAttempts = 60;
  auto supervisor = MakeSupervisor();
  std::vector<OverlapDetector> detectors(kTasks);
  std::vector<TaskHandle> handles;
  for (OverlapDetector& detector : detectors) {
    TaskSpec spec = Spec(absl::StrCat("task-", handles.size()), [&detector] {
      detector.Pass();
      return absl::UnavailableError("down");
    });
    spec.restart_policy = RestartPolicy::MaxAttempts(kAttempts);
    handles.push_back(Submit(*supervisor, std::move(spec)));
  }
  for (const TaskHandle& handle : handles) {
    EXPECT_EQ(AwaitResult(handle).total_attempts, kAttempts);
  }
  for (const OverlapDetector& detector : detectors) {
    EXPECT_FALSE(detector.overlapped());
    EXPECT_EQ(detector.passes(), kAttempts);
  }
}

TEST(Semantics, S9_NoAttemptBesideAWorkerThatIgnoresItsStop) {
  Notification running, go_on;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&] {
    running.Notify();
    go_on.Await("the end of the test");
    return absl::UnavailableError("late");
  });
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  Settle(*supervisor);
  EXPECT_EQ(handle.attempts(), 1);
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  go_on.Notify();
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.total_attempts, 1);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(result.last_error, absl::UnavailableError("late"));
}

TEST(Semantics, S9_NoAttemptBesideOrAfterAnAbandonedWorker) {
  Notification running, go_on, cleaned_up;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&] {
    running.Notify();
    go_on.Await("the end of the test");
    return absl::UnavailableError("late");
  });
  spec.stop_timeout = absl::ZeroDuration();
  spec.hooks.cleanup = [&] { cleaned_up.Notify(); };
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  EXPECT_FALSE(cleaned_up.HasHappened());
  go_on.Notify();
  cleaned_up.Await("cleanup after the late return");
  Settle(*supervisor);
  EXPECT_EQ(handle.attempts(), 1);
  EXPECT_EQ(handle.TryResult()->total_attempts, 1);
}

}  // namespace
}  // namespace foxtive::test
