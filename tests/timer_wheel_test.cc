// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/timer_wheel.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace foxtive::internal {
namespace {

constexpr uint64_t kNever = TimerWheel::kNever;

struct Timer : TimerNode {
  explicit Timer(int name_in = 0) : name(name_in) {}
  int name;
};

// The names of all that is due, in the order in which they are popped.
std::vector<int> PopAll(TimerWheel& wheel, uint64_t now) {
  std::vector<int> names;
  while (TimerNode* node = wheel.PopDue(now)) names.push_back(static_cast<Timer*>(node)->name);
  return names;
}

// Both sides of the limit: not due one tick before, due on the tick, and the wheel knows the tick.
void ExpectDueExactlyAt(TimerWheel& wheel, Timer& timer, uint64_t deadline) {
  EXPECT_EQ(wheel.NextDeadline(), deadline);
  EXPECT_EQ(wheel.PopDue(deadline - 1), nullptr) << deadline;
  EXPECT_EQ(wheel.NextDeadline(), deadline);
  EXPECT_EQ(wheel.PopDue(deadline), &timer) << deadline;
  EXPECT_FALSE(timer.scheduled());
}

std::vector<std::unique_ptr<Timer>> MakeTimers(int count) {
  std::vector<std::unique_ptr<Timer>> timers;
  for (int name = 0; name < count; ++name) timers.push_back(std::make_unique<Timer>(name));
  return timers;
}

TEST(TimerWheelTest, SizesThatTheDesignPromises) {
  EXPECT_LE(sizeof(TimerNode), 32u);
  EXPECT_LE(sizeof(TimerWheel), 64u * 1024);
  EXPECT_FALSE(std::is_copy_constructible_v<TimerNode>);
  EXPECT_FALSE(std::is_copy_constructible_v<TimerWheel>);
}

TEST(TimerWheelTest, EmptyWheelHasNothingDueEver) {
  TimerWheel wheel(100);
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.NextDeadline(), kNever);
  EXPECT_EQ(wheel.PopDue(0), nullptr);
  EXPECT_EQ(wheel.PopDue(kNever), nullptr);
}

TEST(TimerWheelTest, OneTimerIsDueOnItsTick) {
  TimerWheel wheel(100);
  Timer timer;
  wheel.Schedule(timer, 200);
  EXPECT_TRUE(timer.scheduled());
  EXPECT_EQ(timer.deadline_ticks(), 200u);
  EXPECT_EQ(wheel.size(), 1u);
  ExpectDueExactlyAt(wheel, timer, 200);
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.NextDeadline(), kNever);
  EXPECT_EQ(timer.deadline_ticks(), 200u);
}

TEST(TimerWheelTest, EveryLevelBoundaryOneBeforeOnAndOneAfter) {
  int shift = 0;
  for (const int bits : TimerWheel::kDigitBits) {
    shift += bits;
    if (shift == 64) break;
    const uint64_t boundary = uint64_t{1} << shift;
    for (const uint64_t start : {uint64_t{0}, uint64_t{1}, boundary - 2, boundary / 2}) {
      TimerWheel wheel(start);
      auto timers = MakeTimers(3);
      wheel.Schedule(*timers[2], boundary + 1);
      wheel.Schedule(*timers[0], boundary - 1);
      wheel.Schedule(*timers[1], boundary);
      ExpectDueExactlyAt(wheel, *timers[0], boundary - 1);
      ExpectDueExactlyAt(wheel, *timers[1], boundary);
      ExpectDueExactlyAt(wheel, *timers[2], boundary + 1);
    }
  }
}

TEST(TimerWheelTest, DelaysAroundEveryPowerOfTwo) {
  for (int k = 1; k < 64; ++k) {
    const uint64_t power = uint64_t{1} << k;
    for (const uint64_t start : {uint64_t{0}, uint64_t{1}, uint64_t{12'345'678'901}, power - 1}) {
      for (const uint64_t delay : {power - 1, power, power + 1}) {
        if (start > kNever - 2 - delay) continue;
        TimerWheel wheel(start);
        Timer timer;
        wheel.Schedule(timer, start + delay);
        ExpectDueExactlyAt(wheel, timer, start + delay);
      }
    }
  }
}

TEST(TimerWheelTest, CenturiesOfMicroseconds) {
  constexpr uint64_t kCentury = uint64_t{3'155'760'000} * 1'000'000;
  TimerWheel wheel(1'700'000'000'000'000);
  auto timers = MakeTimers(50);
  for (int i = 0; i < 50; ++i) {
    wheel.Schedule(*timers[i], 1'700'000'000'000'000 + (i + 1) * kCentury);
  }
  for (int i = 0; i < 50; ++i) {
    ExpectDueExactlyAt(wheel, *timers[i], 1'700'000'000'000'000 + (i + 1) * kCentury);
  }
}

TEST(TimerWheelTest, EverySlotOfEveryLevelInOrder) {
  TimerWheel wheel(0);
  std::vector<uint64_t> deadlines;
  int shift = 0;
  for (const int bits : TimerWheel::kDigitBits) {
    for (uint64_t digit = 1; digit >> bits == 0; ++digit) deadlines.push_back(digit << shift);
    shift += bits;
  }
  ASSERT_EQ(shift, 64) << "the digits are a whole deadline";
  auto timers = MakeTimers(static_cast<int>(deadlines.size()));
  for (size_t i = deadlines.size(); i-- > 0;) wheel.Schedule(*timers[i], deadlines[i]);
  for (size_t i = 0; i < deadlines.size(); ++i) {
    ExpectDueExactlyAt(wheel, *timers[i], deadlines[i]);
  }
}

TEST(TimerWheelTest, TimeJumpsAcrossAllLevelsInOneCall) {
  TimerWheel wheel(7);
  auto timers = MakeTimers(64);
  for (int bit = 63; bit >= 0; --bit) wheel.Schedule(*timers[bit], (uint64_t{1} << bit) + 7);
  const std::vector<int> popped = PopAll(wheel, kNever - 1);
  ASSERT_EQ(popped.size(), 64u);
  for (int bit = 0; bit < 64; ++bit) EXPECT_EQ(popped[bit], bit);
}

TEST(TimerWheelTest, JumpStopsBeforeWhatIsNotDueYet) {
  TimerWheel wheel(0);
  auto timers = MakeTimers(4);
  const uint64_t hour = 3'600'000'000;
  wheel.Schedule(*timers[0], 5);
  wheel.Schedule(*timers[1], hour - 1);
  wheel.Schedule(*timers[2], hour);
  wheel.Schedule(*timers[3], hour + 1);
  EXPECT_EQ(PopAll(wheel, hour), (std::vector<int>{0, 1, 2}));
  ExpectDueExactlyAt(wheel, *timers[3], hour + 1);
}

TEST(TimerWheelTest, EndOfTheRange) {
  for (const uint64_t start : {uint64_t{0}, kNever - 70, kNever - 3}) {
    TimerWheel wheel(start);
    auto timers = MakeTimers(3);
    wheel.Schedule(*timers[2], kNever);
    wheel.Schedule(*timers[1], kNever - 1);
    wheel.Schedule(*timers[0], kNever - 2);
    ExpectDueExactlyAt(wheel, *timers[0], kNever - 2);
    ExpectDueExactlyAt(wheel, *timers[1], kNever - 1);
    EXPECT_EQ(wheel.NextDeadline(), kNever);
    EXPECT_EQ(wheel.PopDue(kNever), nullptr) << "a timer at kNever is never due";
    EXPECT_EQ(wheel.size(), 1u);
    EXPECT_TRUE(wheel.Cancel(*timers[2]));
  }
}

TEST(TimerWheelTest, WheelThatStartsAtTheEndOfTime) {
  TimerWheel wheel(kNever);
  auto timers = MakeTimers(2);
  wheel.Schedule(*timers[0], 0);
  wheel.Schedule(*timers[1], kNever);
  EXPECT_EQ(PopAll(wheel, kNever), (std::vector<int>{0}));
  EXPECT_TRUE(wheel.Cancel(*timers[1]));
}

TEST(TimerWheelTest, DeadlineInThePastCountsAsNow) {
  TimerWheel wheel(1000);
  auto timers = MakeTimers(4);
  wheel.Schedule(*timers[0], 1000);
  wheel.Schedule(*timers[1], 0);
  wheel.Schedule(*timers[2], 999);
  wheel.Schedule(*timers[3], 1001);
  EXPECT_EQ(timers[1]->deadline_ticks(), 1000u);
  EXPECT_EQ(wheel.NextDeadline(), 1000u);
  EXPECT_EQ(PopAll(wheel, 1000), (std::vector<int>{0, 1, 2}));
  ExpectDueExactlyAt(wheel, *timers[3], 1001);
}

TEST(TimerWheelTest, SchedulingIntoThePastDoesNotStarveTheOverdue) {
  TimerWheel wheel(0);
  auto timers = MakeTimers(3);
  wheel.Schedule(*timers[0], 10);
  wheel.Schedule(*timers[1], 20);
  EXPECT_EQ(wheel.PopDue(100), timers[0].get());
  wheel.Schedule(*timers[2], 15);  // Overdue like timer 1, but scheduled later.
  EXPECT_EQ(PopAll(wheel, 100), (std::vector<int>{1, 2}));
}

TEST(TimerWheelTest, TimeThatGoesBackStandsStill) {
  TimerWheel wheel(0);
  Timer early, late;
  wheel.Schedule(late, 501);
  EXPECT_EQ(wheel.PopDue(500), nullptr);
  wheel.Schedule(early, 400);
  EXPECT_EQ(wheel.PopDue(3), &early) << "the wheel has been told that it is 500";
  EXPECT_EQ(wheel.PopDue(3), nullptr);
  EXPECT_EQ(wheel.PopDue(501), &late);
}

TEST(TimerWheelTest, EqualDeadlinesInOrderOfSchedulingThroughEveryMove) {
  // 0..9 are scheduled from afar and move down level by level, 10..19 from half way, the rest from
  // close by: different levels at first, one list in the end.
  const uint64_t deadline = (uint64_t{5} << 40) + 12345;
  TimerWheel wheel(0);
  auto timers = MakeTimers(30);
  auto stepping_stones = MakeTimers(40);
  for (int bit = 0; bit < 40; ++bit) {
    wheel.Schedule(*stepping_stones[bit], deadline - (uint64_t{1} << bit));
  }
  for (int name = 0; name < 10; ++name) wheel.Schedule(*timers[name], deadline);
  EXPECT_FALSE(PopAll(wheel, deadline - 1'000'000).empty());
  for (int name = 10; name < 20; ++name) wheel.Schedule(*timers[name], deadline);
  EXPECT_FALSE(PopAll(wheel, deadline - 1).empty());
  for (int name = 20; name < 30; ++name) wheel.Schedule(*timers[name], deadline);
  std::vector<int> expected;
  for (int name = 0; name < 30; ++name) expected.push_back(name);
  EXPECT_EQ(PopAll(wheel, deadline), expected);
}

TEST(TimerWheelTest, ReschedulingMovesToTheBackOfEqualDeadlines) {
  TimerWheel wheel(0);
  auto timers = MakeTimers(3);
  for (auto& timer : timers) wheel.Schedule(*timer, 5000);
  EXPECT_TRUE(wheel.Cancel(*timers[0]));
  wheel.Schedule(*timers[0], 5000);
  EXPECT_EQ(PopAll(wheel, 5000), (std::vector<int>{1, 2, 0}));
}

TEST(TimerWheelTest, CancelSaysWhetherItWasScheduled) {
  TimerWheel wheel(0);
  Timer timer;
  EXPECT_FALSE(wheel.Cancel(timer));
  wheel.Schedule(timer, 77);
  EXPECT_TRUE(wheel.Cancel(timer));
  EXPECT_FALSE(timer.scheduled());
  EXPECT_FALSE(wheel.Cancel(timer));
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(PopAll(wheel, 1000), std::vector<int>{});
  wheel.Schedule(timer, 2000);
  EXPECT_EQ(wheel.PopDue(2000), &timer);
  EXPECT_FALSE(wheel.Cancel(timer)) << "a popped timer is not scheduled";
}

TEST(TimerWheelTest, CancelOnEveryLevelAfterTheCursorMoved) {
  TimerWheel wheel(0);
  auto timers = MakeTimers(64);
  for (int bit = 0; bit < 64; ++bit) wheel.Schedule(*timers[bit], (uint64_t{3} << bit) / 2);
  EXPECT_EQ(PopAll(wheel, 1'000'000).size(), 20u);  // 3 * 2^18 is the last of 0..19.
  for (int bit = 63; bit >= 20; --bit) EXPECT_TRUE(wheel.Cancel(*timers[bit])) << bit;
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.NextDeadline(), kNever);
}

TEST(TimerWheelTest, CancelBetweenPops) {
  TimerWheel wheel(0);
  auto timers = MakeTimers(4);
  for (auto& timer : timers) wheel.Schedule(*timer, 9999);
  EXPECT_EQ(wheel.PopDue(9999), timers[0].get());
  EXPECT_TRUE(wheel.Cancel(*timers[1]));
  EXPECT_TRUE(wheel.Cancel(*timers[3]));
  EXPECT_EQ(PopAll(wheel, 9999), (std::vector<int>{2}));
}

TEST(TimerWheelTest, RescheduleTheSameNodeBetweenPops) {
  TimerWheel wheel(0);
  Timer periodic(1), once(2);
  wheel.Schedule(periodic, 10);
  wheel.Schedule(once, 35);
  std::vector<int> order;
  while (TimerNode* node = wheel.PopDue(50)) {
    order.push_back(static_cast<Timer*>(node)->name);
    if (node == &periodic && order.size() < 5) wheel.Schedule(periodic, 10);
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 1, 1, 1})) << "rescheduled at 50, so behind 35";
}

TEST(TimerWheelTest, ScheduleAnEarlierOneBetweenPops) {
  TimerWheel wheel(0);
  auto timers = MakeTimers(3);
  wheel.Schedule(*timers[0], 1 << 20);
  wheel.Schedule(*timers[2], (1 << 20) + 5000);
  EXPECT_EQ(wheel.PopDue(1 << 20), timers[0].get());
  wheel.Schedule(*timers[1], (1 << 20) + 4999);
  EXPECT_EQ(wheel.NextDeadline(), uint64_t{(1 << 20) + 4999});
  EXPECT_EQ(PopAll(wheel, (1 << 20) + 5000), (std::vector<int>{1, 2}));
}

// Schedules `count` timers into one far slot, a tick apart, and cancels the earliest.
struct OneSlotWithoutItsEarliest {
  explicit OneSlotWithoutItsEarliest(size_t count) : timers(count + 1) {
    for (size_t i = 0; i < timers.size(); ++i) wheel.Schedule(timers[i], kFirst + i);
    wheel.Cancel(timers[0]);
  }
  ~OneSlotWithoutItsEarliest() {
    for (Timer& timer : timers) wheel.Cancel(timer);
  }
  static constexpr uint64_t kFirst = uint64_t{1} << 30;
  std::vector<Timer> timers;
  TimerWheel wheel{0};
};

TEST(TimerWheelTest, NextDeadlineIsExactUpToTheScanLimit) {
  OneSlotWithoutItsEarliest slot(TimerWheel::kMaxScan);
  EXPECT_EQ(slot.wheel.NextDeadline(), slot.kFirst + 1);
}

TEST(TimerWheelTest, NextDeadlineIsALowerBoundPastTheScanLimit) {
  OneSlotWithoutItsEarliest slot(TimerWheel::kMaxScan + 1);
  EXPECT_EQ(slot.wheel.NextDeadline(), slot.kFirst);
  EXPECT_EQ(slot.wheel.PopDue(slot.kFirst), nullptr) << "one early wake-up";
  EXPECT_EQ(slot.wheel.NextDeadline(), slot.kFirst + 1) << "and then the slot is sorted out";
  EXPECT_EQ(slot.wheel.PopDue(slot.kFirst + 1), &slot.timers[1]);
}

TEST(TimerWheelTest, LowerBoundBecomesExactWhenTheSlotShrinksToTheScanLimit) {
  OneSlotWithoutItsEarliest slot(TimerWheel::kMaxScan + 1);
  EXPECT_EQ(slot.wheel.PopDue(slot.kFirst - 1), nullptr) << "which does not make it exact";
  EXPECT_EQ(slot.wheel.NextDeadline(), slot.kFirst);
  EXPECT_TRUE(slot.wheel.Cancel(slot.timers[100]));
  EXPECT_EQ(slot.wheel.NextDeadline(), slot.kFirst + 1);
}

TEST(TimerWheelTest, NewEarliestMakesTheLowerBoundExact) {
  OneSlotWithoutItsEarliest slot(TimerWheel::kMaxScan + 1);
  slot.wheel.Schedule(slot.timers[0], slot.kFirst);
  EXPECT_EQ(slot.wheel.NextDeadline(), slot.kFirst);
  EXPECT_EQ(slot.wheel.PopDue(slot.kFirst), &slot.timers[0]);
}

TEST(TimerWheelTest, MillionTimersInOneSlotLoseTheirEarliestAgainAndAgain) {
  // Quadratic work would take hours here. Half are cancelled, earliest first.
  constexpr size_t kTimers = 1'000'000;
  std::vector<Timer> timers(kTimers);
  TimerWheel wheel(0);
  const uint64_t first = uint64_t{1} << 30;
  for (size_t i = 0; i < kTimers; ++i) wheel.Schedule(timers[i], first + i);
  for (size_t i = 0; i < kTimers / 2; ++i) {
    ASSERT_EQ(wheel.NextDeadline(), first) << "the bound of a full slot";
    ASSERT_TRUE(wheel.Cancel(timers[i]));
  }
  size_t early_wake_ups = 0;
  for (size_t i = kTimers / 2; i < kTimers;) {
    const uint64_t now = wheel.NextDeadline();
    ASSERT_LE(now, first + i);
    if (TimerNode* node = wheel.PopDue(now)) {
      ASSERT_EQ(node, &timers[i++]);
    } else {
      ++early_wake_ups;
    }
  }
  EXPECT_EQ(early_wake_ups, 1u);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheelTest, DestroyingTheWheelCancelsWhatIsLeft) {
  auto timers = MakeTimers(3);
  {
    TimerWheel wheel(0);
    wheel.Schedule(*timers[0], 1);
    wheel.Schedule(*timers[1], 1'000'000);
    wheel.Schedule(*timers[2], kNever);
  }
  for (auto& timer : timers) EXPECT_FALSE(timer->scheduled());
}

TEST(TimerWheelDeathTest, ScheduleTwice) {
  TimerWheel wheel(0);
  Timer timer;
  wheel.Schedule(timer, 5);
  EXPECT_DEATH(wheel.Schedule(timer, 6), "foxtive: Schedule.. of a TimerNode that is scheduled");
  EXPECT_TRUE(wheel.Cancel(timer));
}

TEST(TimerWheelDeathTest, DestroyANodeWhileScheduled) {
  TimerWheel wheel(0);
  auto timer = std::make_unique<Timer>();
  wheel.Schedule(*timer, 5);
  EXPECT_DEATH(timer.reset(), "foxtive: a TimerNode was destroyed while scheduled");
  EXPECT_TRUE(wheel.Cancel(*timer));
}

}  // namespace
}  // namespace foxtive::internal
