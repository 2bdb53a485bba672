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

namespace foxtive::internal {
namespace {

using ::testing::ElementsAre;

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
