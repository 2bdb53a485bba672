// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskContext: what a running attempt sees of its supervision.
//
// Lifetime: valid while the call of `run` that received it lasts. The stop token that it hands out
// stays valid for ever.
// Thread safety: all members may be called from any thread while `run` has not returned.
// Blocking: only `SleepFor` blocks, on the Supervisor's clock.
// Errors: `stop_token` can throw `std::bad_alloc` the first time it is called in a task.
//
// Fork: in a child the context answers false, and its stop token is empty; see supervisor.h.
//
// Example: a worker that works every five seconds, and returns at once when it is asked to stop.
//
//   absl::Status Poll(foxtive::TaskContext& context) {
//     while (context.SleepFor(absl::Seconds(5))) {
//       if (absl::Status status = FetchOnce(); !status.ok()) return status;
//       context.MarkHealthy();
//     }
//     return absl::OkStatus();
//   }

#ifndef FOXTIVE_TASK_CONTEXT_H_
#define FOXTIVE_TASK_CONTEXT_H_

// Here, because whatever starts a task leads here before compilers find fault with anything else.
#if __cplusplus < 202002L
#error "Foxtive Supervisor needs C++20: compile with -std=c++20 or newer"
#endif

#include <cstdint>
#include <stop_token>
#include <string_view>

#include "absl/time/time.h"

namespace foxtive {

namespace internal {
class TaskRecord;
}  // namespace internal

class TaskContext {
 public:
  TaskContext(const TaskContext&) = delete;
  TaskContext& operator=(const TaskContext&) = delete;

  std::string_view name() const;

  // The number of this attempt, counted from 1 over the whole life of the task.
  int64_t attempt() const { return attempt_; }

  // Fires when the task is asked to stop. Callbacks that are registered on it then run on a thread
  // of the library, never on the one that asked for the stop. The token is made by the first call
  // and is the same for all attempts.
  std::stop_token stop_token() const;

  // True from the moment the task is asked to stop: the same fact without a token, and cheaper.
  bool stop_requested() const;

  // Waits for `duration`. True: it has passed. False: a stop cut the wait short, or had come
  // before. 0 or less does not wait; infinite waits for the stop.
  bool SleepFor(absl::Duration duration) const;

  // Says that this attempt has done real work: what failed before no longer counts for the backoff
  // and for `MaxAttempts`, and if this attempt fails, that is failure 1. For workers that know
  // better than the clock of `TaskSpec::stable_after`.
  void MarkHealthy() const;

 private:
  friend class internal::TaskRecord;

  TaskContext(internal::TaskRecord& record, int64_t attempt) : record_(record), attempt_(attempt) {}

  internal::TaskRecord& record_;
  const int64_t attempt_;
};

}  // namespace foxtive

#endif  // FOXTIVE_TASK_CONTEXT_H_
