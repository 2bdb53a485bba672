// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Inbox: how everybody tells the monitor to look at a task. It carries no message: what there is to
// do stands in the record, so a task that is posted again before the monitor has looked is posted
// once.
//
//   any thread: change the record, then Post ──▶ stack of records ──▶ monitor: TakeAll, look at
//   each
//
// A Treiber stack (1986) that is taken as a whole and turned around, so there is no ABA. A posted
// record is owned by the stack (one reference). Posting never blocks and allocates nothing. When
// the monitor is gone the inbox is closed and posts change nothing.
//
// Thread safety: Post and Nudge any thread, the rest the monitor's.

#ifndef FOXTIVE_LIB_SHELL_INBOX_H_
#define FOXTIVE_LIB_SHELL_INBOX_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "foxtive/clock.h"

namespace foxtive::internal {

class TaskRecord;

class Inbox {
 public:
  explicit Inbox(std::shared_ptr<Clock> clock) : clock_(std::move(clock)) {}

  void Post(TaskRecord& record);

  // Makes the monitor look around. Safe in signal handlers, as far as the clock's Unpark is.
  void Nudge() noexcept { clock_->Unpark(parker_); }

  // Until somebody posts or nudges, or the deadline.
  void Wait(int64_t deadline_nanos) { clock_->Park(parker_, deadline_nanos); }

  // The posted records in order, linked by Next; the caller gets a reference to each.
  TaskRecord* TakeAll() { return Reversed(head_.exchange(nullptr)); }

  // The same for the last time.
  TaskRecord* Close();

  // The next one of the list. From now on `record` may be posted anew.
  static TaskRecord* Next(TaskRecord& record);

 private:
  static TaskRecord* Reversed(TaskRecord* head);

  const std::shared_ptr<Clock> clock_;
  Clock::Parker parker_;
  std::atomic<TaskRecord*> head_{nullptr};
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_INBOX_H_
