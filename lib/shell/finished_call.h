// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// FinishedCall: a callback of TaskHandle::OnFinished. FinishedCalls: those of one Supervisor.
//
//   OnFinished ─▶ list in the record ─ result is set ─▶ Fire ─▶ service lane: callback, once
//        └── the result is there already ──────────────▶ Fire
//
// A call is a job of its own, so one that hangs holds back nobody. All that it needs is allocated
// by OnFinished: to fire it allocates nothing and can't fail. It is counted from then on until its
// callback has returned and is destroyed; the destructor of the Supervisor waits for that, within
// its deadline, and closes. Calls fired later are the caller's to make, on its own thread, because
// there is no other one any more.
//
// Ownership: the record owns a call until it is fired; then it owns itself, and a reference to the
// record and to the Engine. What the monitor fires late, for a task that has destroyed its own
// Supervisor, is left to the service lanes, which run what is queued before they leave.
// Thread safety: any thread. Locks: the record's for the list; one mutex, leaf, for the count.

#ifndef FOXTIVE_LIB_SHELL_FINISHED_CALL_H_
#define FOXTIVE_LIB_SHELL_FINISHED_CALL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "foxtive/clock.h"
#include "foxtive/supervision_result.h"
#include "lib/shell/engine_ref.h"
#include "lib/shell/job.h"
#include "lib/shell/mutex.h"
#include "lib/shell/waiters.h"

namespace foxtive::internal {

class Engine;
class TaskRecord;

using FinishedCallback = absl::AnyInvocable<void(const SupervisionResult& result)>;

class FinishedCall final : public CustomJob {
 public:
  FinishedCall(std::string task_name, FinishedCallback callback);

  // On a service lane; if the Supervisor has closed, and user code `may_run_here`, on this thread.
  // REQUIRES: `result` is filled.
  static void Fire(std::unique_ptr<FinishedCall> call, TaskRecord& record, Engine& engine,
                   bool may_run_here);

  Outcome Run() noexcept override;
  void Release() noexcept override;
  std::string_view thread_name() const noexcept override { return result.task_name; }

  SupervisionResult result;            // from the start with the name
  std::unique_ptr<FinishedCall> next;  // in the list of the record

 private:
  FinishedCallback callback_;
  TaskRecord* record_ = nullptr;
  EngineRef engine_;
};

class FinishedCalls {
 public:
  explicit FinishedCalls(Clock& real_clock) : real_clock_(real_clock) {}

  // One more is under way. False: closed, so nobody waits for it.
  bool Begin() ABSL_LOCKS_EXCLUDED(mutex_);
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until none is under way but `own`, or until the deadline, in real time; then is
  // closed.
  void Close(int64_t real_deadline_nanos, int own) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Clock& real_clock_;

  Mutex mutex_;
  int64_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;

  WaiterList waiters_;  // synchronised by itself, with mutex_
};

// How many callbacks of `engine` run on this thread: 0 or 1.
int FinishedCallsHere(const Engine& engine);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_FINISHED_CALL_H_
