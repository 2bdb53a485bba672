// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskRecord: one task, from its registration until the last handle is gone.
//
// Who may touch what:
//   - The state, and all that is shown of it, is guarded by the record's mutex. Every change goes
//     through `Next` (lib/core/lifecycle.h); what is to be done about it besides is left in
//     `orders_` for the monitor, and the record is posted to it.
//   - What is the user's (`run_`, `user()`) belongs to whoever holds the task: a lane from TakeUp
//     until it lets go, and the service job otherwise. `on_shutdown` alone is called beside the
//     lane. What only the lane writes it reads without the mutex, of itself.
//   - The timer belongs to the monitor, which holds a reference while it is scheduled.
//   - The links are the table's, guarded by its mutex, and the inbox's.
//
// Size. There may be millions of records. So what few have is behind one pointer (`RecordExtras`),
// what many have alike is shared, and the jobs are bases.
//
// References: handles, the table (until the result is there, or handed out), the executors' queues
// and lanes, the inbox, the timer. The last one destroys what is left of the user's objects, which
// is at most the exception; the monitor never drops it (Engine::UnrefElsewhere).
//
// Locks: the record's mutex is a leaf; the clock is read under it, which takes at most its own. No
// user code runs under it: what is replaced is destroyed after it.

#ifndef FOXTIVE_LIB_SHELL_TASK_RECORD_H_
#define FOXTIVE_LIB_SHELL_TASK_RECORD_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/run_function.h"
#include "foxtive/shutdown_report.h"
#include "foxtive/stack_trace.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_context.h"
#include "foxtive/task_handle.h"
#include "foxtive/task_history.h"
#include "foxtive/task_info.h"
#include "foxtive/task_spec.h"
#include "lib/core/attempt_log.h"
#include "lib/core/failure_fold.h"
#include "lib/core/lifecycle.h"
#include "lib/core/timer_wheel.h"
#include "lib/core/watch.h"
#include "lib/shell/attempt_result.h"
#include "lib/shell/caught.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/job.h"
#include "lib/shell/mutex.h"
#include "lib/shell/record_extras.h"
#include "lib/shell/record_job.h"
#include "lib/shell/table_link.h"
#include "lib/shell/task_settings.h"
#include "lib/shell/waiters.h"

namespace foxtive::internal {

class Engine;

class TaskRecord final : public TimerNode,
                         public RecordJob<JobKind::kAttempt>,
                         public RecordJob<JobKind::kService> {
 public:
  // With one reference, the caller's.
  TaskRecord(TaskSpec&& spec, Engine& engine, bool registered);
  TaskRecord(const TaskRecord&) = delete;
  TaskRecord& operator=(const TaskRecord&) = delete;

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();
  // False: it would be the last one, and stays.
  bool UnrefUnlessLast();
  TaskHandle MakeHandle();  // adopts a reference of the caller's

  const std::string& name() const { return name_; }
  bool registered() const { return registered_; }
  int stop_order() const { return settings_->stop_order; }
  std::atomic<bool>& posted() { return posted_; }
  TaskRecord*& next_posted() { return next_posted_; }
  TableLink& table_link() { return table_link_; }
  const TableLink& table_link() const { return table_link_; }
  TableMarks& table_marks() { return table_marks_; }
  const TableMarks& table_marks() const { return table_marks_; }
  Job& attempt_job() { return static_cast<RecordJob<JobKind::kAttempt>&>(*this); }
  Job& service_job() { return static_cast<RecordJob<JobKind::kService>&>(*this); }

  // --- For handles.
  TaskState state() const ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t attempts() const ABSL_LOCKS_EXCLUDED(mutex_);
  TaskInfo info() const ABSL_LOCKS_EXCLUDED(mutex_);
  TaskHistory history() const ABSL_LOCKS_EXCLUDED(mutex_);  // may throw std::bad_alloc
  void OnFinished(FinishedCallback callback) ABSL_LOCKS_EXCLUDED(mutex_);  // the same
  ShutdownReport::Task AtShutdown() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_future<SupervisionResult> future() ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<SupervisionResult> TryResult() const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<SupervisionResult> Wait(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  bool RequestStop() ABSL_LOCKS_EXCLUDED(mutex_);

  // For WaitAny and WaitAll: that of a task which is about to publish, if it has not yet.
  SupervisionResult ResultInAMoment() ABSL_LOCKS_EXCLUDED(mutex_);
  // --- For the context of an attempt.
  bool run_stopped() const { return run_stopped_.load(); }
  void Heartbeat();
  std::stop_token StopToken() ABSL_LOCKS_EXCLUDED(mutex_);
  bool SleepFor(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mutex_);
  void MarkHealthy() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status AwaitDescriptor(int fd, short events, absl::Duration timeout)
      ABSL_LOCKS_EXCLUDED(mutex_);
  ConditionWait BeginWait(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  bool AwaitTurn(int64_t deadline_nanos);
  absl::Status EndWait(bool ready) const;
  void CallOnStop(void (*call)(void*), void* callback) ABSL_LOCKS_EXCLUDED(mutex_);

  // Blocks until the timeout, in real time. May throw std::bad_alloc.
  absl::StatusOr<std::shared_ptr<const StackTrace>> CaptureStack(absl::Duration timeout)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The same; or why that is not known.
  std::shared_ptr<const StackTrace> AskWhere(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  // Orders this thread with all that have looked at the record.
  void Synchronize() const ABSL_LOCKS_EXCLUDED(mutex_) { MutexLock lock(mutex_); }

  // --- For a callback of OnFinished, on a lane or wherever it is called.
  void CallFinished(FinishedCallback& callback, SupervisionResult& result)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Within a scope of user code, because what goes with the reference may be the user's.
  void ReleaseOnLane();

  // --- For whoever starts it. False: it was stopped before.
  bool Start() ABSL_LOCKS_EXCLUDED(mutex_);

  // --- For the monitor, and for Shutdown.
  struct Orders {
    uint8_t actions = kNoAction;
    TaskState state = TaskState::kFinished;
    int64_t timer_nanos = 0;  // of kArmBackoff, kArmStopTimer or kArmWatch
  };
  Orders TakeOrders() ABSL_LOCKS_EXCLUDED(mutex_);
  // What follows from a timer that is due.
  enum class Due : uint8_t { kNothing, kEnqueue, kAbandon, kLookAfterRun };
  Due TimerDue() ABSL_LOCKS_EXCLUDED(mutex_);
  // Of an attempt with a timeout. When it wants to be looked after again. `resumed_nanos`: when the
  // process went on last, after it had been suspended.
  int64_t LookAfterRun(int64_t resumed_nanos) ABSL_LOCKS_EXCLUDED(mutex_);
  // With the whole Supervisor: also one that is ending by itself has `stop_timeout` from now on.
  void StopForShutdown() ABSL_LOCKS_EXCLUDED(mutex_);
  // Publishes the result of a task whose time to stop is over. False: somebody has published
  // already, or is about to.
  bool Abandon() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Duration StoppingFor() const ABSL_LOCKS_EXCLUDED(mutex_);
  struct LaneUse {
    bool held;  // one that counts
    TaskState state;
    absl::Duration in_state_for;
  };
  LaneUse UseOfLane() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  template <JobKind kKind>
  friend class RecordJob;

  ~TaskRecord();

  // --- attempt.cc: on a lane.
  Job::Outcome RunOnLane() noexcept;
  struct TakenUp {
    bool taken = false;  // else it was stopped in the queue, and is the service job's
    bool begun = false;  // the attempt, too
    int64_t now = 0;
  };
  TakenUp TakeUp() ABSL_LOCKS_EXCLUDED(mutex_);
  AttemptResult SetUpAndRun();
  bool BeginSetup() ABSL_LOCKS_EXCLUDED(mutex_);
  bool BeginRun() ABSL_LOCKS_EXCLUDED(mutex_);
  bool BeginRunLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t BeginningAfter(const AttemptResult& attempt) const;
  int64_t Since(int64_t now) const;
  AttemptResult CallRun(int64_t began_nanos);
  Follow Decide(const AttemptResult& attempt, int64_t slice_end) ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t RealNanos(int64_t now) const;
  void Count(const AttemptResult& attempt, Decision& decision) ABSL_LOCKS_EXCLUDED(mutex_);
  Replaced CountLocked(const AttemptResult& attempt, const Decision& decision)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellFailure(const AttemptResult& attempt);
  bool IsToBeTold(const AttemptResult& attempt, bool last, bool alike);
  void EmitFailure(const AttemptResult& attempt, const Decision& decision);
  bool AskShouldRestart(const AttemptResult& attempt);
  absl::Duration DelayAfter(int64_t failures);
  Follow Commit(const AttemptResult& attempt, const Decision& decision) ABSL_LOCKS_EXCLUDED(mutex_);
  Follow CommitLocked(const AttemptResult& attempt, const Decision& decision)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteVerdictLocked(const AttemptResult& attempt, const Verdict& verdict)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Follow LetGoLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What only the lane writes.
  int64_t attempts_of_lane() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return attempts_; }
  int64_t FailuresAfter(const AttemptResult& attempt) const ABSL_NO_THREAD_SAFETY_ANALYSIS;
  bool HasExceptions(const AttemptResult& attempt) const ABSL_NO_THREAD_SAFETY_ANALYSIS;
  const absl::Status& last_error_of_lane() const ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // call_hook.h
  template <typename Hook, typename Call>
  bool CallHook(const char* hook_name, Hook& hook, Call call);
  template <typename Hook, typename Call>
  bool CallLaneHook(const char* hook_name, Hook& hook, Call call);
  void HookThrew(const char* hook_name, const Failure& failure) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- attempt_waits.cc
  std::shared_ptr<WaitBreaker> Breaker() ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<WaitBreaker> BreakerLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::stop_source StopSourceLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndWaits(WaitBreaker* breaker) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- record_history.cc
  void PrepareLog() ABSL_LOCKS_EXCLUDED(mutex_);
  ExtrasPointer MadeLog() const;
  void FillLastLocked(AttemptLog::Entry& entry, int64_t number) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Replaced ReplaceErrorLocked(const Failure& failure, int64_t number, bool same)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- stuck.cc
  bool BeginWatchedRun() ABSL_LOCKS_EXCLUDED(mutex_);
  void EndWatchedRun(AttemptResult& attempt) ABSL_LOCKS_EXCLUDED(mutex_);
  void TellInterrupted() ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveUpLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellStuck(Missed missed) ABSL_LOCKS_EXCLUDED(mutex_);
  void KeepStack(std::shared_ptr<const StackTrace> stack) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReplaceLane(uint32_t run_number) ABSL_LOCKS_EXCLUDED(mutex_);
  [[noreturn]] void AbortProcess(Missed missed);

  // --- ending.cc: on a lane or a service lane.
  Job::Outcome RunService() noexcept;
  bool TellStop() ABSL_LOCKS_EXCLUDED(mutex_);
  void WindDown() ABSL_LOCKS_EXCLUDED(mutex_);
  // For the last one who has to do with the task's code.
  bool was_set_up() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return setup_begun_; }
  void TellNotReplaced();
  enum class Claimed : uint8_t {
    kByAnother,  // who publishes
    kOver,       // this one does: the task is over
    kStuck,      // this one does: user code is still inside
  };
  Claimed Claim(bool abandoned) ABSL_LOCKS_EXCLUDED(mutex_);
  void PublishAbandoned(bool stuck) ABSL_LOCKS_EXCLUDED(mutex_);
  void Publish(bool abandoned, bool on_lane) ABSL_LOCKS_EXCLUDED(mutex_);
  void EmitEnd(bool on_lane);
  void SetResult(bool abandoned, bool on_lane) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetLocked(FutureState& future) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FillLocked(SupervisionResult& result) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FireAll(std::unique_ptr<FinishedCall> calls, bool on_lane);
  void ReturnLate() ABSL_LOCKS_EXCLUDED(mutex_);

  // --- task_record.cc
  void MoveLocked(const Transition& transition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasStopCallsLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool StopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Engine& engine() const { return *settings_->engine; }
  RecordExtras& parts() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return *extras_; }
  UserParts* user() const { return has_parts_ ? parts().user.get() : nullptr; }
  AttemptWatch* watch() const { return has_parts_ ? parts().watch.get() : nullptr; }
  bool stop_requested() const { return stop_requested_.load(); }
  int64_t since_nanos() const { return since_nanos_.load(std::memory_order_relaxed); }
  int64_t Now() const;
  bool BeginsQueued() const;
  absl::Duration FirstDelay() const;
  TaskPhase PhaseLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  pid_t ThreadLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enter(TaskPhase phase) { phase_.store(phase, std::memory_order_relaxed); }
  bool AwaitResultLocked(int64_t deadline_nanos) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FillLocked(TaskInfo& info, int64_t now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration ElapsedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string_view ReasonLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  SupervisionResult MakeResultLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Immutable.
  const std::string name_;
  const SettingsRef settings_;

  // Synchronised by themselves.
  TableLink table_link_;
  TaskRecord* next_posted_ = nullptr;  // the inbox's, like the flag
  // Of `state_`. Written under the mutex; an executor reads it under its own.
  std::atomic<int64_t> since_nanos_;
  std::atomic<int> references_{1};
  std::atomic<bool> posted_{false};
  TableMarks table_marks_;
  std::atomic<bool> stop_requested_{false};  // written under the mutex
  std::atomic<bool> run_stopped_{false};     // the same: the task, or this attempt
  std::atomic<bool> healthy_{false};         // MarkHealthy in this attempt
  // Written by whoever holds the task; it says something only while somebody does.
  std::atomic<TaskPhase> phase_{TaskPhase::kNone};

  const bool registered_;
  bool has_parts_ = false;  // `extras_` is there from the beginning; immutable, like it

  // Of whoever holds the task.
  bool setup_done_ = false;
  bool has_history_ = false;  // an attempt has ended
  bool has_log_ = false;      // or there was no memory for it
  FailureFold fold_;
  RunFunction::Function run_;

  mutable Mutex mutex_;
  TaskState state_ ABSL_GUARDED_BY(mutex_) = TaskState::kRegistered;
  uint8_t orders_ ABSL_GUARDED_BY(mutex_) = kNoAction;
  bool setup_begun_ ABSL_GUARDED_BY(mutex_) = false;
  bool on_lane_ ABSL_GUARDED_BY(mutex_) = false;      // a lane holds the task
  bool service_due_ ABSL_GUARDED_BY(mutex_) = false;  // the service job has not been through yet
  bool concluded_ ABSL_GUARDED_BY(mutex_) = false;    // somebody publishes
  bool has_result_ ABSL_GUARDED_BY(mutex_) = false;
  bool returned_ ABSL_GUARDED_BY(mutex_) = false;     // no user code of an abandoned task is left
  pid_t lane_thread_ ABSL_GUARDED_BY(mutex_) = 0;     // that it is on, or is wound down by
  pid_t service_thread_ ABSL_GUARDED_BY(mutex_) = 0;  // that tells it of a stop
  SupervisionStatus final_status_ ABSL_GUARDED_BY(mutex_) = SupervisionStatus::kManuallyStopped;
  uint8_t final_row_ ABSL_GUARDED_BY(mutex_) = kStopRow;  // that has decided the status
  AttemptMarks last_marks_ ABSL_GUARDED_BY(mutex_);       // of the attempt that ended last
  int64_t attempts_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t failures_in_a_row_ ABSL_GUARDED_BY(mutex_) = 0;
  // When it was started; from the result on, how long it took. kNever: it was not started.
  int64_t elapsed_nanos_ ABSL_GUARDED_BY(mutex_) = Clock::kNever;
  // When the time to stop began.
  int64_t stopping_nanos_ ABSL_GUARDED_BY(mutex_) = Clock::kNever;
  int64_t next_attempt_nanos_ ABSL_GUARDED_BY(mutex_) = 0;
  AttemptTimes last_times_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
  std::exception_ptr last_exception_ ABSL_GUARDED_BY(mutex_);
  ExtrasPointer extras_ ABSL_GUARDED_BY(mutex_);

  WaiterList waiters_;  // in SleepFor, and for the result; synchronised by itself, with mutex_

  friend struct Counters;  // of a test: as they are after years
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_TASK_RECORD_H_
