// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S16: ~Supervisor, on whatever thread it happens.

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

constexpr absl::Duration kMicrosecond = absl::Microseconds(1);

SupervisorOptions FiveSeconds(std::shared_ptr<Clock> clock) {
  SupervisorOptions options = OptionsWith(std::move(clock));
  options.shutdown_timeout = absl::Seconds(5);
  return options;
}

TaskSpec Patient(std::string name) {
  return Spec(std::move(name),
              [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
}

TEST(Semantics, S16_DestructorStopsAllTasksAndWaitsForThem) {
  EventLog log;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = Patient("started");
  spec.hooks = LoggingHooks(log);
  const TaskHandle started = Submit(*supervisor, std::move(spec));
  const TaskHandle registered = Register(*supervisor, Patient("registered"));
  AwaitRunning(started);
  supervisor.reset();
  ASSERT_TRUE(started.TryResult().has_value());
  EXPECT_EQ(started.TryResult()->final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(log.Entries().back(), "cleanup");
  ASSERT_TRUE(registered.TryResult().has_value());
  EXPECT_EQ(registered.TryResult()->total_attempts, 0);
}

TEST(Semantics, S16_DestructorOfAnUnusedSupervisorReturns) {
  for (int i = 0; i < 100; ++i) MakeSupervisor();
  Supervisor by_default;
}

TEST(Semantics, S16_DestructorReturnsAtTheShutdownTimeoutAndNotBefore) {
  auto clock = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(FiveSeconds(clock));
  StuckWorker early_worker;
  StuckWorker worker;
  TaskSpec spec = Spec("early", early_worker.Run());
  spec.stop_timeout = absl::Seconds(5) - kMicrosecond;
  const TaskHandle early = Submit(*supervisor, std::move(spec));
  const TaskHandle stuck = Submit(*supervisor, Spec("stuck", worker.Run()));
  early_worker.AwaitEntered();
  worker.AwaitEntered();
  auto destructor = std::async(std::launch::async, [&] { supervisor.reset(); });
  AwaitState(early, TaskState::kStopping);
  AwaitState(stuck, TaskState::kStopping);
  clock->AwaitDeadlineBy(clock->Now() + absl::Seconds(5));
  clock->Advance(absl::Seconds(5) - kMicrosecond);
  EXPECT_EQ(AwaitResult(early).final_status, SupervisionStatus::kAbandoned);
  EXPECT_FALSE(stuck.TryResult().has_value());
  clock->Advance(kMicrosecond);
  Await(destructor, "the destructor");
  ASSERT_TRUE(stuck.TryResult().has_value());
  EXPECT_EQ(stuck.TryResult()->final_status, SupervisionStatus::kAbandoned);
}

TEST(Semantics, S16_DestructorAfterAShutdownWithAnOverdueTaskDoesNotWaitAgain) {
  std::unique_ptr<Supervisor> supervisor =
      MakeSupervisor(FiveSeconds(std::make_shared<ManualClock>()));
  StuckWorker worker;
  Submit(*supervisor, Spec("stuck", worker.Run()));
  worker.AwaitEntered();
  EXPECT_FALSE(supervisor->Shutdown(absl::ZeroDuration()).ok());
  supervisor.reset();
}

TEST(Semantics, S16_DestructorWhileAnotherThreadRequestsStops) {
  for (int round = 0; round < 50; ++round) {
    std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
    std::vector<TaskHandle> handles;
    for (int i = 0; i < 4; ++i) {
      handles.push_back(Submit(*supervisor, Patient(absl::StrCat("task-", i))));
    }
    Latch start(2);
    auto stops = std::async(std::launch::async, [&] {
      start.CountDownAndAwait("both threads");
      for (const TaskHandle& handle : handles) handle.RequestStop();
    });
    start.CountDownAndAwait("both threads");
    supervisor.reset();
    stops.get();
    for (const TaskHandle& handle : handles) {
      EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
    }
  }
}

// The last owner is the user code of a task, or lets go in it: that task is not waited for, the
// others are.
class DestructorInside : public ::testing::TestWithParam<std::string> {};

TEST_P(DestructorInside, S16_WaitsForAllOthers) {
  const std::string& here = GetParam();
  const bool after_stop =
      here == "stop_callback" || here == "on_shutdown" || here == "cleanup" || here == "~captured";
  Latch third_attempt(3);
  Notification started;
  std::atomic<bool> done{false};
  Notification destroyed;
  std::optional<TaskHandle> other;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  other = Submit(*supervisor, Patient("other"));
  AwaitRunning(*other);
  const TaskHandle tour = Register(*supervisor, GrandTour("tour", [&](std::string_view place) {
    if (place == "run") third_attempt.CountDown();
    if (place != here || done.exchange(true)) return;
    started.Await("the last call of the test");
    supervisor.reset();
    EXPECT_TRUE(other->TryResult().has_value());
    destroyed.Notify();
  }));
  ASSERT_TRUE(supervisor->StartAll().ok());
  started.Notify();
  if (after_stop) {
    third_attempt.Await("the third attempt");
    tour.RequestStop();
  }
  destroyed.Await("the destructor to return");
  EXPECT_EQ(AwaitResult(tour).final_status, SupervisionStatus::kManuallyStopped);
  AwaitState(tour, TaskState::kFinished);
}

INSTANTIATE_TEST_SUITE_P(Semantics, DestructorInside, ::testing::ValuesIn(GrandTourPlaces()),
                         [](const ::testing::TestParamInfo<std::string>& place) {
                           std::string name = place.param;
                           std::erase(name, '~');
                           return name;
                         });

TEST(Semantics, S16_WhatATaskCapturedMayOwnTheSupervisor) {
  for (int round = 0; round < 20; ++round) {
    std::shared_ptr<Supervisor> supervisor = MakeSupervisor();
    Notification let_go;
    const TaskHandle handle =
        Submit(*supervisor,
               Spec("owner", [&let_go, owned = supervisor] { let_go.Await("the other owner"); }));
    supervisor.reset();
    let_go.Notify();
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
  }
}

TEST(Semantics, S16_DestructorOnAWorkerWaitsForAStuckOneNoLongerThanItsTimeout) {
  auto clock = std::make_shared<ManualClock>();
  Notification let_go;
  Notification destroyed;
  std::optional<TaskHandle> stuck;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(FiveSeconds(clock));
  StuckWorker worker;
  stuck = Submit(*supervisor, Spec("stuck", worker.Run()));
  worker.AwaitEntered();
  const TaskHandle last_owner = Submit(*supervisor, Spec("last-owner", [&] {
    let_go.Await("the test");
    supervisor.reset();
    destroyed.Notify();
  }));
  let_go.Notify();
  clock->AwaitDeadline(clock->Now() + absl::Seconds(5));
  EXPECT_FALSE(destroyed.HasHappened());
  clock->Advance(absl::Seconds(5));
  destroyed.Await("the destructor to return");
  EXPECT_EQ(AwaitResult(*stuck).final_status, SupervisionStatus::kAbandoned);
  AwaitState(last_owner, TaskState::kFinished);
}

// The thread that calls listeners is not one to wait for, either.
// A handle that is kept keeps the name and the result, nothing of the Supervisor.
// A worker may have a Supervisor of its own, and wait for it.
TEST(Semantics, S16_AWorkerMayOwnAnotherSupervisor) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle outer = Submit(*supervisor, Spec("outer", [] {
    std::unique_ptr<Supervisor> nested = MakeSupervisor();
    const TaskHandle inner = Submit(*nested, Spec("inner", [] {}));
    EXPECT_TRUE(inner.Wait().ok());
    Submit(*nested, Patient("patient"));
    EXPECT_TRUE(nested->Shutdown(absl::InfiniteDuration()).ok());
  }));
  EXPECT_EQ(AwaitResult(outer).final_status, SupervisionStatus::kCompletedNormally);
}

// Constructed before anything of the library, so destroyed after all of it has heard of the exit.
std::unique_ptr<Supervisor> g_supervisor;

TEST(DestructorProcess, DISABLED_StaticOwner) {
  g_supervisor = MakeSupervisor();
  for (int i = 0; i < 20; ++i) {
    TaskSpec spec = Spec(absl::StrCat("task-", i),
                         [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
    spec.hooks.on_shutdown = [] {};
    AwaitRunning(Submit(*g_supervisor, std::move(spec)));
  }
}

TEST(DestructorProcess, S16_AStaticOwnerEndsWithTheProcess) {
  EXPECT_THAT(RunInChild("DestructorProcess.DISABLED_StaticOwner"), ChildPassed());
}

}  // namespace
}  // namespace foxtive::test
