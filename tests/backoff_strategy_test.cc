// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The delays without jitter. backoff_jitter_test.cc has the jitter.

#include "foxtive/backoff_strategy.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace foxtive {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// The resolution of absl::Duration.
const absl::Duration kTick = absl::Nanoseconds(1) / 4;
const absl::Duration kLongest = absl::Seconds(kMost) + (absl::Seconds(1) - kTick);

std::vector<absl::Duration> FirstDelays(const BackoffStrategy& strategy, int64_t count) {
  std::vector<absl::Duration> delays;
  for (int64_t failures = 1; failures <= count; ++failures) {
    delays.push_back(strategy.Delay(failures));
  }
  return delays;
}

std::vector<absl::Duration> Milliseconds(const std::vector<double>& values) {
  std::vector<absl::Duration> delays;
  for (double value : values) delays.push_back(absl::Milliseconds(value));
  return delays;
}

// The smallest number of failures whose delay is `max`.
int64_t FailuresToReach(absl::Duration max, const BackoffStrategy& strategy) {
  int64_t below = 0;
  int64_t reached = kMost;
  while (reached - below > 1) {
    const int64_t middle = below + (reached - below) / 2;
    (strategy.Delay(middle) < max ? below : reached) = middle;
  }
  return reached;
}

TEST(ConstantBackoffTest, NeverChanges) {
  const BackoffStrategy strategy = BackoffStrategy::Constant(absl::Milliseconds(1500));
  for (int64_t failures : {int64_t{1}, int64_t{2}, int64_t{10}, kMost - 1, kMost}) {
    EXPECT_EQ(strategy.Delay(failures), absl::Milliseconds(1500)) << failures;
  }
  EXPECT_EQ(BackoffStrategy::Constant(absl::ZeroDuration()).Delay(kMost), absl::ZeroDuration());
  EXPECT_EQ(BackoffStrategy::Constant(kLongest).Delay(kMost), kLongest);
}

TEST(ExponentialBackoffTest, DoublesFromTwoSecondsToAMinuteByDefault) {
  EXPECT_EQ(FirstDelays(BackoffStrategy::Exponential(), 10),
            Milliseconds({2e3, 4e3, 8e3, 16e3, 32e3, 60e3, 60e3, 60e3, 60e3, 60e3}));
  EXPECT_EQ(BackoffStrategy::Exponential().Delay(kMost - 1), absl::Seconds(60));
  EXPECT_EQ(BackoffStrategy::Exponential().Delay(kMost), absl::Seconds(60));
}

TEST(ExponentialBackoffTest, FractionalMultiplierIsExactToTheTick) {
  const BackoffStrategy strategy =
      BackoffStrategy::Exponential(absl::Milliseconds(100), absl::Seconds(5), 1.5);
  EXPECT_EQ(FirstDelays(strategy, 11),
            Milliseconds({100, 150, 225, 337.5, 506.25, 759.375, 1139.0625, 1708.59375, 2562.890625,
                          3844.3359375, 5000}));
  EXPECT_EQ(BackoffStrategy::Exponential(absl::Seconds(2), absl::Hours(1), 1.1).Delay(3),
            absl::Milliseconds(2420));
}

TEST(ExponentialBackoffTest, ReachesTheCapInTheRightStep) {
  const auto doubling_to = [](absl::Duration max) {
    return BackoffStrategy::Exponential(absl::Seconds(1), max, 2);
  };
  EXPECT_EQ(FailuresToReach(absl::Seconds(64), doubling_to(absl::Seconds(64))), 7);
  EXPECT_EQ(doubling_to(absl::Seconds(64) - kTick).Delay(7), absl::Seconds(64) - kTick);
  EXPECT_EQ(doubling_to(absl::Seconds(64) + kTick).Delay(7), absl::Seconds(64));
  EXPECT_EQ(doubling_to(absl::Seconds(64) + kTick).Delay(8), absl::Seconds(64) + kTick);
}

TEST(ExponentialBackoffTest, MultiplierOfOneStaysAtTheInitialDelay) {
  const BackoffStrategy strategy =
      BackoffStrategy::Exponential(absl::Seconds(3), absl::Hours(1), 1.0);
  EXPECT_EQ(strategy.Delay(1), absl::Seconds(3));
  EXPECT_EQ(strategy.Delay(2), absl::Seconds(3));
  EXPECT_EQ(strategy.Delay(kMost), absl::Seconds(3));
}

TEST(ExponentialBackoffTest, MultiplierJustAboveOneGrowsAsThePowerSays) {
  const absl::Duration max = absl::Hours(1);
  const BackoffStrategy strategy = BackoffStrategy::Exponential(absl::Seconds(1), max, 1.0000001);
  const int64_t reached = FailuresToReach(max, strategy);
  EXPECT_NEAR(static_cast<double>(reached), std::log(3600) / std::log1p(1e-7) + 1, 2);
  EXPECT_LT(strategy.Delay(reached - 1), max);
  EXPECT_GT(strategy.Delay(reached - 1), max - absl::Milliseconds(1));
  EXPECT_EQ(strategy.Delay(reached), max);
  EXPECT_EQ(strategy.Delay(kMost - 1), max);
  EXPECT_EQ(strategy.Delay(kMost), max);
}

TEST(ExponentialBackoffTest, SmallestGrowthReachesTheCapToo) {
  const BackoffStrategy strategy =
      BackoffStrategy::Exponential(absl::Seconds(1), absl::Seconds(60), std::nextafter(1.0, 2.0));
  EXPECT_EQ(strategy.Delay(2), absl::Seconds(1));
  EXPECT_EQ(strategy.Delay(kMost), absl::Seconds(60));
}

TEST(ExponentialBackoffTest, LargestMultipliersReachTheCapInTheSecondStep) {
  for (double multiplier : {9.2e18, 0x1p63, 1e300, std::numeric_limits<double>::max()}) {
    const BackoffStrategy strategy =
        BackoffStrategy::Exponential(absl::Seconds(1), absl::Hours(1), multiplier);
    EXPECT_EQ(strategy.Delay(1), absl::Seconds(1)) << multiplier;
    EXPECT_EQ(strategy.Delay(2), absl::Hours(1)) << multiplier;
    EXPECT_EQ(strategy.Delay(3), absl::Hours(1)) << multiplier;
    EXPECT_EQ(strategy.Delay(kMost), absl::Hours(1)) << multiplier;
  }
}

TEST(ExponentialBackoffTest, IsExactUpToTheLongestDuration) {
  const BackoffStrategy strategy = BackoffStrategy::Exponential(kTick, kLongest, 2);
  EXPECT_EQ(strategy.Delay(63), kTick * (int64_t{1} << 62));
  EXPECT_EQ(strategy.Delay(95), kTick * (int64_t{1} << 62) * (int64_t{1} << 32));
  EXPECT_EQ(strategy.Delay(96), kLongest);
  EXPECT_EQ(strategy.Delay(kMost), kLongest);
}

TEST(ExponentialBackoffTest, WholeMultipliersAreExactWhereADoubleIsNot) {
  for (int64_t multiplier : {3, 7, 1'000'003}) {
    const BackoffStrategy strategy = BackoffStrategy::Exponential(absl::Nanoseconds(1), kLongest,
                                                                  static_cast<double>(multiplier));
    absl::Duration expected = absl::Nanoseconds(1);
    for (int64_t failures = 1; failures <= 60; ++failures) {
      ASSERT_EQ(strategy.Delay(failures), expected) << multiplier << ", " << failures;
      expected = std::min(expected * multiplier, kLongest);
    }
  }
}

TEST(ExponentialBackoffTest, LongDelaysThatADoubleRoundsDownNeverDecrease) {
  const absl::Duration initial = absl::Hours(1'318'356) + absl::Seconds(1149) + kTick * 991'810'926;
  const BackoffStrategy at_rest = BackoffStrategy::Exponential(initial, kLongest, 1);
  EXPECT_EQ(at_rest.Delay(kMost), initial);
  const BackoffStrategy growing =
      BackoffStrategy::Exponential(initial, kLongest, std::nextafter(1.0, 2.0));
  EXPECT_EQ(growing.Delay(1), initial);
  EXPECT_GE(growing.Delay(2), initial);
  EXPECT_GE(growing.Delay(3), growing.Delay(2));
}

TEST(ExponentialBackoffTest, TheFirstDelayIsExactWhereADoubleRoundsUp) {
  const absl::Duration initial = kTick * ((int64_t{1} << 53) + 3);
  EXPECT_EQ(BackoffStrategy::Exponential(initial, kLongest, 1.5).Delay(1), initial);
}

TEST(ExponentialBackoffTest, NothingGrowsFromZero) {
  for (double multiplier : {1.0, 1.5, 2.0, 1e300}) {
    const BackoffStrategy strategy =
        BackoffStrategy::Exponential(absl::ZeroDuration(), absl::Hours(1), multiplier);
    EXPECT_EQ(strategy.Delay(1), absl::ZeroDuration()) << multiplier;
    EXPECT_EQ(strategy.Delay(kMost), absl::ZeroDuration()) << multiplier;
  }
}

TEST(LinearBackoffTest, AddsTheIncrementUpToTheCap) {
  const BackoffStrategy strategy =
      BackoffStrategy::Linear(absl::Seconds(1), absl::Milliseconds(500), absl::Seconds(5));
  EXPECT_EQ(FirstDelays(strategy, 10),
            Milliseconds({1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000, 5000}));
  EXPECT_EQ(strategy.Delay(kMost - 1), absl::Seconds(5));
  EXPECT_EQ(strategy.Delay(kMost), absl::Seconds(5));
}

TEST(LinearBackoffTest, CutsTheStepThatCrossesTheCap) {
  const BackoffStrategy strategy =
      BackoffStrategy::Linear(absl::Seconds(1), absl::Seconds(3), absl::Seconds(6));
  EXPECT_EQ(FirstDelays(strategy, 4), Milliseconds({1000, 4000, 6000, 6000}));
}

TEST(LinearBackoffTest, IsExactForEveryCount) {
  const absl::Duration nanosecond = absl::Nanoseconds(1);
  const BackoffStrategy strategy =
      BackoffStrategy::Linear(absl::Seconds(1), nanosecond, absl::Hours(24) * 365 * 1000);
  EXPECT_EQ(strategy.Delay(kMost - 1), absl::Seconds(1) + nanosecond * (kMost - 2));
  EXPECT_EQ(strategy.Delay(kMost), absl::Seconds(1) + nanosecond * (kMost - 1));
}

TEST(LinearBackoffTest, SaturatesInsteadOfOverflowing) {
  const BackoffStrategy strategy = BackoffStrategy::Linear(absl::Seconds(1), kLongest, kLongest);
  EXPECT_EQ(strategy.Delay(1), absl::Seconds(1));
  EXPECT_EQ(strategy.Delay(2), kLongest);
  EXPECT_EQ(strategy.Delay(kMost), kLongest);
}

TEST(LinearBackoffTest, WithoutAnIncrementStaysAtTheInitialDelay) {
  const BackoffStrategy strategy =
      BackoffStrategy::Linear(absl::Seconds(1), absl::ZeroDuration(), absl::Seconds(5));
  EXPECT_EQ(strategy.Delay(kMost), absl::Seconds(1));
}

TEST(FibonacciBackoffTest, AddsTheTwoDelaysBefore) {
  const BackoffStrategy strategy =
      BackoffStrategy::Fibonacci(absl::Milliseconds(10), absl::Milliseconds(500));
  EXPECT_EQ(FirstDelays(strategy, 11),
            Milliseconds({10, 10, 20, 30, 50, 80, 130, 210, 340, 500, 500}));
  EXPECT_EQ(strategy.Delay(kMost - 1), absl::Milliseconds(500));
  EXPECT_EQ(strategy.Delay(kMost), absl::Milliseconds(500));
}

TEST(FibonacciBackoffTest, ReachesTheCapInTheRightStep) {
  const auto up_to = [](absl::Duration max) {
    return BackoffStrategy::Fibonacci(absl::Seconds(1), max);
  };
  EXPECT_EQ(FailuresToReach(absl::Seconds(55), up_to(absl::Seconds(55))), 10);
  EXPECT_EQ(up_to(absl::Seconds(55) - kTick).Delay(10), absl::Seconds(55) - kTick);
  EXPECT_EQ(up_to(absl::Seconds(55) + kTick).Delay(10), absl::Seconds(55));
  EXPECT_EQ(up_to(absl::Seconds(55) + kTick).Delay(11), absl::Seconds(55) + kTick);
}

TEST(FibonacciBackoffTest, IsExactBeyondTheNumbersOf64Bits) {
  const BackoffStrategy strategy = BackoffStrategy::Fibonacci(absl::Nanoseconds(1), kLongest);
  const absl::Duration f91 = absl::Nanoseconds(4660046610375530309);
  const absl::Duration f92 = absl::Nanoseconds(7540113804746346429);
  EXPECT_EQ(strategy.Delay(92), f92);
  EXPECT_EQ(strategy.Delay(93), f91 + f92);
  EXPECT_EQ(strategy.Delay(94), f91 + f92 + f92);
  EXPECT_EQ(strategy.Delay(kMost), kLongest);
}

TEST(FibonacciBackoffTest, NothingGrowsFromZero) {
  const BackoffStrategy strategy =
      BackoffStrategy::Fibonacci(absl::ZeroDuration(), absl::Seconds(1));
  EXPECT_EQ(strategy.Delay(kMost), absl::ZeroDuration());
}

TEST(CustomBackoffTest, IsAskedWithTheNumberOfFailures) {
  std::vector<int64_t> asked;
  const BackoffStrategy strategy = BackoffStrategy::Custom([&asked](int64_t failures) {
    asked.push_back(failures);
    return absl::Seconds(10) / failures;
  });
  EXPECT_EQ(strategy.Delay(1), absl::Seconds(10));
  EXPECT_EQ(strategy.Delay(4), absl::Milliseconds(2500));
  EXPECT_EQ(strategy.Delay(kMost), absl::ZeroDuration());
  EXPECT_THAT(asked, ElementsAre(1, 4, kMost));
}

TEST(CustomBackoffTest, S20_NegativeCountsAsZeroAndInfiniteStays) {
  const auto answering = [](absl::Duration delay) {
    return BackoffStrategy::Custom([delay](int64_t) { return delay; }).Delay(1);
  };
  EXPECT_EQ(answering(-kTick), absl::ZeroDuration());
  EXPECT_EQ(answering(-absl::InfiniteDuration()), absl::ZeroDuration());
  EXPECT_EQ(answering(absl::ZeroDuration()), absl::ZeroDuration());
  EXPECT_EQ(answering(kTick), kTick);
  EXPECT_EQ(answering(kLongest), kLongest);
  EXPECT_EQ(answering(absl::InfiniteDuration()), absl::InfiniteDuration());
}

TEST(CustomBackoffTest, PassesOnWhatTheFunctionThrows) {
  const BackoffStrategy strategy = BackoffStrategy::Custom(
      [](int64_t) -> absl::Duration { throw std::runtime_error("no idea"); });
  EXPECT_THROW(strategy.Delay(1), std::runtime_error);
}

TEST(BackoffStrategyTest, FewerThanOneFailureCountsAsOne) {
  const BackoffStrategy strategies[] = {
      BackoffStrategy::Exponential(),
      BackoffStrategy::Exponential(absl::Seconds(2), absl::Seconds(60), 1.5),
      BackoffStrategy::Linear(absl::Seconds(2), absl::Seconds(1), absl::Seconds(60)),
      BackoffStrategy::Fibonacci(absl::Seconds(2), absl::Seconds(60)),
      BackoffStrategy::Custom([](int64_t failures) { return absl::Seconds(2) * failures; })};
  for (const BackoffStrategy& strategy : strategies) {
    for (int64_t failures : {int64_t{1}, int64_t{0}, int64_t{-1}, -kMost - 1}) {
      EXPECT_EQ(strategy.Delay(failures), absl::Seconds(2)) << failures;
    }
  }
}

// A strategy and the same as the recurrence of its definition, in whole nanoseconds. All numbers
// are small enough for int64_t.
struct Modelled {
  BackoffStrategy strategy;
  std::function<int64_t(int64_t last, int64_t before)> next;
  int64_t initial_ns;
  int64_t max_ns;
};

Modelled RandomModelled(std::mt19937_64& random) {
  const auto draw = [&random](int64_t low, int64_t high) {
    // Small numbers as often as large ones.
    const int64_t top = low + (high - low) / (int64_t{1} << random() % 40);
    return std::uniform_int_distribution<int64_t>(low, top)(random);
  };
  const int64_t max_ns = draw(0, 1'000'000'000'000'000);
  const int64_t initial_ns = draw(0, max_ns);
  const absl::Duration initial = absl::Nanoseconds(initial_ns);
  const absl::Duration max = absl::Nanoseconds(max_ns);
  switch (random() % 3) {
    case 0: {
      const int64_t factor = draw(1, 1000);
      return {BackoffStrategy::Exponential(initial, max, static_cast<double>(factor)),
              [factor](int64_t last, int64_t) { return last * factor; }, initial_ns, max_ns};
    }
    case 1: {
      const int64_t step = draw(0, max_ns);
      return {BackoffStrategy::Linear(initial, absl::Nanoseconds(step), max),
              [step](int64_t last, int64_t) { return last + step; }, initial_ns, max_ns};
    }
    default:
      return {BackoffStrategy::Fibonacci(initial, max),
              [](int64_t last, int64_t before) { return last + before; }, initial_ns, max_ns};
  }
}

TEST(BackoffStrategyTest, AgreesWithTheRecurrenceForRandomParameters) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    const Modelled modelled = RandomModelled(random);
    int64_t before = 0;
    int64_t expected = modelled.initial_ns;
    for (int64_t failures = 1; failures <= 60; ++failures) {
      ASSERT_EQ(modelled.strategy.Delay(failures), absl::Nanoseconds(expected)) << failures;
      const int64_t next = std::min(modelled.next(expected, before), modelled.max_ns);
      before = expected;
      expected = next;
    }
  }
}

TEST(BackoffStrategyTest, AgreesWithRepeatedMultiplicationForRandomMultipliers) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    const double multiplier = std::uniform_real_distribution<double>(1, 10)(random);
    const double initial_ns = static_cast<double>(random() % 1'000'000'000);
    const absl::Duration max = absl::Hours(24);
    const BackoffStrategy strategy =
        BackoffStrategy::Exponential(absl::Nanoseconds(initial_ns), max, multiplier);
    double expected_ns = initial_ns;
    for (int64_t failures = 1; failures <= 60; ++failures) {
      const absl::Duration expected = std::min(absl::Nanoseconds(expected_ns), max);
      // The model rounds in each step.
      const absl::Duration tolerance = kTick + expected * 1e-14;
      ASSERT_GE(strategy.Delay(failures), expected - tolerance) << failures;
      ASSERT_LE(strategy.Delay(failures), expected + tolerance) << failures;
      expected_ns *= multiplier;
    }
  }
}

BackoffStrategy RandomStrategy(std::mt19937_64& random) {
  const auto duration = [&random](absl::Duration max) {
    const absl::Duration top = max / (int64_t{1} << random() % 60);
    return top * std::uniform_real_distribution<double>(0, 1)(random);
  };
  const absl::Duration max = duration(kLongest / 2);
  const absl::Duration initial = duration(max);
  // Down to the smallest number above 1.
  const double excess = std::ldexp(std::uniform_real_distribution<double>(1, 9)(random),
                                   -static_cast<int>(random() % 53));
  switch (random() % 4) {
    case 0:
      return BackoffStrategy::Constant(initial);
    case 1:
      return BackoffStrategy::Exponential(initial, max, 1 + excess);
    case 2:
      return BackoffStrategy::Linear(initial, duration(max), max);
    default:
      return BackoffStrategy::Fibonacci(initial, max);
  }
}

TEST(BackoffStrategyTest, NeverDecreasesForRandomParameters) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    const BackoffStrategy strategy = RandomStrategy(random);
    ASSERT_EQ(strategy.Validate(), absl::OkStatus());
    const absl::Duration last = strategy.Delay(kMost);
    for (int i = 0; i < 50; ++i) {
      const int64_t failures = static_cast<int64_t>(random() >> (1 + random() % 63));
      const absl::Duration delay = strategy.Delay(failures);
      ASSERT_LE(strategy.Delay(1), delay) << failures;
      ASSERT_LE(delay, strategy.Delay(failures + 1)) << failures;
      ASSERT_LE(delay, last) << failures;
    }
  }
}

TEST(BackoffStrategy, StrategiesAreEqualIfAllTheirNumbersAre) {
  const auto base = BackoffStrategy::Exponential(absl::Seconds(1), absl::Minutes(1), 2);
  EXPECT_EQ(base, BackoffStrategy::Exponential(absl::Seconds(1), absl::Minutes(1), 2));
  EXPECT_NE(base, BackoffStrategy::Exponential(absl::Seconds(2), absl::Minutes(1), 2));
  EXPECT_NE(base, BackoffStrategy::Exponential(absl::Seconds(1), absl::Minutes(2), 2));
  EXPECT_NE(base, BackoffStrategy::Exponential(absl::Seconds(1), absl::Minutes(1), 3));
  EXPECT_NE(base, base.WithJitter(0.5));
  EXPECT_NE(BackoffStrategy::Constant(absl::Seconds(1)),
            BackoffStrategy::Fibonacci(absl::Seconds(1), absl::InfiniteDuration()));
  const auto answer = [](int64_t) { return absl::Seconds(1); };
  const auto custom = BackoffStrategy::Custom(answer);
  EXPECT_EQ(custom, BackoffStrategy(custom));
  EXPECT_NE(custom, BackoffStrategy::Custom(answer));
}

}  // namespace
}  // namespace foxtive
