// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/testing/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "lib/shell/lane_pool.h"

namespace foxtive::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;

// What a test sets.
class Choices : public Simulation::Chooser {
 public:
  size_t Next(size_t count) override { return last_first ? count - 1 : 0; }
  bool HasThread() override { return threads > 0 && threads-- > 0; }
  int64_t LaneDelay() override { return lane_delay; }
  bool IsLimited() override { return limited; }

  bool last_first = false;
  int threads = 1000;
  int64_t lane_delay = 0;
  bool limited = false;
};

struct Simulated {
  Choices* choices = new Choices;
  std::shared_ptr<Simulation> simulation =
      std::make_shared<Simulation>(std::unique_ptr<Simulation::Chooser>(choices));

  void AdvanceBy(int64_t nanos) { simulation->AdvanceTo(simulation->NowNanos() + nanos); }
  void Sleep(int64_t nanos) { simulation->Sleep(nanos); }
};

TEST(SimulationTest, ThreadsTakeTurnsWhereTheyWait) {
  Simulated simulated;
  std::vector<std::string> log;
  for (const char* name : {"a", "b"}) {
    simulated.simulation->Spawn([&simulated, &log, name] {
      for (int i = 0; i < 2; ++i) {
        log.push_back(name + std::to_string(i));
        simulated.Sleep(kSecond);
      }
    });
  }
  EXPECT_TRUE(log.empty());
  simulated.AdvanceBy(0);
  EXPECT_THAT(log, ElementsAre("a0", "b0"));
  simulated.AdvanceBy(kSecond - 1);
  EXPECT_EQ(log.size(), 2u);
  simulated.AdvanceBy(1);
  EXPECT_THAT(log, ElementsAre("a0", "b0", "a1", "b1"));
  simulated.AdvanceBy(kSecond);
  EXPECT_EQ(simulated.simulation->threads(), 0u);
}

TEST(SimulationTest, TheChooserSaysWhoGoesOn) {
  Simulated simulated;
  simulated.choices->last_first = true;
  std::vector<int> log;
  for (int i = 0; i < 3; ++i) simulated.simulation->Spawn([&log, i] { log.push_back(i); });
  simulated.AdvanceBy(0);
  EXPECT_THAT(log, ElementsAre(2, 1, 0));
}

TEST(SimulationTest, AnUnparkIsKept) {
  Simulated simulated;
  Clock::Parker parker;
  simulated.simulation->Unpark(parker);
  EXPECT_TRUE(simulated.simulation->Park(parker, Clock::kPast));
  EXPECT_FALSE(simulated.simulation->Park(parker, Clock::kPast));
  EXPECT_FALSE(simulated.simulation->Park(parker, Simulation::kStartNanos + kSecond));
  EXPECT_EQ(simulated.simulation->NowNanos(), Simulation::kStartNanos + kSecond);
}

TEST(SimulationTest, AThreadThatJoinsWaitsForTheEnd) {
  Simulated simulated;
  const auto thread = simulated.simulation->Spawn([&simulated] { simulated.Sleep(3 * kSecond); });
  thread->Join();
  EXPECT_EQ(simulated.simulation->NowNanos(), Simulation::kStartNanos + 3 * kSecond);
}

TEST(SimulationTest, WithoutThreadsThereIsNoSupervisor) {
  Simulated simulated;
  for (int threads = 0; threads < 3; ++threads) {  // monitor, service lane, lane
    simulated.choices->threads = threads;
    EXPECT_EQ(
        Supervisor::Create({.listener = nullptr, .clock = simulated.simulation}).status().code(),
        absl::StatusCode::kResourceExhausted);
  }
  simulated.choices->threads = 3;
  EXPECT_TRUE(Supervisor::Create({.listener = nullptr, .clock = simulated.simulation}).ok());
}

// More tasks than threads: the library tries again every second.
TEST(SimulationTest, ATaskWaitsForTheThreadOfItsLane) {
  Simulated simulated;
  simulated.choices->threads = 3;
  auto supervisor = *Supervisor::Create({.listener = nullptr, .clock = simulated.simulation});
  const auto sleep = [](TaskContext& context) { context.SleepFor(absl::Hours(1)); };
  const TaskHandle first = *supervisor->Submit("first", sleep);
  const TaskHandle second = *supervisor->Submit("second", sleep);
  simulated.AdvanceBy(5 * kSecond);
  EXPECT_EQ(first.state(), TaskState::kRunning);
  EXPECT_EQ(second.state(), TaskState::kQueued);
  simulated.choices->threads = 1000;
  simulated.AdvanceBy(kSecond);
  EXPECT_EQ(second.state(), TaskState::kRunning);
}

TEST(SimulationTest, ALaneMayBeLate) {
  Simulated simulated;
  simulated.choices->lane_delay = kSecond / 2;
  auto supervisor = *Supervisor::Create({.listener = nullptr, .clock = simulated.simulation});
  const TaskHandle task =
      *supervisor->Submit("task", [](TaskContext& context) { context.SleepFor(absl::Hours(1)); });
  simulated.AdvanceBy(kSecond / 2 - 1);
  EXPECT_EQ(task.state(), TaskState::kQueued);
  simulated.AdvanceBy(1);
  EXPECT_EQ(task.state(), TaskState::kRunning);
  supervisor = nullptr;
  EXPECT_EQ(task.state(), TaskState::kFinished);
}

// What the library was told of tasks that wait for a thread.
class CapacityListener : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kCapacityLimited) reasons.emplace_back(event.reason);
  }
  std::vector<std::string> reasons;
};

TEST(SimulationTest, S23_ALaneThatIsVeryLateIsReported) {
  Simulated simulated;
  const auto listener = std::make_shared<CapacityListener>();
  auto supervisor = *Supervisor::Create({.listener = listener, .clock = simulated.simulation});
  simulated.choices->lane_delay = 30 * kSecond;
  const auto sleep = [](TaskContext& context) { context.SleepFor(absl::Hours(1)); };
  const TaskHandle first = *supervisor->Submit("first", sleep);
  const TaskHandle second = *supervisor->Submit("second", sleep);
  simulated.AdvanceBy(kSecond);
  EXPECT_THAT(listener->reasons, IsEmpty()) << "that may happen, and ends by itself";
  simulated.AdvanceBy(28 * kSecond);
  EXPECT_THAT(listener->reasons, ElementsAre(HasSubstr("oneTBB has not started a thread")));
  EXPECT_EQ(second.state(), TaskState::kQueued);
  simulated.AdvanceBy(kSecond);
  EXPECT_EQ(first.state(), TaskState::kRunning);
  EXPECT_EQ(second.state(), TaskState::kRunning);
  supervisor = nullptr;
  simulated.AdvanceBy(30 * kSecond);
  EXPECT_EQ(simulated.simulation->threads(), 0u) << "those launched in its place come, and leave";
}

// The tasks have ended by themselves, which the monitor is not told. One lane after the other: what
// is needed again soon should not be gone all at once.
TEST(SimulationTest, LanesRetireThoughNothingElseWakesTheMonitor) {
  constexpr int kBeyond = 3;
  Simulated simulated;
  auto supervisor = *Supervisor::Create({.listener = nullptr, .clock = simulated.simulation});
  for (int i = 0; i < LanePool::kKeptLanes + kBeyond; ++i) {
    ASSERT_TRUE(supervisor
                    ->Submit("task-" + std::to_string(i),
                             [](TaskContext& context) { context.SleepFor(absl::Seconds(1)); })
                    .ok());
  }
  simulated.AdvanceBy(kSecond);
  ASSERT_EQ(supervisor->task_count(), 0u);
  const size_t all = simulated.simulation->threads();
  simulated.AdvanceBy(LanePool::kRetireAfterNanos - 1);
  EXPECT_EQ(simulated.simulation->threads(), all);
  simulated.AdvanceBy(1);
  for (size_t i = 1; i <= kBeyond; ++i) {
    EXPECT_EQ(simulated.simulation->threads(), all - i);
    simulated.AdvanceBy(LanePool::kRetryAfterNanos);
  }
  simulated.AdvanceBy(2 * LanePool::kRetireAfterNanos);
  EXPECT_EQ(simulated.simulation->threads(), all - kBeyond);
}

// Nothing keeps it: not the engine, not the lanes.
TEST(SimulationTest, ItGoesWithTheLastOfItsUsers) {
  Simulated simulated;
  const std::weak_ptr<Simulation> watch = simulated.simulation;
  auto supervisor = *Supervisor::Create({.listener = nullptr, .clock = simulated.simulation});
  TaskHandle task = *supervisor->Submit("task", [] {});
  EXPECT_TRUE(task.Wait().ok());
  simulated.simulation = nullptr;
  supervisor = nullptr;
  EXPECT_FALSE(watch.expired());  // a handle may be asked for the time
  task = TaskHandle();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace foxtive::internal
