// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// BackoffStrategy: how long a task waits between a failure and its next attempt.
//
// Lifetime: a value; copies share the function of `Custom` and nothing else.
// Thread safety: immutable. `Delay` of a `Custom` strategy calls the user's function; a strategy
// that several tasks share is asked from several lanes at once, so that function must allow it.
// Blocking: nothing blocks (`Custom`: as the user's function).
// Errors: wrong arguments are stored as given and refused, with field and value, by
// `Supervisor::Submit` and `Supervisor::Register`; `Validate` asks earlier. An exception of a
// `Custom` function leaves `Delay`; inside a Supervisor it counts as a throwing hook and
// `Exponential()` decides. Printing may throw `std::bad_alloc`.
//
// Example: 100 ms, 200 ms, 400 ms ... 10 s, each varied by up to a fifth so that a thousand
// clients do not come back in the same millisecond.
//
//   spec.backoff = foxtive::BackoffStrategy::Exponential(absl::Milliseconds(100),
//                                                        absl::Seconds(10)).WithJitter(0.2);

#ifndef FOXTIVE_BACKOFF_STRATEGY_H_
#define FOXTIVE_BACKOFF_STRATEGY_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace foxtive {

class BackoffStrategy {
 public:
  // Always `delay`. 0 restarts at once.
  static BackoffStrategy Constant(absl::Duration delay);

  // `initial`, then `multiplier` times the delay before, never above `max`.
  // `multiplier` must be at least 1 and `initial` not above `max`.
  static BackoffStrategy Exponential(absl::Duration initial = absl::Seconds(2),
                                     absl::Duration max = absl::Seconds(60), double multiplier = 2);

  // `initial`, then `increment` more each time, never above `max`.
  static BackoffStrategy Linear(absl::Duration initial, absl::Duration increment,
                                absl::Duration max);

  // `initial` times 1, 1, 2, 3, 5, 8 ..., never above `max`.
  static BackoffStrategy Fibonacci(absl::Duration initial, absl::Duration max);

  // Whatever `delay` says for the number of consecutive failures (1, 2, ...). A negative answer
  // counts as 0, an infinite one waits until the task is stopped.
  static BackoffStrategy Custom(std::function<absl::Duration(int64_t failures)> delay);

  // The same, spread: where d is the delay without jitter, uniform between (1 - fraction) d and
  // (1 + fraction) d, the upper end not above the strategy's `max` (`Constant` and `Custom` have
  // none). The range shrinks at `max`, so that delays do not pile up there. `fraction` must be in
  // [0, 1]. A second call replaces the first.
  BackoffStrategy WithJitter(double fraction) const;
  double jitter() const { return jitter_; }  // 0 without

  // Whether `Delay` calls a function of the user's.
  bool is_custom() const { return kind_ == Kind::kCustom; }

  // The delay after `failures` consecutive failures; fewer than 1 counts as 1. Never negative.
  // Computed without overflow for every `failures` up to INT64_MAX.
  absl::Duration Delay(int64_t failures) const;  // without jitter
  // The same at the place `unit` of the jitter's range: 0 is its lower end, and the upper end is
  // approached as `unit` approaches 1. Values outside [0, 1) count as the nearer end, NaN as 0.
  absl::Duration Delay(int64_t failures, double unit) const;

  // `kInvalidArgument` naming the field and the value, or OK.
  absl::Status Validate() const;

  // `Custom` strategies are equal if one is a copy of the other.
  friend bool operator==(const BackoffStrategy&, const BackoffStrategy&) = default;

  friend std::string ToString(const BackoffStrategy& strategy);

 private:
  enum class Kind : uint8_t { kConstant, kExponential, kLinear, kFibonacci, kCustom };
  using DelayFunction = std::function<absl::Duration(int64_t)>;

  explicit BackoffStrategy(Kind kind) : kind_(kind) {}

  absl::Status ValidateDurations() const;

  absl::Duration initial_;
  absl::Duration increment_;
  absl::Duration max_ = absl::InfiniteDuration();
  Kind kind_;
  double multiplier_ = 1;
  double jitter_ = 0;
  std::shared_ptr<const DelayFunction> custom_;
};

// For people: `Constant(5s)`, `Exponential(initial 2s, max 60s, multiplier 2, jitter 0.2)`,
// `Linear(initial 1s, increment 500ms, max 10s)`, `Fibonacci(initial 1s, max 60s)`, `Custom`. Every
// argument is there, exact and as it was given, also a wrong one; the jitter only if it is not 0.
// Streams and Abseil's formatting print the same.
std::string ToString(const BackoffStrategy& strategy);

std::ostream& operator<<(std::ostream& out, const BackoffStrategy& strategy);

template <typename Sink>
void AbslStringify(Sink& sink, const BackoffStrategy& strategy) {
  sink.Append(ToString(strategy));
}

}  // namespace foxtive

#endif  // FOXTIVE_BACKOFF_STRATEGY_H_
