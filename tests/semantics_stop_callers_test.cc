// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S13: who may ask for a stop, what each of several callers is told, and how a worker learns of it.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
using ::testing::Not;

constexpr int kCallers = 8;

// How many of kCallers threads that ask at the same time are told that they were the first.
// `beside` is called at that time, too.
int StopFromManyThreads(
    const TaskHandle& handle, const std::function<void()>& beside = [] {}) {
  std::atomic<int> accepted{0};
  Latch start(kCallers + 1);
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      start.CountDownAndAwait("all callers");
      if (handle.RequestStop()) ++accepted;
    });
  }
  start.CountDownAndAwait("all callers");
  beside();
  for (std::thread& caller : callers) caller.join();
  return accepted;
}

TEST(Semantics, S13_OneOfManyCallersIsToldThatItWasTheFirst) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (int round = 0; round < 20; ++round) {
    EventLog log;
    StuckWorker worker;
    TaskSpec spec = Spec("running", worker.Run());
    spec.hooks = LoggingHooks(log);
    const TaskHandle running = Submit(*supervisor, std::move(spec));
    worker.AwaitEntered();
    EXPECT_EQ(StopFromManyThreads(running), 1);
    worker.Release();
    EXPECT_EQ(AwaitResult(running).final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_THAT(log.Entries(), Contains("on_shutdown").Times(1));
    EXPECT_THAT(log.Entries(), Contains("cleanup").Times(1));

    const TaskHandle registered = Register(*supervisor, Spec("registered", [] {}));
    EXPECT_EQ(StopFromManyThreads(registered), 1);
    EXPECT_EQ(AwaitResult(registered).total_attempts, 0);
  }
}

TEST(Semantics, S13_OneOfManyCallersStopsABackoff) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (int round = 0; round < 20; ++round) {
    EventLog log;
    TaskSpec spec = Spec("task", [] { return absl::UnavailableError("refused"); });
    spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
    spec.hooks = LoggingHooks(log);
    const TaskHandle handle = Submit(*supervisor, std::move(spec));
    AwaitState(handle, TaskState::kBackingOff);
    EXPECT_EQ(StopFromManyThreads(handle), 1);
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_THAT(log.Entries(), Contains("on_shutdown").Times(1));
    EXPECT_THAT(log.Entries(), Contains("cleanup").Times(1));
  }
}

// Whoever wins the race between a stop and the end of the last attempt, the answer says so.
TEST(Semantics, S13_AnswerOfAStopThatRacesWithTheEndAgreesWithTheResult) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (int round = 0; round < 200; ++round) {
    Notification running;
    Notification end;
    const TaskHandle handle = Submit(*supervisor, Spec("task", [&] {
      running.Notify();
      end.Await("the race");
    }));
    running.Await("run");
    const int accepted = StopFromManyThreads(handle, [&] { end.Notify(); });
    const SupervisionResult result = AwaitResult(handle);
    EXPECT_EQ(result.final_status, accepted == 1 ? SupervisionStatus::kManuallyStopped
                                                 : SupervisionStatus::kCompletedNormally);
    EXPECT_LE(accepted, 1);
  }
}

// The same while attempts fail and restart without a pause: no state in between loses the stop.
TEST(Semantics, S13_AStopDuringACrashLoopIsNeverLost) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (int round = 0; round < 100; ++round) {
    Latch restarted(round % 10 + 1);
    EventLog log;
    TaskSpec spec = Spec("task", [&] {
      restarted.CountDown();
      return absl::UnavailableError("refused");
    });
    spec.hooks.on_shutdown = [&] { log.Add("on_shutdown"); };
    spec.hooks.cleanup = [&] { log.Add("cleanup"); };
    const TaskHandle handle = Submit(*supervisor, std::move(spec));
    restarted.Await("some restarts");
    EXPECT_EQ(StopFromManyThreads(handle), 1);
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_THAT(log.Entries(), ::testing::ElementsAre("on_shutdown", "cleanup"));
  }
}

// Stops the task from its own user code, at the first visit of `place`.
struct SelfStop {
  std::string place;
  bool accepted;  // false: the stop, or the verdict, has come before
};

class StopFromInside : public ::testing::TestWithParam<SelfStop> {};

TEST_P(StopFromInside, S13_IsAnsweredAndObeyed) {
  Latch third_attempt(3);
  Recorder<bool> answers;
  std::optional<TaskHandle> handle;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const std::string& here = GetParam().place;
  handle = Register(*supervisor, GrandTour("tour", [&](std::string_view place) {
    if (place == "run") third_attempt.CountDown();
    if (place == here && answers.size() == 0) answers.Add(handle->RequestStop());
  }));
  ASSERT_TRUE(supervisor->StartAll().ok());
  if (!GetParam().accepted) {
    third_attempt.Await("the third attempt");
    EXPECT_TRUE(handle->RequestStop());
  }
  const SupervisionResult result = AwaitResult(*handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(answers.AwaitSize(1).front(), GetParam().accepted);
  EXPECT_FALSE(handle->RequestStop());
}

INSTANTIATE_TEST_SUITE_P(
    Semantics, StopFromInside,
    ::testing::Values(SelfStop{"setup", true}, SelfStop{"run", true}, SelfStop{"on_error", true},
                      SelfStop{"should_restart", true}, SelfStop{"backoff", true},
                      SelfStop{"on_restart", true}, SelfStop{"on_exception", true},
                      SelfStop{"stop_callback", false}, SelfStop{"on_shutdown", false},
                      SelfStop{"cleanup", false}, SelfStop{"~captured", false}),
    [](const ::testing::TestParamInfo<SelfStop>& stop) {
      std::string name = stop.param.place;
      std::erase(name, '~');
      return name;
    });

TEST(Semantics, S13_AStopFromRunItselfCallsOnShutdownBesideIt) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification shut_down;
  TaskSpec spec = Spec("task", [&](TaskContext& context) {
    EXPECT_FALSE(context.stop_requested());
    EXPECT_TRUE(supervisor->Find("task")->RequestStop());
    EXPECT_TRUE(context.stop_requested());
    EXPECT_TRUE(context.stop_token().stop_requested());
    EXPECT_FALSE(context.SleepFor(absl::InfiniteDuration()));
    shut_down.Await("on_shutdown beside run");
  });
  spec.hooks.on_shutdown = [&] { shut_down.Notify(); };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
}

TEST(Semantics, S13_AVerdictOfShouldRestartDoesNotOverruleAnAcceptedStop) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] { return absl::UnavailableError("refused"); });
  spec.hooks.should_restart = [&](int64_t, const absl::Status&) {
    EXPECT_TRUE(supervisor->Find("task")->RequestStop());
    return false;
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
}

TEST(Semantics, S13_AStopFromCleanupComesAfterTheVerdict) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] {});
  spec.hooks.cleanup = [&] { EXPECT_FALSE(supervisor->Find("task")->RequestStop()); };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S13_StopCallbacksDoNotRunOnTheAskingThread) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification running;
  Recorder<std::thread::id> callback_threads;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](std::stop_token stop) {
    const std::stop_callback on_stop(stop,
                                     [&] { callback_threads.Add(std::this_thread::get_id()); });
    running.Notify();
    callback_threads.AwaitSize(1);
  }));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_THAT(callback_threads.Entries(), ::testing::SizeIs(1));
  EXPECT_THAT(callback_threads.Entries(), Not(Contains(std::this_thread::get_id())));
}

// A callback that waits for something the asking thread does later: RequestStop must not wait.
TEST(Semantics, S13_RequestStopDoesNotWaitForStopCallbacksAndHooks) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification running;
  Notification asked;
  TaskSpec spec = Spec("task", [&](std::stop_token stop) {
    Notification called;
    const std::stop_callback on_stop(stop, [&] {
      asked.Await("RequestStop to return");
      called.Notify();
    });
    running.Notify();
    called.Await("the callback");
  });
  spec.hooks.on_shutdown = [&] { asked.Await("RequestStop to return"); };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  asked.Notify();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
}

TEST(Semantics, S13_TokenOfTheFirstAttemptFiresInALaterOneAndOutlivesAll) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  std::stop_token first_token;
  Notification second_attempt;
  Notification fired;
  const TaskHandle handle =
      Submit(*supervisor, Spec("task", [&](TaskContext& context) -> absl::Status {
        if (context.attempt() == 1) {
          first_token = context.stop_token();
          return absl::UnavailableError("refused");
        }
        const std::stop_callback on_stop(first_token, [&] { fired.Notify(); });
        second_attempt.Notify();
        fired.Await("the token of the first attempt");
        EXPECT_TRUE(context.stop_token() == first_token);
        return absl::OkStatus();
      }));
  second_attempt.Await("the second attempt");
  EXPECT_FALSE(first_token.stop_requested());
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  supervisor.reset();
  EXPECT_TRUE(first_token.stop_requested());
}

TEST(Semantics, S13_TokenOfATaskThatIsNeverStoppedStaysQuiet) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  std::stop_token token;
  AwaitResult(Submit(*supervisor, Spec("task", [&](std::stop_token stop) { token = stop; })));
  supervisor.reset();
  EXPECT_FALSE(token.stop_requested());
}

// On a clock that stands still only the stop can end the sleep.
TEST(Semantics, S13_SleepForWakesAtOnce) {
  for (const absl::Duration duration : {absl::InfiniteDuration(), absl::Minutes(77)}) {
    auto clock = std::make_shared<ManualClock>();
    Notification running;
    Recorder<bool> slept_it_all;
    std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OptionsWith(clock));
    const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
      running.Notify();
      slept_it_all.Add(context.SleepFor(duration));
      slept_it_all.Add(context.SleepFor(duration));
      slept_it_all.Add(context.SleepFor(absl::ZeroDuration()));
    }));
    running.Await("run");
    clock->AwaitDeadline(clock->Now() + duration);
    EXPECT_TRUE(handle.RequestStop());
    AwaitResult(handle);
    EXPECT_THAT(slept_it_all.Entries(), ::testing::ElementsAre(false, false, false));
  }
}

TEST(Semantics, S13_SleepForEndsNeitherEarlyNorLate) {
  constexpr absl::Duration kNap = absl::Milliseconds(7777);
  auto clock = std::make_shared<ManualClock>();
  Recorder<bool> slept_it_all;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OptionsWith(clock));
  const absl::Duration start = clock->Now();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    slept_it_all.Add(context.SleepFor(-absl::Seconds(1)));
    slept_it_all.Add(context.SleepFor(absl::ZeroDuration()));
    slept_it_all.Add(context.SleepFor(kNap));
  }));
  clock->AwaitDeadline(start + kNap);
  clock->Advance(kNap - absl::Microseconds(1));
  Settle(*supervisor);
  EXPECT_EQ(slept_it_all.size(), 2u);
  clock->Advance(absl::Microseconds(1));
  AwaitResult(handle);
  EXPECT_THAT(slept_it_all.Entries(), ::testing::ElementsAre(true, true, true));
}

// Its callback asks for the state of its own task.
TEST(Semantics, S21_AStopCallbackRunsUnderNoLock) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (int round = 0; round < 50; ++round) {
    const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
      const TaskHandle self = supervisor->Find("task").value();
      Notification called;
      const std::stop_callback on_stop(context.stop_token(), [&] {
        EXPECT_EQ(self.state(), TaskState::kStopping);
        called.Notify();
      });
      EXPECT_TRUE(self.RequestStop());
      EXPECT_TRUE(context.stop_requested());
      called.Await("the stop callback");
    }));
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  }
}

}  // namespace
}  // namespace foxtive::test
