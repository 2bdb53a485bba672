// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The transition function against its table, and the verdict in every combination of its inputs.

#include "lib/core/lifecycle.h"

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/lifecycle_model.h"

namespace foxtive::internal {
namespace {

using test::ExpectedVerdict;
using test::FindLifecycleRow;
using test::LifecycleRow;
using test::PolicyOf;
using ::testing::EndsWith;

constexpr std::array kStates = {TaskState::kRegistered, TaskState::kQueued,   TaskState::kRunning,
                                TaskState::kBackingOff, TaskState::kStopping, TaskState::kOverdue,
                                TaskState::kFinished};

TEST(LifecycleTest, EveryPairIsInTheTableOrChangesNothing) {
  for (TaskState state : kStates) {
    for (int i = 0; i < kLifeEvents; ++i) {
      const auto event = static_cast<LifeEvent>(i);
      const LifecycleRow* const row = FindLifecycleRow(state, event);
      const Transition transition = Next(state, event);
      const bool listed = row != nullptr;
      EXPECT_EQ(transition.taken, listed) << static_cast<int>(state) << ", " << i;
      EXPECT_EQ(transition.next, listed ? row->next : state)
          << static_cast<int>(state) << ", " << i;
      EXPECT_EQ(transition.actions, listed ? row->actions : 0)
          << static_cast<int>(state) << ", " << i;
    }
  }
}

TEST(LifecycleTest, WhatIsNoStateStaysAsItIs) {
  const auto none = static_cast<TaskState>(kStates.size());
  for (int i = 0; i < kLifeEvents; ++i) {
    const Transition transition = Next(none, static_cast<LifeEvent>(i));
    EXPECT_FALSE(transition.taken);
    EXPECT_EQ(transition.next, none);
    EXPECT_EQ(transition.actions, kNoAction);
  }
}

TEST(LifecycleTest, S13_AStopIsTakenOnceAndNeverAfterAVerdict) {
  for (TaskState state : kStates) {
    const Transition first = Next(state, LifeEvent::kStopRequested);
    EXPECT_FALSE(Next(first.next, LifeEvent::kStopRequested).taken) << static_cast<int>(state);
    EXPECT_EQ(first.taken, (first.actions & kArmStopTimer) != 0) << static_cast<int>(state);
  }
  EXPECT_FALSE(
      Next(Next(TaskState::kRunning, LifeEvent::kEndDecided).next, LifeEvent::kStopRequested)
          .taken);
}

TEST(LifecycleTest, FinishedIsReachedFromEverywhereAndIsTheEnd) {
  for (int i = 0; i < kLifeEvents; ++i) {
    EXPECT_FALSE(Next(TaskState::kFinished, static_cast<LifeEvent>(i)).taken);
  }
  for (TaskState start : kStates) {
    std::set<TaskState> reached = {start};
    for (size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (TaskState state : std::set<TaskState>(reached)) {
        for (int i = 0; i < kLifeEvents; ++i) {
          reached.insert(Next(state, static_cast<LifeEvent>(i)).next);
        }
      }
    }
    EXPECT_TRUE(reached.contains(TaskState::kFinished)) << static_cast<int>(start);
  }
}

TEST(VerdictTest, EveryCombinationAgreesWithTheTable) {
  int compared = 0;
  for (int limit : {0, -1, 1, 2, 3}) {
    for (RestartOn on : {RestartOn::kFailure, RestartOn::kAnyExit}) {
      for (bool retry : {false, true}) {
        const RestartRules rules{PolicyOf(limit), on, retry};
        for (int bits = 0; bits < 128; ++bits) {
          const AttemptFacts attempt{.end = static_cast<AttemptEnd>(bits & 3),
                                     .stop_requested = (bits & 4) != 0,
                                     .permanent = (bits & 64) != 0};
          const bool permitted = (bits & 8) != 0;
          const int64_t failures = 1 + (bits >> 4 & 3);
          const Verdict verdict = Judge(rules, attempt, permitted, failures);
          const auto expected = ExpectedVerdict(rules, attempt, permitted, limit, failures);
          ASSERT_EQ(verdict.final, expected.has_value()) << limit << " " << bits;
          if (expected.has_value()) {
            ASSERT_EQ(verdict.status, *expected) << limit << " " << bits;
          }
          ASSERT_THAT(std::string(ReasonOf(verdict)),
                      EndsWith(absl::StrCat("(verdict row ", verdict.row, ")")));
          ++compared;
        }
      }
    }
  }
  EXPECT_EQ(compared, 5 * 2 * 2 * 128);
}

TEST(VerdictTest, ShouldRestartIsAskedWhereRow5IsReached) {
  for (int limit : {0, -1, 1}) {  // also under Never and at the last of MaxAttempts
    const RestartRules rules{PolicyOf(limit), RestartOn::kFailure, false};
    EXPECT_TRUE(AsksShouldRestart(rules, {AttemptEnd::kFailed, false}));
    EXPECT_FALSE(AsksShouldRestart(rules, {AttemptEnd::kFailed, true}));
    EXPECT_FALSE(AsksShouldRestart(rules, {AttemptEnd::kSucceeded, false}));
    EXPECT_FALSE(AsksShouldRestart(rules, {AttemptEnd::kSetupFailed, false}));
    EXPECT_FALSE(AsksShouldRestart(rules, {AttemptEnd::kNotRun, false}));
    EXPECT_FALSE(AsksShouldRestart(rules, {.end = AttemptEnd::kFailed, .permanent = true}));
  }
  const RestartRules retrying{RestartPolicy::Always(), RestartOn::kFailure, true};
  EXPECT_TRUE(AsksShouldRestart(retrying, {AttemptEnd::kSetupFailed, false}));
}

TEST(VerdictTest, S12_AHealthyRunStartsTheCountAgain) {
  EXPECT_EQ(CountFailures(4, AttemptEnd::kFailed, false), 5);
  EXPECT_EQ(CountFailures(4, AttemptEnd::kFailed, true), 1);
  EXPECT_EQ(CountFailures(4, AttemptEnd::kSucceeded, false), 0);
  EXPECT_EQ(CountFailures(4, AttemptEnd::kSucceeded, true), 0);
  EXPECT_EQ(CountFailures(4, AttemptEnd::kSetupFailed, false), 5);
  EXPECT_EQ(CountFailures(4, AttemptEnd::kNotRun, false), 4);
  EXPECT_EQ(DelayNumber(0), 1);
  EXPECT_EQ(DelayNumber(1), 1);
  EXPECT_EQ(DelayNumber(7), 7);
}

TEST(JitterUnitTest, IsReplayableUniformAndDifferentInEachArgument) {
  EXPECT_EQ(JitterUnit(1, 2, 3), JitterUnit(1, 2, 3));
  std::set<double> seen;
  std::array<int, 10> buckets = {};
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (uint64_t task = 0; task < 100; ++task) {
      for (int64_t failures = 1; failures <= 100; ++failures) {
        const double unit = JitterUnit(seed, task, failures);
        ASSERT_GE(unit, 0);
        ASSERT_LT(unit, 1);
        seen.insert(unit);
        ++buckets[static_cast<size_t>(unit * 10)];
      }
    }
  }
  EXPECT_EQ(seen.size(), 100'000u);
  // The standard deviation is 95.
  for (int count : buckets) EXPECT_NEAR(count, 10'000, 500);
}

}  // namespace
}  // namespace foxtive::internal
