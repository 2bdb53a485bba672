// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/bad_backoffs.h"

#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "absl/time/time.h"

namespace foxtive::test {
namespace {

using Limits = std::numeric_limits<double>;

const absl::Duration kSecond = absl::Seconds(1);
const absl::Duration kForever = absl::InfiniteDuration();
const absl::Duration kTick = absl::Nanoseconds(1) / 4;

// What no duration may be, as a value of `field`.
void AddDurations(std::vector<BadBackoff>& all, const std::string& field,
                  const std::function<BackoffStrategy(absl::Duration)>& with) {
  all.push_back({with(-kTick), field + ": -0.25ns is negative"});
  all.push_back({with(-kSecond), field + ": -1s is negative"});
  all.push_back({with(-kForever), field + ": -inf is negative"});
  all.push_back({with(kForever), field + ": inf is infinite"});
}

void AddConstant(std::vector<BadBackoff>& all) {
  AddDurations(all, "backoff.delay", [](auto bad) { return BackoffStrategy::Constant(bad); });
}

void AddExponential(std::vector<BadBackoff>& all) {
  AddDurations(all, "backoff.initial",
               [](auto bad) { return BackoffStrategy::Exponential(bad, kSecond); });
  AddDurations(all, "backoff.max",
               [](auto bad) { return BackoffStrategy::Exponential(kSecond, bad); });
  all.push_back(
      {BackoffStrategy::Exponential(kForever, kForever), "backoff.initial: inf is infinite"});
  all.push_back({BackoffStrategy::Exponential(kSecond, absl::Milliseconds(999)),
                 "backoff.initial: 1s is more than backoff.max, 999ms"});
  all.push_back({BackoffStrategy::Exponential(kSecond + kTick, kSecond),
                 "backoff.initial: 1.00000000025s is more than backoff.max, 1s"});
  const std::pair<double, const char*> multipliers[] = {
      {0.5, "0.5 is less than 1"},
      {std::nextafter(1.0, 0.0), "0.9999999999999999 is less than 1"},
      {0.0, "0 is less than 1"},
      {-0.0, "-0 is less than 1"},
      {Limits::denorm_min(), "5e-324 is less than 1"},
      {-2, "-2 is less than 1"},
      {Limits::lowest(), "-1.7976931348623157e+308 is less than 1"},
      {Limits::quiet_NaN(), "nan is not a finite number"},
      {Limits::infinity(), "inf is not a finite number"},
      {-Limits::infinity(), "-inf is not a finite number"}};
  for (const auto& [multiplier, why] : multipliers) {
    all.push_back({BackoffStrategy::Exponential(kSecond, absl::Seconds(9), multiplier),
                   std::string("backoff.multiplier: ") + why});
  }
}

void AddLinear(std::vector<BadBackoff>& all) {
  AddDurations(all, "backoff.initial",
               [](auto bad) { return BackoffStrategy::Linear(bad, kSecond, kSecond); });
  AddDurations(all, "backoff.increment",
               [](auto bad) { return BackoffStrategy::Linear(kSecond, bad, kSecond); });
  AddDurations(all, "backoff.max",
               [](auto bad) { return BackoffStrategy::Linear(kSecond, kSecond, bad); });
  all.push_back({BackoffStrategy::Linear(kSecond + kTick, kSecond, kSecond),
                 "backoff.initial: 1.00000000025s is more than backoff.max, 1s"});
}

void AddFibonacci(std::vector<BadBackoff>& all) {
  AddDurations(all, "backoff.initial",
               [](auto bad) { return BackoffStrategy::Fibonacci(bad, kSecond); });
  AddDurations(all, "backoff.max",
               [](auto bad) { return BackoffStrategy::Fibonacci(kSecond, bad); });
  all.push_back({BackoffStrategy::Fibonacci(kSecond + kTick, kSecond),
                 "backoff.initial: 1.00000000025s is more than backoff.max, 1s"});
}

void AddJitter(std::vector<BadBackoff>& all) {
  const BackoffStrategy strategies[] = {BackoffStrategy::Constant(kSecond),
                                        BackoffStrategy::Exponential(),
                                        BackoffStrategy::Linear(kSecond, kSecond, kSecond),
                                        BackoffStrategy::Fibonacci(kSecond, kSecond),
                                        BackoffStrategy::Custom([](int64_t) { return kSecond; })};
  const std::pair<double, const char*> fractions[] = {
      {1.5, "1.5"},
      {std::nextafter(1.0, 2.0), "1.0000000000000002"},
      {-0.25, "-0.25"},
      {-Limits::denorm_min(), "-5e-324"},
      {Limits::quiet_NaN(), "nan"},
      {Limits::infinity(), "inf"},
      {-Limits::infinity(), "-inf"}};
  for (const BackoffStrategy& strategy : strategies) {
    for (const auto& [fraction, text] : fractions) {
      all.push_back({strategy.WithJitter(fraction),
                     std::string("backoff.jitter: ") + text + " is outside [0, 1]"});
    }
  }
}

}  // namespace

std::vector<BadBackoff> BadBackoffs() {
  std::vector<BadBackoff> all;
  AddConstant(all);
  AddExponential(all);
  AddLinear(all);
  AddFibonacci(all);
  AddJitter(all);
  all.push_back({BackoffStrategy::Custom(nullptr), "backoff.custom: null is not a function"});
  return all;
}

}  // namespace foxtive::test
