// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the files of TaskWatch share.

#ifndef FOXTIVE_TESTS_SIMULATOR_WATCH_PARTS_H_
#define FOXTIVE_TESTS_SIMULATOR_WATCH_PARTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/restart_policy.h"
#include "tests/simulator/plan.h"

namespace foxtive::test {

inline constexpr char kErrorText[] = "e";
inline constexpr char kExceptionText[] = "x";
inline constexpr int64_t kTickNanos = 1000;  // what the monitor counts in

inline int64_t Nanos(absl::Duration duration) { return absl::ToInt64Nanoseconds(duration); }

inline absl::Status ErrorOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kError:
      return absl::UnavailableError(kErrorText);
    case Outcome::kPermanentCode:
      return absl::DataLossError(kErrorText);
    case Outcome::kPermanentError:
      return PermanentError(absl::UnavailableError(kErrorText));
    case Outcome::kException:
    case Outcome::kSuccess:
      break;
  }
  return absl::OkStatus();
}

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_WATCH_PARTS_H_
