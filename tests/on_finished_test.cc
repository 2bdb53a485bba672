// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskHandle::OnFinished: called once, with the result, whenever it was asked for.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/failing_allocator.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Keeps what it is called with; a copy of it is the callback.
struct Calls {
  std::shared_ptr<Recorder<SupervisionStatus>> statuses =
      std::make_shared<Recorder<SupervisionStatus>>();
  std::shared_ptr<Recorder<std::thread::id>> threads =
      std::make_shared<Recorder<std::thread::id>>();

  void operator()(const SupervisionResult& result) const {
    threads->Add(std::this_thread::get_id());
    statuses->Add(result.final_status);
  }
};

TEST(OnFinishedTest, IsCalledWithTheWholeResult) {
  auto supervisor = MakeSupervisor();
  Notification go_on, called;
  TaskSpec spec = Spec("orders", [&]() -> absl::Status {
    go_on.Await("the callback to be there");
    throw std::runtime_error("torn");
  });
  spec.restart_policy = RestartPolicy::Never();
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  const std::thread::id here = std::this_thread::get_id();
  ASSERT_TRUE(handle
                  .OnFinished([&](const SupervisionResult& result) {
                    EXPECT_EQ(result.task_name, "orders");
                    EXPECT_EQ(result.total_attempts, 1);
                    EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
                    EXPECT_FALSE(result.last_error.ok());
                    EXPECT_NE(result.last_exception, nullptr);
                    EXPECT_FALSE(result.reason.empty());
                    EXPECT_TRUE(handle.TryResult().has_value()) << "it is there for all by now";
                    EXPECT_NE(std::this_thread::get_id(), here);
                    called.Notify();
                  })
                  .ok());
  EXPECT_FALSE(called.HasHappened());
  go_on.Notify();
  called.Await("the callback");
}

TEST(OnFinishedTest, AResultThatIsThereIsToldAtOnceOnAnotherThread) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  AwaitResult(handle);
  Calls calls;
  ASSERT_TRUE(handle.OnFinished(calls).ok());
  EXPECT_THAT(calls.statuses->AwaitSize(1), Each(SupervisionStatus::kCompletedNormally));
  EXPECT_NE(calls.threads->Entries().front(), std::this_thread::get_id());
}

TEST(OnFinishedTest, EveryKindOfEndIsTold) {
  auto supervisor = MakeSupervisor();
  StuckWorker worker;
  TaskSpec stuck = Spec("stuck", worker.Run());
  stuck.stop_timeout = absl::ZeroDuration();
  TaskSpec setup = Spec("setup", [] {});
  setup.hooks.setup = [] { return absl::NotFoundError(""); };
  const std::vector<TaskHandle> handles = {Register(*supervisor, Spec("registered", [] {})),
                                           Submit(*supervisor, std::move(stuck)),
                                           Submit(*supervisor, std::move(setup))};
  worker.AwaitEntered();
  std::vector<Calls> calls(handles.size());
  for (size_t i = 0; i < handles.size(); ++i) ASSERT_TRUE(handles[i].OnFinished(calls[i]).ok());
  EXPECT_TRUE(handles[0].RequestStop());
  EXPECT_TRUE(handles[1].RequestStop());
  EXPECT_EQ(calls[0].statuses->AwaitSize(1).front(), SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(calls[1].statuses->AwaitSize(1).front(), SupervisionStatus::kAbandoned);
  EXPECT_EQ(calls[2].statuses->AwaitSize(1).front(), SupervisionStatus::kSetupFailed);
  worker.Release();
  AwaitState(handles[1], TaskState::kFinished);
  EXPECT_THAT(calls[1].statuses->Entries(), SizeIs(1)) << "the late return is told to nobody";
}

// It may come before, with, or after the result: once each, and none is lost.
TEST(OnFinishedTest, IsCalledOnceHoweverItRacesWithTheEnd) {
  auto supervisor = MakeSupervisor();
  std::atomic<int> called{0};
  for (int round = 0; round < 500; ++round) {
    const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(handle.OnFinished([&](const SupervisionResult&) { ++called; }).ok());
    }
    AwaitResult(handle);
  }
  supervisor.reset();
  EXPECT_EQ(called, 500 * 4);
}

TEST(OnFinishedTest, OneThatHangsHoldsBackNobody) {
  auto supervisor = MakeSupervisor();
  StuckWorker hanging;
  const TaskHandle first = Submit(*supervisor, Spec("first", [] {}));
  ASSERT_TRUE(first.OnFinished([run = hanging.Run()](const SupervisionResult&) { run(); }).ok());
  hanging.AwaitEntered();
  Calls calls;
  ASSERT_TRUE(first.OnFinished(calls).ok());
  ASSERT_TRUE(Submit(*supervisor, Spec("second", [] {})).OnFinished(calls).ok());
  calls.statuses->AwaitSize(2);
  EXPECT_TRUE(supervisor->Shutdown(absl::InfiniteDuration()).ok());
  hanging.Release();
}

TEST(OnFinishedTest, TheDestructorWaitsForIt) {
  Notification destroying, entered;
  std::atomic<bool> returned{false};
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [](TaskContext& c) { c.SleepFor(absl::InfiniteDuration()); });
  spec.hooks.on_shutdown = [&] { destroying.Notify(); };
  const TaskHandle sleeper = Submit(*supervisor, std::move(spec));
  AwaitRunning(sleeper);
  ASSERT_TRUE(Submit(*supervisor, Spec("first", [] {}))
                  .OnFinished([&](const SupervisionResult&) {
                    entered.Notify();
                    destroying.Await("the destructor");
                    returned = true;
                  })
                  .ok());
  entered.Await("the callback");
  supervisor.reset();
  EXPECT_TRUE(returned);
}

TEST(OnFinishedTest, TheDestructorWaitsNoLongerThanItsDeadline) {
  SupervisorOptions options;
  options.shutdown_timeout = absl::ZeroDuration();
  auto supervisor = MakeSupervisor(std::move(options));
  StuckWorker hanging;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  ASSERT_TRUE(handle.OnFinished([run = hanging.Run()](const SupervisionResult&) { run(); }).ok());
  hanging.AwaitEntered();
  supervisor.reset();  // returns
  hanging.Release();
}

TEST(OnFinishedTest, AfterTheSupervisorItIsCalledByTheCaller) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  AwaitResult(handle);
  supervisor.reset();
  Calls calls;
  ASSERT_TRUE(handle.OnFinished(calls).ok());
  ASSERT_THAT(calls.threads->Entries(), SizeIs(1)) << "before it returns";
  EXPECT_EQ(calls.threads->Entries().front(), std::this_thread::get_id());
}

TEST(OnFinishedTest, BadInputIsRefusedAndNeverCalled) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  EXPECT_EQ(handle.OnFinished(nullptr).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(TaskHandle().OnFinished([](const SupervisionResult&) {}).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(OnFinishedTest, WithoutMemoryItIsRefusedAndNeverCalled) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  AwaitResult(handle);
  std::atomic<int> called{0};
  const auto callback = [&called](const SupervisionResult&) { ++called; };
  int64_t failing = 1;
  for (;; ++failing) {
    FailAllocationHere(failing);
    const absl::Status status = handle.OnFinished(callback);
    if (!EndFailureHere()) break;
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << failing;
  }
  EXPECT_GT(failing, 1);
  supervisor.reset();
  EXPECT_EQ(called, 1);
}

// --- What a callback may do.

TEST(OnFinishedTest, S8_WhatItThrowsIsCaughtAndCounted) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  Witness captured;
  ASSERT_TRUE(handle
                  .OnFinished([held = captured.Take()](const SupervisionResult&) {
                    throw std::runtime_error("from the callback");
                  })
                  .ok());
  Calls calls;
  ASSERT_TRUE(handle.OnFinished(calls).ok());
  supervisor.reset();
  EXPECT_THAT(calls.statuses->Entries(), SizeIs(1));
  EXPECT_EQ(handle.info().hook_failures, 1);
  EXPECT_TRUE(captured.IsDestroyed());
}

TEST(OnFinishedTest, S17_CallsThatWouldWaitAreRefused) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [] {}));
  Recorder<absl::StatusCode> answers;
  Recorder<TaskHandle> next;
  ASSERT_TRUE(handle
                  .OnFinished([&](const SupervisionResult&) {
                    answers.Add(supervisor->Shutdown().code());
                    answers.Add(supervisor->WaitAny().status().code());
                    answers.Add(supervisor->WaitAll().status().code());
                    EXPECT_TRUE(handle.Wait().ok()) << "its result is there";
                    next.Add(Submit(*supervisor, Spec("task", [] {})));
                  })
                  .ok());
  AwaitResult(next.AwaitSize(1).front());
  EXPECT_THAT(answers.Entries(), Each(absl::StatusCode::kFailedPrecondition));
}

TEST(OnFinishedTest, S16_ItMayDestroyTheLastOwner) {
  for (int round = 0; round < 20; ++round) {
    auto owner = std::make_shared<std::unique_ptr<Supervisor>>(MakeSupervisor());
    Notification destroyed;
    const TaskHandle other = Submit(**owner, Spec("other", [](TaskContext& context) {
      context.SleepFor(absl::InfiniteDuration());
    }));
    const TaskHandle task = Submit(**owner, Spec("task", [] {}));
    ASSERT_TRUE(task.OnFinished([&, owner](const SupervisionResult&) {
                      owner->reset();
                      destroyed.Notify();
                    })
                    .ok());
    destroyed.Await("the end of the Supervisor");
    EXPECT_EQ(AwaitResult(other).final_status, SupervisionStatus::kManuallyStopped);
  }
}

// The end of the task that destroys its own Supervisor comes after that.
TEST(OnFinishedTest, S16_TheCallbackOfATaskThatDestroysItsSupervisorIsCalled) {
  for (int round = 0; round < 20; ++round) {
    auto owner = std::make_shared<std::unique_ptr<Supervisor>>(MakeSupervisor());
    Notification go_on;
    Calls calls;
    TaskSpec spec = Spec("task", [&go_on, owner] {
      go_on.Await("the callback to be there");
      owner->reset();
    });
    if (round % 2 == 1) spec.stop_timeout = absl::ZeroDuration();
    const TaskHandle handle = Submit(**owner, std::move(spec));
    ASSERT_TRUE(handle.OnFinished(calls).ok());
    go_on.Notify();
    calls.statuses->AwaitSize(1);
    AwaitState(handle, TaskState::kFinished);
    EXPECT_THAT(calls.statuses->Entries(), SizeIs(1));
  }
}

// Whoever lets go of it last: nothing orders the two, and the thread sanitizer does not see it when
// Abseil does.
TEST(OnFinishedTest, S2_AResultIsItsOwnersAlone) {
  for (int round = 0; round < 20; ++round) {
    std::optional<SupervisionResult> kept;
    Notification called;
    TaskHandle handle;
    {
      Supervisor supervisor;
      TaskSpec spec =
          Spec("task", [] { return absl::UnavailableError("the error of its attempt"); });
      spec.restart_policy = RestartPolicy::MaxAttempts(1);
      handle = Submit(supervisor, std::move(spec));
      ASSERT_TRUE(handle
                      .OnFinished([&](const SupervisionResult& result) {
                        kept = result;
                        called.Notify();
                      })
                      .ok());
      called.Await("the callback");
    }
    std::atomic<bool> let_go{false};
    std::thread other([handle = std::move(handle), &let_go]() mutable {
      EXPECT_THAT(std::string(handle.TryResult()->last_error.message()), HasSubstr("attempt"));
      handle = TaskHandle();
      let_go.store(true, std::memory_order_relaxed);
    });
    while (!let_go.load(std::memory_order_relaxed)) std::this_thread::yield();
    kept.reset();
    other.join();
  }
}

}  // namespace
}  // namespace foxtive::test
