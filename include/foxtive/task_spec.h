// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskSpec: a worker and how it is to be supervised.
//
// Lifetime: handed over by value. `run` and the hooks, with everything that they captured, are
// destroyed when the task is over, before its result is published, on a thread of the library that
// runs user code; never on the one that decides. A spec that is refused is destroyed on the
// caller's thread. A task that is stuck when it is abandoned keeps its captures until it returns,
// even after the Supervisor is gone: such captures must be owned, not referenced. Thread safety:
// `run` and the hooks of one task never run at the same time, except `on_shutdown`, which may run
// beside `run` because its purpose is to unblock it. Blocking: `run` and the hooks may block as
// long as they like. Errors: checked by `Supervisor::Submit` and `Supervisor::Register`.
//
// Example:
//
//   foxtive::TaskSpec spec{.name = "orders",
//                          .run = [](std::stop_token stop) { return ConsumeOrders(stop); },
//                          .hooks = {.on_error = [](const absl::Status& error, int64_t attempt) {
//                            metrics.Count("orders.failed");
//                          }}};

#ifndef FOXTIVE_TASK_SPEC_H_
#define FOXTIVE_TASK_SPEC_H_

#include <cstdint>
#include <exception>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/restart_policy.h"
#include "foxtive/run_function.h"

namespace foxtive {

// Every hook is optional. A hook that throws is caught, counted (`TaskInfo::hook_failures`) and
// reported, and never stops supervision.
struct TaskHooks {
  // Before the first attempt, once for the task: what each attempt needs anew, such as a
  // connection, is for `run` or `on_restart`. A failure, or an exception, ends the task with
  // `kSetupFailed`; under `TaskSpec::retry_setup` it is backed off and tried again.
  absl::AnyInvocable<absl::Status()> setup{};

  // Once, when the task is over, if its `setup` had begun (without one: its first attempt).
  absl::AnyInvocable<void()> cleanup{};

  // Before attempt 2, 3, ...
  absl::AnyInvocable<void(int64_t attempt)> on_restart{};

  // After an attempt that returned an error; after one that threw. `what` is that of a
  // std::exception, else the name of the type.
  absl::AnyInvocable<void(const absl::Status& error, int64_t attempt)> on_error{};
  absl::AnyInvocable<void(const std::exception_ptr& exception, std::string_view what,
                          int64_t attempt)>
      on_exception{};

  // After each failure, before the policy is asked: false ends the task with `kRestartPrevented`.
  // Not asked once a stop was requested. One that throws counts as true.
  absl::AnyInvocable<bool(int64_t attempt, const absl::Status& error)> should_restart{};

  // Once, when a stop of a task that has begun its `setup` is asked for (of an attempt that hangs,
  // `TaskContext::OnStop` is told alone): close the socket, notify the condition variable, whatever
  // makes a blocked `run` return. Runs on another thread than `run`, beside it.
  absl::AnyInvocable<void()> on_shutdown{};
};

// What is done about an attempt that hangs: it has missed its heartbeat, or has lasted for longer
// than `run_timeout`. In each case there is an event first.
enum class OnStuck : uint8_t {
  // Nothing else.
  kReport,

  // The attempt, not the task, is asked to stop: `stop_requested()` is true, its waits end, its
  // stop callbacks are called; `on_shutdown` is not. When it returns it has failed, whatever it
  // returns, with kDeadlineExceeded and a message that says what it missed; the rest is as after
  // any failure. One that does not return within `stop_timeout` loses its lane, which another one
  // takes the place of (while no more than max_concurrency are lost), and the task waits for it as
  // long as it takes: a second attempt never runs beside the first.
  kRestart,

  // The same; but one that does not return within `stop_timeout` is given up: `kAbandoned`, as if
  // the task had been asked to stop.
  kRestartOrGiveUp,

  // The process ends by abort(), as by a watchdog, when the listener has been told, and after a
  // second at most: for programs that something else starts again.
  kAbort,
};

struct TaskSpec {
  // Required: unique among the unfinished tasks of a Supervisor, and without control characters.
  std::string name{};

  // Required.
  RunFunction run{};

  RestartPolicy restart_policy = RestartPolicy::Always();
  BackoffStrategy backoff = BackoffStrategy::Exponential();
  RestartOn restart_on = RestartOn::kFailure;

  // Errors that another attempt can't help. If `run` (or `setup` under `retry_setup`) returns one
  // of these codes, the task ends with `kRestartPrevented`, and `should_restart` is not asked.
  // Exceptions are not looked up here. For one occurrence there is `PermanentError`. Not kOk.
  std::set<absl::StatusCode> permanent_errors{};

  // Before `setup` and the first attempt, varied as `backoff` says (`BackoffStrategy::WithJitter`):
  // a thousand tasks need not all connect at once. Neither negative nor infinite.
  absl::Duration initial_delay = absl::ZeroDuration();

  // A `run` that lasts at least this long counts as healthy: it sets the count of consecutive
  // failures to 0, for the backoff and for `MaxAttempts`, however it ends; if it fails, that is
  // failure 1. 0: every run does; infinite: only `TaskContext::MarkHealthy` does. Not negative. Of
  // a run that hung and was asked to stop, the time until its last `Heartbeat` counts, so that
  // hangs are failures in a row however long it takes to see them.
  absl::Duration stable_after = absl::Seconds(60);

  // A failing `setup` is a failure like any other, which is backed off and tried again. So `setup`
  // must undo its own partial work.
  bool retry_setup = false;

  // How long `run` may go without `TaskContext::Heartbeat`, from its beginning on, before it is
  // taken for stuck; `setup` and hooks are not watched. Infinite: there is no such limit. More than
  // 0. A process that was suspended is not held to it: if the monitor wakes more than a second
  // late, all attempts count anew.
  absl::Duration heartbeat_timeout = absl::InfiniteDuration();

  // How long one call of `run` may last before it is taken for stuck. Infinite: as long as it
  // likes. More than 0.
  absl::Duration run_timeout = absl::InfiniteDuration();

  OnStuck on_stuck = OnStuck::kReport;

  // How long the task may take to end after a stop before it is abandoned; by default the
  // Supervisor's `shutdown_timeout`. 0: it is abandoned at once; infinite: never. Not negative.
  std::optional<absl::Duration> stop_timeout{};

  // When the Supervisor shuts down: tasks with a lower one are asked to stop first, the consumers
  // before the connection that they use. The others go on, restarts included, until those have
  // their results, or until those have had their part of the time: what is left of it, in equal
  // parts for each stop_order that has unfinished tasks. Who is not over then keeps the rest of the
  // time, and there is an event (`EventKind::kStageOverdue`). A `RequestStop` asks at once.
  int stop_order = 0;

  TaskHooks hooks{};
};

// For people: as it is written.
std::string ToString(OnStuck on_stuck);
std::ostream& operator<<(std::ostream& out, OnStuck on_stuck);
template <typename Sink>
void AbslStringify(Sink& sink, OnStuck on_stuck) {
  sink.Append(ToString(on_stuck));
}

}  // namespace foxtive

#endif  // FOXTIVE_TASK_SPEC_H_
