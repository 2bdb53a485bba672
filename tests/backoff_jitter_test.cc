// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The jitter of BackoffStrategy. The seeds are fixed, so a test that passes once always passes.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "gtest/gtest.h"

namespace foxtive {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
const absl::Duration kTick = absl::Nanoseconds(1) / 4;
const double kAlmostOne = std::nextafter(1.0, 0.0);

TEST(BackoffJitterTest, WithoutAUnitThereIsNoJitter) {
  EXPECT_EQ(BackoffStrategy::Exponential().WithJitter(1).Delay(3), absl::Seconds(8));
}

TEST(BackoffJitterTest, WithoutJitterTheUnitChangesNothing) {
  for (double unit : {0.0, 0.25, kAlmostOne}) {
    EXPECT_EQ(BackoffStrategy::Exponential().Delay(3, unit), absl::Seconds(8)) << unit;
    EXPECT_EQ(BackoffStrategy::Exponential().WithJitter(0).Delay(3, unit), absl::Seconds(8));
  }
}

TEST(BackoffJitterTest, TheUnitPlacesTheDelayInItsRange) {
  const BackoffStrategy strategy = BackoffStrategy::Constant(absl::Seconds(10)).WithJitter(0.5);
  EXPECT_EQ(strategy.Delay(1, 0), absl::Seconds(5));
  EXPECT_EQ(strategy.Delay(1, 0.25), absl::Milliseconds(7500));
  EXPECT_EQ(strategy.Delay(1, 0.5), absl::Seconds(10));
  EXPECT_EQ(strategy.Delay(1, 0.75), absl::Milliseconds(12500));
  EXPECT_LE(strategy.Delay(1, kAlmostOne), absl::Seconds(15));
  EXPECT_GT(strategy.Delay(1, kAlmostOne), absl::Seconds(15) - absl::Nanoseconds(1));
}

TEST(BackoffJitterTest, AFullJitterReachesFromZeroToTwice) {
  const BackoffStrategy strategy = BackoffStrategy::Constant(absl::Seconds(10)).WithJitter(1);
  EXPECT_EQ(strategy.Delay(1, 0), absl::ZeroDuration());
  EXPECT_EQ(strategy.Delay(1, 0.5), absl::Seconds(10));
  EXPECT_GT(strategy.Delay(1, kAlmostOne), absl::Seconds(20) - absl::Nanoseconds(1));
}

TEST(BackoffJitterTest, UnitsOutsideTheRangeCountAsTheNearerEnd) {
  const BackoffStrategy strategy = BackoffStrategy::Constant(absl::Seconds(10)).WithJitter(0.5);
  EXPECT_EQ(strategy.Delay(1, -1), absl::Seconds(5));
  EXPECT_EQ(strategy.Delay(1, -std::numeric_limits<double>::infinity()), absl::Seconds(5));
  EXPECT_EQ(strategy.Delay(1, std::numeric_limits<double>::quiet_NaN()), absl::Seconds(5));
  EXPECT_EQ(strategy.Delay(1, 1), absl::Seconds(15));
  EXPECT_EQ(strategy.Delay(1, 1e300), absl::Seconds(15));
}

TEST(BackoffJitterTest, TheRangeEndsAtTheMaximum) {
  // 32 s, 60 s at most.
  const BackoffStrategy strategy = BackoffStrategy::Exponential().WithJitter(1);
  EXPECT_EQ(strategy.Delay(5, 0), absl::ZeroDuration());
  EXPECT_EQ(strategy.Delay(5, 0.5), absl::Seconds(30));
  EXPECT_EQ(strategy.Delay(5, 1), absl::Seconds(60));
  // One step below the maximum the range is still whole.
  EXPECT_EQ(BackoffStrategy::Exponential().WithJitter(0.5).Delay(5, 1), absl::Seconds(48));
}

TEST(BackoffJitterTest, DelaysDoNotPileUpAtTheMaximum) {
  const BackoffStrategy strategy = BackoffStrategy::Exponential().WithJitter(0.5);
  std::mt19937_64 random(4711);
  std::uniform_real_distribution<double> unit(0, 1);
  int upper_half = 0;
  for (int i = 0; i < 100'000; ++i) {
    const absl::Duration delay = strategy.Delay(kMost, unit(random));
    ASSERT_GE(delay, absl::Seconds(30));
    ASSERT_LE(delay, absl::Seconds(60));
    upper_half += delay >= absl::Seconds(45);
  }
  // The standard deviation is 158.
  EXPECT_NEAR(upper_half, 50'000, 1000);
  EXPECT_EQ(strategy.Delay(kMost, 0.5), absl::Seconds(45));
}

TEST(BackoffJitterTest, ASecondJitterReplacesTheFirst) {
  const BackoffStrategy wide = BackoffStrategy::Constant(absl::Seconds(10)).WithJitter(1);
  EXPECT_EQ(wide.WithJitter(0.25).Delay(1, 0), absl::Milliseconds(7500));
  EXPECT_EQ(wide.WithJitter(0).Delay(1, 0), absl::Seconds(10));
  EXPECT_EQ(wide.Delay(1, 0), absl::ZeroDuration()) << "the original has changed";
}

TEST(BackoffJitterTest, ZeroAndInfiniteDelaysStay) {
  for (absl::Duration delay : {absl::ZeroDuration(), absl::InfiniteDuration()}) {
    const BackoffStrategy strategy =
        BackoffStrategy::Custom([delay](int64_t) { return delay; }).WithJitter(1);
    for (double unit : {0.0, 0.5, 1.0}) EXPECT_EQ(strategy.Delay(1, unit), delay);
  }
}

TEST(BackoffJitterTest, StaysInRangeAndGrowsWithTheUnitForRandomParameters) {
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> unit(0, 1);
    const absl::Duration max = absl::Hours(1) * unit(random);
    const double fraction = unit(random);
    const BackoffStrategy strategy =
        BackoffStrategy::Exponential(max * unit(random), max, 1 + unit(random))
            .WithJitter(fraction);
    for (int i = 0; i < 50; ++i) {
      const int64_t failures = static_cast<int64_t>(random() % 20 + 1);
      const absl::Duration exact = strategy.Delay(failures);
      const double place = unit(random);
      const absl::Duration delay = strategy.Delay(failures, place);
      ASSERT_GE(delay, exact * (1 - fraction) - kTick) << failures;
      ASSERT_LE(delay, std::min(exact * (1 + fraction) + kTick, max)) << failures;
      ASSERT_LE(delay, strategy.Delay(failures, place + (1 - place) / 2)) << failures;
    }
  }
}

}  // namespace
}  // namespace foxtive
