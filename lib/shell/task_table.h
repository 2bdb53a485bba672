// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskTable: which tasks a Supervisor has, by name and in lists, and who waits for them.
//
//   registered ─▶ live ─▶ later ─▶ stopping ─▶ overdue     a record is in one of these at most
//                   └────────┴────────┴─▶ ended ─▶ handed out
//
// `stopping` are those that were stopped with the whole Supervisor, `later` those whose turn to be
// so has not come (stop_stages.h); one that a handle has stopped stays where it is. `ended` is the
// queue of the results of registered tasks, also of overdue ones. The lists up to `stopping` own a
// reference to each of their records, which goes on to `ended`, or is given up with the result;
// those in `overdue` are kept by the lane that is stuck.
//
// A name belongs to a task until its result is there. That of a registered task is still found
// afterwards, until its result is handed out or the name is taken again.
//
// Locks: one mutex, taken before a record's and never after it. Nothing that allocates but `Add`
// and the calls that return copies; so nothing on the way of a result.

#ifndef FOXTIVE_LIB_SHELL_TASK_TABLE_H_
#define FOXTIVE_LIB_SHELL_TASK_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "foxtive/clock.h"
#include "lib/shell/mutex.h"
#include "lib/shell/name_index.h"
#include "lib/shell/result_queue.h"
#include "lib/shell/stop_stages.h"
#include "lib/shell/task_list.h"
#include "lib/shell/waiters.h"

namespace foxtive::internal {

class TaskRecord;

class TaskTable {
 public:
  explicit TaskTable(Clock& clock) : clock_(clock) {}

  // Takes up all of `records`, with references of its own, to be started at once or later; in one
  // step, so that TakeToStart sees all or none. `kAlreadyExists`, and nothing has changed: a name
  // is in use. Throws std::bad_alloc, likewise. `closed` is asked under the lock: records that are
  // not refused are seen by TakeToStop. REQUIRES: no two have the same name.
  template <typename Closed>
  absl::Status Add(std::span<TaskRecord* const> records, bool start, Closed closed)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    if (closed()) return ShutDownError();
    return AddLocked(records, start);
  }

  // The next one of `registered`, now `live`; of all whose turn it is, now `stopping`; the first
  // one of `stopping` but for `except`. With a reference for the caller; null if there is none.
  TaskRecord* TakeToStart() ABSL_LOCKS_EXCLUDED(mutex_);
  TaskRecord* TakeToStop() ABSL_LOCKS_EXCLUDED(mutex_);
  TaskRecord* FirstStopping(const TaskRecord* except) ABSL_LOCKS_EXCLUDED(mutex_);

  // Once nothing is added any more. Whose turn it is to be stopped: with the whole Supervisor.
  StopStages::Stage stage() ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsToStop(int stop_order) const { return stages_.HasReached(stop_order); }
  // Makes the following stage the current one, if the current one is over, or if it is
  // `stop_order`. False: nothing has changed.
  bool LeaveIfOver() ABSL_LOCKS_EXCLUDED(mutex_);
  bool Leave(int stop_order) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether that one is over, but for `except`, or not the current one. May wait in vain.
  bool AwaitStage(int stop_order, Clock& clock, int64_t deadline_nanos, const TaskRecord* except)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Who is not, for people; empty if it is. May throw std::bad_alloc.
  std::string DescribeStage(int stop_order) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Around the publication of a result.
  void BeforeResult(TaskRecord& record, bool abandoned) ABSL_LOCKS_EXCLUDED(mutex_);
  struct Left {
    bool reference;   // the table's is the caller's
    bool stage_over;  // and others are to be stopped now
  };
  Left AfterResult(TaskRecord& record) ABSL_LOCKS_EXCLUDED(mutex_);
  // No user code of an abandoned task is left.
  void Returned(TaskRecord& record) ABSL_LOCKS_EXCLUDED(mutex_);

  enum class Waited : uint8_t { kYes, kNothingLeft, kTimeout };
  // The next one with a result, or about to have it, and the table's reference to it. Either
  // HandedOut or PutBack follows.
  Waited AwaitAny(int64_t deadline_nanos, TaskRecord*& record) ABSL_LOCKS_EXCLUDED(mutex_);
  // It is no longer known by its name. Gives the reference back.
  void HandedOut(TaskRecord& record) ABSL_LOCKS_EXCLUDED(mutex_);
  // Puts it back where it was: nothing has happened.
  void PutBack(TaskRecord& record) ABSL_LOCKS_EXCLUDED(mutex_);
  // All registered and started tasks are over; the results stay.
  Waited AwaitAll(int64_t deadline_nanos) ABSL_LOCKS_EXCLUDED(mutex_);
  // A result that is there already; null if there is none.
  TaskRecord* TakeEnded() ABSL_LOCKS_EXCLUDED(mutex_);
  // From now on: those of registered tasks are given back like those of others.
  void KeepNoResults() ABSL_LOCKS_EXCLUDED(mutex_);
  size_t ended_count() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether all tasks but `except` have a result; that one may get its own meanwhile, or none.
  bool AwaitAllOver(Clock& clock, int64_t deadline_nanos, const TaskRecord* except)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // OK, or which workers have not returned, and for how long they should have.
  absl::Status OverdueStatus() const ABSL_LOCKS_EXCLUDED(mutex_);

  // With a reference for the caller; null if there is none.
  TaskRecord* Find(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Those without a result, in order of registration, each with a reference for the caller.
  std::vector<TaskRecord*> Unfinished() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The same, and those that have not returned. `close` is called at the same moment: it has Add
  // refuse whatever comes later.
  template <typename Close>
  std::vector<TaskRecord*> TakeAll(Close close) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<TaskRecord*> records;
    MutexLock lock(mutex_);
    CopyLocked(/*overdue=*/true, records);
    close();
    return records;
  }
  size_t unfinished_count() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t started_count() const ABSL_LOCKS_EXCLUDED(mutex_);

  static absl::Status ShutDownError();

 private:
  absl::Status AddLocked(std::span<TaskRecord* const> records, bool start)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartedLocked(TaskRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  TaskList& ListOf(const TaskRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  TaskRecord* FirstToStopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CopyLocked(bool overdue, std::vector<TaskRecord*>& records) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  mutable Mutex mutex_;
  NameIndex names_ ABSL_GUARDED_BY(mutex_);
  TaskList registered_ ABSL_GUARDED_BY(mutex_){TaskPlace::kRegistered};
  TaskList live_ ABSL_GUARDED_BY(mutex_){TaskPlace::kLive};
  TaskList stopping_ ABSL_GUARDED_BY(mutex_){TaskPlace::kStopping};
  TaskList overdue_ ABSL_GUARDED_BY(mutex_){TaskPlace::kOverdue};
  StopStages stages_;                            // guarded by mutex_, but for HasReached
  ResultQueue results_ ABSL_GUARDED_BY(mutex_);  // to hand out
  size_t owed_ ABSL_GUARDED_BY(mutex_) = 0;      // of registered tasks, until they are handed out
  uint64_t numbers_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t started_ ABSL_GUARDED_BY(mutex_) = 0;     // and unfinished
  size_t awaited_ ABSL_GUARDED_BY(mutex_) = 0;     // of these, registered
  size_t unfinished_ ABSL_GUARDED_BY(mutex_) = 0;  // until the result is there
  bool keeps_results_ ABSL_GUARDED_BY(mutex_) = true;

  WaiterList waiters_;  // synchronised by itself, with mutex_

  friend struct Counters;  // of a test: as they are after years
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_TASK_TABLE_H_
