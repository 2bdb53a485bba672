// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a lane passes on from step to step of an attempt; attempt.cc has the steps.

#ifndef FOXTIVE_LIB_SHELL_ATTEMPT_RESULT_H_
#define FOXTIVE_LIB_SHELL_ATTEMPT_RESULT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "lib/core/lifecycle.h"
#include "lib/shell/caught.h"

namespace foxtive::internal {

// How an attempt, or the setup before it, ended.
struct AttemptResult {
  AttemptEnd end = AttemptEnd::kNotRun;
  Failure failure{};
  bool healthy = false;
  bool interrupted = false;  // because it hung
  int64_t lived_nanos = 0;   // how long it took; if it hung: until its last sign of life
  bool lane_lost = false;    // so long that its lane was replaced
  int64_t number = 0;        // for the hooks
  int64_t began_nanos = 0;
  int64_t ended_nanos = 0;  // where the delay begins

  bool failed() const { return end == AttemptEnd::kFailed || end == AttemptEnd::kSetupFailed; }
};

// What is to follow from one, unless a stop comes first.
struct Decision {
  int64_t failures = 0;  // in a row
  bool same = false;     // its status is that of the failure before it, and not a copy
  bool alike = false;    // it fails like that one
  bool counted = false;  // the record has the attempt already
  Verdict verdict{};
  absl::Duration delay{};
  bool give_way = false;
};

// What a record has replaced: it may be the user's, and is destroyed after the lock.
struct Replaced : Failure {
  absl::Status cause;
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
