// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The seam between supervision and threads: an Executor runs jobs in the order in which they were
// pushed, as many at once as it may. LanePool is the one that has threads; a simulator puts its own
// behind this.

#ifndef FOXTIVE_LIB_SHELL_EXECUTOR_H_
#define FOXTIVE_LIB_SHELL_EXECUTOR_H_

#include <cstddef>
#include <cstdint>

#include "lib/shell/job.h"

namespace foxtive::internal {

class Executor {
 public:
  virtual ~Executor() = default;

  // For the monitor: makes sure that there is a thread. False: none can be had.
  virtual bool Start() = 0;

  // For the monitor, after `Start`: where threads are limited, waits until the first one is there,
  // or no longer than the deadline, in real time.
  virtual void AwaitFirst(int64_t real_deadline_nanos) = 0;

  // Runs `job` when there is room. Takes over a reference to it. False: it waits already, and will
  // run after this call, or it has been withdrawn before; the reference stays with the caller.
  // Never blocks, never fails. From any thread.
  virtual bool Push(Job& job) = 0;

  // True: `job` was waiting and is out of the queue; its reference is the caller's now. False: it
  // is running, or was not here; from now on it is never queued. From any thread.
  virtual bool Withdraw(Job& job) = 0;

  // Nobody waits any more for `job`: if it is running, its lane does not count against the limit
  // until it returns. False: as many as the limit are replaced in this way already, so it counts
  // until one of them returns. From any thread.
  virtual bool Abandon(Job& job) = 0;

  // The same, if it is still the run of that number; else nothing, and true.
  virtual bool AbandonRun(Job& job, uint32_t run_number) = 0;

  // For the monitor: from now on it is nudged when jobs wait because all lanes are held. Once: then
  // `is_crowded` is true until a LookAtQueue that finds nobody, and is allowed to `forget`.
  virtual void WatchQueue() = 0;
  virtual bool is_crowded() const = 0;
  struct Waiting {
    size_t jobs = 0;
    int64_t first_queued_at = Job::kNotWaiting;
  };
  virtual Waiting LookAtQueue(bool forget) = 0;

  // A hint for a job that asks itself whether it may go on: whether others wait. From any thread.
  virtual bool HasWaiting() const = 0;

  // For the monitor: sees to threads, and says when it wants to be called next without being asked,
  // in real time; Clock::kNever if it has no such wish.
  virtual int64_t Tend(int64_t real_now_nanos) = 0;

  // No job is pushed any more by anybody but running jobs; what is queued is still run if a lane is
  // there or comes back. `wait`: until all lanes that run nothing have left.
  virtual void Close(bool wait) = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_EXECUTOR_H_
