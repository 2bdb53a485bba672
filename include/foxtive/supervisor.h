// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Supervisor: keeps blocking workers running. It calls each of them on a lane, a thread of oneTBB
// that serves one attempt at a time, starts it again with a backoff when it fails or throws, and
// tells how it ended.
//
// Lifetime: tasks run until they are over, are stopped, or the Supervisor goes. The destructor is
// `Shutdown(shutdown_timeout)`, in real time, and never waits longer, but for 100 ms in which the
// listener and callbacks may be told of the end. If it runs in the code of one of its own tasks,
// that one is asked to stop and not waited for. Handles and results stay valid afterwards. The
// process can exit while a worker is stuck. Thread safety: every member may be called from any
// thread at once, also from workers and hooks; only the destructor must come last. Blocking: only
// `WaitAny`, `WaitAll`, `Shutdown` and the destructor block. Called from the code of one of its own
// tasks, where they would wait for themselves, the first three return `kFailedPrecondition`. User
// code never runs under a lock of the library nor on the thread that decides. Errors: bad input is
// `kInvalidArgument` (`kAlreadyExists` for a name in use) that names field and value, and changes
// nothing. After a shutdown began: `kFailedPrecondition`. No memory or no thread:
// `kResourceExhausted`. What returns a status never throws; `ListTasks` may throw `std::bad_alloc`.
// Durations as timeouts: 0 or less does not wait, infinite waits without limit.
//
// Fork: in a child of a process in which `Create` was ever called, whatever came of it, what
// returns a status says `kFailedPrecondition`, the rest false, empty or 0, and the destructor does
// nothing. Such a child may exec or exit; one that returns from the code of a task ends there by
// `_exit`, with 1 if that failed, else with 0. So create the first Supervisor after fork or daemon,
// and use oneTBB after them too: if it ran before, `Create` is refused in the child.
//
// Example:
//
//   foxtive::Supervisor supervisor;
//   absl::StatusOr<foxtive::TaskHandle> feed = supervisor.Submit(
//       {.name = "feed", .run = [](foxtive::TaskContext& context) { return ReadFeed(context); }});
//   ...
//   if (absl::Status status = supervisor.Shutdown(absl::Seconds(5)); !status.ok()) Log(status);

#ifndef FOXTIVE_SUPERVISOR_H_
#define FOXTIVE_SUPERVISOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/clock.h"
#include "foxtive/event_listener.h"
#include "foxtive/restart_policy.h"
#include "foxtive/run_function.h"
#include "foxtive/shutdown_report.h"
#include "foxtive/spawn.h"
#include "foxtive/supervised_task.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_context.h"
#include "foxtive/task_handle.h"
#include "foxtive/task_info.h"
#include "foxtive/task_spec.h"
#include "foxtive/version.h"

namespace foxtive {

namespace internal {
class Engine;
}  // namespace internal

struct SupervisorOptions {
  // How many attempts may run at once; more wait in order. A cap, not a reservation: threads appear
  // only as they are needed. At least 1.
  int max_concurrency = 256;

  // For the destructor, for `Shutdown()`, and for tasks without a `stop_timeout`. Not negative.
  absl::Duration shutdown_timeout = absl::Seconds(30);

  // If a task waits for a lane for longer than this while all are held, the listener is told once,
  // with who holds them (`EventKind::kStarving`); and again when it comes to that anew. Infinite:
  // never. Not negative.
  absl::Duration starvation_alarm = absl::Seconds(30);

  // What it is told of. Null: nobody is told anything.
  std::shared_ptr<EventListener> listener = StderrListener();

  // Null: the monotonic clock, `Clock` itself.
  std::shared_ptr<Clock> clock{};

  // Of the jitter: the same seed and the same order of tasks give the same delays. By default each
  // Supervisor has its own.
  std::optional<uint64_t> seed{};

  // The signal by which a worker is asked where it is, for `TaskHandle::CaptureStack` and for
  // events about workers that hang. 0: none, and there are no stacks. It has to be free (SIGURG,
  // SIGRTMIN + 5): the library handles it from now on, for good, with SA_RESTART, and lets it
  // through to its threads; workers may see EINTR where they are asked. All Supervisors of a
  // process that have one have the same.
  int stack_signal = 0;

  // How many attempts a task remembers, for `TaskHandle::history`: 0 to 1,000; causes from 2 on.
  int attempt_history = 8;
};

class Supervisor {
 public:
  // With default options. One that could not start returns the error of `Create` from every call.
  Supervisor();
  ~Supervisor();

  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // `kInvalidArgument` for bad options, `kResourceExhausted` without memory, or without the threads
  // to run one task. Where only oneTBB is limited, by a `tbb::global_control` of the program, tasks
  // wait until the limit goes. `kFailedPrecondition` in a child as above.
  static absl::StatusOr<std::unique_ptr<Supervisor>> Create(SupervisorOptions options);

  // The one that the process shares, with default options. The first call starts it; if that fails
  // it is tried again at the next. Never destroyed: the process exits with its tasks in it.
  static absl::StatusOr<Supervisor*> Default();

  // Starts the task now. It reports through its handle only, is not seen by `WaitAny` and
  // `WaitAll`, and is forgotten when it is over.
  absl::StatusOr<TaskHandle> Submit(TaskSpec spec);
  absl::StatusOr<TaskHandle> Submit(std::string name, RunFunction run);
  absl::StatusOr<TaskHandle> Submit(std::shared_ptr<SupervisedTask> task);

  // Registers the task, to be started by `StartAll` and waited for by `WaitAny` and `WaitAll`. Its
  // result is kept until one of these has handed it out: for tasks without end there is `Submit`.
  absl::StatusOr<TaskHandle> Register(TaskSpec spec);
  absl::StatusOr<TaskHandle> Register(std::string name, RunFunction run);
  absl::StatusOr<TaskHandle> Register(std::shared_ptr<SupervisedTask> task);

  // Registers all of them, in order, or none: the error says which one was refused ("specs[2]", or
  // its name). A `StartAll` at the same time sees all or none. See `Specs`.
  absl::StatusOr<std::vector<TaskHandle>> RegisterAll(std::vector<TaskSpec> specs);

  // Starts, in order, what has been registered since the last call.
  absl::Status StartAll();

  // The result of a registered task: each one is handed out once, in the order in which the tasks
  // ended; waits for the next one. Tasks that are not started are not waited for. `kOutOfRange` if
  // there is nothing left to wait for, `kDeadlineExceeded` after `timeout`.
  absl::StatusOr<SupervisionResult> WaitAny(absl::Duration timeout = absl::InfiniteDuration());

  // Waits until all registered tasks that were started are over, and returns the results that have
  // not been handed out yet, in the order of ending; maybe none. After an error nothing was handed
  // out.
  absl::StatusOr<std::vector<SupervisionResult>> WaitAll(
      absl::Duration timeout = absl::InfiniteDuration());

  // Refuses new tasks, asks all to stop, and waits until they are over, but no longer than
  // `timeout` (default: `shutdown_timeout`); a task whose `stop_timeout` ends before is abandoned
  // then. OK: all are over. `kDeadlineExceeded`: names every worker that has not returned, and for
  // how long; their results say `kAbandoned`. May be called again, and reports in the same way; of
  // several at once each returns by its own deadline, and the earliest abandons.
  absl::Status Shutdown();
  absl::Status Shutdown(absl::Duration timeout);

  // The same, and tells how each task took it, within the same time. If there is an error, it was
  // refused, or who is named has not returned: either way `report` is that of this call.
  absl::Status Shutdown(absl::Duration timeout, ShutdownReport& report);

  // The same without waiting: a task that has not ended after its `stop_timeout` is abandoned.
  // Never blocks, and may be called from a signal handler (with a clock of one's own: if its
  // `Unpark` may).
  void RequestShutdown() noexcept;

  // The newest task of this name, until it is over, or, if it was registered, until its result is
  // handed out; else `kNotFound`.
  absl::StatusOr<TaskHandle> Find(std::string_view name) const;

  // The tasks that have no result yet, in the order of their start or registration; each is a
  // snapshot of its own instant.
  std::vector<TaskInfo> ListTasks() const;

  // How many tasks are started and have no result yet.
  size_t task_count() const;

 private:
  friend absl::Status ShutdownOnSignal(Supervisor& supervisor, absl::Span<const int> signals);
  friend absl::StatusOr<std::vector<TaskHandle>> SpawnSupervisedMany(std::vector<TaskSpec> specs);

  explicit Supervisor(std::shared_ptr<internal::Engine> engine);

  // First of all in every call, before any lock.
  absl::Status CheckUsable() const;

  absl::Status ShutDown(absl::Duration timeout, ShutdownReport* report);

  absl::StatusOr<std::vector<TaskHandle>> AddAll(std::vector<TaskSpec> specs, bool start);

  std::shared_ptr<internal::Engine> engine_;  // null if it could not start
  absl::Status start_error_;
};

}  // namespace foxtive

#endif  // FOXTIVE_SUPERVISOR_H_
