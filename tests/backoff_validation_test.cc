// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What BackoffStrategy::Validate refuses, each limit from both sides (S20), and that a refused
// strategy that is asked all the same does no harm.

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "gtest/gtest.h"
#include "tests/support/bad_backoffs.h"

namespace foxtive {
namespace {

const absl::Duration kSecond = absl::Seconds(1);
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

BackoffStrategy Growing(double multiplier) {
  return BackoffStrategy::Exponential(kSecond, absl::Seconds(9), multiplier);
}

TEST(BackoffValidationTest, S20_NamesFieldAndValue) {
  for (const test::BadBackoff& bad : test::BadBackoffs()) {
    const absl::Status status = bad.strategy.Validate();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.message;
    EXPECT_EQ(status.message(), bad.message);
  }
}

TEST(BackoffValidationTest, AcceptsTheLimitsThemselves) {
  const absl::Duration zero = absl::ZeroDuration();
  const absl::Duration longest = absl::Seconds(kMost);
  const BackoffStrategy accepted[] = {
      BackoffStrategy::Constant(zero),
      BackoffStrategy::Constant(longest),
      BackoffStrategy::Exponential(),
      BackoffStrategy::Exponential(zero, zero),
      BackoffStrategy::Exponential(kSecond, kSecond),
      BackoffStrategy::Exponential(longest, longest),
      Growing(1),
      Growing(std::nextafter(1.0, 2.0)),
      Growing(std::numeric_limits<double>::max()),
      BackoffStrategy::Linear(zero, zero, zero),
      BackoffStrategy::Linear(kSecond, longest, kSecond),
      BackoffStrategy::Fibonacci(zero, zero),
      BackoffStrategy::Fibonacci(kSecond, kSecond),
      BackoffStrategy::Custom([](int64_t) { return -absl::InfiniteDuration(); }),
      Growing(2).WithJitter(0),
      Growing(2).WithJitter(-0.0),
      Growing(2).WithJitter(std::nextafter(1.0, 0.0)),
      Growing(2).WithJitter(1),
      Growing(2).WithJitter(7).WithJitter(0.5),
  };
  for (const BackoffStrategy& strategy : accepted) {
    EXPECT_EQ(strategy.Validate(), absl::OkStatus());
  }
}

TEST(BackoffValidationTest, S20_AMovedFromCustomStrategyHasNoFunctionAndIsRefused) {
  BackoffStrategy from = BackoffStrategy::Custom([](int64_t) { return kSecond; });
  const BackoffStrategy to = std::move(from);
  EXPECT_EQ(to.Validate(), absl::OkStatus());
  EXPECT_EQ(from.Validate().code(), absl::StatusCode::kInvalidArgument);
}

TEST(BackoffValidationTest, RefusedStrategiesStillEndAndAreNeverNegative) {
  for (const test::BadBackoff& bad : test::BadBackoffs()) {
    if (bad.message.starts_with("backoff.custom")) continue;
    for (int64_t failures : {int64_t{1}, int64_t{2}, int64_t{1000}, kMost}) {
      EXPECT_GE(bad.strategy.Delay(failures), absl::ZeroDuration()) << bad.message;
      for (double unit : {0.0, 0.5, 0.99}) {
        EXPECT_GE(bad.strategy.Delay(failures, unit), absl::ZeroDuration()) << bad.message;
      }
    }
  }
}

}  // namespace
}  // namespace foxtive
