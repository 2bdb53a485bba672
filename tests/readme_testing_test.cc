// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The example of the README for tests on simulated time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "foxtive/testing.h"

using foxtive::testing::HasAttempts;
using foxtive::testing::HasFinalStatus;

TEST(FeedTest, OutlastsAnHourWithoutItsServer) {
  foxtive::testing::SimulatedTime time;
  auto supervisor = *foxtive::Supervisor::Create({.clock = time.clock()});
  auto feed_worker =
      foxtive::testing::FailTimes(64, absl::UnavailableError("no route")).ThenSucceed();
  foxtive::TaskHandle feed = *supervisor->Submit({.name = "feed", .run = feed_worker});

  time.AdvanceBy(absl::Hours(1));  // 2 s, 4, 8, 16, 32, then a minute each time
  EXPECT_EQ(feed_worker.calls(), 64);
  EXPECT_EQ(feed.state(), foxtive::TaskState::kBackingOff);

  time.AdvanceBy(absl::Minutes(1));
  EXPECT_THAT(*feed.TryResult(),
              ::testing::AllOf(HasFinalStatus(foxtive::SupervisionStatus::kCompletedNormally),
                               HasAttempts(65)));
}
