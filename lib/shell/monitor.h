// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Monitor: the one thread of a Supervisor that owns its timers and sees to what tasks have left to
// be done in their records.
//
//   loop: look at every posted task: arm or cancel its timer, push it, push its service job
//         timers that are due: push the task, or abandon it
//         lanes: launch, raise, retire
//         park until the next deadline, a post or a nudge
//
// There is no tick and no polling: what can change is posted, what comes by itself has a deadline.
// The wheel counts microseconds; deadlines are rounded up, so nothing comes early.
//
// It leaves when it is told to and nothing is posted any more; then it closes the executors, whose
// lanes leave as soon as their queues are empty. It runs no user code, and drops no last reference.
// With a clock of the user's, a second thread wakes it for what is due in real time.

#ifndef FOXTIVE_LIB_SHELL_MONITOR_H_
#define FOXTIVE_LIB_SHELL_MONITOR_H_

#include <memory>

#include "absl/status/status.h"
#include "foxtive/clock.h"
#include "lib/shell/engine_ref.h"

namespace foxtive::internal {

class Engine;

// How the thread that creates the monitor learns whether it could start.
class MonitorStart {
 public:
  explicit MonitorStart(Clock& real_clock) : real_clock_(real_clock) {}

  absl::Status Await();
  void Set(absl::Status status);

 private:
  Clock& real_clock_;
  Clock::Parker parker_;
  absl::Status status_;
};

// The whole life of the monitor, on its own thread. `start` is not touched after it is set.
void RunMonitor(EngineRef engine, MonitorStart& start);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_MONITOR_H_
