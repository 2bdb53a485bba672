// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Row 1 of the verdict: a stop wins over whatever comes after it. It comes here from the hook
// itself, so at a moment that no race decides; and at any moment, of one task and of many.

#include <cstdint>
#include <exception>
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
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;

// One object, as all threads know it: the thread sanitizer does not see Abseil count references.
const absl::Status& Down() {
  static const auto& status = *new absl::Status(absl::UnavailableError("down"));
  return status;
}

// A task that fails, and for which a second failure would be too many.
TaskSpec FailingSpec() {
  TaskSpec spec = Spec("task", [] { return Down(); });
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  return spec;
}

// Stops the task that calls this.
void StopMyself(const Supervisor& supervisor) {
  const absl::StatusOr<TaskHandle> handle = supervisor.Find("task");
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_TRUE(handle->RequestStop());
}

void ExpectStoppedAfterOneAttempt(const SupervisionResult& result) {
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.total_attempts, 1) << result;
  EXPECT_EQ(result.last_error, Down()) << result;
}

TEST(Semantics, S13_AStopFromRunWinsOverSuccess) {
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&] { StopMyself(*supervisor); });
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.last_error, absl::OkStatus()) << result;
}

TEST(Semantics, S13_AStopFromRunWinsOverAnExceptionAndKeepsTheCause) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [&]() -> absl::Status {
    StopMyself(*supervisor);
    throw std::runtime_error("broken");
  });
  spec.hooks = LoggingHooks(log);
  spec.hooks.on_shutdown = nullptr;  // it may come at any moment
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.last_error, absl::UnknownError("std::runtime_error: broken")) << result;
  EXPECT_NE(result.last_exception, nullptr);
  EXPECT_THAT(log.Entries(), ElementsAre("setup", "on_exception", "cleanup"));
}

TEST(Semantics, S13_AfterAStopFromOnErrorShouldRestartIsNotAsked) {
  auto supervisor = MakeSupervisor();
  TaskSpec spec = FailingSpec();
  spec.hooks.on_error = [&](const absl::Status&, int64_t) { StopMyself(*supervisor); };
  spec.hooks.should_restart = [](int64_t, const absl::Status&) {
    ADD_FAILURE() << "asked";
    return false;
  };
  ExpectStoppedAfterOneAttempt(AwaitResult(Submit(*supervisor, std::move(spec))));
}

TEST(Semantics, S13_AStopFromShouldRestartWinsOverItsAnswer) {
  for (const bool answer : {false, true}) {
    auto supervisor = MakeSupervisor();
    TaskSpec spec = FailingSpec();
    spec.hooks.should_restart = [&](int64_t, const absl::Status&) {
      StopMyself(*supervisor);
      return answer;
    };
    ExpectStoppedAfterOneAttempt(AwaitResult(Submit(*supervisor, std::move(spec))));
  }
}

TEST(Semantics, S13_AStopFromShouldRestartWinsOverThePolicy) {
  for (const RestartPolicy policy : {RestartPolicy::Never(), RestartPolicy::MaxAttempts(1)}) {
    auto supervisor = MakeSupervisor();
    TaskSpec spec = FailingSpec();
    spec.restart_policy = policy;
    spec.hooks.should_restart = [&](int64_t, const absl::Status&) {
      StopMyself(*supervisor);
      return true;
    };
    ExpectStoppedAfterOneAttempt(AwaitResult(Submit(*supervisor, std::move(spec))));
  }
}

TEST(Semantics, S13_AStopFromACustomDelayWins) {
  for (const absl::Duration delay : {absl::ZeroDuration(), absl::Hours(1)}) {
    auto supervisor = MakeSupervisor();
    TaskSpec spec = FailingSpec();
    spec.backoff = BackoffStrategy::Custom([&](int64_t) {
      StopMyself(*supervisor);
      return delay;
    });
    ExpectStoppedAfterOneAttempt(AwaitResult(Submit(*supervisor, std::move(spec))));
  }
}

TEST(Semantics, S13_AfterAStopFromOnRestartRunIsSkipped) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = FailingSpec();
  spec.hooks = LoggingHooks(log);
  spec.hooks.on_shutdown = nullptr;  // it may come at any moment
  spec.hooks.on_restart = [&](int64_t attempt) {
    EXPECT_EQ(attempt, 2);
    log.Add("on_restart");
    StopMyself(*supervisor);
  };
  ExpectStoppedAfterOneAttempt(AwaitResult(Submit(*supervisor, std::move(spec))));
  EXPECT_THAT(log.Entries(),
              ElementsAre("setup", "on_error", "should_restart", "on_restart", "cleanup"));
}

// Whatever the stop cuts short, there is one setup at the start and one cleanup at the end, or
// nothing at all.
TEST(Semantics, S1_AStopAtAnyMomentKeepsTheOrder) {
  constexpr int kRounds = 200;
  auto supervisor = MakeSupervisor();
  for (int round = 0; round < kRounds; ++round) {
    EventLog log;
    TaskSpec spec = Spec("task", [](TaskContext& context) {
      return context.attempt() < 1000 ? Down() : absl::OkStatus();
    });
    spec.hooks = {.setup =
                      [&log] {
                        log.Add("setup");
                        return absl::OkStatus();
                      },
                  .cleanup = [&log] { log.Add("cleanup"); }};
    const TaskHandle handle = Submit(*supervisor, std::move(spec));
    for (int i = 0; i < round % 8; ++i) std::this_thread::yield();
    const bool stopped = handle.RequestStop();
    const SupervisionResult result = AwaitResult(handle);
    ASSERT_EQ(result.final_status, stopped ? SupervisionStatus::kManuallyStopped
                                           : SupervisionStatus::kCompletedNormally);
    if (log.size() == 0) {
      ASSERT_EQ(result.total_attempts, 0);
    } else {
      ASSERT_THAT(log.Entries(), ElementsAre("setup", "cleanup"));
    }
  }
}

// Workers that return at once when they are stopped, and so give their lanes away, while others
// that have not been asked yet wait for a lane.
void ShutDownWithAQueue(bool wait) {
  constexpr int kRunning = 8;
  constexpr int kQueued = 16;
  EventLog begun;
  Latch running(kRunning);
  auto supervisor = MakeSupervisor({.max_concurrency = kRunning});
  for (int i = 0; i < kRunning; ++i) {
    Submit(*supervisor, Spec(absl::StrCat("runs-", i), [&](TaskContext& context) {
      running.CountDown();
      context.SleepFor(absl::InfiniteDuration());
    }));
  }
  running.Await("the workers");
  std::vector<TaskHandle> queued;
  for (int i = 0; i < kQueued; ++i) {
    const std::string name = absl::StrCat("queued-", i);
    queued.push_back(Submit(*supervisor, Spec(name, [&begun, name] { begun.Add(name); })));
  }
  if (wait) {
    EXPECT_EQ(supervisor->Shutdown(), absl::OkStatus());
  } else {
    supervisor->RequestShutdown();
  }
  for (const TaskHandle& handle : queued) {
    const SupervisionResult result = AwaitResult(handle);
    EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
    EXPECT_EQ(result.total_attempts, 0) << result;
  }
  EXPECT_EQ(begun.size(), 0u);
}

TEST(Semantics, S14_NoQueuedTaskBeginsInTheMiddleOfAShutdown) {
  for (int round = 0; round < 20 && !::testing::Test::HasFailure(); ++round) {
    ShutDownWithAQueue(/*wait=*/round % 2 == 0);
  }
}

// One task in each state in which there is no result.
std::vector<TaskHandle> OneInEachState(Supervisor& supervisor) {
  std::vector<TaskHandle> handles;
  TaskSpec backs_off = Spec("backs off", [] { return Down(); });
  backs_off.backoff = BackoffStrategy::Constant(absl::Hours(1));
  handles.push_back(Submit(supervisor, std::move(backs_off)));
  AwaitState(handles.back(), TaskState::kBackingOff);

  handles.push_back(Submit(supervisor, Spec("runs", [](TaskContext& context) {
                             context.SleepFor(absl::InfiniteDuration());
                             return absl::AbortedError("stopped");
                           })));
  AwaitRunning(handles.back());

  handles.push_back(Submit(supervisor, Spec("waits for the lane", [] {})));
  EXPECT_EQ(handles.back().state(), TaskState::kQueued);
  handles.push_back(Register(supervisor, Spec("not started", [] {})));
  EXPECT_EQ(handles.back().state(), TaskState::kRegistered);
  return handles;
}

TEST(Semantics, S2_DestructionGivesATaskInEachStateItsResult) {
  auto supervisor = MakeSupervisor({.max_concurrency = 1});
  const std::vector<TaskHandle> handles = OneInEachState(*supervisor);
  const std::shared_future<SupervisionResult> future = handles.back().future();
  supervisor.reset();
  std::vector<SupervisionResult> results;
  for (const TaskHandle& handle : handles) {
    const std::optional<SupervisionResult> result = handle.TryResult();
    ASSERT_TRUE(result.has_value()) << handle.name();
    EXPECT_EQ(result->task_name, handle.name());
    EXPECT_EQ(result->final_status, SupervisionStatus::kManuallyStopped) << *result;
    results.push_back(*result);
  }
  EXPECT_EQ(results[0].total_attempts, 1);
  EXPECT_EQ(results[0].last_error, Down());
  EXPECT_EQ(results[1].total_attempts, 1);
  EXPECT_EQ(results[1].last_error, absl::AbortedError("stopped"));
  EXPECT_EQ(results[2].total_attempts, 0);
  EXPECT_EQ(results[3].total_attempts, 0);
  EXPECT_EQ(future.get().final_status, SupervisionStatus::kManuallyStopped);
}

// With the real clock, which goes on between any two looks at it.
TEST(Semantics, S2_ATaskThatNeverStartedHasLastedNoTime) {
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Register(*supervisor, Spec("task", [] {}));
  EXPECT_TRUE(handle.RequestStop());
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.total_attempts, 0) << result;
  EXPECT_EQ(result.elapsed, absl::ZeroDuration()) << result;
  EXPECT_EQ(supervisor->StartAll(), absl::OkStatus());
  EXPECT_EQ(handle.attempts(), 0);
}

}  // namespace
}  // namespace foxtive::test
