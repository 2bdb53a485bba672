// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ShutdownReport: how each task took its stop. `Supervisor::Shutdown` fills it.
//
// Lifetime: a value. Thread safety: as `std::vector`. Blocking: none. Errors: copying and printing
// may throw `std::bad_alloc`.

#ifndef FOXTIVE_SHUTDOWN_REPORT_H_
#define FOXTIVE_SHUTDOWN_REPORT_H_

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_info.h"

namespace foxtive {

struct ShutdownReport {
  struct Task {
    // At the end of `Shutdown`. `kOverdue`: it is stuck, and `phase` and `stack` say where; the
    // stack is taken before the time is up, if there is a `SupervisorOptions::stack_signal`.
    TaskInfo info{};
    SupervisionStatus final_status = SupervisionStatus::kManuallyStopped;
    // From when it was asked to stop until it was over, or until now. 0: it ended without.
    absl::Duration since_stop{};
    int stop_order = 0;

    bool stuck() const { return info.state == TaskState::kOverdue; }
  };

  // Those that were not over when `Shutdown` was called, and those that had been abandoned before
  // and have not returned. The stuck come first, then whoever took longest.
  std::vector<Task> tasks{};
  size_t not_listed = 0;  // for which there was no memory
  absl::Duration timeout{};
  absl::Duration took{};
};

// For people: a line in all, one for each task, and one for each frame of the stuck.
//
//   shutdown took 5s of 5s: 1 of 3 tasks is stuck
//   stuck, asked to stop 5s ago: 'feed': kOverdue for 12us in kRun; 3 attempts, 0 failures in a
//   row, ...
//     #0 poll (/lib/x86_64-linux-gnu/libc.so.6+0x10a1f0)
//   over after 1.2s: kManuallyStopped, 'pump': kFinished for 3.8s; 1 attempt, ...
std::string ToString(const ShutdownReport& report);
std::ostream& operator<<(std::ostream& out, const ShutdownReport& report);
template <typename Sink>
void AbslStringify(Sink& sink, const ShutdownReport& report) {
  sink.Append(ToString(report));
}

}  // namespace foxtive

#endif  // FOXTIVE_SHUTDOWN_REPORT_H_
