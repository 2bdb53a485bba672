// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S11, S13, S14, S15: a stop that comes at the same moment as something else: the end of a delay,
// a start, a lane, an abandonment, another shutdown. Whoever wins, the answer and the result agree,
// and nobody is abandoned before its time.

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// Calls both functions at once, the second one on another thread.
void Race(const std::function<void()>& one, const std::function<void()>& other) {
  Latch start(2);
  auto thread = std::async(std::launch::async, [&] {
    start.CountDownAndAwait("both threads");
    other();
  });
  start.CountDownAndAwait("both threads");
  one();
  Await(thread, "the other thread");
}

TaskSpec Patient(std::string name) {
  return Spec(std::move(name),
              [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
}

TaskSpec Failing(std::string name, absl::Duration delay) {
  TaskSpec spec = Spec(std::move(name), [] { return absl::UnavailableError("refused"); });
  spec.backoff = BackoffStrategy::Constant(delay);
  return spec;
}

// Time as a ManualClock has it. When the monitor asks for the time next, `interrupt` comes first:
// that is after it has looked at what was posted to it, and before it looks at its timers.
class InterruptingClock final : public Clock {
 public:
  int64_t NowNanos() const noexcept override {
    if (armed_ && OnTheMonitor() && armed_.exchange(false)) interrupt_();
    return time_.NowNanos();
  }
  bool Park(Parker& parker, int64_t deadline_nanos) noexcept override {
    return time_.Park(parker, deadline_nanos);
  }

  ManualClock& time() { return time_; }
  void InterruptTheMonitor(std::function<void()> interrupt) {
    interrupt_ = std::move(interrupt);
    armed_ = true;
  }

 private:
  static bool OnTheMonitor() {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof(name));
    return std::string(name) == "foxtive-monitor";
  }

  ManualClock time_;
  std::function<void()> interrupt_;
  mutable std::atomic<bool> armed_{false};
};

// The timer is due, and it is that of a backoff which has just been ended by the stop.
TEST(Semantics, S11_AStopBetweenTheEndOfTheDelayAndTheNextAttemptAbandonsNothing) {
  auto clock = std::make_shared<InterruptingClock>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.clock = clock});
  for (int round = 0; round < 10; ++round) {
    const TaskHandle handle = Submit(*supervisor, Failing("task", absl::Seconds(2)));
    AwaitBackoff(handle, 1);
    clock->time().AwaitDeadline(clock->time().Now() + absl::Seconds(2));
    bool accepted = false;
    clock->InterruptTheMonitor([&] { accepted = handle.RequestStop(); });
    clock->time().Advance(absl::Seconds(2));
    const SupervisionResult result = AwaitResult(handle);
    EXPECT_TRUE(accepted);
    EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_EQ(result.total_attempts, 1);
  }
}

TEST(Semantics, S13_AStopThatRacesWithTheEndOfTheDelayAlwaysWins) {
  auto clock = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.clock = clock});
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> cleanups{0};
    TaskSpec spec = Failing("task", absl::Seconds(2));
    spec.hooks.cleanup = [&cleanups] { ++cleanups; };
    const TaskHandle handle = Submit(*supervisor, std::move(spec));
    AwaitBackoff(handle, 1);
    bool accepted = false;
    Race([&] { accepted = handle.RequestStop(); }, [&] { clock->Advance(absl::Seconds(2)); });
    const SupervisionResult result = AwaitResult(handle);
    EXPECT_TRUE(accepted);
    EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_LE(result.total_attempts, 2);
    EXPECT_EQ(cleanups, 1);
  }
}

TEST(Semantics, S13_AStopThatRacesWithTheStartAlwaysWins) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> setups{0};
    std::atomic<int> cleanups{0};
    TaskSpec spec = Patient("task");
    spec.hooks.setup = [&setups] {
      ++setups;
      return absl::OkStatus();
    };
    spec.hooks.cleanup = [&cleanups] { ++cleanups; };
    const TaskHandle handle = Register(*supervisor, std::move(spec));
    bool accepted = false;
    Race([&] { accepted = handle.RequestStop(); },
         [&] { EXPECT_TRUE(supervisor->StartAll().ok()); });
    EXPECT_TRUE(accepted);
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_EQ(setups, cleanups);
    EXPECT_EQ(supervisor->task_count(), 0u);
    ASSERT_TRUE(supervisor->WaitAny().ok());
  }
}

// The lane that gets free and the stop want the same task.
TEST(Semantics, S13_AStopThatRacesWithALaneThatGetsFreeAlwaysWins) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.max_concurrency = 1});
  for (int round = 0; round < 300; ++round) {
    StuckWorker holder;
    const TaskHandle first = Submit(*supervisor, Spec("holder", holder.Run()));
    holder.AwaitEntered();
    std::atomic<int> setups{0};
    std::atomic<int> cleanups{0};
    TaskSpec spec = Patient("queued");
    spec.hooks.setup = [&setups] {
      ++setups;
      return absl::OkStatus();
    };
    spec.hooks.cleanup = [&cleanups] { ++cleanups; };
    const TaskHandle queued = Submit(*supervisor, std::move(spec));
    bool accepted = false;
    Race([&] { accepted = queued.RequestStop(); }, [&] { holder.Release(); });
    EXPECT_TRUE(accepted);
    EXPECT_EQ(AwaitResult(queued).final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_EQ(setups, cleanups);
    AwaitResult(first);
  }
}

// A worker that returns in the moment in which its time to stop is over.
TEST(Semantics, S15_AReturnThatRacesWithTheAbandonmentGivesOneResult) {
  auto clock = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.clock = clock});
  for (int round = 0; round < 200; ++round) {
    auto cleanups = std::make_shared<std::atomic<int>>(0);
    StuckWorker worker;
    TaskSpec spec = Spec("task", worker.Run());
    spec.stop_timeout = absl::Seconds(2);
    spec.hooks.cleanup = [cleanups] { ++*cleanups; };
    const TaskHandle handle = Submit(*supervisor, std::move(spec));
    worker.AwaitEntered();
    EXPECT_TRUE(handle.RequestStop());
    clock->AwaitDeadline(clock->Now() + absl::Seconds(2));
    Race([&] { clock->Advance(absl::Seconds(2)); }, [&] { worker.Release(); });
    const SupervisionStatus status = AwaitResult(handle).final_status;
    EXPECT_TRUE(status == SupervisionStatus::kManuallyStopped ||
                status == SupervisionStatus::kAbandoned);
    AwaitState(handle, TaskState::kFinished);
    EXPECT_EQ(AwaitResult(handle).final_status, status);
    EXPECT_EQ(*cleanups, 1);
    EXPECT_EQ(supervisor->task_count(), 0u);
  }
}

// Once there is a result no state is left that a stop could change, and no user code begins.
void ExpectOver(const TaskHandle& handle) {
  ASSERT_TRUE(handle.TryResult().has_value()) << handle.name();
  const TaskState state = handle.state();
  EXPECT_TRUE(state == TaskState::kFinished || state == TaskState::kOverdue)
      << handle.name() << " is in state " << static_cast<int>(state);
  EXPECT_FALSE(handle.RequestStop()) << handle.name();
}

// Several threads take tasks to stop them, and one of them has no time to wait for the others.
TEST(Semantics, S14_AShutdownWithoutTimeBesideAnotherOneLeavesNobodyUnasked) {
  constexpr int kTasks = 16;
  for (int round = 0; round < 100; ++round) {
    std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
    std::vector<TaskHandle> handles;
    for (int i = 0; i < kTasks; ++i) {
      TaskSpec spec = i % 2 == 0 ? Patient(absl::StrCat("task-", i))
                                 : Failing(absl::StrCat("task-", i), absl::Hours(1));
      handles.push_back(Submit(*supervisor, std::move(spec)));
    }
    const auto shut_down = [&] {
      if (round % 2 == 0) supervisor->RequestShutdown();
      static_cast<void>(supervisor->Shutdown(absl::ZeroDuration()));
      for (const TaskHandle& handle : handles) ExpectOver(handle);
    };
    Race(shut_down, shut_down);
    for (const TaskHandle& handle : handles) AwaitState(handle, TaskState::kFinished);
    EXPECT_TRUE(supervisor->Shutdown().ok());
  }
}

// Stops, shutdowns and starts in any order: each task has its one result.
TEST(Semantics, S14_StopsBesideAShutdownAreAnsweredInAgreement) {
  for (int round = 0; round < 50; ++round) {
    std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
    std::vector<TaskHandle> handles;
    for (int i = 0; i < 8; ++i) {
      const std::string name = absl::StrCat("task-", i);
      handles.push_back(i % 2 == 0 ? Submit(*supervisor, Patient(name))
                                   : Register(*supervisor, Patient(name)));
    }
    Race([&] { EXPECT_TRUE(supervisor->Shutdown(absl::InfiniteDuration()).ok()); },
         [&] {
           for (const TaskHandle& handle : handles) handle.RequestStop();
         });
    for (const TaskHandle& handle : handles) {
      EXPECT_EQ(handle.TryResult()->final_status, SupervisionStatus::kManuallyStopped);
    }
  }
}

}  // namespace
}  // namespace foxtive::test
