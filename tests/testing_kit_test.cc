// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "foxtive/testing.h"

namespace foxtive {
namespace {

using foxtive::testing::EventRecorder;
using foxtive::testing::FailTimes;
using foxtive::testing::HasAttempt;
using foxtive::testing::HasAttempts;
using foxtive::testing::HasCode;
using foxtive::testing::HasDelay;
using foxtive::testing::HasElapsed;
using foxtive::testing::HasFinalStatus;
using foxtive::testing::HasKind;
using foxtive::testing::HasLastError;
using foxtive::testing::HasReason;
using foxtive::testing::HasStatus;
using foxtive::testing::HasTaskName;
using foxtive::testing::Script;
using foxtive::testing::ScriptedWorker;
using foxtive::testing::SimulatedTime;
using foxtive::testing::ThrowTimes;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

// Anything that is wrong ends the test with a message.
std::unique_ptr<Supervisor> MakeSupervisor(const SimulatedTime& time,
                                           std::shared_ptr<EventListener> listener = nullptr,
                                           int max_concurrency = 256) {
  absl::StatusOr<std::unique_ptr<Supervisor>> made =
      Supervisor::Create({.max_concurrency = max_concurrency,
                          .listener = std::move(listener),
                          .clock = time.clock(),
                          .seed = 1});
  return *std::move(made);
}

TEST(TestingKitTest, AnHourOfACrashLoopTakesTheRightNumberOfAttempts) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  const auto worker = FailTimes(1);
  const TaskHandle task = *supervisor->Submit(
      {.name = "feed", .run = worker, .backoff = BackoffStrategy::Constant(absl::Seconds(1))});
  time.AdvanceBy(absl::Hours(1));
  EXPECT_EQ(worker.calls(), 3601);  // at 0 s and at 3600 s too
  EXPECT_EQ(task.state(), TaskState::kBackingOff);
  EXPECT_EQ(time.elapsed(), absl::Hours(1));
}

TEST(TestingKitTest, NothingHappensBeforeItIsDue) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  const auto worker = FailTimes(1).ThenSucceed();
  const TaskHandle task = *supervisor->Submit(
      {.name = "feed", .run = worker, .backoff = BackoffStrategy::Constant(absl::Seconds(1))});
  EXPECT_EQ(worker.calls(), 0);  // it runs while time is advanced
  time.AdvanceBy(absl::ZeroDuration());
  EXPECT_EQ(worker.calls(), 1);
  time.AdvanceBy(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_EQ(worker.calls(), 1);
  time.AdvanceBy(absl::Nanoseconds(1));
  EXPECT_THAT(task.TryResult(),
              Optional(AllOf(HasTaskName("feed"), HasAttempts(2), HasElapsed(absl::Seconds(1)),
                             HasFinalStatus(SupervisionStatus::kCompletedNormally),
                             HasLastError(absl::OkStatus()))));
}

TEST(TestingKitTest, ACallThatWaitsLetsTimePass) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  const TaskHandle task =
      *supervisor->Submit({.name = "feed",
                           .run = ThrowTimes(2, "bad frame").ThenSucceed().EachTaking({}),
                           .backoff = BackoffStrategy::Constant(absl::Minutes(10))});
  EXPECT_EQ(task.Wait(absl::Minutes(19)).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(time.elapsed(), absl::Minutes(19));
  ASSERT_TRUE(task.Wait().ok());
  EXPECT_EQ(time.elapsed(), absl::Minutes(20));
}

TEST(TestingKitTest, AResultAtTheVeryEndOfAWaitIsInTime) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  const TaskHandle task = *supervisor->Submit(
      {.name = "feed", .run = Script().EachTaking(absl::Seconds(3)).ThenSucceed()});
  EXPECT_THAT(task.Wait(absl::Seconds(3)).status(), HasCode(absl::StatusCode::kOk));
}

TEST(TestingKitTest, EventsAreKeptInOrder) {
  SimulatedTime time;
  const auto recorder = std::make_shared<EventRecorder>();
  const auto supervisor = MakeSupervisor(time, recorder);
  *supervisor->Submit({.name = "feed",
                       .run = FailTimes(1, absl::NotFoundError("no route")).ThenSucceed(),
                       .backoff = BackoffStrategy::Constant(absl::Seconds(2))});
  time.AdvanceBy(absl::Seconds(2));
  EXPECT_THAT(recorder->events(),
              ElementsAre(AllOf(HasKind(EventKind::kAttemptFailed), HasTaskName("feed"),
                                HasAttempt(1), HasStatus(HasCode(absl::StatusCode::kNotFound)),
                                HasDelay(absl::Seconds(2)), HasReason(HasSubstr("row 8"))),
                          AllOf(HasKind(EventKind::kTaskOver), HasAttempt(2),
                                HasFinalStatus(SupervisionStatus::kCompletedNormally))));
  EXPECT_THAT(::testing::PrintToString(recorder->events()[0]), HasSubstr("no route"));
}

TEST(TestingKitTest, AScriptGoesOnWithItsLastStep) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  const auto worker = FailTimes(2).ThenThrowTimes(1).ThenRunUntilStopped();
  const TaskHandle task = *supervisor->Submit(
      {.name = "feed", .run = worker, .backoff = BackoffStrategy::Constant(absl::Seconds(1))});
  time.AdvanceBy(absl::Hours(24));
  EXPECT_EQ(worker.calls(), 4);
  EXPECT_EQ(task.state(), TaskState::kRunning);
  EXPECT_TRUE(task.RequestStop());
  time.AdvanceBy(absl::ZeroDuration());
  EXPECT_THAT(task.TryResult(), Optional(HasFinalStatus(SupervisionStatus::kManuallyStopped)));
}

TEST(TestingKitTest, MoreTasksThanLanesWaitTheirTurn) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time, nullptr, /*max_concurrency=*/2);
  std::vector<TaskHandle> tasks;
  for (int i = 0; i < 6; ++i) {
    tasks.push_back(*supervisor->Submit("task" + std::to_string(i),
                                        Script().EachTaking(absl::Seconds(1)).ThenSucceed()));
  }
  time.AdvanceBy(absl::Seconds(2));
  EXPECT_TRUE(tasks[3].TryResult().has_value());
  EXPECT_EQ(tasks[4].state(), TaskState::kRunning);
  time.AdvanceBy(absl::Seconds(1));
  EXPECT_EQ(supervisor->task_count(), 0u);
}

TEST(TestingKitTest, AShutdownNamesAWorkerThatDoesNotReturn) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  const std::shared_ptr<Clock> clock = time.clock();
  *supervisor->Submit("deaf", [clock] {
    Clock::Parker parker;
    clock->Park(parker, clock->NowNanos() + absl::ToInt64Nanoseconds(absl::Hours(1)));
  });
  time.AdvanceBy(absl::Seconds(1));
  const absl::Status status = supervisor->Shutdown(absl::Seconds(5));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'deaf' (asked to stop 5s ago)"));
  EXPECT_EQ(time.elapsed(), absl::Seconds(6));
  time.AdvanceBy(absl::Hours(1));
  EXPECT_TRUE(supervisor->Shutdown(absl::ZeroDuration()).ok());
}

TEST(TestingKitTest, AWorkerMayWaitInsideOfACatchBlock) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  std::vector<std::string> caught;
  const auto run = [&caught](TaskContext& context) {
    try {
      throw std::runtime_error(std::string(context.name()));
    } catch (...) {
      context.SleepFor(absl::Seconds(caught.size() + 1));
      try {
        throw;
      } catch (const std::runtime_error& error) {
        caught.push_back(error.what());
      }
    }
  };
  *supervisor->Submit("a", run);
  *supervisor->Submit("b", run);
  time.AdvanceBy(absl::Seconds(5));
  EXPECT_THAT(caught, ElementsAre("a", "b"));
}

TEST(TestingKitTest, ASupervisorMayOutliveItsTime) {
  std::unique_ptr<Supervisor> supervisor;
  const auto worker = Script().ThenRunUntilStopped();
  {
    SimulatedTime time;
    supervisor = MakeSupervisor(time);
    *supervisor->Submit("feed", worker);
  }
  EXPECT_EQ(worker.calls(), 1);
  supervisor = nullptr;
}

TEST(TestingKitTest, ASupervisorCanBeDestroyedByItsOwnWorker) {
  SimulatedTime time;
  auto owner = std::make_shared<std::unique_ptr<Supervisor>>(MakeSupervisor(time));
  const TaskHandle task = *(*owner)->Submit("feed", [owner] { *owner = nullptr; });
  owner = nullptr;
  time.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(task.TryResult(), Optional(HasFinalStatus(SupervisionStatus::kManuallyStopped)));
}

// Producer and consumers share a queue as they would in the program.
struct Queue {
  absl::Status Pop(TaskContext& context, int& item,
                   absl::Duration timeout = absl::InfiniteDuration()) {
    std::unique_lock lock(mutex);
    const auto not_empty = [this] { return !items.empty(); };
    absl::Status status = context.Wait(changed, lock, not_empty, timeout);
    if (status.ok()) {
      item = items.back();
      items.pop_back();
    }
    return status;
  }
  void Push(int item) {
    const std::lock_guard lock(mutex);
    items.push_back(item);
    changed.notify_one();
  }

  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<int> items;
};

TEST(TestingKitTest, AQueueBetweenTwoTasksWorks) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  Queue queue;
  std::vector<std::pair<int, absl::Duration>> popped;
  for (const char* name : {"consumer-1", "consumer-2"}) {
    *supervisor->Submit(name, [&](TaskContext& context) {
      for (int item = 0; queue.Pop(context, item).ok();) popped.emplace_back(item, time.elapsed());
    });
  }
  *supervisor->Submit("producer", [&queue](TaskContext& context) {
    for (int item = 1; item <= 3; ++item) {
      context.SleepFor(absl::Minutes(1));
      queue.Push(item);
    }
  });
  time.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(popped, ElementsAre(std::pair(1, absl::Minutes(1)), std::pair(2, absl::Minutes(2)),
                                  std::pair(3, absl::Minutes(3))));
  queue.Push(4);  // by the test itself
  time.AdvanceBy(absl::ZeroDuration());
  EXPECT_EQ(popped.size(), 4u);
  EXPECT_TRUE(supervisor->Shutdown(absl::Seconds(1)).ok());
  EXPECT_EQ(time.elapsed(), absl::Hours(1));
}

TEST(TestingKitTest, TheTimeoutOfAWaitIsSimulatedToo) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  Queue queue;
  absl::Status answer;
  const TaskHandle task = *supervisor->Submit("consumer", [&](TaskContext& context) {
    int item = 0;
    answer = queue.Pop(context, item, absl::Seconds(10));
  });
  time.AdvanceBy(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_FALSE(task.TryResult().has_value());
  time.AdvanceBy(absl::Nanoseconds(1));
  EXPECT_TRUE(task.TryResult().has_value());
  EXPECT_THAT(answer, HasCode(absl::StatusCode::kDeadlineExceeded));
}

TEST(TestingKitTest, WhatAWorkerDoesBetweenTwoWaitsIsSeen) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  Queue in;
  Queue out;
  std::vector<absl::Duration> popped;
  *supervisor->Submit("consumer", [&](TaskContext& context) {
    for (int item = 0; out.Pop(context, item).ok();) popped.push_back(time.elapsed());
  });
  *supervisor->Submit("producer", [&](TaskContext& context) {
    for (int item = 0; !context.stop_requested(); out.Push(item)) {
      in.Pop(context, item, absl::Minutes(1)).IgnoreError();
    }
  });
  time.AdvanceBy(absl::Minutes(3) - absl::Nanoseconds(1));
  EXPECT_THAT(popped, ElementsAre(absl::Minutes(1), absl::Minutes(2)));
  EXPECT_TRUE(supervisor->Shutdown().ok());
}

TEST(TestingKitTest, DescriptorsAreRefused) {
  SimulatedTime time;
  const auto supervisor = MakeSupervisor(time);
  absl::Status answer;
  absl::Status after_stop;
  *supervisor->Submit("reader", [&](TaskContext& context) {
    answer = context.WaitReadable(0);
    context.SleepFor(absl::InfiniteDuration());
    after_stop = context.WaitReadable(0);
  });
  time.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(answer, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(answer.message()), HasSubstr("simulated time"));
  EXPECT_TRUE(supervisor->Shutdown().ok());
  EXPECT_THAT(after_stop, HasCode(absl::StatusCode::kCancelled));
}

TEST(TestingKitTest, TwoTimesAreIndependent) {
  SimulatedTime outer;
  const auto supervisor = MakeSupervisor(outer);
  const auto inner_worker = FailTimes(1);
  const TaskHandle task = *supervisor->Submit("outer", [&inner_worker](TaskContext& context) {
    SimulatedTime inner;
    const auto nested = MakeSupervisor(inner);
    *nested->Submit({.name = "inner",
                     .run = inner_worker,
                     .backoff = BackoffStrategy::Constant(absl::Seconds(1))});
    inner.AdvanceBy(absl::Seconds(10));
    context.SleepFor(absl::Minutes(1));
    inner.AdvanceBy(absl::Seconds(10));
  });
  outer.AdvanceBy(absl::Minutes(1));
  EXPECT_TRUE(task.TryResult().has_value());
  EXPECT_EQ(inner_worker.calls(), 21);
  EXPECT_EQ(outer.elapsed(), absl::Minutes(1));
}

using TestingKitDeathTest = ::testing::Test;

TEST(TestingKitDeathTest, WhatCanNotBeDoneEndsWithAMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  SimulatedTime time;
  EXPECT_DEATH(time.AdvanceBy(-absl::Seconds(1)), "AdvanceBy: duration is -1s");
  EXPECT_DEATH(time.AdvanceBy(absl::InfiniteDuration()), "AdvanceBy: duration is inf");
  EXPECT_DEATH(FailTimes(0), "times is 0");
  EXPECT_DEATH(FailTimes(1, absl::OkStatus()), "error is OK");
  EXPECT_DEATH(Script().EachTaking(-absl::Seconds(1)), "EachTaking: duration is -1s");
  EXPECT_DEATH(std::thread([&time] { time.clock()->NowNanos(), time.AdvanceBy({}); }).join(),
               "another one has used it");
  EXPECT_DEATH(
      {
        Clock::Parker parker;
        time.clock()->Park(parker, Clock::kNever);
      },
      "waits for ever");
}

}  // namespace
}  // namespace foxtive
