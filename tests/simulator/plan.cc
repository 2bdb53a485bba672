// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/simulator/plan.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <stdexcept>

namespace foxtive::test {
namespace {

uint64_t Bit(Hook hook) { return uint64_t{1} << static_cast<int>(hook); }

void PlanBackoff(Random& random, TaskPlan& plan) {
  using Backoff = TaskPlan::Backoff;
  plan.backoff = random.OneOf({Backoff::kConstant, Backoff::kConstant, Backoff::kExponential,
                               Backoff::kLinear, Backoff::kFibonacci, Backoff::kCustom});
  plan.max = absl::Seconds(30);
  // Not 0: a task without a delay is a case of its own.
  plan.initial = std::max(random.Duration(absl::Seconds(10)), absl::Microseconds(1));
  plan.step = random.Duration(absl::Seconds(3));
  plan.multiplier = random.OneOf({1.0, 1.5, 2.0, 10.0});
  plan.jitter = random.OneOf({0.0, 0.0, 0.1, 1.0});
  if (plan.backoff == Backoff::kCustom) plan.jitter = 0;  // it has its own
  if (random.OneIn(10)) {
    plan.backoff = Backoff::kConstant;
    plan.initial = absl::ZeroDuration();
  }
}

void PlanHooks(Random& random, TaskPlan& plan) {
  for (const Hook hook : {Hook::kSetup, Hook::kOnRestart, Hook::kOnError, Hook::kOnException,
                          Hook::kShouldRestart, Hook::kCleanup, Hook::kOnShutdown}) {
    if (random.OneIn(2)) plan.hooks |= Bit(hook);
  }
  plan.throws_percent = random.OneOf<uint64_t>({0, 0, 10, 50});
  plan.prevents_percent = random.OneOf<uint64_t>({0, 2, 20});
}

// From random numbers of its own, so that a seed means what it did before.
void PlanTimeouts(Random random, TaskPlan& plan) {
  if (!random.OneIn(3)) return;
  const absl::Duration least = absl::Microseconds(1);
  if (random.OneIn(2)) plan.heartbeat_timeout = random.Duration(plan.longest) + least;
  if (random.OneIn(2)) plan.run_timeout = random.Duration(plan.longest) + least;
  plan.on_stuck = random.OneOf(
      {OnStuck::kReport, OnStuck::kRestart, OnStuck::kRestart, OnStuck::kRestartOrGiveUp});
}

// The same.
void PlanWaits(Random random, absl::Duration longest, AttemptPlan& plan) {
  plan.gives = random.OneIn(6);
  plan.wants_descriptor = random.OneIn(8);
  using Leaves = AttemptPlan::Leaves;
  plan.leaves = random.OneOf({Leaves::kNothing, Leaves::kCallback, Leaves::kCallback,
                              Leaves::kThrowingCallback, Leaves::kEarly, Leaves::kLate});
  plan.awaits_gift = !random.OneIn(3);
  plan.patience = random.Duration(longest);
  if (random.OneIn(20)) plan.patience = -absl::Seconds(1);
  if (!random.OneIn(4)) return;
  plan.patience = absl::InfiniteDuration();
  plan.beats_every = absl::InfiniteDuration();  // or it would beat for as long as the world lasts
}

}  // namespace

const char* NameOf(Hook hook) {
  switch (hook) {
    case Hook::kNone:
      return "nothing";
    case Hook::kSetup:
      return "setup";
    case Hook::kOnRestart:
      return "on_restart";
    case Hook::kRun:
      return "run";
    case Hook::kOnError:
      return "on_error";
    case Hook::kOnException:
      return "on_exception";
    case Hook::kShouldRestart:
      return "should_restart";
    case Hook::kDelay:
      return "the backoff";
    case Hook::kCleanup:
      return "cleanup";
    case Hook::kOnShutdown:
      return "on_shutdown";
  }
  return "?";
}

TaskPlan TaskPlan::Make(uint64_t seed, uint64_t number) {
  Random random(seed, number, 1);
  TaskPlan plan{.number = number, .seed = random.Next()};
  switch (random.Below(4)) {
    case 0:
      plan.max_attempts = -1;
      plan.policy = RestartPolicy::Never();
      break;
    case 1:
      plan.max_attempts = random.Between(1, 5);
      plan.policy = RestartPolicy::MaxAttempts(plan.max_attempts);
      break;
    default:
      break;
  }
  plan.restart_on = random.OneIn(4) ? RestartOn::kAnyExit : RestartOn::kFailure;
  plan.retry_setup = random.OneIn(2);
  plan.stable_after = random.OneOf({absl::Seconds(60), absl::Seconds(1), absl::ZeroDuration(),
                                    absl::InfiniteDuration(), absl::Milliseconds(10)});
  if (random.OneIn(4)) plan.initial_delay = random.Duration(absl::Seconds(5));
  if (random.OneIn(2)) plan.stop_timeout = random.Duration(absl::Seconds(5));
  if (random.OneIn(20)) plan.stop_timeout = absl::InfiniteDuration();
  plan.registered = random.OneIn(3);
  PlanBackoff(random, plan);
  PlanHooks(random, plan);
  plan.succeeds_percent = random.OneOf<uint64_t>({0, 5, 30, 100});
  plan.longest = random.OneOf({absl::Milliseconds(1), absl::Seconds(1), absl::Seconds(20)});
  PlanTimeouts(Random(seed, number, 6), plan);
  plan.waits = Random(seed, number, 14).OneIn(2);
  if (WorldPlan::Make(seed).in_order) {
    plan.stop_order = Random(seed, number, 40).OneOf<int>({-5, 0, 0, 1, INT_MAX});
  }
  return plan;
}

AttemptPlan TaskPlan::Attempt(int64_t attempt) const {
  Random random(seed, static_cast<uint64_t>(attempt), 2);
  AttemptPlan plan;
  if (!random.Percent(succeeds_percent)) {
    plan.outcome = random.OneOf({Outcome::kError, Outcome::kError, Outcome::kError,
                                 Outcome::kException, Outcome::kException, Outcome::kError});
    if (random.OneIn(30)) {
      plan.outcome = random.OneOf({Outcome::kPermanentCode, Outcome::kPermanentError});
    }
  }
  plan.sleep = random.Duration(longest);
  // Time must pass in a task that may start again without a delay.
  const bool may_spin = backoff == Backoff::kCustom || initial <= absl::ZeroDuration();
  if (may_spin) plan.sleep = std::max(plan.sleep, absl::Microseconds(1));
  if (random.OneIn(6)) plan.deaf = random.Duration(longest);
  plan.marks_healthy = random.OneIn(8);
  plan.token = random.OneIn(4);
  using Deed = AttemptPlan::Deed;
  if (random.OneIn(6)) {
    plan.deed = random.OneOf({Deed::kSubmits, Deed::kSubmits, Deed::kOwns, Deed::kAsksWhatItMayNot,
                              Deed::kAsksWhatItMayNot, Deed::kStopsItself});
    if (random.OneIn(30)) plan.deed = Deed::kShutsDown;
  }
  Random beats(seed, static_cast<uint64_t>(attempt), 7);
  // Not a thousand times in an attempt.
  if (!beats.OneIn(3)) plan.beats_every = beats.Duration(longest) + longest / 100;
  if (waits) PlanWaits(Random(seed, static_cast<uint64_t>(attempt), 8), longest, plan);
  return plan;
}

HookPlan TaskPlan::OfHook(Hook hook, int64_t call) const {
  Random random(seed, static_cast<uint64_t>(call), 16 + static_cast<uint64_t>(hook));
  HookPlan plan{.throws = random.Percent(throws_percent)};
  if (random.OneIn(6)) plan.takes = random.Duration(longest);
  return plan;
}

bool TaskPlan::Permits(int64_t attempt) const {
  Random random(seed, static_cast<uint64_t>(attempt), 3);
  return !random.Percent(prevents_percent);
}

absl::Duration TaskPlan::CustomDelay(int64_t failures) const {
  Random random(seed, static_cast<uint64_t>(failures), 4);
  if (random.OneIn(12)) throw std::runtime_error("a delay");
  if (random.OneIn(20)) return absl::InfiniteDuration();
  if (random.OneIn(12)) return -absl::Seconds(1);
  return random.Duration(absl::Seconds(10));
}

// The definitions, term by term.
TaskPlan::Range TaskPlan::DelayAfter(int64_t failures) const {
  double seconds = absl::ToDoubleSeconds(initial);
  const double longest_seconds = absl::ToDoubleSeconds(max);
  double former = 0;
  for (int64_t i = 1; i < failures && seconds < longest_seconds; ++i) {
    switch (backoff) {
      case Backoff::kExponential:
        seconds *= multiplier;
        if (multiplier == 1) i = failures;
        break;
      case Backoff::kLinear:
        seconds = absl::ToDoubleSeconds(initial) +
                  absl::ToDoubleSeconds(step) * static_cast<double>(failures - 1);
        i = failures;
        break;
      case Backoff::kFibonacci: {
        const double sum = i == 1 ? seconds : seconds + former;
        former = seconds;
        seconds = sum;
        break;
      }
      case Backoff::kConstant:
      case Backoff::kCustom:
        i = failures;
        break;
    }
  }
  const bool has_max = backoff != Backoff::kConstant && backoff != Backoff::kCustom;
  if (has_max) seconds = std::min(seconds, longest_seconds);
  double high = seconds * (1 + jitter);
  if (has_max) high = std::min(high, longest_seconds);
  // Of the arithmetic in doubles here.
  constexpr double kTolerance = 1e-9;
  return {absl::Seconds(seconds * (1 - jitter) * (1 - kTolerance)),
          absl::Seconds(high * (1 + kTolerance)) + absl::Nanoseconds(2)};
}

BackoffStrategy TaskPlan::MakeBackoff() const {
  const auto with_jitter = [this](const BackoffStrategy& strategy) {
    return jitter > 0 ? strategy.WithJitter(jitter) : strategy;
  };
  switch (backoff) {
    case Backoff::kExponential:
      return with_jitter(BackoffStrategy::Exponential(initial, max, multiplier));
    case Backoff::kLinear:
      return with_jitter(BackoffStrategy::Linear(initial, step, max));
    case Backoff::kFibonacci:
      return with_jitter(BackoffStrategy::Fibonacci(initial, max));
    case Backoff::kConstant:
    case Backoff::kCustom:
      break;
  }
  return with_jitter(BackoffStrategy::Constant(initial));
}

WorldPlan WorldPlan::Make(uint64_t seed) {
  Random random(seed, 0, 5);
  WorldPlan plan{.seed = seed};
  plan.exact = random.OneIn(3);
  plan.max_concurrency = static_cast<int>(random.OneOf({1, 1, 2, 3, 8, 64}));
  plan.tasks = static_cast<int>(random.OneOf<int64_t>(
      {1, 2, random.Between(1, 8), random.Between(1, 30), random.Between(1, 30)}));
  if (random.OneIn(40)) plan.tasks = static_cast<int>(random.Between(500, 3000));
  plan.hosts = static_cast<int>(random.Between(1, 4));
  plan.shutdown_timeout = random.Duration(absl::Seconds(10));
  plan.listens = !random.OneIn(4);
  plan.listener_lags = random.OneIn(6);
  plan.threads_fail = random.OneIn(5);
  plan.allocations_fail = random.OneIn(5);
  plan.ends_by_shutdown = random.OneIn(2);
  plan.lasts = random.Duration(absl::Seconds(60)) + absl::Seconds(1);
  plan.in_order = Random(seed, 0, 41).OneIn(2);
  return plan;
}

}  // namespace foxtive::test
