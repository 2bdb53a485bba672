// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a lane passes on from step to step of an attempt; attempt.cc has the steps.

#ifndef FOXTIVE_LIB_SHELL_ATTEMPT_RESULT_H_
#define FOXTIVE_LIB_SHELL_ATTEMPT_RESULT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "lib/core/lifecycle.h"
#include "lib/shell/caught.h"

namespace foxtive::internal {

// How an attempt, or the setup before it, ended.
struct AttemptResult {
  AttemptEnd end = AttemptEnd::kNotRun;
  Failure failure{};
  bool healthy = false;
  bool interrupted = false;  // because it hung
  bool lane_lost = false;    // so long that its lane was replaced
  int64_t number = 0;        // for the hooks
  int64_t began_nanos = 0;
  int64_t ended_nanos = 0;  // where the delay begins

  bool failed() const { return end == AttemptEnd::kFailed || end == AttemptEnd::kSetupFailed; }
};

// What is to follow from one, unless a stop comes first.
struct Decision {
  int64_t failures = 0;  // in a row
  bool counted = false;  // the record has the attempt already
  Verdict verdict{};
  absl::Duration delay{};
  bool give_way = false;
};

// What a record has replaced: it may be the user's, and is destroyed after the lock.
struct Replaced : Failure {
  absl::Status cause;
};

// What a record keeps of the attempt that ended last, for its history; its status is `last_error`.
struct LastAttempt {
  int64_t began_nanos = 0;
  int64_t ended_nanos = Clock::kNever;  // there is none
  uint8_t row = 0;                      // of the verdict; 0: it is being asked for
  bool final = false;                   // the verdict
  bool waits = false;                   // a delay follows it, until `next_attempt_nanos_`
  bool in_setup = false;
  bool is_current = false;  // no attempt has begun since

  bool exists() const { return ended_nanos != Clock::kNever; }
};

enum class Follow : uint8_t {
  kRun,       // the next attempt, which has begun
  kAgain,     // the same, which has not
  kGivesWay,  // the same, behind what waits in the queue
  kBackOff,   // the same, later: the task is the monitor's
  kWindDown,  // none, and the lane winds the task down
  kLetGo,     // none, and somebody else does
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_ATTEMPT_RESULT_H_
