// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Fate: what will become of a task of the stress test, all of it from a seed and a number: how it
// may be restarted, and how each of its attempts ends. The worker follows it, and the checker knows
// it.

#ifndef FOXTIVE_TESTS_STRESS_FATE_H_
#define FOXTIVE_TESTS_STRESS_FATE_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "foxtive/supervision_result.h"

namespace foxtive::test {

enum class Outcome : uint8_t { kOk, kError, kPermanentError, kException };

// What `run` does before it ends.
enum class Conduct : uint8_t {
  kNothing,
  kYields,
  kNaps,              // SleepFor, shortly
  kWaits,             // SleepFor, until it is stopped
  kAwaitsDescriptor,  // WaitReadable, for its patience
  kAwaitsCondition,   // Wait, the same
  kAwaitsCallback,    // what it has left with OnStop: nothing else ends it
  kIsDeaf,            // until the test lets it go, whatever it is asked to
  kStops,             // asks for the end of some task, maybe its own
  kSubmits,           // another task
};

struct Fate {
  // From then on a task only waits for its stop, so that the log has an end.
  static constexpr int64_t kMostAttempts = 40;
  static constexpr int64_t kMostSetups = 10;

  uint64_t seed = 0;
  int32_t number = 0;
  // -1: Always; 0: Never; else MaxAttempts.
  int64_t limit = -1;
  bool any_exit = false;
  bool has_setup = false;
  bool retries_setup = false;
  bool has_hooks = false;
  bool hooks_throw = false;
  // Has a heartbeat_timeout that even those that do not hang may miss: so all its attempts fail,
  // whether they are asked to stop or not.
  bool watched = false;
  absl::Duration delay{};
  absl::Duration initial_delay{};
  absl::Duration stop_timeout{};
  int stop_order = 0;
  std::string name{};

  static Fate Make(uint64_t seed, int32_t number);

  Outcome OutcomeOf(int64_t attempt) const;
  Conduct ConductOf(int64_t attempt) const;
  // How long it waits at most; infinite: until something comes, or its stop.
  absl::Duration PatienceOf(int64_t attempt) const;
  // Whether it leaves a callback with OnStop while it does that.
  bool LeavesCallback(int64_t attempt) const;
  // `times`: how often setup was called, this one included.
  Outcome SetupOutcome(int64_t times) const;
  bool MayRestart(int64_t attempt) const;
  // With a name of its own, so that it is not refused.
  bool IsDeafAtOnce() const;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_STRESS_FATE_H_
