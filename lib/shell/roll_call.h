// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RollCall: what becomes of the tasks of a Supervisor while it shuts down, for a ShutdownReport.
//
//   Begin: who is there ─▶ AskWhere, before the time is up: where those are who have not ended
//                       ─▶ Fill: how each has ended
//
// Belongs to one call of Shutdown. It keeps references to the records; so what the last one of them
// takes with it is destroyed by whoever calls Shutdown, as with a handle.

#ifndef FOXTIVE_LIB_SHELL_ROLL_CALL_H_
#define FOXTIVE_LIB_SHELL_ROLL_CALL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "foxtive/shutdown_report.h"

namespace foxtive::internal {

class Engine;
class TaskRecord;

class RollCall {
 public:
  explicit RollCall(Engine& engine) : engine_(engine) {}
  ~RollCall();
  RollCall(const RollCall&) = delete;
  RollCall& operator=(const RollCall&) = delete;

  // Whoever comes later is refused, all others are in the list. RequestShutdown is to follow.
  void Begin(absl::Duration timeout);
  // How long AskWhere may block, in real time, so that it is to be called so long before the end.
  int64_t time_to_ask_nanos() const;
  void AskWhere();
  void Fill(ShutdownReport& report) const;

 private:
  Engine& engine_;
  std::vector<TaskRecord*> records_;
  size_t not_listed_ = 0;
  int64_t began_nanos_ = 0;
  absl::Duration timeout_{};
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_ROLL_CALL_H_
