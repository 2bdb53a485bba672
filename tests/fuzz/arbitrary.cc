// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/fuzz/arbitrary.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <utility>

namespace foxtive::test {
namespace {

absl::Duration DurationOf(Input& input, bool usual) {
  return usual ? UsualDuration(input) : AnyDuration(input);
}

double MakeMultiplier(Input& input) {
  constexpr std::array kUsual = {1.0, 1.5, 2.0, 10.0, 1.0000001, 0x1p63, 0.5};
  const size_t which = input.Below(kUsual.size() + 1);
  return which < kUsual.size() ? kUsual[which] : input.Real();
}

double MakeJitter(Input& input) {
  constexpr std::array kUsual = {0.0, 0.0, 0.1, 1.0, 0.5, 0x1p-1074, 1.0000001};
  const size_t which = input.Below(kUsual.size() + 1);
  return which < kUsual.size() ? kUsual[which] : input.Real();
}

// What the function of a Custom strategy says, from what it was made of alone.
std::function<absl::Duration(int64_t)> MakeCustom(Input& input, bool usual) {
  const absl::Duration unit = DurationOf(input, usual);
  switch (input.Below(5)) {
    case 0:
      return [](int64_t) -> absl::Duration { throw std::runtime_error("a delay"); };
    case 1:
      return [unit](int64_t failures) { return failures % 2 == 0 ? unit : -unit; };
    case 2:
      return [](int64_t) { return absl::InfiniteDuration(); };
    case 3:
      return nullptr;
    default:
      return [unit](int64_t failures) { return unit * failures; };
  }
}

bool IsNegative(absl::Duration duration) { return duration < absl::ZeroDuration(); }

bool IsRefused(absl::Duration duration) {
  return IsNegative(duration) || duration == absl::InfiniteDuration();
}

// The first field that is wrong, in the order in which they are looked at.
std::string RefusedField(const char* first, absl::Duration initial, absl::Duration increment,
                         absl::Duration max, bool has_max, double multiplier) {
  if (IsRefused(initial)) return first;
  if (IsRefused(increment)) return "backoff.increment";
  if (has_max && IsRefused(max)) return "backoff.max";
  if (has_max && initial > max) return "backoff.initial";
  // Written so that NaN is refused.
  if (!(multiplier >= 1) || std::isinf(multiplier)) return "backoff.multiplier";
  return "";
}

AnyBackoff MakeWithoutJitter(Input& input, bool usual) {
  const size_t kind = input.Below(5);
  AnyBackoff made;
  if (kind == 4) {
    auto custom = MakeCustom(input, usual);
    made.custom = true;
    if (custom == nullptr) made.refused = "backoff.custom";
    made.strategy = BackoffStrategy::Custom(std::move(custom));
    return made;
  }
  const absl::Duration initial = DurationOf(input, usual);
  if (kind == 0) {
    made.strategy = BackoffStrategy::Constant(initial);
    made.refused = RefusedField("backoff.delay", initial, {}, {}, false, 1);
    return made;
  }
  made.max = DurationOf(input, usual);
  if (usual && input.Bool()) made.max += initial;
  absl::Duration increment;
  double multiplier = 1;
  if (kind == 1) {
    multiplier = MakeMultiplier(input);
    made.strategy = BackoffStrategy::Exponential(initial, made.max, multiplier);
  } else if (kind == 2) {
    increment = DurationOf(input, usual);
    made.strategy = BackoffStrategy::Linear(initial, increment, made.max);
  } else {
    made.strategy = BackoffStrategy::Fibonacci(initial, made.max);
  }
  made.refused = RefusedField("backoff.initial", initial, increment, made.max, true, multiplier);
  return made;
}

}  // namespace

absl::Duration UsualDuration(Input& input) {
  return absl::Nanoseconds(static_cast<int64_t>(input.Number() >> 15));
}

absl::Duration AnyDuration(Input& input) {
  switch (input.Below(6)) {
    case 0:
      return UsualDuration(input);
    case 1:
      return -UsualDuration(input);
    case 2:
      return absl::InfiniteDuration();
    case 3:
      return -absl::InfiniteDuration();
    case 4:
      return absl::Seconds(input.Real());
    default:
      return absl::Nanoseconds(static_cast<int64_t>(input.Number())) +
             absl::Nanoseconds(1) * static_cast<int64_t>(input.Below(4)) / 4;
  }
}

AnyPolicy MakePolicy(Input& input) {
  switch (input.Below(4)) {
    case 0:
      return {.policy = RestartPolicy::Never(), .limit = 0, .refused = ""};
    case 1:
      return {};
    case 2: {
      const auto limit = static_cast<int64_t>(input.Below(5)) + 1;
      return {.policy = RestartPolicy::MaxAttempts(limit), .limit = limit, .refused = ""};
    }
    default: {
      const auto limit = static_cast<int64_t>(input.Number());
      return {.policy = RestartPolicy::MaxAttempts(limit),
              .limit = limit,
              .refused = limit < 1 ? "restart_policy.max_attempts" : ""};
    }
  }
}

AnyBackoff MakeBackoff(Input& input, bool usual) {
  AnyBackoff made = MakeWithoutJitter(input, usual);
  made.jitter = MakeJitter(input);
  made.strategy = made.strategy.WithJitter(made.jitter);
  const bool in_range = made.jitter >= 0 && made.jitter <= 1;
  // It is looked at before the function of a Custom strategy.
  const bool custom = made.refused == "backoff.custom";
  if ((made.refused.empty() || custom) && !in_range) made.refused = "backoff.jitter";
  return made;
}

}  // namespace foxtive::test
