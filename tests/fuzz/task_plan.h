// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the bytes say about one task: how it is to be supervised, good or bad, and what its worker
// and its hooks do.

#ifndef FOXTIVE_TESTS_FUZZ_TASK_PLAN_H_
#define FOXTIVE_TESTS_FUZZ_TASK_PLAN_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/restart_policy.h"
#include "foxtive/task_spec.h"
#include "tests/fuzz/arbitrary.h"
#include "tests/fuzz/input.h"

namespace foxtive::test {

// A number for each, and the place of its bit.
enum class Hook : uint8_t {
  kSetup,
  kCleanup,
  kOnRestart,
  kOnError,
  kOnException,
  kShouldRestart,
  kOnShutdown,
  kRun,
  kNone,
};
const char* NameOf(Hook hook);

enum class Outcome : uint8_t {
  kSuccess,
  kError,
  kException,
  kPermanentCode,
  kPermanentError,
  kStrangeException,
};

// What a worker does beside its work.
enum class Deed : uint8_t {
  kNone,
  kStopItself,
  kSubmit,
  kAskWhatItMayNot,
  kLookAround,
  kRequestShutdown,
};

struct AttemptPlan {
  Outcome outcome = Outcome::kSuccess;
  absl::Duration sleep{};  // by SleepFor: a stop ends it
  absl::Duration deaf{};   // then it waits for so long, whatever happens
  Deed deed = Deed::kNone;
  bool marks_healthy = false;
  bool uses_token = false;
  bool beats = false;  // after its sleep
};

struct TaskPlan {
  // After so many attempts a worker gives up for good: a task without a delay would go on for ever.
  static constexpr int64_t kMostAttempts = 30;

  std::string name{};
  bool has_run = true;
  AnyPolicy policy{};
  AnyBackoff backoff{};
  RestartOn restart_on = RestartOn::kFailure;
  std::set<absl::StatusCode> permanent_errors{absl::StatusCode::kDataLoss};
  absl::Duration initial_delay{};
  absl::Duration stable_after = absl::Seconds(60);
  bool retry_setup = false;
  absl::Duration heartbeat_timeout = absl::InfiniteDuration();
  absl::Duration run_timeout = absl::InfiniteDuration();
  OnStuck on_stuck = OnStuck::kReport;
  std::optional<absl::Duration> stop_timeout{};
  int stop_order = 0;

  uint8_t hooks = 0;   // a bit for each that is there
  uint8_t throws = 0;  // a bit for each that throws
  uint8_t slow = 0;    // a bit for each that takes `hook_takes`
  absl::Duration hook_takes{};
  int64_t setup_failures = 0;           // its first calls, before one that works
  std::optional<int64_t> prevented_at;  // the attempt after which should_restart says no
  std::vector<AttemptPlan> attempts{AttemptPlan{}};  // the last one again and again

  // The field for which it is to be refused; empty: none.
  std::string refused{};

  bool Has(Hook hook) const { return (hooks & Bit(hook)) != 0; }
  bool Throws(Hook hook) const { return (throws & Bit(hook)) != 0; }
  absl::Duration Takes(Hook hook) const {
    return (slow & Bit(hook)) != 0 ? hook_takes : absl::ZeroDuration();
  }
  AttemptPlan Attempt(int64_t number) const;

  static TaskPlan Make(Input& input);

 private:
  static int Bit(Hook hook) { return 1 << static_cast<int>(hook); }
};

// Few good ones, so that they meet; and some that are not.
std::string MakeName(Input& input);

// One that a worker submits: it succeeds at its second attempt.
TaskPlan PlanOfChild(const std::string& name);

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_FUZZ_TASK_PLAN_H_
