// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// CapacityRegistry: how many threads oneTBB may have, and the arenas of all lanes of the process.
//
// A oneTBB process has cores - 1 workers for all arenas together, so blocking work would starve.
// The registry raises that limit with the one `global_control` that the library has, and keeps
//
//   parallelism  >=  1 + the host's budget + the lane arenas ever created
//
// where the host's budget is what oneTBB allowed before us, at least the cores.
//
// A lane is a loop inside an arena of one slot and high priority, which occupies its thread until
// the lane retires. Then the arena goes back to a pool that all Supervisors share. Lane arenas are
// never destroyed and the control is never lowered: after either of them an arena that was just
// left keeps its demand for a while and takes the thread of the next lane, which then starts
// seconds late on a busy machine.
//
//   Launch ─▶ pooled arena? ──────────────────────────▶ enqueue(loop)
//                 │ none
//                 └▶ thread to be had? ─▶ new arena ─▶ enqueue(loop) ─▶ raise the control by one
//
// First enqueue, then raise: the other way round the host's own demand takes the new worker.
// The control is 4096 while the first arena is initialised, because oneTBB fixes a hard limit when
// it starts, by the parallelism that is allowed then.
//
// Ghosts: if `enqueue` throws, a thread could not be created, but the loop is queued all the same,
// and whoever changes the demand of that arena next waits for ever: the next `enqueue`, and a
// thread that leaves it. So such an arena is never touched again nor given back to the pool, its
// body is taken back, and a thread that comes to it all the same is kept.
// A raise creates a thread where the host has more demand than its budget. So it is tried first
// whether a thread can be had, and the raise is by one; it fails if another took the last one.
// Lost workers: a worker of oneTBB whose thread could not be created counts as one that runs, for
// ever. The ghost's demand is its counterweight, until a thread has come to it; after that, and
// after a raise that failed, oneTBB starts one thread too few, whatever the control allows: only
// more demand, that is a lane more, brings the next one. `workers_lost` says so.
//
// Who calls: `Launch` and `RaiseByOne` come from monitors, with all asynchronous signals blocked,
// which new threads inherit; a lane gives its arena back itself. All of it is leaked, because lanes
// may live until the process is gone. While the process exits nothing enters oneTBB any more
// (exit_gate.h), and a lane that has left its loop does not return to it.
// Locks: one mutex, held while oneTBB is called, which never calls back; nothing else is locked
// under it. Thread safety: any thread. Errors: values, see LaunchReport; nothing is thrown.

#ifndef FOXTIVE_LIB_SHELL_CAPACITY_REGISTRY_H_
#define FOXTIVE_LIB_SHELL_CAPACITY_REGISTRY_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "lib/shell/mutex.h"
#include "lib/shell/system.h"

namespace foxtive::internal {

class CapacityRegistry {
 public:
  // While oneTBB starts; as many lanes as all Supervisors together may have.
  static constexpr int kFirstParallelism = 4096;
  // A host that allows itself more means "without limit".
  static constexpr int kMaxHostBudget = 32768;

  static CapacityRegistry& Get();

  CapacityRegistry(const CapacityRegistry&) = delete;
  CapacityRegistry& operator=(const CapacityRegistry&) = delete;

  // Runs `body` on a thread of oneTBB.
  LaunchReport Launch(std::shared_ptr<LaneBody> body) ABSL_LOCKS_EXCLUDED(mutex_);

  // For a lane that was launched and has not started. False: no thread could be had.
  bool RaiseByOne() ABSL_LOCKS_EXCLUDED(mutex_);

  // Found and wanted as of now.
  LaunchReport Look() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether oneTBB runs, or has run, without us; as far as can be seen, see fork_guard.h. Touches
  // no lock of oneTBB and does not start it.
  static bool HostMayHaveRunOneTbb();

  // For tests.
  int arenas_created() const ABSL_LOCKS_EXCLUDED(mutex_);
  int arenas_pooled() const ABSL_LOCKS_EXCLUDED(mutex_);
  int parallelism() const ABSL_LOCKS_EXCLUDED(mutex_);  // of our control; 0 before the first lane

 private:
  struct Arena;
  class Control;
  struct LaneEntry;

  CapacityRegistry() = default;
  ~CapacityRegistry() = delete;

  static void Enter(Arena& arena) noexcept;
  static void Enqueue(Arena& arena);

  bool LaunchLocked(std::shared_ptr<LaneBody>& body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool LaunchInNewArenaLocked(std::shared_ptr<LaneBody>& body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Arena* NewArenaLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartLocked(Arena& arena) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HandOverLocked(Arena& arena, std::shared_ptr<LaneBody>& body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool RaiseLocked(int parallelism) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  LaunchReport LookLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool GiveBack(Arena& arena) ABSL_LOCKS_EXCLUDED(mutex_);

  mutable Mutex mutex_;
  Arena* all_ ABSL_GUARDED_BY(mutex_) = nullptr;     // so that a leak checker finds them
  Arena* pooled_ ABSL_GUARDED_BY(mutex_) = nullptr;  // the last one is reused first
  int created_ ABSL_GUARDED_BY(mutex_) = 0;
  int pooled_count_ ABSL_GUARDED_BY(mutex_) = 0;
  int host_budget_ ABSL_GUARDED_BY(mutex_) = 0;
  int extra_ ABSL_GUARDED_BY(mutex_) = 0;  // raised beyond the lanes, for those that started late
  int parallelism_ ABSL_GUARDED_BY(mutex_) = 0;            // of control_
  bool hand_over_failed_ ABSL_GUARDED_BY(mutex_) = false;  // the last one
  bool workers_lost_ ABSL_GUARDED_BY(mutex_) = false;      // ever
  Control* control_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_CAPACITY_REGISTRY_H_
