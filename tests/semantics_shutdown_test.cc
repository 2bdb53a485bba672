// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S14: what Shutdown and RequestShutdown stop, how long they wait, and what they say.

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kMicrosecond = absl::Microseconds(1);

std::future<absl::Status> ShutdownOnAThread(Supervisor& supervisor, absl::Duration timeout) {
  return std::async(std::launch::async,
                    [&supervisor, timeout] { return supervisor.Shutdown(timeout); });
}

bool IsReady(const std::future<absl::Status>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

// A task that waits for its stop.
TaskSpec Patient(std::string name) {
  return Spec(std::move(name),
              [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
}

class ShutdownTest : public ::testing::Test {
 protected:
  TaskHandle SubmitStuck(std::string name, StuckWorker& worker,
                         std::optional<absl::Duration> stop_timeout = std::nullopt) {
    TaskSpec spec = Spec(std::move(name), worker.Run());
    spec.stop_timeout = stop_timeout;
    TaskHandle handle = Submit(*supervisor_, std::move(spec));
    worker.AwaitEntered();
    return handle;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor_ = MakeSupervisor(OptionsWith(clock_));
};

TEST_F(ShutdownTest, S14_StopsTasksInEveryStateAndIsOk) {
  TaskSpec failing = Spec("backing-off", [] { return absl::UnavailableError("refused"); });
  failing.backoff = BackoffStrategy::Constant(absl::Hours(1));
  const TaskHandle backing_off = Submit(*supervisor_, std::move(failing));
  AwaitState(backing_off, TaskState::kBackingOff);
  const TaskHandle running = Submit(*supervisor_, Patient("running"));
  AwaitRunning(running);
  const TaskHandle registered = Register(*supervisor_, Patient("registered"));
  const TaskHandle finished = Submit(*supervisor_, Spec("finished", [] {}));
  AwaitResult(finished);
  EXPECT_TRUE(supervisor_->Shutdown(absl::Seconds(5)).ok());
  for (const TaskHandle& handle : {backing_off, running, registered}) {
    ASSERT_TRUE(handle.TryResult().has_value()) << handle.name();
    EXPECT_EQ(handle.TryResult()->final_status, SupervisionStatus::kManuallyStopped);
  }
  EXPECT_EQ(finished.TryResult()->final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(registered.TryResult()->total_attempts, 0);
  EXPECT_EQ(supervisor_->task_count(), 0u);
}

TEST_F(ShutdownTest, S14_StopsQueuedTasks) {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 10; ++i) {
    handles.push_back(Submit(*supervisor, Patient(absl::StrCat("task-", i))));
  }
  EXPECT_TRUE(supervisor->Shutdown(absl::InfiniteDuration()).ok());
  for (const TaskHandle& handle : handles) {
    EXPECT_EQ(handle.TryResult()->final_status, SupervisionStatus::kManuallyStopped);
  }
}

// None of its hooks would be called, so there is nothing to wait for.
TEST_F(ShutdownTest, S14_WithoutAnyTimeATaskThatNeverBeganIsOverAndNotAbandoned) {
  EventLog log;
  TaskSpec spec = Patient("registered");
  spec.hooks = LoggingHooks(log);
  const TaskHandle handle = Register(*supervisor_, std::move(spec));
  EXPECT_EQ(supervisor_->Shutdown(absl::ZeroDuration()), absl::OkStatus());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(handle.state(), TaskState::kFinished);
  supervisor_ = nullptr;
  EXPECT_EQ(log.size(), 0u);
}

TEST_F(ShutdownTest, S11_WithoutAnyTimeATaskStoppedInTheQueueIsOverAndNotAbandoned) {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  StuckWorker worker;
  const TaskHandle first = Submit(*supervisor, Spec("first", worker.Run()));
  worker.AwaitEntered();
  EventLog log;
  TaskSpec spec = Patient("queued");
  spec.hooks = LoggingHooks(log);
  spec.stop_timeout = absl::ZeroDuration();
  const TaskHandle queued = Submit(*supervisor, std::move(spec));
  AwaitState(queued, TaskState::kQueued);
  EXPECT_TRUE(queued.RequestStop());
  EXPECT_EQ(AwaitResult(queued).final_status, SupervisionStatus::kManuallyStopped);
  worker.Release();
  AwaitResult(first);
  supervisor = nullptr;
  EXPECT_EQ(log.size(), 0u);
}

TEST_F(ShutdownTest, S14_SaysHowLongItHasWaitedAndNotHowLongItWouldHave) {
  StuckWorker worker;
  const TaskHandle handle = SubmitStuck("stuck", worker);
  const absl::Status first = supervisor_->Shutdown(absl::ZeroDuration());
  EXPECT_THAT(first.message(), HasSubstr("'stuck' (asked to stop 0 ago)"));
  const absl::Status second = supervisor_->Shutdown(absl::Minutes(1));
  EXPECT_EQ(second.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(second.message(), HasSubstr("'stuck' (asked to stop 0 ago)"));
  worker.Release();
}

TEST_F(ShutdownTest, S14_ReturnsAtItsDeadlineAndNotBefore) {
  StuckWorker early_worker;
  StuckWorker late_worker;
  const TaskHandle early = SubmitStuck("early", early_worker, absl::Seconds(5) - kMicrosecond);
  const TaskHandle late = SubmitStuck("late", late_worker);
  std::future<absl::Status> shutdown = ShutdownOnAThread(*supervisor_, absl::Seconds(5));
  AwaitState(early, TaskState::kStopping);
  AwaitState(late, TaskState::kStopping);
  clock_->AwaitDeadlineBy(clock_->Now() + absl::Seconds(5));
  clock_->Advance(absl::Seconds(5) - kMicrosecond);
  EXPECT_EQ(AwaitResult(early).final_status, SupervisionStatus::kAbandoned);
  EXPECT_FALSE(late.TryResult().has_value());
  EXPECT_EQ(late.state(), TaskState::kStopping);
  EXPECT_FALSE(IsReady(shutdown));
  clock_->Advance(kMicrosecond);
  EXPECT_EQ(Await(shutdown, "Shutdown").code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(late.TryResult().has_value());
  EXPECT_EQ(late.TryResult()->final_status, SupervisionStatus::kAbandoned);
  EXPECT_EQ(late.TryResult()->total_attempts, 1);
  EXPECT_EQ(late.state(), TaskState::kOverdue);
}

TEST_F(ShutdownTest, S14_AWorkerThatReturnsOneMicrosecondBeforeTheDeadlineIsNotAbandoned) {
  StuckWorker early_worker;
  StuckWorker worker;
  const TaskHandle early = SubmitStuck("early", early_worker, absl::Seconds(5) - kMicrosecond);
  const TaskHandle handle = SubmitStuck("task", worker);
  std::future<absl::Status> shutdown = ShutdownOnAThread(*supervisor_, absl::Seconds(5));
  AwaitState(early, TaskState::kStopping);
  AwaitState(handle, TaskState::kStopping);
  clock_->Advance(absl::Seconds(5) - kMicrosecond);
  EXPECT_EQ(AwaitResult(early).final_status, SupervisionStatus::kAbandoned);
  early_worker.Release();
  AwaitState(early, TaskState::kFinished);
  worker.Release();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_TRUE(Await(shutdown, "Shutdown").ok());
}

TEST_F(ShutdownTest, S14_NamesEachTaskStillRunningAndForHowLong) {
  StuckWorker first_worker;
  StuckWorker second_worker;
  SubmitStuck("first-stuck", first_worker);
  clock_->Advance(absl::Seconds(20));
  SubmitStuck("second-stuck", second_worker);
  const TaskHandle well_behaved = Submit(*supervisor_, Patient("well-behaved"));
  AwaitRunning(well_behaved);
  clock_->Advance(absl::Seconds(7));
  std::future<absl::Status> shutdown = ShutdownOnAThread(*supervisor_, absl::Seconds(5));
  EXPECT_EQ(AwaitResult(well_behaved).final_status, SupervisionStatus::kManuallyStopped);
  clock_->AwaitDeadlineBy(clock_->Now() + absl::Seconds(5));
  clock_->Advance(absl::Seconds(5));
  const absl::Status status = Await(shutdown, "Shutdown");
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(status.message(), HasSubstr("'first-stuck' (asked to stop 5s ago)"));
  EXPECT_THAT(status.message(), HasSubstr("'second-stuck' (asked to stop 5s ago)"));
  EXPECT_THAT(status.message(), Not(HasSubstr("well-behaved")));
}

TEST_F(ShutdownTest, S14_OfConcurrentDeadlinesTheEarliestCountsForAll) {
  for (const bool earliest_first : {true, false}) {
    std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OptionsWith(clock_));
    StuckWorker worker;
    const TaskHandle handle = Submit(*supervisor, Spec("stuck", worker.Run()));
    worker.AwaitEntered();
    const absl::Duration start = clock_->Now();
    std::future<absl::Status> one =
        ShutdownOnAThread(*supervisor, absl::Seconds(earliest_first ? 3 : 10));
    clock_->AwaitDeadline(start + absl::Seconds(earliest_first ? 3 : 10));
    std::future<absl::Status> other =
        ShutdownOnAThread(*supervisor, absl::Seconds(earliest_first ? 10 : 3));
    clock_->AwaitDeadline(start + absl::Seconds(3));
    clock_->Advance(absl::Seconds(3));
    EXPECT_EQ(Await(one, "one Shutdown").code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
    EXPECT_FALSE(Await(other, "the other Shutdown").ok());
  }
}

TEST_F(ShutdownTest, S14_ManyConcurrentShutdownsAreAllOk) {
  EventLog log;
  TaskSpec spec = Patient("task");
  spec.hooks = LoggingHooks(log);
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  AwaitRunning(handle);
  std::vector<std::future<absl::Status>> shutdowns;
  for (int i = 0; i < 8; ++i) {
    shutdowns.push_back(ShutdownOnAThread(*supervisor_, absl::Seconds(5)));
  }
  for (std::future<absl::Status>& shutdown : shutdowns) {
    EXPECT_TRUE(Await(shutdown, "Shutdown").ok());
  }
  EXPECT_THAT(log.Entries(), ::testing::ElementsAre("setup", "on_shutdown", "cleanup"));
}

TEST_F(ShutdownTest, S14_SecondShutdownFailsAtOnceWhileATaskIsOverdueAndIsOkAfterItsReturn) {
  StuckWorker worker;
  const TaskHandle handle = SubmitStuck("overdue-task", worker);
  EXPECT_EQ(supervisor_->Shutdown(absl::ZeroDuration()).code(),
            absl::StatusCode::kDeadlineExceeded);
  const absl::Status again = supervisor_->Shutdown(absl::Hours(1));
  EXPECT_EQ(again.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(again.message(), HasSubstr("overdue-task"));
  worker.Release();
  AwaitState(handle, TaskState::kFinished);
  EXPECT_TRUE(supervisor_->Shutdown(absl::ZeroDuration()).ok());
  EXPECT_TRUE(supervisor_->Shutdown().ok());
}

TEST_F(ShutdownTest, S14_ZeroDoesNotWait) {
  EXPECT_TRUE(MakeSupervisor()->Shutdown(absl::ZeroDuration()).ok());
  StuckWorker worker;
  const TaskHandle handle = SubmitStuck("stuck", worker);
  EXPECT_EQ(supervisor_->Shutdown(absl::ZeroDuration()).code(),
            absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(handle.TryResult().has_value());
  EXPECT_EQ(handle.TryResult()->final_status, SupervisionStatus::kAbandoned);
}

TEST_F(ShutdownTest, S14_ANegativeTimeoutCountsAsZero) {
  StuckWorker worker;
  const TaskHandle handle = SubmitStuck("stuck", worker);
  EXPECT_EQ(supervisor_->Shutdown(-absl::InfiniteDuration()).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(handle.TryResult()->final_status, SupervisionStatus::kAbandoned);
}

TEST_F(ShutdownTest, S14_WithoutATimeoutTheOptionCounts) {
  SupervisorOptions options = OptionsWith(clock_);
  options.shutdown_timeout = absl::Seconds(7);
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  StuckWorker worker;
  const TaskHandle handle = Submit(*supervisor, Spec("stuck", worker.Run()));
  worker.AwaitEntered();
  auto shutdown = std::async(std::launch::async, [&] { return supervisor->Shutdown(); });
  clock_->AwaitDeadline(clock_->Now() + absl::Seconds(7));
  clock_->Advance(absl::Seconds(7));
  EXPECT_EQ(Await(shutdown, "Shutdown").code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(AwaitResult(handle).elapsed, absl::Seconds(7));
}

TEST_F(ShutdownTest, S14_AfterItEverythingNewIsRefused) {
  ASSERT_TRUE(supervisor_->Shutdown(absl::ZeroDuration()).ok());
  const auto refused = absl::StatusCode::kFailedPrecondition;
  EXPECT_EQ(supervisor_->Submit(Patient("submitted")).status().code(), refused);
  EXPECT_EQ(supervisor_->Register(Patient("registered")).status().code(), refused);
  EXPECT_EQ(supervisor_->StartAll().code(), refused);
  EXPECT_THAT(supervisor_->StartAll().message(), Not(::testing::IsEmpty()));
}

TEST_F(ShutdownTest, S14_RequestShutdownRefusesNewTasksAtOnceAndStopsTheOthers) {
  StuckWorker worker;
  const TaskHandle stuck = SubmitStuck("stuck", worker);
  const TaskHandle patient = Submit(*supervisor_, Patient("patient"));
  AwaitRunning(patient);
  supervisor_->RequestShutdown();
  EXPECT_EQ(supervisor_->Submit(Patient("late")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(AwaitResult(patient).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_FALSE(stuck.RequestStop());
  supervisor_->RequestShutdown();
  worker.Release();
  EXPECT_EQ(AwaitResult(stuck).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_TRUE(supervisor_->Shutdown(absl::InfiniteDuration()).ok());
}

TEST_F(ShutdownTest, S14_RequestShutdownFromAWorkerStopsItToo) {
  const TaskHandle other = Submit(*supervisor_, Patient("other"));
  const TaskHandle caller = Submit(*supervisor_, Spec("caller", [this](TaskContext& context) {
    supervisor_->RequestShutdown();
    EXPECT_FALSE(context.SleepFor(absl::InfiniteDuration()));
  }));
  EXPECT_EQ(AwaitResult(caller).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(AwaitResult(other).final_status, SupervisionStatus::kManuallyStopped);
}

// A submit that races with a shutdown is either refused or gets its one result.
TEST_F(ShutdownTest, S14_ATaskSubmittedDuringAShutdownIsRefusedOrStopped) {
  for (int round = 0; round < 50; ++round) {
    std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
    Latch start(2);
    auto submitter = std::async(std::launch::async, [&] {
      std::vector<TaskHandle> accepted;
      start.CountDownAndAwait("both threads");
      for (int i = 0;; ++i) {
        absl::StatusOr<TaskHandle> handle = supervisor->Submit(Patient(absl::StrCat("task-", i)));
        if (!handle.ok()) return accepted;
        accepted.push_back(*std::move(handle));
      }
    });
    start.CountDownAndAwait("both threads");
    EXPECT_EQ(supervisor->Shutdown(absl::InfiniteDuration()), absl::OkStatus());
    for (const TaskHandle& handle : submitter.get()) {
      EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
    }
  }
}

// on_shutdown hooks that block for ever keep nobody else from being stopped.
TEST_F(ShutdownTest, S14_BlockedOnShutdownHooksDelayNoOtherTask) {
  constexpr int kTasks = 20;
  std::vector<std::unique_ptr<StuckWorker>> blockers;
  std::vector<TaskHandle> blocked;
  for (int i = 0; i < kTasks; ++i) {
    TaskSpec spec = Patient(absl::StrCat("blocked-", i));
    spec.hooks.on_shutdown = blockers.emplace_back(std::make_unique<StuckWorker>())->Run();
    blocked.push_back(Submit(*supervisor_, std::move(spec)));
    AwaitRunning(blocked.back());
  }
  Notification unblock;
  TaskSpec spec = Spec("good", [&] { unblock.Await("on_shutdown of a good task"); });
  spec.hooks.on_shutdown = [&] { unblock.Notify(); };
  const TaskHandle good = Submit(*supervisor_, std::move(spec));
  AwaitRunning(good);
  std::future<absl::Status> shutdown = ShutdownOnAThread(*supervisor_, absl::Seconds(5));
  EXPECT_EQ(AwaitResult(good).final_status, SupervisionStatus::kManuallyStopped);
  for (const auto& blocker : blockers) blocker->AwaitEntered();
  clock_->Advance(absl::Seconds(5));
  const absl::Status status = Await(shutdown, "Shutdown");
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("blocked-0"), Not(HasSubstr("good"))));
  for (const TaskHandle& handle : blocked) {
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  }
  for (const auto& blocker : blockers) blocker->Release();
}

}  // namespace
}  // namespace foxtive::test
