// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A day in the life of a service, in simulated time: none of its attempts is early or late by a
// nanosecond, so their numbers can be computed, and the second half of the day leaves the heap as
// the first one has.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "foxtive/testing.h"
#include "gtest/gtest.h"
#include "tests/support/heap.h"

namespace foxtive::testing {
namespace {

constexpr absl::Duration kHalfDay = absl::Hours(12);
constexpr int kPacers = 20;

// Attempts that last `lasts` each, the n-th failure in a row being followed by `delay(n)`: how many
// have begun after `time`.
int64_t AttemptsIn(absl::Duration time, absl::Duration lasts,
                   const std::function<absl::Duration(int64_t)>& delay) {
  int64_t attempts = 0;
  for (absl::Duration begins; begins <= time; begins += lasts + delay(attempts)) ++attempts;
  return attempts;
}

struct Expected {
  TaskHandle handle;
  absl::Duration lasts;
  BackoffStrategy backoff;

  int64_t attempts(absl::Duration time) const {
    return AttemptsIn(time, lasts, [this](int64_t failures) { return backoff.Delay(failures); });
  }
};

// Each fails for ever, in a rhythm of its own.
std::vector<Expected> SubmitPacers(Supervisor& supervisor) {
  std::vector<Expected> tasks;
  for (int i = 1; i <= kPacers; ++i) {
    const absl::Duration lasts = absl::Milliseconds(137 * i);
    const absl::Duration delay = absl::Milliseconds(731 * i);
    const BackoffStrategy backoff =
        i % 4 == 0   ? BackoffStrategy::Constant(delay)
        : i % 4 == 1 ? BackoffStrategy::Exponential(delay, absl::Minutes(1))
        : i % 4 == 2 ? BackoffStrategy::Linear(delay, delay, absl::Minutes(1))
                     : BackoffStrategy::Fibonacci(delay, absl::Minutes(1));
    const TaskHandle handle = *supervisor.Submit({.name = absl::StrCat("pacer ", i),
                                                  .run = Script().EachTaking(lasts).ThenFail(),
                                                  .backoff = backoff,
                                                  .stable_after = absl::InfiniteDuration()});
    tasks.push_back({.handle = handle, .lasts = lasts, .backoff = backoff});
  }
  return tasks;
}

TEST(SimulatedDayTest, NoAttemptOfADayIsEarlyOrLateAndTheHeapStaysAsItIs) {
  SimulatedTime time;
  const auto supervisor = *Supervisor::Create({.listener = nullptr, .clock = time.clock()});
  const std::vector<Expected> tasks = SubmitPacers(*supervisor);
  time.AdvanceBy(kHalfDay);
  const int64_t bytes = test::LiveBytes();
  time.AdvanceBy(kHalfDay);
  const int64_t grown = test::LiveBytes() - bytes;
  EXPECT_LT(test::kHeapIsOurs ? grown : 0, 4096);
  int64_t all = 0;
  for (const Expected& task : tasks) {
    EXPECT_EQ(task.handle.attempts(), task.attempts(2 * kHalfDay)) << task.handle.name();
    all += task.handle.attempts();
  }
  EXPECT_GT(all, 50'000);
  EXPECT_TRUE(supervisor->Shutdown().ok());
}

}  // namespace
}  // namespace foxtive::testing
