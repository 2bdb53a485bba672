// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S2: each task has exactly one result, no path loses it, and everybody sees the same.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::UnorderedElementsAre;

// A task that ends after three attempts, the last of which throws.
TaskSpec ThrowsThrice(std::string name) {
  TaskSpec spec =
      Spec(std::move(name), []() -> absl::Status { throw std::runtime_error("broken"); });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  return spec;
}

void ExpectThrewThrice(const SupervisionResult& result) {
  EXPECT_EQ(result.task_name, "task");
  EXPECT_EQ(result.total_attempts, 3);
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached) << result;
  EXPECT_EQ(result.last_error.message(), "std::runtime_error: broken");
  ASSERT_NE(result.last_exception, nullptr);
  EXPECT_THROW(std::rethrow_exception(result.last_exception), std::runtime_error);
}

TEST(Semantics, S2_EveryHandleAndFutureSeesTheResult) {
  auto supervisor = MakeSupervisor();
  TaskHandle handle = Register(*supervisor, ThrowsThrice("task"));
  const TaskHandle copy = handle;
  const std::shared_future<SupervisionResult> early = handle.future();
  ASSERT_TRUE(supervisor->StartAll().ok());
  ExpectThrewThrice(AwaitResult(handle));
  ExpectThrewThrice(*handle.TryResult());
  ExpectThrewThrice(*copy.TryResult());
  ExpectThrewThrice(*copy.Wait());
  ExpectThrewThrice(Await(early, "a future from before the start"));
  ExpectThrewThrice(Await(copy.future(), "a future from after the end"));
  ExpectThrewThrice(*supervisor->Find("task")->TryResult());
  ExpectThrewThrice(*supervisor->WaitAny());
}

TEST(Semantics, S2_TheResultOutlivesTheSupervisor) {
  auto supervisor = MakeSupervisor();
  TaskHandle handle = Submit(*supervisor, ThrowsThrice("task"));
  AwaitResult(handle);
  supervisor.reset();
  const TaskHandle copy = handle;
  ExpectThrewThrice(*handle.TryResult());
  ExpectThrewThrice(*copy.Wait());
  ExpectThrewThrice(*copy.Wait(absl::ZeroDuration()));
  ExpectThrewThrice(copy.future().get());
  EXPECT_EQ(handle.name(), "task");
  EXPECT_EQ(handle.state(), TaskState::kFinished);
  EXPECT_EQ(handle.attempts(), 3);
  EXPECT_EQ(handle.info().attempts, 3);
  EXPECT_FALSE(handle.RequestStop());
}

TEST(Semantics, S2_TheResultOutlivesAllOtherHandles) {
  std::shared_future<SupervisionResult> future;
  {
    auto supervisor = MakeSupervisor();
    TaskHandle handle = Submit(*supervisor, ThrowsThrice("task"));
    future = handle.future();
    AwaitResult(handle);
  }
  ExpectThrewThrice(Await(future, "a future without handle and supervisor"));
}

TEST(Semantics, S2_ATaskWithoutHandlesRunsToItsEnd) {
  Notification over;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = ThrowsThrice("task");
  spec.hooks.cleanup = [&] { over.Notify(); };
  { TaskHandle dropped = Submit(*supervisor, std::move(spec)); }
  over.Await("cleanup");
}

// The ways to see that a registered task is over. Each waits, or looks again and again.
struct Sight {
  const char* name;
  std::function<void(Supervisor&, const TaskHandle&, const std::shared_future<SupervisionResult>&)>
      await;
};

std::vector<Sight> AllSights() {
  using Future = std::shared_future<SupervisionResult>;
  return {
      {"state",
       [](Supervisor&, const TaskHandle& handle, const Future&) {
         while (handle.state() != TaskState::kFinished) std::this_thread::yield();
       }},
      {"TryResult",
       [](Supervisor&, const TaskHandle& handle, const Future&) {
         while (!handle.TryResult().has_value()) std::this_thread::yield();
       }},
      {"future",
       [](Supervisor&, const TaskHandle&, const Future& future) { Await(future, "the future"); }},
      {"Wait", [](Supervisor&, const TaskHandle& handle,
                  const Future&) { EXPECT_TRUE(handle.Wait().ok()); }},
      {"WaitAny", [](Supervisor& supervisor, const TaskHandle&,
                     const Future&) { EXPECT_TRUE(supervisor.WaitAny().ok()); }},
      {"WaitAll", [](Supervisor& supervisor, const TaskHandle&,
                     const Future&) { EXPECT_TRUE(supervisor.WaitAll().ok()); }},
  };
}

bool IsReady(const std::shared_future<SupervisionResult>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

TEST(Semantics, S2_WhoSeesAResultOneWaySeesItEveryWay) {
  auto supervisor = MakeSupervisor();
  for (const Sight& sight : AllSights()) {
    for (int round = 0; round < 200; ++round) {
      const TaskHandle handle = Register(*supervisor, Spec("task", [] {}));  // the name is free
      const std::shared_future<SupervisionResult> future = handle.future();
      ASSERT_TRUE(supervisor->StartAll().ok());
      sight.await(*supervisor, handle, future);
      ASSERT_TRUE(IsReady(future)) << sight.name;
      ASSERT_EQ(handle.state(), TaskState::kFinished) << sight.name;
      ASSERT_TRUE(handle.TryResult().has_value()) << sight.name;
      ASSERT_EQ(supervisor->task_count(), 0u) << sight.name;
      const bool handed_out = supervisor->WaitAny(absl::ZeroDuration()).ok();
      ASSERT_EQ(handed_out, !absl::StrContains(sight.name, "WaitA")) << sight.name;
    }
  }
}

TEST(Semantics, S2_AllWaitersGetTheOneResult) {
  constexpr int kWaiters = 8;
  Notification go_on;
  Latch waiting(kWaiters);
  auto supervisor = MakeSupervisor();
  TaskSpec spec = ThrowsThrice("task");
  spec.hooks.setup = [&] { return go_on.Await("the waiters"), absl::OkStatus(); };
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  std::vector<std::future<absl::StatusOr<SupervisionResult>>> waits;
  for (int i = 0; i < kWaiters; ++i) {
    waits.push_back(std::async(std::launch::async, [&waiting, copy = handle] {
      waiting.CountDown();
      return copy.Wait();
    }));
  }
  waiting.Await("the waiters");
  go_on.Notify();
  for (auto& wait : waits) {
    const absl::StatusOr<SupervisionResult> result = Await(wait, "Wait");
    ASSERT_TRUE(result.ok()) << result.status();
    ExpectThrewThrice(*result);
    EXPECT_EQ(result->last_exception, handle.TryResult()->last_exception);
  }
}

TEST(Semantics, S2_ThrowingHooksLoseNothing) {
  auto supervisor = MakeSupervisor();
  TaskSpec spec = ThrowsThrice("task");
  spec.hooks.cleanup = [] { throw 1; };
  spec.hooks.on_restart = [](int64_t) { throw 1; };
  spec.hooks.on_exception = [](const std::exception_ptr&, std::string_view, int64_t) { throw 1; };
  spec.hooks.should_restart = [](int64_t, const absl::Status&) -> bool { throw 1; };
  ExpectThrewThrice(AwaitResult(Submit(*supervisor, std::move(spec))));
}

TEST(Semantics, S2_DestructionGivesEveryTaskItsResult) {
  constexpr int kTasks = 100;
  Latch running(kTasks);
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 8;
  auto supervisor = MakeSupervisor(std::move(options));
  std::vector<TaskHandle> handles;
  for (int i = 0; i < kTasks; ++i) {
    handles.push_back(Submit(*supervisor, Spec(absl::StrCat("task-", i), [&running, i] {
      running.CountDown();
      return i % 2 ? absl::UnavailableError("") : absl::AbortedError("");
    })));
  }
  running.Await("attempts");
  supervisor.reset();
  for (const TaskHandle& handle : handles) {
    const std::optional<SupervisionResult> result = handle.TryResult();
    ASSERT_TRUE(result.has_value()) << handle.name();
    EXPECT_EQ(result->final_status, SupervisionStatus::kManuallyStopped);
  }
}

TEST(Semantics, S2_WaitAllAndHandlesAgree) {
  auto supervisor = MakeSupervisor();
  std::vector<TaskHandle> handles;
  for (std::string_view name : {"a", "b", "c"}) {
    handles.push_back(Register(*supervisor, ThrowsThrice(std::string(name))));
  }
  ASSERT_TRUE(supervisor->StartAll().ok());
  const auto results = supervisor->WaitAll();
  ASSERT_TRUE(results.ok()) << results.status();
  std::vector<std::exception_ptr> exceptions;
  for (const SupervisionResult& result : *results) exceptions.push_back(result.last_exception);
  EXPECT_THAT(exceptions, UnorderedElementsAre(handles[0].TryResult()->last_exception,
                                               handles[1].TryResult()->last_exception,
                                               handles[2].TryResult()->last_exception));
}

}  // namespace
}  // namespace foxtive::test
