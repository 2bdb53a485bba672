// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S10: the jitter of a Supervisor. It is replayed by the same seed, whatever other tasks do, and it
// stays in its range.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

constexpr int kTasks = 3;
constexpr int kDelays = 5;
using Delays = std::vector<std::vector<absl::Duration>>;  // of each task, one after the other

// `in_turn`: each task is through with its delays before the next one is submitted.
Delays DelaysOf(std::optional<uint64_t> seed, const BackoffStrategy& backoff, bool in_turn = true) {
  auto clock = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.clock = clock, .seed = seed});
  std::vector<TaskHandle> handles;
  Delays delays(kTasks);
  const auto take = [&](size_t task, int64_t attempt) {
    delays[task].push_back(AwaitBackoff(handles[task], attempt));
  };
  for (size_t task = 0; task < kTasks; ++task) {
    TaskSpec spec =
        Spec(absl::StrCat("task-", task), [] { return absl::UnavailableError("refused"); });
    spec.backoff = backoff;
    handles.push_back(Submit(*supervisor, std::move(spec)));
    for (int64_t attempt = 1; in_turn && attempt <= kDelays; ++attempt) {
      take(task, attempt);
      clock->Advance(delays[task].back() + absl::Microseconds(1));
    }
    if (in_turn) handles[task].RequestStop();
  }
  for (int64_t attempt = 1; !in_turn && attempt <= kDelays; ++attempt) {
    for (size_t task = 0; task < kTasks; ++task) take(task, attempt);
    clock->Advance(absl::Hours(1));
  }
  return delays;
}

const BackoffStrategy& Jittered() {
  static const auto& backoff =
      *new BackoffStrategy(BackoffStrategy::Constant(absl::Seconds(100)).WithJitter(0.25));
  return backoff;
}

TEST(Semantics, S10_JitterStaysInItsRangeAndDiffersFromTaskToTaskAndFromDelayToDelay) {
  std::vector<absl::Duration> all;
  for (const std::vector<absl::Duration>& delays : DelaysOf(7, Jittered())) {
    for (const absl::Duration delay : delays) {
      EXPECT_GE(delay, absl::Seconds(75));
      EXPECT_LE(delay, absl::Seconds(125));
      for (const absl::Duration other : all) EXPECT_NE(delay, other);
      all.push_back(delay);
    }
  }
}

TEST(Semantics, S10_JitterDoesNotExceedTheLongestDelay) {
  const auto backoff =
      BackoffStrategy::Exponential(absl::Seconds(10), absl::Seconds(40)).WithJitter(0.5);
  const absl::Duration unjittered[] = {absl::Seconds(10), absl::Seconds(20), absl::Seconds(40),
                                       absl::Seconds(40), absl::Seconds(40)};
  for (const std::vector<absl::Duration>& delays : DelaysOf(7, backoff)) {
    for (size_t i = 0; i < delays.size(); ++i) {
      EXPECT_GE(delays[i], 0.5 * unjittered[i]);
      EXPECT_LE(delays[i], std::min(1.5 * unjittered[i], absl::Seconds(40)));
    }
  }
}

TEST(Semantics, S10_JitterIsReplayedByTheSameSeedOnly) {
  const Delays delays = DelaysOf(42, Jittered());
  EXPECT_EQ(DelaysOf(42, Jittered()), delays);
  EXPECT_NE(DelaysOf(43, Jittered()), delays);
  EXPECT_NE(DelaysOf(std::nullopt, Jittered()), delays);
}

TEST(Semantics, S10_JitterDependsNotOnWhatOtherTasksDo) {
  EXPECT_EQ(DelaysOf(42, Jittered(), /*in_turn=*/true),
            DelaysOf(42, Jittered(), /*in_turn=*/false));
}

TEST(Semantics, S10_WithoutASeedEachSupervisorHasItsOwnJitter) {
  EXPECT_NE(DelaysOf(std::nullopt, Jittered()), DelaysOf(std::nullopt, Jittered()));
}

}  // namespace
}  // namespace foxtive::test
