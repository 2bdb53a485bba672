// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TimerWheel against a sorted set, with random operations. After every operation the next deadline
// and the size are compared, and every pop is. A failure prints the seed; FOXTIVE_SEED=<seed> runs
// one run with it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "lib/core/timer_wheel.h"
#include "tests/support/timer_model.h"

namespace foxtive::internal {
namespace {

using test::TimerModel;

constexpr uint64_t kNever = TimerWheel::kNever;

struct Timer : TimerNode {};

class Simulation {
 public:
  Simulation(uint64_t seed, size_t timers, uint64_t start, int max_delay_bits)
      : random_(seed),
        max_delay_bits_(max_delay_bits),
        timers_(timers),
        wheel_(start),
        model_(start) {}
  ~Simulation() {
    for (Timer& timer : timers_) wheel_.Cancel(timer);
  }

  void Step() {
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
        return Toggle(Below(timers_.size()));
      case 3:
        return CancelAndSchedule(Below(timers_.size()));
      case 4:
        return Pop(Later(model_.now()));
      case 5:
        return Pop(model_.size() == 0 ? 0 : model_.NextDeadline());
      case 6:
        return Pop(model_.size() == 0 ? 0 : std::max<uint64_t>(model_.NextDeadline(), 1) - 1);
      default:
        return Pop(std::max<uint64_t>(model_.now(), 2) - Below(3));  // Now, or back in time.
    }
  }

  void CheckState() {
    ASSERT_EQ(wheel_.size(), model_.size());
    if (model_.size() <= TimerWheel::kMaxScan) {
      ASSERT_EQ(wheel_.NextDeadline(), model_.NextDeadline());
    } else {
      ASSERT_LE(wheel_.NextDeadline(), model_.NextDeadline());
    }
  }

  // Sleeps from deadline to deadline, as the monitor does, until nothing is left but kNever.
  void Drain() {
    while (model_.NextDeadline() != kNever && !testing::Test::HasFatalFailure()) WakeUp();
  }

  // The same against an adversary, who each time cancels the timer that the wheel waits for.
  void DrainCancellingTheEarliest() {
    while (model_.NextDeadline() != kNever && !testing::Test::HasFatalFailure()) {
      Cancel(model_.Earliest());
      if (model_.NextDeadline() != kNever) WakeUp();
    }
  }

  int64_t scheduled() const { return scheduled_; }
  int64_t popped() const { return popped_; }
  int64_t early_wake_ups() const { return early_wake_ups_; }

  void ScheduleAt(size_t id, uint64_t deadline) {
    wheel_.Schedule(timers_[id], deadline);
    model_.Schedule(id, deadline);
    ++scheduled_;
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // A time at or after `from`: every magnitude equally likely, often exactly at a power of two
  // or at the border of a digit, one before, or one after; sometimes already scheduled elsewhere.
  uint64_t Later(uint64_t from) {
    const uint64_t power = uint64_t{1} << Below(static_cast<uint64_t>(max_delay_bits_));
    uint64_t time = from;
    switch (Below(5)) {
      case 0:
        time = from + Below(power);
        break;
      case 1:
        time = from + power + Below(3) - 1;
        break;
      case 2:
        time = ((from / power) + 1) * power + Below(3) - 1;
        break;
      case 3:
        time = timers_[Below(timers_.size())].deadline_ticks();
        break;
      default:
        time = from + Below(4);
    }
    return time < from ? from : time;  // Also when the sum wrapped around.
  }

  void WakeUp() {
    const uint64_t now = wheel_.NextDeadline();
    ASSERT_LE(now, model_.NextDeadline());
    early_wake_ups_ += now < model_.NextDeadline();
    Pop(now);
  }

  void Toggle(size_t id) {
    if (timers_[id].scheduled()) {
      Cancel(id);
    } else {
      Schedule(id);
    }
  }

  void CancelAndSchedule(size_t id) {
    Cancel(id);
    if (!testing::Test::HasFatalFailure()) Schedule(id);
  }

  void Schedule(size_t id) {
    ScheduleAt(id, Below(50) == 0 ? model_.now() / 2 : Later(model_.now()));
  }

  void Cancel(size_t id) {
    const bool expected = model_.Cancel(id);
    ASSERT_EQ(timers_[id].scheduled(), expected);
    ASSERT_EQ(wheel_.Cancel(timers_[id]), expected);
  }

  void Pop(uint64_t now) {
    TimerNode* node = wheel_.PopDue(now);
    const int64_t id = node == nullptr ? -1 : static_cast<Timer*>(node) - timers_.data();
    ASSERT_EQ(id, model_.PopDue(now)) << "now " << now;
    popped_ += node != nullptr;
  }

  std::mt19937_64 random_;
  const int max_delay_bits_;
  std::vector<Timer> timers_;
  TimerWheel wheel_;
  TimerModel model_;
  int64_t scheduled_ = 0;
  int64_t popped_ = 0;
  int64_t early_wake_ups_ = 0;
};

struct Shape {
  const char* name;
  size_t timers;
  int max_delay_bits;
  uint64_t start;
  int steps;
  int runs;
};

uint64_t FirstSeed() {
  const char* seed = std::getenv("FOXTIVE_SEED");
  return seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
}

class TimerWheelModelTest : public testing::TestWithParam<Shape> {};

TEST_P(TimerWheelModelTest, AgreesWithASortedSet) {
  const Shape& shape = GetParam();
  const int runs = std::getenv("FOXTIVE_SEED") == nullptr ? shape.runs : 1;
  int64_t scheduled = 0, popped = 0;
  for (int i = 0; i < runs; ++i) {
    const uint64_t seed = FirstSeed() + static_cast<uint64_t>(i);
    SCOPED_TRACE("FOXTIVE_SEED=" + std::to_string(seed));
    Simulation run(seed, shape.timers, shape.start, shape.max_delay_bits);
    for (int step = 0; step < shape.steps; ++step) {
      run.Step();
      run.CheckState();
      if (HasFatalFailure()) return;
    }
    run.Drain();
    if (HasFatalFailure()) return;
    scheduled += run.scheduled();
    popped += run.popped();
  }
  EXPECT_GT(scheduled, runs * shape.steps / 5);
  EXPECT_GT(popped, runs * shape.steps / 20) << "the run must not get stuck at the end of time";
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, TimerWheelModelTest,
    testing::Values(
        // The short ones: everything is on two levels and most deadlines are equal.
        Shape{"Few", 5, 8, 0, 1000, 200},
        // Delays as in a supervisor, up to some minutes of microseconds.
        Shape{"Usual", 60, 28, 1'700'000'000'000'000, 1000, 300},
        // The whole range; a run ends when time does, so these are many and short.
        Shape{"WholeRange", 40, 64, 0, 40, 5000},
        Shape{"AtTheEndOfTheRange", 20, 14, kNever - 100'000, 60, 2000},
        // More than kMaxScan, so that the next deadline may be a bound.
        Shape{"Many", 700, 26, 12345, 30'000, 4}),
    [](const testing::TestParamInfo<Shape>& shape) { return shape.param.name; });

TEST(TimerWheelEarlyWakeUpTest, IsAsRareAsPromised) {
  constexpr size_t kTimers = 20'000;
  const uint64_t seed = FirstSeed();
  SCOPED_TRACE("FOXTIVE_SEED=" + std::to_string(seed));
  Simulation run(seed, kTimers, 0, 1);
  std::mt19937_64 random(seed);
  for (size_t id = 0; id < kTimers; ++id) run.ScheduleAt(id, random() >> 24);
  run.DrainCancellingTheEarliest();
  EXPECT_GT(run.early_wake_ups(), 0) << "the adversary should be able to provoke some";
  EXPECT_LE(run.early_wake_ups(),
            (TimerWheel::kLevels - 1) * run.scheduled() / (TimerWheel::kMaxScan + 1));
}

}  // namespace
}  // namespace foxtive::internal
