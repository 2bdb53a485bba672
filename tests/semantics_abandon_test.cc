// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S15: workers that do not stop in time: what is said of them, what they keep, and what happens
// when they return after all.

#include <unistd.h>

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kMicrosecond = absl::Microseconds(1);

class AbandonTest : public ::testing::Test {
 protected:
  static SupervisorOptions Options(std::shared_ptr<Clock> clock) {
    return {.max_concurrency = 1, .shutdown_timeout = absl::Seconds(9), .clock = std::move(clock)};
  }

  TaskHandle SubmitStuck(std::string name, StuckWorker& worker,
                         std::optional<absl::Duration> stop_timeout = std::nullopt,
                         TaskHooks hooks = {}) {
    TaskSpec spec = Spec(std::move(name), worker.Run());
    spec.stop_timeout = stop_timeout;
    spec.hooks = std::move(hooks);
    TaskHandle handle = Submit(*supervisor_, std::move(spec));
    worker.AwaitEntered();
    return handle;
  }

  // Stops the task and lets all of its time pass.
  void Abandon(const TaskHandle& handle, absl::Duration stop_timeout) {
    const absl::Duration deadline = clock_->Now() + stop_timeout;
    EXPECT_TRUE(handle.RequestStop());
    clock_->AwaitDeadline(deadline);
    clock_->Advance(stop_timeout);
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor_ = MakeSupervisor(Options(clock_));
};

TEST_F(AbandonTest, S15_StopTimeoutOfTheTaskOrElseOfTheSupervisorCounts) {
  for (const bool own_timeout : {true, false}) {
    StuckWorker worker;
    const TaskHandle handle =
        SubmitStuck("stuck", worker, own_timeout ? std::optional(absl::Seconds(2)) : std::nullopt);
    const absl::Duration timeout = absl::Seconds(own_timeout ? 2 : 9);
    Abandon(handle, timeout);
    EXPECT_EQ(AwaitResult(handle).elapsed, timeout);
    EXPECT_EQ(handle.state(), TaskState::kOverdue);
    worker.Release();
    AwaitState(handle, TaskState::kFinished);
  }
}

// The worker returns when one microsecond is left; what tells that this microsecond is really left
// is the other task, whose time is over then.
TEST_F(AbandonTest, S15_OneMicrosecondBeforeTheStopTimeoutATaskIsNotAbandoned) {
  SupervisorOptions options = OptionsWith(clock_);
  supervisor_ = MakeSupervisor(std::move(options));
  StuckWorker early_worker;
  StuckWorker worker;
  const TaskHandle early = SubmitStuck("early", early_worker, absl::Seconds(2) - kMicrosecond);
  const TaskHandle handle = SubmitStuck("stuck", worker, absl::Seconds(2));
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_TRUE(early.RequestStop());
  clock_->AwaitDeadline(clock_->Now() + absl::Seconds(2) - kMicrosecond);
  clock_->Advance(absl::Seconds(2) - kMicrosecond);
  EXPECT_EQ(AwaitResult(early).final_status, SupervisionStatus::kAbandoned);
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  worker.Release();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
}

TEST_F(AbandonTest, S15_StopTimeoutOfZeroAbandonsAtOnce) {
  StuckWorker worker;
  const TaskHandle handle = SubmitStuck("stuck", worker, absl::ZeroDuration());
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
}

TEST_F(AbandonTest, S15_InfiniteStopTimeoutIsCutShortByAShutdownOnly) {
  StuckWorker worker;
  const TaskHandle handle = SubmitStuck("stuck", worker, absl::InfiniteDuration());
  EXPECT_TRUE(handle.RequestStop());
  clock_->Advance(absl::Hours(10000));
  auto shutdown =
      std::async(std::launch::async, [&] { return supervisor_->Shutdown(absl::Seconds(3)); });
  clock_->AwaitDeadline(clock_->Now() + absl::Seconds(3));
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  clock_->Advance(absl::Seconds(3));
  EXPECT_EQ(Await(shutdown, "Shutdown").code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
}

TEST_F(AbandonTest, S15_ShutdownReturnsWhenTheLastShortStopTimeoutIsOver) {
  StuckWorker worker;
  SubmitStuck("stuck", worker, absl::Seconds(2));
  auto shutdown =
      std::async(std::launch::async, [&] { return supervisor_->Shutdown(absl::Hours(1)); });
  clock_->AwaitDeadline(clock_->Now() + absl::Seconds(2));
  clock_->Advance(absl::Seconds(2));
  const absl::Status status = Await(shutdown, "Shutdown");
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(status.message(), HasSubstr("stuck"));
}

TEST_F(AbandonTest, S15_LateReturnRunsCleanupOnceAndChangesNoResult) {
  EventLog log;
  StuckWorker worker;
  const TaskHandle handle = SubmitStuck("stuck", worker, absl::Seconds(2), LoggingHooks(log));
  Abandon(handle, absl::Seconds(2));
  EXPECT_THAT(log.AwaitSize(2), ElementsAre("setup", "on_shutdown"));
  EXPECT_FALSE(handle.RequestStop());
  clock_->Advance(absl::Seconds(1));
  worker.Release();
  AwaitState(handle, TaskState::kFinished);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "on_shutdown", "cleanup"));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  EXPECT_EQ(AwaitResult(handle).elapsed, absl::Seconds(2));
}

// Fails, and is then stuck until it fails otherwise.
TEST_F(AbandonTest, S15_SetupThatReturnsLateIsFollowedByCleanupAndNotByRun) {
  EventLog log;
  StuckWorker setup;
  TaskSpec spec = Spec("stuck", [&] { log.Add("run"); });
  spec.stop_timeout = absl::Seconds(2);
  spec.hooks = LoggingHooks(log);
  spec.hooks.setup = [block = setup.Run()] {
    block();
    return absl::OkStatus();
  };
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  setup.AwaitEntered();
  Abandon(handle, absl::Seconds(2));
  EXPECT_EQ(AwaitResult(handle).total_attempts, 0);
  setup.Release();
  AwaitState(handle, TaskState::kFinished);
  EXPECT_THAT(log.Entries(), ElementsAre("on_shutdown", "cleanup"));
}

TEST_F(AbandonTest, S15_CleanupThatHangsAfterAStopIsAbandonedToo) {
  StuckWorker cleanup;
  TaskSpec spec =
      Spec("task", [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  spec.stop_timeout = absl::Seconds(2);
  spec.hooks.cleanup = cleanup.Run();
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  AwaitRunning(handle);
  EXPECT_TRUE(handle.RequestStop());
  cleanup.AwaitEntered();
  clock_->AwaitDeadline(clock_->Now() + absl::Seconds(2));
  clock_->Advance(absl::Seconds(2));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  cleanup.Release();
  AwaitState(handle, TaskState::kFinished);
}

// With a single lane: others run while the abandoned worker still blocks its thread, but not more
// than one at a time.
// The thread that comes back is used again: else ever more threads would be needed.
TEST_F(AbandonTest, S15_LanesOfLateReturnsAreGivenBack) {
  for (int round = 0; round < 50; ++round) {
    StuckWorker worker;
    const TaskHandle handle = SubmitStuck("stuck", worker, absl::Seconds(2));
    Abandon(handle, absl::Seconds(2));
    AwaitResult(Submit(*supervisor_, Spec("other", [] {})));
    worker.Release();
    AwaitState(handle, TaskState::kFinished);
  }
}

TEST_F(AbandonTest, S15_AnAbandonedWorkerKeepsOnlyItsOwnStateAlive) {
  Witness own;
  Witness of_another;
  Witness of_a_registered_one;
  supervisor_ = MakeSupervisor(OptionsWith(clock_));
  StuckWorker worker;
  const TaskHandle stuck = Submit(
      *supervisor_, Spec("stuck", [block = worker.Run(), captured = own.Take()] { block(); }));
  worker.AwaitEntered();
  const TaskHandle other =
      Submit(*supervisor_, Spec("other", [captured = of_another.Take()](TaskContext& context) {
        context.SleepFor(absl::InfiniteDuration());
      }));
  const TaskHandle registered =
      Register(*supervisor_, Spec("registered", [captured = of_a_registered_one.Take()] {}));
  supervisor_->RequestShutdown();
  AwaitResult(other);
  AwaitResult(registered);
  EXPECT_TRUE(of_another.IsDestroyed());
  EXPECT_TRUE(of_a_registered_one.IsDestroyed());
  EXPECT_FALSE(supervisor_->Shutdown(absl::ZeroDuration()).ok());
  supervisor_.reset();
  EXPECT_FALSE(own.IsDestroyed());
  worker.Release();
  AwaitState(stuck, TaskState::kFinished);
  EXPECT_TRUE(own.IsDestroyed());
}

TEST_F(AbandonTest, S15_LateReturnAfterTheSupervisorIsGoneStillRunsCleanup) {
  EventLog log;
  StuckWorker worker;
  TaskSpec spec = Spec("stuck", [&, block = worker.Run()](TaskContext& context) {
    block();
    EXPECT_EQ(context.name(), "stuck");
    EXPECT_TRUE(context.stop_requested());
    EXPECT_TRUE(context.stop_token().stop_requested());
    EXPECT_FALSE(context.SleepFor(absl::InfiniteDuration()));
    context.MarkHealthy();
    return absl::UnavailableError("too late");
  });
  spec.hooks = LoggingHooks(log);
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  worker.AwaitEntered();
  EXPECT_FALSE(supervisor_->Shutdown(absl::ZeroDuration()).ok());
  supervisor_.reset();
  EXPECT_EQ(handle.state(), TaskState::kOverdue);
  worker.Release();
  AwaitState(handle, TaskState::kFinished);
  EXPECT_THAT(log.Entries(), ::testing::Contains("cleanup").Times(1));
  EXPECT_EQ(log.Entries().back(), "cleanup");
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
}

[[noreturn]] void BlockForEver() {
  while (true) pause();
}

// What the children below leave behind on purpose.
void* volatile g_kept_for_ever = nullptr;  // volatile: a leak checker has to find it

TEST(AbandonProcess, DISABLED_ExitAfterAShutdown) {
  Notification running;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Submit(*supervisor, Spec("stuck", [&] {
    running.Notify();
    BlockForEver();
  }));
  running.Await("run");
  EXPECT_EQ(supervisor->Shutdown(absl::ZeroDuration()).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(AbandonProcess, S15_ExitsWhileAnAbandonedWorkerIsStuck) {
  EXPECT_THAT(RunInChild("AbandonProcess.DISABLED_ExitAfterAShutdown"), ChildPassed());
}

TEST(AbandonProcess, DISABLED_ExitWithoutAShutdown) {
  Notification running;
  auto* supervisor = new Supervisor;
  g_kept_for_ever = supervisor;
  Submit(*supervisor, Spec("stuck", [&] {
    running.Notify();
    BlockForEver();
  }));
  TaskSpec waiting = Spec("backing-off", [] { return absl::UnavailableError("refused"); });
  waiting.backoff = BackoffStrategy::Constant(absl::Milliseconds(1));
  Submit(*supervisor, std::move(waiting));
  running.Await("run");
}

TEST(AbandonProcess, S15_ExitsWhileALeakedSupervisorIsAtWork) {
  EXPECT_THAT(RunInChild("AbandonProcess.DISABLED_ExitWithoutAShutdown"), ChildPassed());
}

}  // namespace
}  // namespace foxtive::test
