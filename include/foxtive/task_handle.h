// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskHandle: the caller's end of a task.
//
// Lifetime: a cheap value; copies name the same task and compare equal. It may outlive the task and
// the Supervisor, and keeps what the task leaves behind: its name, its counts, its history and its
// result; also, once for all of them, what the tasks of a Supervisor share, such as its clock.
// Dropping it neither stops the task nor waits for it.
// Thread safety: all members of one handle may be called from any thread at once; assigning to it
// is a write, as for `std::shared_ptr`. Blocking: only `Wait` blocks. Errors: what a worker threw
// is in the result; no member throws it. A handle that was made by default or moved from names no
// task: `valid()` is false, `Wait` says `kFailedPrecondition`, and the others answer false, empty
// or 0; so does any handle in a child of fork (see supervisor.h), but for `valid`, `name` and `==`,
// and its futures stay as they were. `future`, `history` and whatever returns a string may throw
// `std::bad_alloc`.

#ifndef FOXTIVE_TASK_HANDLE_H_
#define FOXTIVE_TASK_HANDLE_H_

#include <cstdint>
#include <future>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/stack_trace.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_history.h"
#include "foxtive/task_info.h"

namespace foxtive {

namespace internal {
class TaskRecord;
}  // namespace internal

class TaskHandle {
 public:
  TaskHandle() = default;
  TaskHandle(const TaskHandle& other);
  TaskHandle(TaskHandle&& other) noexcept;
  TaskHandle& operator=(TaskHandle other) noexcept;
  ~TaskHandle();

  bool valid() const { return record_ != nullptr; }

  const std::string& name() const;
  TaskState state() const;   // kFinished if not valid
  int64_t attempts() const;  // calls of `run` so far, the current one included
  TaskInfo info() const;
  // How its attempts ended, also when it is over: the last ones, and what it has failed of.
  TaskHistory history() const;

  // The result as a standard future, for code that waits for futures already. It becomes ready when
  // the result is published, and never holds an exception. A wait on it from the task's own code
  // never ends, and cannot be refused as `Wait` can.
  std::shared_future<SupervisionResult> future() const;

  // The result if it is there.
  std::optional<SupervisionResult> TryResult() const;

  // Waits for the result. `kDeadlineExceeded` after `timeout` (0 or less: does not wait; infinite:
  // no limit), `kFailedPrecondition` from the task's own code if the result is not there. A worker
  // that waits for a task which waits for the only lane waits for ever: that is not recognised.
  absl::StatusOr<SupervisionResult> Wait(absl::Duration timeout = absl::InfiniteDuration()) const;

  // Has `callback` called once, with the result, as soon as it is there: on a thread of the library
  // that nothing else waits for; for hosts with an event loop, which wake it there (`eventfd`).
  // Several are called in any order, also at the same time. What it throws counts as a hook's. It
  // may not wait for the Supervisor, whose destructor waits for it, within its deadline (and for
  // 100 ms at least). If the Supervisor is gone, this call calls it. Else `kInvalidArgument`
  // (empty), `kFailedPrecondition` (not valid), `kResourceExhausted`: it is never called.
  absl::Status OnFinished(absl::AnyInvocable<void(const SupervisionResult& result)> callback) const;

  // Asks the task to stop. True for the one call that is the first to ask a task whose verdict is
  // not out yet: its result will be `kManuallyStopped`, or `kAbandoned`, whatever `run` returns.
  // False: somebody has asked before, or the verdict came first. If a stop races with the end of
  // the last attempt, exactly one of the two wins, and this answer says which.
  //
  // When this returns, `stop_requested()` is true and `SleepFor` returns. Then, on another thread
  // of the library, the callbacks of the stop token run, and `on_shutdown`. A task that runs
  // nothing ends at once: it waits for no delay and no lane. Never blocks.
  bool RequestStop() const;

  // Where the worker is right now, by a signal to its thread (`SupervisorOptions::stack_signal`):
  // for a worker that hangs, one that was abandoned included. It goes on as if nothing had been;
  // blocks for `timeout` at most.
  //
  // `kNotFound`: none of its code runs. `kUnavailable`: its thread has not answered, and why: it
  // blocks the signal, or is in a wait of the kernel that no signal ends, whose name is told.
  // `kAborted`: it went on to another task meanwhile. `kFailedPrecondition`: there is no such
  // signal, or this is simulated time, where tasks have no threads of their own.
  absl::StatusOr<StackTrace> CaptureStack(absl::Duration timeout = absl::Seconds(1)) const;

  friend bool operator==(const TaskHandle& a, const TaskHandle& b) {
    return a.record_ == b.record_;
  }

 private:
  friend class internal::TaskRecord;

  explicit TaskHandle(internal::TaskRecord* record) : record_(record) {}  // adopts a reference

  internal::TaskRecord* record_ = nullptr;
};

}  // namespace foxtive

#endif  // FOXTIVE_TASK_HANDLE_H_
