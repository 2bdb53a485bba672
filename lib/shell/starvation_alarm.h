// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StarvationAlarm: tells the listener that a task has waited for a lane for too long, and who holds
// the lanes.
//
//   lane pool: jobs wait, and all lanes are held ─ nudge ─▶ monitor: Look
//      the first one waits since t ─▶ look again at t + starvation_alarm ─▶ still waits: one event
//      nobody waits any more ─▶ look once more after starvation_alarm; then only when nudged
//
// An alarm ends when nobody has waited for so long; the next one is told again.
//
// Owned by the monitor, and used by its thread alone. Allocates to look around, and tells less if
// it can't.

#ifndef FOXTIVE_LIB_SHELL_STARVATION_ALARM_H_
#define FOXTIVE_LIB_SHELL_STARVATION_ALARM_H_

#include <cstdint>

#include "foxtive/clock.h"

namespace foxtive::internal {

class Engine;

class StarvationAlarm {
 public:
  // REQUIRES: `engine` outlives this.
  explicit StarvationAlarm(Engine& engine);

  // When it wants to be called next without being nudged, on the Supervisor's clock; kNever if it
  // has no such wish. Any number of calls before that change nothing.
  int64_t Look();

 private:
  void Tell(int64_t waiting_for_nanos, size_t waiting);

  Engine& engine_;
  int64_t look_at_ = Clock::kNever;  // kNever: no crowd is known
  bool told_ = false;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_STARVATION_ALARM_H_
