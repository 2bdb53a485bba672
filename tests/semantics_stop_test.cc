// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S11 and S13: what a stop does in each state of a task, and which hooks it calls.

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

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

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// A task with hooks that write to `log`.
TaskSpec LoggingSpec(EventLog& log, RunFunction run) {
  TaskSpec spec = Spec("task", std::move(run));
  spec.hooks = LoggingHooks(log);
  return spec;
}

void ExpectStopped(const TaskHandle& handle, int64_t attempts, absl::StatusCode cause) {
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.total_attempts, attempts) << result;
  EXPECT_EQ(result.last_error.code(), cause) << result;
  EXPECT_EQ(handle.state(), TaskState::kFinished);
  EXPECT_FALSE(handle.RequestStop());
}

TEST(Semantics, S13_StopOfARegisteredTaskCallsNoUserCode) {
  EventLog log;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle handle = Register(*supervisor, LoggingSpec(log, [&] { log.Add("run"); }));
  EXPECT_EQ(handle.state(), TaskState::kRegistered);
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 0, absl::StatusCode::kOk);
  EXPECT_TRUE(supervisor->StartAll().ok());
  Settle(*supervisor);
  EXPECT_THAT(log.Entries(), IsEmpty());
}

TEST(Semantics, S11_StopOfAQueuedTaskEndsItAtOnce) {
  EventLog log;
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  StuckWorker holds_the_lane;
  const TaskHandle holder = Submit(*supervisor, Spec("holder", holds_the_lane.Run()));
  holds_the_lane.AwaitEntered();
  const TaskHandle handle = Submit(*supervisor, LoggingSpec(log, [&] { log.Add("run"); }));
  AwaitState(handle, TaskState::kQueued);
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 0, absl::StatusCode::kOk);
  EXPECT_EQ(holder.state(), TaskState::kRunning);
  holds_the_lane.Release();
  AwaitResult(holder);
  EXPECT_THAT(log.Entries(), IsEmpty());
}

// Also what the callables captured is let go, while the only lane is held by somebody else.
TEST(Semantics, S11_StopOfAQueuedTaskDestroysWhatItCaptured) {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  StuckWorker holds_the_lane;
  Submit(*supervisor, Spec("holder", holds_the_lane.Run()));
  holds_the_lane.AwaitEntered();
  Witness witness;
  const TaskHandle handle =
      Submit(*supervisor, Spec("queued", [captured = witness.Take()] { (void)captured; }));
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_TRUE(witness.IsDestroyed());
}

TEST(Semantics, S13_StopDuringSetupIsToldToOnShutdownAndRunIsNotCalled) {
  EventLog log;
  Notification in_setup;
  Notification shut_down;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = LoggingSpec(log, [&] { log.Add("run"); });
  spec.hooks.setup = [&] {
    log.Add("setup");
    in_setup.Notify();
    shut_down.Await("on_shutdown beside setup");
    return absl::OkStatus();
  };
  spec.hooks.on_shutdown = [&] {
    log.Add("on_shutdown");
    shut_down.Notify();
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  in_setup.Await("setup");
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 0, absl::StatusCode::kOk);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "on_shutdown", "cleanup"));
}

TEST(Semantics, S13_SetupThatFailsAfterTheStopIsTheCause) {
  EventLog log;
  Notification in_setup;
  Notification stopped;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = LoggingSpec(log, [&] { log.Add("run"); });
  spec.hooks.setup = [&] {
    in_setup.Notify();
    stopped.Await("the stop");
    return absl::UnavailableError("no route");
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  in_setup.Await("setup");
  EXPECT_TRUE(handle.RequestStop());
  stopped.Notify();
  ExpectStopped(handle, 0, absl::StatusCode::kUnavailable);
  EXPECT_THAT(log.Entries(), Not(Contains("run")));
}

// The worker ends only when on_shutdown has been called beside it.
TEST(Semantics, S13_OnShutdownRunsBesideRunOnAnotherThread) {
  EventLog log;
  Notification running;
  Notification shut_down;
  std::thread::id run_thread;
  std::thread::id shutdown_thread;
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;  // needs no lane that another task could hold
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  TaskSpec spec = LoggingSpec(log, [&] {
    log.Add("run");
    run_thread = std::this_thread::get_id();
    running.Notify();
    shut_down.Await("on_shutdown beside run");
  });
  spec.hooks.on_shutdown = [&] {
    log.Add("on_shutdown");
    shutdown_thread = std::this_thread::get_id();
    shut_down.Notify();
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 1, absl::StatusCode::kOk);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "run", "on_shutdown", "cleanup"));
  EXPECT_NE(run_thread, shutdown_thread);
  EXPECT_NE(shutdown_thread, std::this_thread::get_id());
}

TEST(Semantics, S13_CleanupWaitsForOnShutdown) {
  EventLog log;
  Notification running;
  Notification run_is_over;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = LoggingSpec(log, [&](TaskContext& context) {
    running.Notify();
    context.SleepFor(absl::InfiniteDuration());
    run_is_over.Notify();
  });
  spec.hooks.on_shutdown = [&] {
    run_is_over.Await("run to be over");
    // Room for a cleanup that does not wait.
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    log.Add("on_shutdown is over");
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "on_shutdown is over", "cleanup"));
}

TEST(Semantics, S13_AfterAStopOnErrorIsCalledAndShouldRestartIsNot) {
  EventLog log;
  Notification running;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle handle =
      Submit(*supervisor, LoggingSpec(log, [&](TaskContext& context) -> absl::Status {
        running.Notify();
        context.SleepFor(absl::InfiniteDuration());
        return absl::AbortedError("connection closed");
      }));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 1, absl::StatusCode::kAborted);
  EXPECT_THAT(log.Entries(), Contains("on_error"));
  EXPECT_THAT(log.Entries(), Not(Contains("should_restart")));
}

TEST(Semantics, S11_StopDuringBackoffDoesNotWaitForTheDelay) {
  EventLog log;
  auto clock = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OptionsWith(clock));
  TaskSpec spec = LoggingSpec(log, [&]() -> absl::Status {
    log.Add("run");
    return absl::UnavailableError("refused");
  });
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  clock->AwaitDeadline(clock->Now() + absl::Hours(1));
  EXPECT_EQ(handle.state(), TaskState::kBackingOff);
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 1, absl::StatusCode::kUnavailable);
  EXPECT_THAT(log.Entries(),
              ElementsAre("setup", "run", "on_error", "should_restart", "on_shutdown", "cleanup"));
}

TEST(Semantics, S11_StopDuringAnInfiniteBackoffEndsTheTask) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] { return absl::UnavailableError("refused"); });
  spec.backoff = BackoffStrategy::Custom([](int64_t) { return absl::InfiniteDuration(); });
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  AwaitState(handle, TaskState::kBackingOff);
  EXPECT_EQ(handle.info().next_attempt_in, absl::InfiniteDuration());
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 1, absl::StatusCode::kUnavailable);
}

TEST(Semantics, S11_StopDuringTheBackoffOfASetupCallsOnShutdownAndCleanup) {
  EventLog log;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = LoggingSpec(log, [&] { log.Add("run"); });
  spec.retry_setup = true;
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  spec.hooks.setup = [&] {
    log.Add("setup");
    return absl::UnavailableError("refused");
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  AwaitState(handle, TaskState::kBackingOff);
  EXPECT_TRUE(handle.RequestStop());
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(log.Entries(), Not(Contains("run")));
  EXPECT_THAT(log.Entries(), Contains("on_shutdown").Times(1));
  EXPECT_EQ(log.Entries().back(), "cleanup");
}

TEST(Semantics, S13_StopOfAFinishedTaskIsRefused) {
  EventLog log;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, LoggingSpec(log, [] {}));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_FALSE(handle.RequestStop());
  Settle(*supervisor);
  EXPECT_EQ(handle.state(), TaskState::kFinished);
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "cleanup"));
}

TEST(Semantics, S13_StateIsStoppingAsSoonAsTheStopIsAccepted) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  StuckWorker worker;
  const TaskHandle handle = Submit(*supervisor, Spec("task", worker.Run()));
  worker.AwaitEntered();
  EXPECT_EQ(handle.state(), TaskState::kRunning);
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  EXPECT_EQ(handle.info().state, TaskState::kStopping);
  worker.Release();
  AwaitResult(handle);
}

// What `run` makes of its stop, and what the result has to say about it.
struct Ending {
  std::string name;
  std::function<absl::Status()> end;
  absl::StatusCode cause;
  bool exception = false;
  RestartOn restart_on = RestartOn::kFailure;
  RestartPolicy policy = RestartPolicy::Always();
};

class StoppedRun : public ::testing::TestWithParam<Ending> {};

TEST_P(StoppedRun, S13_ResultIsManuallyStoppedWithTheCause) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification running;
  TaskSpec spec = Spec("task", [&](TaskContext& context) -> absl::Status {
    running.Notify();
    context.SleepFor(absl::InfiniteDuration());
    return GetParam().end();
  });
  spec.restart_on = GetParam().restart_on;
  spec.restart_policy = GetParam().policy;
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  ExpectStopped(handle, 1, GetParam().cause);
  EXPECT_EQ(AwaitResult(handle).last_exception != nullptr, GetParam().exception);
}

INSTANTIATE_TEST_SUITE_P(
    Semantics, StoppedRun,
    ::testing::Values(
        Ending{"Ok", [] { return absl::OkStatus(); }, absl::StatusCode::kOk},
        Ending{"OkThatWouldRestart", [] { return absl::OkStatus(); }, absl::StatusCode::kOk,
               /*exception=*/false, RestartOn::kAnyExit},
        Ending{"Error", [] { return absl::DataLossError("x"); }, absl::StatusCode::kDataLoss},
        Ending{"Cancelled", [] { return absl::CancelledError(); }, absl::StatusCode::kCancelled},
        Ending{"LastAttempt", [] { return absl::DataLossError("x"); }, absl::StatusCode::kDataLoss,
               /*exception=*/false, RestartOn::kFailure, RestartPolicy::MaxAttempts(1)},
        Ending{"Exception", []() -> absl::Status { throw std::runtime_error("x"); },
               absl::StatusCode::kUnknown, /*exception=*/true},
        Ending{"NotAStdException", []() -> absl::Status { throw 7; }, absl::StatusCode::kUnknown,
               /*exception=*/true}),
    [](const ::testing::TestParamInfo<Ending>& ending) { return ending.param.name; });

}  // namespace
}  // namespace foxtive::test
