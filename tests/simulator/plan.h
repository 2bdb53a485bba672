// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a seed means: a world, its tasks, and what each of them does in each of its attempts.
// Nothing here has happened yet, and nothing depends on what happens.

#ifndef FOXTIVE_TESTS_SIMULATOR_PLAN_H_
#define FOXTIVE_TESTS_SIMULATOR_PLAN_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/restart_policy.h"
#include "foxtive/task_spec.h"
#include "tests/support/random.h"

namespace foxtive::test {

enum class Hook : uint8_t {
  kNone,
  kSetup,
  kOnRestart,
  kRun,
  kOnError,
  kOnException,
  kShouldRestart,
  kDelay,  // of a Custom strategy
  kCleanup,
  kOnShutdown,
};
const char* NameOf(Hook hook);

enum class Outcome : uint8_t { kSuccess, kError, kPermanentCode, kPermanentError, kException };

// One call of `run`.
struct AttemptPlan {
  Outcome outcome = Outcome::kSuccess;
  absl::Duration sleep{};  // by SleepFor: a stop ends it
  absl::Duration deaf{};   // then it waits for this long, whatever happens
  bool marks_healthy = false;
  bool token = false;                                     // uses stop_token with a callback
  absl::Duration beats_every = absl::InfiniteDuration();  // while it waits
  // Then for a gift, for so long.
  bool awaits_gift = false;
  absl::Duration patience{};
  bool gives = false;
  bool wants_descriptor = false;
  // What it leaves with OnStop: until its end, or before its waits only, or after them.
  enum class Leaves : uint8_t { kNothing, kCallback, kThrowingCallback, kEarly, kLate };
  Leaves leaves = Leaves::kNothing;
  enum class Deed : uint8_t { kNone, kStopsItself, kSubmits, kOwns, kShutsDown, kAsksWhatItMayNot };
  Deed deed = Deed::kNone;
};

struct HookPlan {
  bool throws = false;
  absl::Duration takes{};
};

struct TaskPlan {
  static constexpr int kStopOrders = 4;

  uint64_t number = 0;
  uint64_t seed = 0;
  RestartPolicy policy = RestartPolicy::Always();
  int64_t max_attempts = 0;  // 0: Always; -1: Never
  RestartOn restart_on = RestartOn::kFailure;
  bool retry_setup = false;
  absl::Duration stable_after{};
  absl::Duration initial_delay{};
  absl::Duration heartbeat_timeout = absl::InfiniteDuration();
  absl::Duration run_timeout = absl::InfiniteDuration();
  OnStuck on_stuck = OnStuck::kReport;
  std::optional<absl::Duration> stop_timeout{};
  int stop_order = 0;
  bool registered = false;

  enum class Backoff : uint8_t { kConstant, kExponential, kLinear, kFibonacci, kCustom };
  Backoff backoff = Backoff::kConstant;
  absl::Duration initial{};
  absl::Duration step{};  // the increment, of kLinear
  absl::Duration max{};
  double multiplier = 2;
  double jitter = 0;

  uint64_t succeeds_percent = 0;
  uint64_t hooks = 0;  // a bit for each Hook that is there
  uint64_t throws_percent = 0;
  uint64_t prevents_percent = 0;
  absl::Duration longest{};  // of what it does
  bool waits = false;        // some of its attempts

  static TaskPlan Make(uint64_t seed, uint64_t number);
  AttemptPlan Attempt(int64_t attempt) const;
  bool Has(Hook hook) const { return (hooks & (uint64_t{1} << static_cast<int>(hook))) != 0; }
  HookPlan OfHook(Hook hook, int64_t call) const;
  bool Permits(int64_t attempt) const;
  // Of kCustom; may be negative, infinite, or throw.
  absl::Duration CustomDelay(int64_t failures) const;

  // The range of the delay after so many failures, computed in another way than the library does.
  struct Range {
    absl::Duration low;
    absl::Duration high;
  };
  Range DelayAfter(int64_t failures) const;
  BackoffStrategy MakeBackoff() const;
};

struct WorldPlan {
  uint64_t seed = 0;
  bool exact = false;  // nobody is left but where he waits, and no time passes by itself
  int max_concurrency = 1;
  int tasks = 1;
  int hosts = 1;
  absl::Duration shutdown_timeout{};
  bool in_order = false;  // its tasks may have a stop_order
  bool listens = false;
  bool listener_lags = false;
  bool threads_fail = false;
  bool allocations_fail = false;
  bool ends_by_shutdown = false;
  absl::Duration lasts{};

  static WorldPlan Make(uint64_t seed);
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_PLAN_H_
