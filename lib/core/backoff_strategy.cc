// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Bounds of the loops: a Duration holds less than 2^95 quarter nanoseconds. So a delay that doubles
// reaches any `max` in 95 rounds, and a Fibonacci sequence in 138, however many failures there are.

#include "foxtive/backoff_strategy.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "lib/core/number_text.h"

namespace foxtive {
namespace {

using ::foxtive::internal::NumberText;

// The smallest whole number that int64_t cannot hold.
constexpr double kTwoToThe63 = 0x1p63;

absl::Duration InRange(absl::Duration delay, absl::Duration max) {
  return std::max(std::min(delay, max), absl::ZeroDuration());
}

// Whole multipliers: integer arithmetic, so no delay is off by a rounding.
absl::Duration WholePower(absl::Duration initial, int64_t multiplier, int64_t steps,
                          absl::Duration max) {
  absl::Duration delay = initial;
  for (; steps > 0 && delay < max; --steps) delay *= multiplier;
  return delay;
}

// Other multipliers: in closed form, because those close to 1 would need billions of rounds. All
// operations on the way round monotonically, so the delays never decrease. The lower bound is for
// delays of more than 2^53 quarter nanoseconds (26 days), which a double may round down.
absl::Duration RealPower(absl::Duration initial, double multiplier, int64_t steps) {
  const double factor = std::pow(multiplier, static_cast<double>(steps));
  return std::max(initial, absl::Nanoseconds(absl::ToDoubleNanoseconds(initial) * factor));
}

// What does not grow is returned as it is: exact, and no work for the loop, which would not end.
absl::Duration ExponentialDelay(absl::Duration initial, double multiplier, int64_t steps,
                                absl::Duration max) {
  if (steps == 0 || initial <= absl::ZeroDuration() || multiplier <= 1) return initial;
  const bool whole = multiplier < kTwoToThe63 && std::floor(multiplier) == multiplier;
  if (whole) return WholePower(initial, static_cast<int64_t>(multiplier), steps, max);
  return RealPower(initial, multiplier, steps);
}

// Duration's own arithmetic saturates at infinity, which is above every valid `max`.
absl::Duration LinearDelay(absl::Duration initial, absl::Duration increment, int64_t steps) {
  return initial + increment * steps;
}

absl::Duration FibonacciDelay(absl::Duration initial, int64_t steps, absl::Duration max) {
  if (initial <= absl::ZeroDuration()) return initial;
  absl::Duration before = absl::ZeroDuration();
  absl::Duration delay = initial;
  for (; steps > 0 && delay < max; --steps) before = std::exchange(delay, delay + before);
  return delay;
}

absl::Status Refuse(const char* field, const std::string& value, const std::string& reason) {
  return absl::InvalidArgumentError(absl::StrCat("backoff.", field, ": ", value, " ", reason));
}

absl::Status CheckDuration(const char* field, absl::Duration value) {
  if (value < absl::ZeroDuration()) {
    return Refuse(field, absl::FormatDuration(value), "is negative");
  }
  if (value == absl::InfiniteDuration()) {
    return Refuse(field, absl::FormatDuration(value), "is infinite");
  }
  return absl::OkStatus();
}

}  // namespace

BackoffStrategy BackoffStrategy::Constant(absl::Duration delay) {
  BackoffStrategy strategy(Kind::kConstant);
  strategy.initial_ = delay;
  return strategy;
}

BackoffStrategy BackoffStrategy::Exponential(absl::Duration initial, absl::Duration max,
                                             double multiplier) {
  BackoffStrategy strategy(Kind::kExponential);
  strategy.initial_ = initial;
  strategy.max_ = max;
  strategy.multiplier_ = multiplier;
  return strategy;
}

BackoffStrategy BackoffStrategy::Linear(absl::Duration initial, absl::Duration increment,
                                        absl::Duration max) {
  BackoffStrategy strategy(Kind::kLinear);
  strategy.initial_ = initial;
  strategy.increment_ = increment;
  strategy.max_ = max;
  return strategy;
}

BackoffStrategy BackoffStrategy::Fibonacci(absl::Duration initial, absl::Duration max) {
  BackoffStrategy strategy(Kind::kFibonacci);
  strategy.initial_ = initial;
  strategy.max_ = max;
  return strategy;
}

BackoffStrategy BackoffStrategy::Custom(std::function<absl::Duration(int64_t failures)> delay) {
  BackoffStrategy strategy(Kind::kCustom);
  strategy.custom_ = std::make_shared<const DelayFunction>(std::move(delay));
  return strategy;
}

BackoffStrategy BackoffStrategy::WithJitter(double fraction) const {
  BackoffStrategy strategy = *this;
  strategy.jitter_ = fraction;
  return strategy;
}

absl::Duration BackoffStrategy::Delay(int64_t failures) const {
  const int64_t steps = std::max<int64_t>(failures, 1) - 1;
  absl::Duration delay = initial_;
  switch (kind_) {
    case Kind::kConstant:
      break;
    case Kind::kExponential:
      delay = ExponentialDelay(initial_, multiplier_, steps, max_);
      break;
    case Kind::kLinear:
      delay = LinearDelay(initial_, increment_, steps);
      break;
    case Kind::kFibonacci:
      delay = FibonacciDelay(initial_, steps, max_);
      break;
    case Kind::kCustom:
      delay = (*custom_)(steps + 1);
      break;
  }
  return InRange(delay, max_);
}

absl::Duration BackoffStrategy::Delay(int64_t failures, double unit) const {
  const absl::Duration delay = Delay(failures);
  if (jitter_ == 0 || delay == absl::InfiniteDuration()) return delay;
  const absl::Duration least = InRange(delay * (1 - jitter_), max_);
  const absl::Duration most = InRange(delay * (1 + jitter_), max_);
  // Written so that NaN is 0. The bound because a product may be rounded up.
  const double place = unit > 0 ? std::min(unit, 1.0) : 0.0;
  return std::min(least + (most - least) * place, most);
}

absl::Status BackoffStrategy::Validate() const {
  if (absl::Status status = ValidateDurations(); !status.ok()) return status;
  if (!std::isfinite(multiplier_)) {
    return Refuse("multiplier", NumberText(multiplier_), "is not a finite number");
  }
  if (multiplier_ < 1) return Refuse("multiplier", NumberText(multiplier_), "is less than 1");
  // Written so that NaN is outside.
  if (!(jitter_ >= 0 && jitter_ <= 1)) {
    return Refuse("jitter", NumberText(jitter_), "is outside [0, 1]");
  }
  if (kind_ == Kind::kCustom && (custom_ == nullptr || *custom_ == nullptr)) {
    return Refuse("custom", "null", "is not a function");
  }
  return absl::OkStatus();
}

absl::Status BackoffStrategy::ValidateDurations() const {
  if (kind_ == Kind::kCustom) return absl::OkStatus();
  if (kind_ == Kind::kConstant) return CheckDuration("delay", initial_);
  if (absl::Status status = CheckDuration("initial", initial_); !status.ok()) return status;
  if (absl::Status status = CheckDuration("increment", increment_); !status.ok()) return status;
  if (absl::Status status = CheckDuration("max", max_); !status.ok()) return status;
  if (initial_ > max_) {
    return Refuse("initial", absl::FormatDuration(initial_),
                  absl::StrCat("is more than backoff.max, ", absl::FormatDuration(max_)));
  }
  return absl::OkStatus();
}

}  // namespace foxtive
