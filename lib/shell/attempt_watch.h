// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// AttemptWatch: what a record has for a task whose attempts have a timeout; others have none.
//
//   lane: BeginRun ─ the first time, or after a backoff ─▶ monitor: arms the record's timer
//         Heartbeat ─▶ last_beat                                │ due
//                                                               ▼
//   monitor, LookAfterRun ─▶ not in `run`: leaves it ◀──────── LookAt (lib/core/watch.h)
//                         ├▶ nothing is missed: arms it again, for the earliest time that may be
//                         due └▶ it hangs: OnStuck
//   OnStuck::kRestart:  asked to stop ─ stop_timeout ─▶ its lane is replaced, or it is given up
//
// The timer stays armed from attempt to attempt while these follow each other without a delay, and
// looks only at what it finds when it is due: so an attempt costs two stores, a heartbeat one, and
// the monitor wakes once in a timeout, whatever the attempts do. An attempt that may be due before
// the timer, because that waits for what came of the one before, has it armed anew.
//
// The lane learns at the end of `run` what has become of it. Asked to stop, it has failed, whatever
// it returned. If its lane has been replaced it must not go on with another attempt on that one:
// the job goes back to the queue, where the pool takes the lane back.
//
// Thread safety: Heartbeat any thread; what is immutable any thread; all the rest under the mutex
// of the record. It calls nobody: what is to be done is its answer.

#ifndef FOXTIVE_LIB_SHELL_ATTEMPT_WATCH_H_
#define FOXTIVE_LIB_SHELL_ATTEMPT_WATCH_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "foxtive/task_spec.h"
#include "lib/core/watch.h"
#include "lib/shell/attempt_result.h"

namespace foxtive::internal {

// What the monitor is to do.
struct StuckStep {
  enum Then : uint8_t {
    kNothingElse,
    kInterrupt,    // asks the attempt to stop
    kReplaceLane,  // of the run with this number
    kGiveUp,       // the task
    kAbortProcess,
  };
  Missed missed = Missed::kNothing;  // what the listener is to be told
  Then then = kNothingElse;
  uint32_t run_number = 0;
  int64_t look_again_nanos = Clock::kNever;
};

class AttemptWatch {
 public:
  AttemptWatch(const WatchLimits& limits, OnStuck on_stuck, absl::Duration stop_timeout)
      : limits_(limits), on_stuck_(on_stuck), stop_timeout_(stop_timeout) {}

  // Null: there is nothing to watch. Throws std::bad_alloc.
  static std::unique_ptr<AttemptWatch> For(const TaskSpec& spec, absl::Duration stop_timeout);

  const WatchLimits& limits() const { return limits_; }
  OnStuck on_stuck() const { return on_stuck_; }

  // Relaxed: read by the monitor, for which a beat that it does not see yet has come too late.
  void Heartbeat(int64_t now) { last_beat_.store(now, std::memory_order_relaxed); }

  int64_t last_beat() const { return last_beat_.load(std::memory_order_relaxed); }

  // --- For the lane: around `run`. Begin, true: the monitor is to arm the timer.
  bool Begin(uint32_t run_number, int64_t now);
  struct Ended {
    bool interrupted;
    bool lane_lost;
    Missed missed;
    // If it was interrupted:
    absl::Duration since_missed;
    int64_t lived_nanos;  // until its last sign of life
  };
  Ended End(int64_t now);
  void TimerIsTaken() { armed_for_ = Clock::kNever; }  // by the delay before the next attempt

  // --- For the monitor.
  int64_t FirstLook(int64_t now) const;
  // `resumed`: when the process went on last, after it had been suspended.
  StuckStep NextStep(int64_t resumed, int64_t now);

  // --- For the service job, which tells the worker's stop callbacks. BeginTelling, false: there is
  // nothing to be told any more. EndTelling, true: the lane has left the winding down to it.
  bool BeginTelling();
  bool EndTelling();
  // For the lane: whether it leaves it.
  bool LeavesWindDown();

  bool interrupted() const { return interrupted_; }
  bool lane_lost() const { return lane_lost_; }
  bool runs() const { return began_ != Clock::kNever; }
  int64_t began() const { return began_; }  // if it does
  bool stuck() const { return runs() && missed_ != Missed::kNothing; }
  Missed missed() const { return missed_; }
  int64_t missed_at() const { return missed_at_; }  // if it is stuck: since when that is known

  // What an attempt had failed by before one was given up, for as long as the record lives: it may
  // be the user's, and the monitor must not destroy it.
  void Keep(Replaced superseded) { superseded_ = std::move(superseded); }

 private:
  StuckStep Report(const WatchFacts& facts, int64_t now);
  StuckStep Act(const WatchFacts& facts, int64_t now);
  StuckStep AfterInterruption(int64_t now);

  const WatchLimits limits_;
  const OnStuck on_stuck_;
  const absl::Duration stop_timeout_;

  std::atomic<int64_t> last_beat_{Clock::kPast};

  // Under the mutex of the record.
  int64_t armed_for_ = Clock::kNever;  // when the monitor is going to look
  // Of the attempt.
  bool beat_told_ = false;  // under kReport: that it has missed its heartbeat
  bool run_told_ = false;   // the same of its run_timeout
  bool interrupted_ = false;
  bool lane_lost_ = false;
  Missed missed_ = Missed::kNothing;
  uint32_t run_number_ = 0;        // of the job
  int64_t began_ = Clock::kNever;  // kNever: it is not in `run`
  int64_t missed_at_ = 0;
  int64_t lived_nanos_ = 0;  // if it is interrupted: from its beginning to its last sign of life
  // Of the service job.
  bool tell_due_ = false;
  bool telling_ = false;
  bool wind_down_left_ = false;

  Replaced superseded_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_ATTEMPT_WATCH_H_
