// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskHandle as a value: default-made, copied, moved from, compared, and outliving everything; and
// its futures.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

static_assert(std::regular<TaskHandle>);
static_assert(std::is_nothrow_move_constructible_v<TaskHandle>);
static_assert(std::is_nothrow_swappable_v<TaskHandle>);
static_assert(sizeof(TaskHandle) == sizeof(void*), "a cheap value");

bool IsReady(const std::shared_future<SupervisionResult>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void ExpectNamesNoTask(const TaskHandle& handle) {
  EXPECT_FALSE(handle.valid());
  EXPECT_EQ(handle, TaskHandle());
  EXPECT_EQ(handle.name(), "");
  EXPECT_EQ(handle.state(), TaskState::kFinished);
  EXPECT_EQ(handle.attempts(), 0);
  EXPECT_FALSE(handle.future().valid());
  EXPECT_FALSE(handle.TryResult().has_value());
  EXPECT_EQ(handle.Wait().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(handle.Wait(absl::ZeroDuration()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(handle.RequestStop());
  const TaskInfo info = handle.info();
  EXPECT_EQ(info.name, "");
  EXPECT_EQ(info.state, TaskState::kFinished);
  EXPECT_EQ(info.attempts, 0);
  EXPECT_EQ(info.last_error, absl::OkStatus());
}

TEST(TaskHandleTest, MadeByDefaultItNamesNoTask) {
  ExpectNamesNoTask(TaskHandle());
  const TaskHandle none;
  const TaskHandle copy = none;
  ExpectNamesNoTask(copy);
}

TEST(TaskHandleTest, MovedFromItNamesNoTask) {
  auto supervisor = MakeSupervisor();
  TaskHandle first = Register(*supervisor, Spec("task", [] {}));
  TaskHandle second = std::move(first);
  ExpectNamesNoTask(first);
  EXPECT_TRUE(second.valid());
  TaskHandle third;
  third = std::move(second);
  ExpectNamesNoTask(second);
  EXPECT_EQ(third.name(), "task");
  first = third;  // and may be used again
  EXPECT_EQ(first, third);
}

TEST(TaskHandleTest, CopiesNameTheSameTaskAndAreEqual) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Register(*supervisor, Spec("task", [] {}));
  const TaskHandle copy = handle;
  EXPECT_EQ(copy, handle);
  EXPECT_EQ(&copy.name(), &handle.name());
  EXPECT_EQ(*supervisor->Find("task"), handle);
  EXPECT_NE(handle, TaskHandle());
  EXPECT_TRUE(copy.RequestStop());
  EXPECT_FALSE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_TRUE(copy.TryResult().has_value());
  EXPECT_EQ(copy, handle);
}

TEST(TaskHandleTest, TasksOfTheSameNameAreDifferent) {
  auto supervisor = MakeSupervisor();
  const TaskHandle first = Submit(*supervisor, Spec("task", [] {}));
  AwaitResult(first);
  const TaskHandle second = Submit(*supervisor, Spec("task", [] {}));
  AwaitResult(second);
  EXPECT_NE(first, second);
  EXPECT_EQ(first.name(), second.name());
}

TEST(TaskHandleTest, MayBeAssignedToItself) {
  auto supervisor = MakeSupervisor();
  TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  const TaskHandle& same = handle;
  handle = same;
  EXPECT_TRUE(handle.valid());
  AwaitResult(handle);
  EXPECT_EQ(handle.attempts(), 1);
}

TEST(TaskHandleTest, AssignmentLetsGoOfTheFormerTask) {
  auto supervisor = MakeSupervisor();
  TaskHandle handle = Submit(*supervisor, Spec("a", [] {}));
  AwaitResult(handle);
  handle = Submit(*supervisor, Spec("b", [] {}));
  EXPECT_EQ(handle.name(), "b");
  AwaitResult(handle);
  handle = TaskHandle();
  ExpectNamesNoTask(handle);
}

TEST(TaskHandleTest, DroppingItNeitherStopsTheTaskNorWaitsForIt) {
  Notification running, go_on, over;
  auto supervisor = MakeSupervisor();
  Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    running.Notify();
    go_on.Await("the end of the test");
    EXPECT_FALSE(context.stop_requested());
    over.Notify();
  }));
  running.Await("run");
  EXPECT_EQ(supervisor->task_count(), 1u);
  go_on.Notify();
  over.Await("the end of run");
}

TEST(TaskHandleTest, OutlivesTheSupervisor) {
  TaskHandle handle;
  {
    auto supervisor = MakeSupervisor();
    handle = Register(*supervisor, Spec("task", [] {}));
  }
  EXPECT_TRUE(handle.valid());
  EXPECT_EQ(handle.name(), "task");
  EXPECT_EQ(handle.state(), TaskState::kFinished);
  EXPECT_EQ(handle.info().name, "task");
  EXPECT_FALSE(handle.RequestStop());
  EXPECT_EQ(handle.Wait()->final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(handle.future().get().final_status, SupervisionStatus::kManuallyStopped);
  const TaskHandle copy = handle;
  EXPECT_EQ(copy, handle);
}

TEST(TaskHandleTest, TheClockLivesAsLongAsTheHandle) {
  std::weak_ptr<ManualClock> watch;
  {
    TaskHandle handle;
    {
      const auto clock = std::make_shared<ManualClock>();
      watch = clock;
      auto supervisor = MakeSupervisor(OptionsWith(clock));
      handle = Submit(*supervisor, Spec("task", [] {}));
      AwaitResult(handle);
    }
    EXPECT_FALSE(watch.expired());
    EXPECT_GE(handle.info().in_state_for, absl::ZeroDuration());
  }
  // A lane that is about to leave may hold it a moment longer.
  while (!watch.expired()) std::this_thread::yield();
}

TEST(TaskHandleTest, AFutureFromBeforeTheResultBecomesReadyWithIt) {
  Notification go_on;
  auto supervisor = MakeSupervisor();
  const TaskHandle handle =
      Submit(*supervisor, Spec("task", [&] { go_on.Await("the end of the test"); }));
  const std::shared_future<SupervisionResult> first = handle.future();
  const std::shared_future<SupervisionResult> second = TaskHandle(handle).future();
  EXPECT_FALSE(IsReady(first));
  EXPECT_FALSE(handle.TryResult().has_value());
  EXPECT_EQ(handle.Wait(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
  go_on.Notify();
  for (const auto& future : {first, second}) {
    const SupervisionResult result = Await(future, "the future");
    EXPECT_EQ(result.task_name, "task");
    EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally) << result;
    EXPECT_EQ(result.total_attempts, 1);
  }
  EXPECT_TRUE(IsReady(handle.future()));
}

TEST(TaskHandleTest, AFutureFromAfterTheResultIsReady) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  ASSERT_TRUE(handle.Wait().ok());
  for (int i = 0; i < 3; ++i) {
    const std::shared_future<SupervisionResult> future = handle.future();
    ASSERT_TRUE(IsReady(future));
    EXPECT_EQ(future.get().task_name, "task");
    EXPECT_EQ(future.get().total_attempts, 1);  // can be asked more than once
  }
}

// Nobody may get a future of its own, that nobody sets.
TEST(TaskHandleTest, FuturesThatAreAskedForWhileTheResultComesAreAllSet) {
  constexpr int kRounds = 200;
  auto supervisor = MakeSupervisor();
  for (int round = 0; round < kRounds; ++round) {
    const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
    std::future<SupervisionResult> other = std::async(
        std::launch::async, [copy = handle] { return Await(copy.future(), "a future"); });
    EXPECT_EQ(Await(handle.future(), "a future").total_attempts, 1);
    EXPECT_EQ(Await(other, "the other thread").total_attempts, 1);
    AwaitResult(handle);
  }
}

TEST(TaskHandleTest, OneHandleMayBeUsedByManyThreads) {
  constexpr int kThreads = 4;
  Latch begun(kThreads);
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    begun.Await("the threads");
    context.SleepFor(absl::InfiniteDuration());
  }));
  std::vector<std::future<bool>> stops;
  for (int i = 0; i < kThreads; ++i) {
    stops.push_back(std::async(std::launch::async, [&] {
      begun.CountDownAndAwait("the threads");
      const TaskHandle copy = handle;
      EXPECT_EQ(copy.info().name, "task");
      EXPECT_LE(copy.attempts(), 1);
      const bool first = copy.RequestStop();
      EXPECT_EQ(Await(copy.future(), "a future").final_status, SupervisionStatus::kManuallyStopped);
      EXPECT_EQ(copy.state(), TaskState::kFinished);
      return first;
    }));
  }
  int firsts = 0;
  for (std::future<bool>& stop : stops) firsts += stop.get() ? 1 : 0;
  EXPECT_EQ(firsts, 1);
}

TEST(TaskHandleTest, InfoFollowsTheTask) {
  const auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  TaskSpec spec = Spec("task", [&](TaskContext& context) {
    clock->Advance(absl::Seconds(7));
    return context.attempt() == 1 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  spec.backoff = BackoffStrategy::Constant(absl::Seconds(10));
  const TaskHandle handle = Register(*supervisor, std::move(spec));
  EXPECT_EQ(handle.info().state, TaskState::kRegistered);
  clock->Advance(absl::Seconds(3));
  EXPECT_EQ(handle.info().in_state_for, absl::Seconds(3));
  EXPECT_EQ(supervisor->StartAll(), absl::OkStatus());
  AwaitState(handle, TaskState::kBackingOff);
  TaskInfo info = handle.info();
  EXPECT_EQ(info.attempts, 1);
  EXPECT_EQ(info.consecutive_failures, 1);
  EXPECT_EQ(info.hook_failures, 0);
  EXPECT_EQ(info.last_error, absl::UnavailableError("down"));
  EXPECT_EQ(info.in_state_for, absl::ZeroDuration());
  EXPECT_EQ(info.next_attempt_in, absl::Seconds(10));
  clock->Advance(absl::Seconds(4));
  info = handle.info();
  EXPECT_EQ(info.in_state_for, absl::Seconds(4));
  EXPECT_EQ(info.next_attempt_in, absl::Seconds(6));
  clock->Advance(absl::Seconds(6));
  EXPECT_EQ(AwaitResult(handle).elapsed, absl::Seconds(7 + 10 + 7));
  clock->Advance(absl::Seconds(5));
  info = handle.info();
  EXPECT_EQ(info.state, TaskState::kFinished);
  EXPECT_EQ(info.attempts, 2);
  EXPECT_EQ(info.consecutive_failures, 0);
  EXPECT_EQ(info.last_error, absl::OkStatus());
  EXPECT_EQ(info.in_state_for, absl::Seconds(5));
  EXPECT_EQ(info.next_attempt_in, absl::ZeroDuration());
}

}  // namespace
}  // namespace foxtive::test
