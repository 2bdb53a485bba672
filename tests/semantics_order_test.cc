// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S1, S3, S4 and S9: what is called, in which order, and never twice at once.

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

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// Every hook writes its name, and the attempt where it knows one.
TaskHooks NumberedHooks(EventLog& log) {
  return {
      .setup =
          [&log] {
            log.Add("setup");
            return absl::OkStatus();
          },
      .cleanup = [&log] { log.Add("cleanup"); },
      .on_restart = [&log](int64_t attempt) { log.Add(absl::StrCat("on_restart ", attempt)); },
      .on_error = [&log](const absl::Status&,
                         int64_t attempt) { log.Add(absl::StrCat("on_error ", attempt)); },
      .on_exception = [&log](const std::exception_ptr&, std::string_view,
                             int64_t attempt) { log.Add(absl::StrCat("on_exception ", attempt)); },
      .should_restart =
          [&log](int64_t attempt, const absl::Status&) {
            log.Add(absl::StrCat("should_restart ", attempt));
            return true;
          },
      .on_shutdown = [&log] { log.Add("on_shutdown"); }};
}

// Fails in all attempts before `good_attempt`.
RunFunction LoggingRun(EventLog& log, int64_t good_attempt) {
  return [&log, good_attempt](TaskContext& context) {
    log.Add(absl::StrCat("run ", context.attempt()));
    return context.attempt() < good_attempt ? absl::UnavailableError("down") : absl::OkStatus();
  };
}

TEST(Semantics, S1_HooksRunInOrderAroundEachAttempt) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&log](TaskContext& context) {
    log.Add(absl::StrCat("run ", context.attempt()));
    if (context.attempt() == 1) return absl::UnavailableError("down");
    if (context.attempt() == 2) throw std::runtime_error("broken");
    return absl::OkStatus();
  });
  spec.hooks = NumberedHooks(log);
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally) << result;
  EXPECT_EQ(result.total_attempts, 3);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "run 1", "on_error 1", "should_restart 1",
                                         "on_restart 2", "run 2", "on_exception 2",
                                         "should_restart 2", "on_restart 3", "run 3", "cleanup"));
}

TEST(Semantics, S1_CleanupFollowsTheLastQuestion) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 3));
  spec.hooks = NumberedHooks(log);
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_THAT(log.Entries(),
              ElementsAre("setup", "run 1", "on_error 1", "should_restart 1", "on_restart 2",
                          "run 2", "on_error 2", "should_restart 2", "cleanup"));
}

TEST(Semantics, S1_NoResultBeforeCleanupHasReturned) {
  Notification submitted;
  std::optional<TaskHandle> handle;
  bool result_was_out = true;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] {});
  spec.hooks.cleanup = [&] {
    submitted.Await("the handle");
    result_was_out = handle->TryResult().has_value();
  };
  handle = Submit(*supervisor, std::move(spec));
  submitted.Notify();
  AwaitResult(*handle);
  EXPECT_FALSE(result_was_out);
}

TEST(Semantics, S1_TheTaskCountsAsUnfinishedDuringCleanup) {
  Notification in_cleanup, go_on;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] {});
  spec.hooks.cleanup = [&] {
    in_cleanup.Notify();
    go_on.Await("the end of the test");
  };
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  in_cleanup.Await("cleanup");
  Settle(*supervisor);
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  EXPECT_EQ(supervisor->task_count(), 1u);
  EXPECT_FALSE(handle.TryResult().has_value());
  go_on.Notify();
  AwaitResult(handle);
  EXPECT_EQ(handle.state(), TaskState::kFinished);
  EXPECT_EQ(supervisor->task_count(), 0u);
}

TEST(Semantics, S1_CapturedStateIsDestroyedBeforeTheResultIsOut) {
  Witness of_run, of_hook;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [state = of_run.Take()] {});
  spec.hooks.on_restart = [state = of_hook.Take()](int64_t) {};
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  AwaitResult(handle);
  EXPECT_TRUE(of_run.IsDestroyed());
  EXPECT_TRUE(of_hook.IsDestroyed());
}

TEST(Semantics, S1_CapturedStateLivesUntilCleanupHasReturned) {
  Witness witness;
  bool destroyed_early = true;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [state = witness.Take()] {});
  spec.hooks.cleanup = [&] { destroyed_early = witness.IsDestroyed(); };
  AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_FALSE(destroyed_early);
}

TEST(Semantics, S1_NoResultBeforeOnShutdownHasReturned) {
  EventLog log;
  Notification running, unblocked, returned, go_on;
  Witness witness;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&, state = witness.Take()] {
    running.Notify();
    unblocked.Await("on_shutdown");
    returned.Notify();
  });
  spec.hooks.on_shutdown = [&] {
    unblocked.Notify();
    go_on.Await("the end of run");
    log.Add(witness.IsDestroyed() ? "on_shutdown outlived its task" : "on_shutdown returned");
  };
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  returned.Await("the end of run");
  Settle(*supervisor);
  EXPECT_FALSE(handle.TryResult().has_value());
  go_on.Notify();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_THAT(log.Entries(), ElementsAre("on_shutdown returned"));
}

TEST(Semantics, S1_OnShutdownRunsBesideABlockedRun) {
  Notification running, unblocked;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&] {
    running.Notify();
    unblocked.Await("on_shutdown");
  });
  spec.hooks.on_shutdown = [&] { unblocked.Notify(); };
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
}

TEST(Semantics, S1_OnShutdownIsNotCalledWithoutAStop) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 2));
  spec.hooks = NumberedHooks(log);
  AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_THAT(log.Entries(), Not(Contains("on_shutdown")));
}

TEST(Semantics, S1_HooksAndRunOfOneTaskNeverOverlap) {
  constexpr int kAttempts = 100;
  OverlapDetector detector;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&](TaskContext& context) {
    detector.Pass();
    if (context.attempt() % 2 == 0) throw std::runtime_error("even");
    return absl::UnavailableError("odd");
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(kAttempts);
  spec.hooks.setup = [&] { return detector.Pass(), absl::OkStatus(); };
  spec.hooks.cleanup = [&] { detector.Pass(); };
  spec.hooks.on_restart = [&](int64_t) { detector.Pass(); };
  spec.hooks.on_error = [&](const absl::Status&, int64_t) { detector.Pass(); };
  spec.hooks.on_exception = [&](const std::exception_ptr&, std::string_view, int64_t) {
    detector.Pass();
  };
  spec.hooks.should_restart = [&](int64_t, const absl::Status&) { return detector.Pass(), true; };
  EXPECT_EQ(AwaitResult(Submit(*supervisor, std::move(spec))).total_attempts, kAttempts);
  EXPECT_FALSE(detector.overlapped());
  // setup and cleanup; per attempt run, on_error or on_exception, should_restart; all but one
  // on_restart.
  EXPECT_EQ(detector.passes(), 2 + 3 * kAttempts + (kAttempts - 1));
}

TEST(Semantics, S3_FailingSetupEndsTheTaskWithoutRun) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 1));
  spec.hooks = NumberedHooks(log);
  spec.hooks.setup = [&log]() -> absl::Status {
    log.Add("setup");
    return absl::PermissionDeniedError("no key");
  };
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kSetupFailed);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_EQ(result.last_error, absl::PermissionDeniedError("no key"));
  EXPECT_EQ(result.last_exception, nullptr);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "cleanup"));
}

TEST(Semantics, S3_ThrowingSetupEndsTheTaskWithoutRun) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 1));
  spec.hooks = NumberedHooks(log);
  spec.hooks.setup = []() -> absl::Status { throw std::runtime_error("no key"); };
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kSetupFailed);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(result.last_error.message(), "std::runtime_error: no key");
  ASSERT_NE(result.last_exception, nullptr);
  EXPECT_THROW(std::rethrow_exception(result.last_exception), std::runtime_error);
  EXPECT_THAT(log.Entries(), ElementsAre("cleanup"));
}

TEST(Semantics, S3_SetupIsCalledOnceHoweverOftenRunFails) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [](TaskContext& context) {
    return context.attempt() < 5 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  spec.hooks.setup = [&log] {
    log.Add("setup");
    return absl::OkStatus();
  };
  EXPECT_EQ(AwaitResult(Submit(*supervisor, std::move(spec))).total_attempts, 5);
  EXPECT_THAT(log.Entries(), ElementsAre("setup"));
}

// A setup that fails `failures` times, alternately by an error and by an exception.
absl::AnyInvocable<absl::Status()> FlakySetup(EventLog& log, int failures) {
  return [&log, failures, calls = 0]() mutable -> absl::Status {
    log.Add("setup");
    if (++calls > failures) return absl::OkStatus();
    if (calls % 2 == 0) throw std::runtime_error("setup");
    return absl::UnavailableError("setup");
  };
}

TEST(Semantics, S3_RetriedSetupIsAFailureButNoAttempt) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 2));
  spec.retry_setup = true;
  spec.hooks = NumberedHooks(log);
  spec.hooks.setup = FlakySetup(log, 2);
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally) << result;
  EXPECT_EQ(result.total_attempts, 2);
  EXPECT_THAT(log.Entries(),
              ElementsAre("setup", "on_error 1", "should_restart 1", "setup", "on_exception 1",
                          "should_restart 1", "setup", "run 1", "on_error 1", "should_restart 1",
                          "on_restart 2", "run 2", "cleanup"));
}

TEST(Semantics, S3_RetriedSetupIsNotRepeatedOnceItHasSucceeded) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 4));
  spec.retry_setup = true;
  spec.hooks.setup = FlakySetup(log, 1);
  EXPECT_EQ(AwaitResult(Submit(*supervisor, std::move(spec))).total_attempts, 4);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "setup", "run 1", "run 2", "run 3", "run 4"));
}

TEST(Semantics, S3_RetriedSetupIsBoundByMaxAttempts) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 1));
  spec.retry_setup = true;
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.hooks.setup = FlakySetup(log, 3);
  spec.hooks.cleanup = [&log] { log.Add("cleanup"); };
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_EQ(result.last_error, absl::UnavailableError("setup"));
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "setup", "setup", "cleanup"));
}

TEST(Semantics, S3_RetriedSetupMayBePrevented) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", LoggingRun(log, 1));
  spec.retry_setup = true;
  spec.hooks.setup = FlakySetup(log, 3);
  spec.hooks.should_restart = [asked = 0](int64_t attempt, const absl::Status&) mutable {
    EXPECT_EQ(attempt, 1);
    return ++asked < 2;
  };
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kRestartPrevented);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_EQ(log.size(), 2u);
}

}  // namespace
}  // namespace foxtive::test
