// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What BackoffStrategy::Validate refuses, each limit from both sides (S20), and that a refused
// strategy that is asked all the same does no harm.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "gtest/gtest.h"

namespace foxtive {
namespace {

const absl::Duration kSecond = absl::Seconds(1);
const absl::Duration kForever = absl::InfiniteDuration();
const absl::Duration kTick = absl::Nanoseconds(1) / 4;
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

BackoffStrategy Growing(double multiplier) {
  return BackoffStrategy::Exponential(kSecond, absl::Seconds(9), multiplier);
}

struct Refused {
  BackoffStrategy strategy;
  std::string message;
};

std::vector<Refused> AllRefused() {
  return {
      {BackoffStrategy::Constant(-kTick), "backoff.delay: -0.25ns is negative"},
      {BackoffStrategy::Constant(kForever), "backoff.delay: inf is infinite"},
      {BackoffStrategy::Constant(-kForever), "backoff.delay: -inf is negative"},

      {BackoffStrategy::Exponential(-kSecond, kSecond), "backoff.initial: -1s is negative"},
      {BackoffStrategy::Exponential(kForever, kForever), "backoff.initial: inf is infinite"},
      {BackoffStrategy::Exponential(kSecond, kForever), "backoff.max: inf is infinite"},
      {BackoffStrategy::Exponential(kSecond, -kSecond), "backoff.max: -1s is negative"},
      {BackoffStrategy::Exponential(kSecond, absl::Milliseconds(999)),
       "backoff.initial: 1s is more than backoff.max, 999ms"},
      {BackoffStrategy::Exponential(kSecond + kTick, kSecond),
       "backoff.initial: 1.00000000025s is more than backoff.max, 1s"},

      {Growing(0.5), "backoff.multiplier: 0.5 is less than 1"},
      {Growing(std::nextafter(1.0, 0.0)), "backoff.multiplier: 0.9999999999999999 is less than 1"},
      {Growing(-2), "backoff.multiplier: -2 is less than 1"},
      {Growing(kNan), "backoff.multiplier: nan is not a finite number"},
      {Growing(kInfinity), "backoff.multiplier: inf is not a finite number"},
      {Growing(-kInfinity), "backoff.multiplier: -inf is not a finite number"},

      {BackoffStrategy::Linear(-kSecond, kSecond, kSecond), "backoff.initial: -1s is negative"},
      {BackoffStrategy::Linear(kSecond, -kTick, kSecond), "backoff.increment: -0.25ns is negative"},
      {BackoffStrategy::Linear(kSecond, kForever, kSecond), "backoff.increment: inf is infinite"},
      {BackoffStrategy::Linear(kSecond, kSecond, kForever), "backoff.max: inf is infinite"},
      {BackoffStrategy::Linear(2 * kSecond, kSecond, kSecond),
       "backoff.initial: 2s is more than backoff.max, 1s"},

      {BackoffStrategy::Fibonacci(-kSecond, kSecond), "backoff.initial: -1s is negative"},
      {BackoffStrategy::Fibonacci(kSecond, kForever), "backoff.max: inf is infinite"},
      {BackoffStrategy::Fibonacci(2 * kSecond, kSecond),
       "backoff.initial: 2s is more than backoff.max, 1s"},

      {BackoffStrategy::Custom(nullptr), "backoff.custom: null is not a function"},

      {Growing(2).WithJitter(1.5), "backoff.jitter: 1.5 is outside [0, 1]"},
      {Growing(2).WithJitter(std::nextafter(1.0, 2.0)),
       "backoff.jitter: 1.0000000000000002 is outside [0, 1]"},
      {Growing(2).WithJitter(-0.25), "backoff.jitter: -0.25 is outside [0, 1]"},
      {Growing(2).WithJitter(-std::numeric_limits<double>::denorm_min()),
       "backoff.jitter: -5e-324 is outside [0, 1]"},
      {Growing(2).WithJitter(kNan), "backoff.jitter: nan is outside [0, 1]"},
      {Growing(2).WithJitter(kInfinity), "backoff.jitter: inf is outside [0, 1]"},
  };
}

TEST(BackoffValidationTest, S20_NamesFieldAndValue) {
  for (const Refused& refused : AllRefused()) {
    const absl::Status status = refused.strategy.Validate();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << refused.message;
    EXPECT_EQ(status.message(), refused.message);
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
  for (const Refused& refused : AllRefused()) {
    if (refused.message.starts_with("backoff.custom")) continue;
    for (int64_t failures : {int64_t{1}, int64_t{2}, int64_t{1000}, kMost}) {
      EXPECT_GE(refused.strategy.Delay(failures), absl::ZeroDuration()) << refused.message;
      for (double unit : {0.0, 0.5, 0.99}) {
        EXPECT_GE(refused.strategy.Delay(failures, unit), absl::ZeroDuration()) << refused.message;
      }
    }
  }
}

}  // namespace
}  // namespace foxtive
