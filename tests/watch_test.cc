// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Whether an attempt hangs: each limit one nanosecond before and at it.

#include "lib/core/watch.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace foxtive::internal {
namespace {

constexpr int64_t kNever = kNeverNanos;
constexpr int64_t kSecond = 1'000'000'000;

// Nothing is missed one nanosecond before `due`, and then it is looked at again at `due`.
void ExpectDue(const WatchLimits& limits, const WatchFacts& facts, int64_t due, Missed missed) {
  const WatchLook before = LookAt(limits, facts, due - 1);
  EXPECT_EQ(before.missed, Missed::kNothing);
  EXPECT_EQ(before.next_nanos, due);
  EXPECT_EQ(LookAt(limits, facts, due).missed, missed);
  EXPECT_EQ(LookAt(limits, facts, due + kSecond).missed, missed);
}

TEST(WatchTest, WithoutLimitsNothingIsEverMissed) {
  EXPECT_FALSE(WatchLimits{}.any());
  const WatchLook look = LookAt({}, {.began = 5}, kNever);
  EXPECT_EQ(look.missed, Missed::kNothing);
  EXPECT_EQ(look.next_nanos, kNever);
}

TEST(WatchTest, TheHeartbeatCountsFromTheBeginning) {
  const WatchLimits limits{.heartbeat_nanos = 100};
  EXPECT_TRUE(limits.any());
  ExpectDue(limits, {.began = 7}, 107, Missed::kHeartbeat);
  ExpectDue(limits, {.began = 7, .last_beat = 6}, 107, Missed::kHeartbeat);  // of the one before
}

TEST(WatchTest, EachHeartbeatCountsAnew) {
  ExpectDue({.heartbeat_nanos = 100}, {.began = 7, .last_beat = 50}, 150, Missed::kHeartbeat);
}

TEST(WatchTest, TheRunTimeoutKnowsNoHeartbeat) {
  const WatchLimits limits{.run_nanos = 100};
  EXPECT_TRUE(limits.any());
  ExpectDue(limits, {.began = 7, .last_beat = 100}, 107, Missed::kRunTimeout);
}

TEST(WatchTest, TheEarlierOneOfTwoIsTold) {
  const WatchLimits limits{.heartbeat_nanos = 100, .run_nanos = 150};
  ExpectDue(limits, {.began = 0}, 100, Missed::kHeartbeat);
  ExpectDue(limits, {.began = 0, .last_beat = 60}, 150, Missed::kRunTimeout);
  ExpectDue(limits, {.began = 0, .last_beat = 50}, 150, Missed::kHeartbeat);
}

TEST(WatchTest, ASuspensionIsNotHeldAgainstIt) {
  ExpectDue({.heartbeat_nanos = 100}, {.began = 7, .last_beat = 50, .resumed = 900}, 1000,
            Missed::kHeartbeat);
}

TEST(WatchTest, AfterASuspensionARunHasSomeTimeLeft) {
  const WatchFacts facts{.began = 0, .resumed = 60 * kSecond};
  ExpectDue({.run_nanos = 10 * kSecond}, facts, 61 * kSecond, Missed::kRunTimeout);
  ExpectDue({.run_nanos = 5}, facts, 60 * kSecond + 5, Missed::kRunTimeout);
  ExpectDue({.run_nanos = 90 * kSecond}, facts, 90 * kSecond, Missed::kRunTimeout);
  // One that began after it has no more time than others.
  ExpectDue({.run_nanos = 5}, {.began = 70 * kSecond, .resumed = 60 * kSecond}, 70 * kSecond + 5,
            Missed::kRunTimeout);
}

TEST(WatchTest, ALimitBeyondAllTimeIsNever) {
  const WatchLook look = LookAt({.heartbeat_nanos = kNever - 1}, {.began = 5}, kNever);
  EXPECT_EQ(look.missed, Missed::kNothing);
  EXPECT_EQ(look.next_nanos, kNever);
}

}  // namespace
}  // namespace foxtive::internal
