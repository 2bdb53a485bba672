// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskHistory: how the last attempts of a task ended, and what it has failed of. For the morning
// after: `TaskHandle::history` tells it also when the task is over.
//
// Lifetime: a value. Thread safety: as `std::vector`. Blocking: none. Errors: copying and printing
// may throw `std::bad_alloc`.

#ifndef FOXTIVE_TASK_HISTORY_H_
#define FOXTIVE_TASK_HISTORY_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace foxtive {

struct TaskHistory {
  // One that has ended; also a failed `setup`. Not one that was abandoned with its task.
  struct Attempt {
    int64_t number = 0;  // of a `setup`: of the attempt that would have followed
    bool in_setup = false;
    // By the wall clock as it is set now: what was measured is how long ago that was.
    absl::Time started{};
    absl::Duration duration{};
    absl::Status status{};         // OK: it did not fail
    std::string exception_type{};  // if it threw
    // What was decided then. Infinite: no attempt was to follow by itself.
    absl::Duration delay{};
    std::string reason{};  // the row of the verdict; empty while that is being asked for
  };

  // Failures with the same code, and the same message but for numbers and addresses: digits, 0x1f,
  // hexadecimal words of eight digits and more.
  struct Cause {
    std::string text{};  // the code and the message, with '#' for each of those
    int64_t count = 0;
    absl::Time first{};
    absl::Time last{};
  };

  std::string task_name{};
  // The last ones, `SupervisorOptions::attempt_history` at most, in their order.
  std::vector<Attempt> attempts{};
  // Of all attempts (see `SupervisorOptions::attempt_history`), the most frequent first, then the
  // one that came first. Four are counted at a time; the rarest one gives way to a new one, and
  // what it had counted is in `other_failures`.
  std::vector<Cause> causes{};
  int64_t other_failures = 0;
};

// For people, in UTC: a line for each cause and each attempt.
//
//   'feed' failed 412 times, first 2026-12-01 03:12:07.101, last 2026-12-01 03:31:40.007:
//   UNAVAILABLE: no route to # (code #)
//   attempt 411 began 2026-12-01 03:31:38.002 and took 1.2s: UNAVAILABLE: no route to 7 (code 17);
//   next in 500ms: the policy allows a restart (verdict row 8)
std::string ToString(const TaskHistory& history);
std::ostream& operator<<(std::ostream& out, const TaskHistory& history);
template <typename Sink>
void AbslStringify(Sink& sink, const TaskHistory& history) {
  sink.Append(ToString(history));
}

}  // namespace foxtive

#endif  // FOXTIVE_TASK_HISTORY_H_
