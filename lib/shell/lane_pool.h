// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// LanePool: an Executor whose jobs run on lanes, parked loops on threads of oneTBB, with one queue
// in front of all of them. A job is never bound to a lane: whoever is there pulls.
//
//   Push ─▶ queue ─▶ a lane that has finished one job, or was woken, or has just started
//
// Wake or create, on every push and after every pull: while the queue is not empty, one lane at
// rest is woken, unless a wake-up is under way already; where none rests, a new one is asked for if
// there are fewer than `max_lanes` and more jobs wait than lanes are coming. The lane that comes
// does the same again, so two jobs that are pushed at once find two lanes, and a flood wakes lanes
// one by one. New lanes are launched by the monitor, in `Tend`: threads inherit what it has
// blocked.
//
// A lane that rests parks on its own parker and burns nothing. It retires when it has rested for
// kRetireAfter and more than kKeptLanes are there, when there are more lanes than the limit because
// one that was abandoned came back, or when the pool is closed and the queue is empty.
//
// No thread: while jobs wait `Tend` tries again every kRetryAfter, and every lane that finishes
// takes a job anyway. While oneTBB is limited (by a control of the host, or its hard limit) one
// lane at a time is launched and waits for its thread, so that there is no crowd of them when the
// limit goes; the limit is looked at every kRetryAfter. A lane that is late without a limit
// (kLateAfter, doubled each time) gets the registry to raise its control. What that does not cure
// is a worker that oneTBB has lost: then the lane is written off, which is to say that one more is
// launched. Whichever comes is as good; one that comes when there are enough leaves.
// A crowd. Where jobs wait and all lanes are held the monitor is nudged, if it wants to know
// (WatchQueue). It looks how long the first one has waited when that may have become too long; so a
// queue that fills and empties a thousand times in a second costs one nudge and one look.
//
// Each cause is reported once, and again when it comes back after it was gone, or was not in the
// way for kEpisodeEndsAfter.
//
// Ownership: lanes and the pool's state share each other, so a job that is stuck may outlive the
// owner of the pool, and its lane is given back when it returns.
// Locks: one mutex, leaf; nothing is called under it, and lanes are woken after it.

#ifndef FOXTIVE_LIB_SHELL_LANE_POOL_H_
#define FOXTIVE_LIB_SHELL_LANE_POOL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "lib/shell/executor.h"
#include "lib/shell/mutex.h"
#include "lib/shell/system.h"
#include "lib/shell/waiters.h"

namespace foxtive::internal {

class LanePool final : public Executor, public std::enable_shared_from_this<LanePool> {
 public:
  static constexpr int64_t kRetireAfterNanos = int64_t{300'000'000'000};
  static constexpr int kKeptLanes = 64;
  static constexpr int64_t kRetryAfterNanos = 1'000'000'000;
  static constexpr int64_t kLateAfterNanos = 100'000'000;
  static constexpr int kMaxRaises = 8;
  static constexpr int kRaisesBeforeWriteOff = 3;
  static constexpr int kMaxWrittenOff = 8;
  static constexpr int64_t kEpisodeEndsAfterNanos = 10'000'000'000;

  // The threads and the time are those of `system`. `max_lanes`: at least 1. `nudge` makes the
  // monitor call `Tend`; from any thread, also after the monitor is gone. `thread_name` is that of
  // a lane at rest. `report` is told, on the monitor, why jobs wait for threads.
  LanePool(std::shared_ptr<System> system, int max_lanes, std::string thread_name,
           std::function<void()> nudge, std::function<void(const std::string&)> report);
  ~LanePool() override = default;

  bool Start() override;
  void AwaitFirst(int64_t real_deadline_nanos) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool Push(Job& job) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool Withdraw(Job& job) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool Abandon(Job& job) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool AbandonRun(Job& job, uint32_t run_number) override ABSL_LOCKS_EXCLUDED(mutex_);
  void WatchQueue() override ABSL_LOCKS_EXCLUDED(mutex_);
  bool is_crowded() const override { return crowded_.load(); }
  Waiting LookAtQueue(bool forget) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWaiting() const override { return waiting_.load(std::memory_order_relaxed); }
  int64_t Tend(int64_t real_now_nanos) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Close(bool wait) override ABSL_LOCKS_EXCLUDED(mutex_);

  // For tests: lanes whose loop runs; of these, those without a job.
  int lanes() const ABSL_LOCKS_EXCLUDED(mutex_);
  int resting() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Lane;

  // What a call under the lock leaves to be done after it.
  struct Wake {
    std::shared_ptr<Lane> lane;
    bool nudge = false;
  };

  Job* Exchange(Lane& lane, Job* finished, Job::Outcome outcome) ABSL_LOCKS_EXCLUDED(mutex_);
  bool AbandonLocked(Job& job, Wake& wake) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LetGo(Job& finished) ABSL_LOCKS_EXCLUDED(mutex_);
  void TakeBackLocked(Job& finished) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool QueueAgainLocked(Job& finished) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Job* NextLocked(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginLocked(Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Wake WakeOrCreateLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool WantsLaneLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Against the limit. As many abandoned ones as the limit are replaced; when one of them returns,
  // one beyond that takes its place. One that has decided to leave does not count: else a second
  // one, which finds it still there, would leave too.
  int CountedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return live_ - leaving_ - std::min(abandoned_, max_lanes_);
  }
  int ComingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return starting_ - written_off_;
  }
  void CarryOut(const Wake& wake);

  void ArriveLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);
  void ReleaseCloserLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Time in which jobs wait for threads for one reason. Of the monitor.
  struct Episode {
    bool Begins(int64_t now);
    void End() { last_seen_at = INT64_MIN; }
    int64_t last_seen_at = INT64_MIN;
  };

  bool LaunchOne(int64_t now) ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t TendWaiting(int64_t now) ABSL_LOCKS_EXCLUDED(mutex_);
  bool HoldBack() ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t TendLate(int64_t now) ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t HelpLate(int64_t now, bool workers_lost) ABSL_LOCKS_EXCLUDED(mutex_);
  bool WriteOffOne() ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t TendResting(int64_t now) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReportNoThread(int64_t now) ABSL_LOCKS_EXCLUDED(mutex_);
  void Report(Episode& episode, int64_t now, absl::FunctionRef<std::string()> cause);

  const std::shared_ptr<System> system_;
  Clock& real_clock_;
  const int max_lanes_;
  const std::string thread_name_;
  const std::function<void()> nudge_;
  const std::function<void(const std::string&)> report_;

  mutable Mutex mutex_;
  JobQueue queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Lane>> resting_
      ABSL_GUARDED_BY(mutex_);                   // the last one is woken first
  int live_ ABSL_GUARDED_BY(mutex_) = 0;         // their loops run
  int leaving_ ABSL_GUARDED_BY(mutex_) = 0;      // of these, on their way out
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;         // of these, with a job
  int abandoned_ ABSL_GUARDED_BY(mutex_) = 0;    // of these, with a job that is not waited for
  int starting_ ABSL_GUARDED_BY(mutex_) = 0;     // launched, their loops do not run yet
  int written_off_ ABSL_GUARDED_BY(mutex_) = 0;  // of these, those that nobody counts on
  int wakes_ ABSL_GUARDED_BY(mutex_) = 0;        // woken and not yet back; 0 or 1
  bool lane_asked_for_ ABSL_GUARDED_BY(mutex_) = false;  // the monitor is going to look
  bool arrived_ ABSL_GUARDED_BY(mutex_) = false;         // a lane, since the monitor looked last
  bool watched_ ABSL_GUARDED_BY(mutex_) = false;         // it looks after lanes that are late
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool queue_watched_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t progress_at_ ABSL_GUARDED_BY(mutex_) = 0;  // when a lane was launched or started last
  WaiterList arrivals_;  // synchronised by itself, with mutex_; in AwaitFirst
  Clock::Parker* closer_ ABSL_GUARDED_BY(mutex_) = nullptr;  // waits for lanes that rest to leave

  // Whether the queue is not empty. Relaxed: a lane that reads an old value runs one attempt more,
  // or gives way for nothing.
  std::atomic<bool> waiting_{false};

  // Written under the mutex; the monitor reads it after a nudge, or soon enough.
  std::atomic<bool> crowded_{false};

  // Of the monitor.
  int64_t retry_at_ = INT64_MIN;
  int64_t look_at_ = INT64_MIN;
  int64_t late_after_ = kLateAfterNanos;
  int raises_ = 0;
  Episode no_thread_;
  Episode limited_;
  Episode late_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_LANE_POOL_H_
