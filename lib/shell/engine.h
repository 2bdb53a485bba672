// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Engine: the parts of one Supervisor, and its beginning and end.
//
//   Supervisor ──▶ Engine ── table     who is there, under which name
//   TaskRecord ──▶        ── lanes     where attempts run
//   monitor ─────▶        ── services  where other user code runs: stop callbacks, on_shutdown, the
//                                      end of tasks that no lane holds
//                         ── inbox     which tasks the monitor has to look at
//                         ── events    what the listener is to be told, and when it has been
//                         ── clock
//
// Kept by the Supervisor, by every record through its settings, and by the monitor thread, so that
// a handle, or a worker that is stuck, may outlive the Supervisor. Counted in itself: EngineRef.
//
// The end: nothing is taken up any more; the tasks are asked to stop, in stages (stop_stages.h);
// whoever waits for the results abandons what is left; then the events are delivered, the monitor
// leaves, then the lanes. A stage that is over is left by whoever finds it so; one that is not,
// when it has had its part of the time, by each that counts it: a Shutdown, the destructor, and the
// monitor where nobody waits. If the Supervisor is destroyed by the code of one
// of its own tasks, that task is asked to stop and not waited for; nobody joins the monitor or
// waits for lanes then, and they leave by themselves.
//
// Thread safety: any thread. Locks: the table's; the monitor's handle belongs to Create and Stop.

#ifndef FOXTIVE_LIB_SHELL_ENGINE_H_
#define FOXTIVE_LIB_SHELL_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "foxtive/supervisor.h"
#include "lib/shell/engine_ref.h"
#include "lib/shell/event_queue.h"
#include "lib/shell/executor.h"
#include "lib/shell/finished_call.h"
#include "lib/shell/inbox.h"
#include "lib/shell/stop_stages.h"
#include "lib/shell/system.h"
#include "lib/shell/task_settings.h"
#include "lib/shell/task_table.h"

namespace foxtive::internal {

class RollCall;

class Engine {
 public:
  // Starts the monitor, a service lane and a lane, so that one task can run. `kResourceExhausted`
  // if there is no thread for them, `kFailedPrecondition` in a child of a process that had used
  // the library. A limit of oneTBB's may go, and so is no reason to refuse: the
  // lanes wait for it then, and tasks for the lanes. REQUIRES: valid options.
  static absl::StatusOr<std::shared_ptr<Engine>> Create(const SupervisorOptions& options);

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes up new records, all or none, and starts them or not.
  absl::Status Add(std::span<TaskRecord* const> records, bool start);
  absl::Status StartAll();

  // Nobody waits: the monitor sees to the stages.
  void RequestShutdown() noexcept;
  // Nothing is taken up any more, and nobody is told yet.
  void RefuseTasks() noexcept { shutdown_requested_ = true; }
  // The same; if that had been asked for already, it is cut short. Like it, for signal handlers.
  void ShutdownBySignal() noexcept;
  bool cut_short() const noexcept { return cut_short_.load(); }
  // `roll`: what goes into the report, unless it is null.
  absl::Status Shutdown(absl::Duration timeout, RollCall* roll);
  // What ~Supervisor does.
  void Stop();

  // --- For the monitor.
  bool StartExecutors();  // false: not even one lane of each can be had
  bool shutdown_requested() const { return shutdown_requested_.load(); }
  bool leaving() const { return leaving_.load(); }
  // Asks all tasks to stop whose turn it is. If the shutdown is cut short, that is all, and those
  // that are not over are abandoned.
  void StopAll();
  // The same, where nobody waits. When to be called again.
  int64_t TendStages();
  // Drops a reference without running user code here: if it is the last one a service lane does it.
  void UnrefElsewhere(TaskRecord& record);

  TaskTable& table() { return table_; }
  Inbox& inbox() { return *inbox_; }
  Executor& lanes() { return *lanes_; }
  Executor& services() { return *services_; }
  EventQueue& events() { return events_; }
  FinishedCalls& finished_calls() { return finished_calls_; }
  Clock& clock() const { return *clock_; }
  // Never stands still with a clock of the user's.
  Clock& real_clock() const { return real_clock_; }
  System& system() const { return *system_; }
  bool has_real_clock() const { return has_real_clock_; }
  SettingsPool& settings() { return settings_; }
  uint64_t seed() const { return seed_; }
  absl::Duration shutdown_timeout() const { return shutdown_timeout_; }
  int stack_signal() const { return stack_signal_; }
  int attempt_history() const { return attempt_history_; }
  absl::Duration starvation_alarm() const { return starvation_alarm_; }

 private:
  friend void Keep(Engine& engine);
  friend void LetGo(Engine& engine);

  Engine(const SupervisorOptions& options, EventDetail detail);
  ~Engine() = default;

  absl::Status StartMonitor();
  void BeginShutdown() noexcept;
  bool AwaitStages(Clock& clock, int64_t deadline_nanos, const TaskRecord* except);
  void LeaveOverdueStage(int stop_order, bool had_time);
  void TellOverdueStage(int stop_order);
  void AbandonStopping(const TaskRecord* except);
  void AbandonAll(const TaskRecord* except);
  void DropResults();
  void EndTelling(int64_t real_deadline_nanos);

  // Immutable.
  const std::shared_ptr<System> system_;
  Clock& real_clock_;
  const std::shared_ptr<Clock> clock_;
  const bool has_real_clock_;
  const absl::Duration shutdown_timeout_;
  const absl::Duration starvation_alarm_;
  const uint64_t seed_;
  const int stack_signal_;  // 0: none
  const int attempt_history_;

  // Synchronised by themselves.
  std::atomic<int64_t> keepers_{1};  // whoever has made it is the first
  const std::shared_ptr<Inbox> inbox_;
  const std::shared_ptr<Executor> lanes_;
  const std::shared_ptr<Executor> services_;
  SettingsPool settings_;
  TaskTable table_;
  EventQueue events_;
  FinishedCalls finished_calls_;
  std::atomic<bool> shutdown_requested_{false};
  std::atomic<bool> nobody_waits_{false};
  std::atomic<bool> cut_short_{false};
  std::atomic<bool> leaving_{false};  // the monitor is to end

  std::optional<StageParts> parts_;  // the monitor's
  std::unique_ptr<System::Thread> monitor_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_ENGINE_H_
