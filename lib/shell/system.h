// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// System: what an Engine gets from outside besides its clock: real time, threads, and lanes. The
// real one has the kernel and oneTBB behind it; a simulation (lib/testing) puts itself in their
// place, so that engine, monitor, lane pool and tasks run as they are, on simulated time.
//
//   Engine ── real_clock ── lanes' recovery, slices, the destructor's deadline
//          ── StartThread ─ the monitor, its alarm
//   LanePool ── Launch, RaiseByOne, Look ─ threads for lanes
//
// Which system an Engine has: that of its clock, if this is a SystemClock; else the real one.
//
// Lifetime: shared-owned by whatever uses it, as a lane that is stuck may outlive the Supervisor.
// Thread safety: any thread. Errors: values; nothing is thrown.

#ifndef FOXTIVE_LIB_SHELL_SYSTEM_H_
#define FOXTIVE_LIB_SHELL_SYSTEM_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "foxtive/clock.h"
#include "lib/shell/executor.h"

namespace foxtive::internal {

// What a lane does with its thread.
class LaneBody {
 public:
  virtual ~LaneBody() = default;
  virtual void Run() noexcept = 0;   // from the start of the lane until it retires
  virtual void Left() noexcept = 0;  // then its thread may be another lane's; the last call
};

struct LaunchReport {
  bool launched = false;  // else no thread or no memory could be had; `Run` is not called
  bool workers_lost = false;
  // Of the whole process. Found below wanted: a control of the host, or oneTBB's hard limit; a lane
  // that was launched waits for its thread then, and gets it when the limit goes.
  int parallelism_found = 0;
  int parallelism_wanted = 0;

  bool limited() const { return parallelism_found < parallelism_wanted; }
};

class System {
 public:
  // A thread that is not a lane. Joined or detached before it is destroyed.
  class Thread {
   public:
    virtual ~Thread() = default;
    virtual void Join() = 0;
    virtual void Detach() = 0;
  };

  virtual ~System() = default;

  // The one that has real threads; never destroyed.
  static std::shared_ptr<System> Real();
  // The one that a Supervisor with this clock has.
  static std::shared_ptr<System> Of(const std::shared_ptr<Clock>& clock);

  // For what must not stand still with the clock of a Supervisor.
  virtual Clock& real_clock() = 0;

  // `kResourceExhausted`: there is no thread, or no memory for it; `body` is destroyed.
  virtual absl::StatusOr<std::unique_ptr<Thread>> StartThread(std::function<void()> body) = 0;

  // See CapacityRegistry.
  virtual LaunchReport Launch(std::shared_ptr<LaneBody> body) = 0;
  virtual bool RaiseByOne() = 0;
  virtual LaunchReport Look() = 0;

  // What an engine is to use in the place of this executor, which runs on this system: a simulation
  // may put faults in front of it.
  virtual std::shared_ptr<Executor> Adorn(std::shared_ptr<Executor> executor) { return executor; }

  // Whether a lane has a thread to itself, whose name, signals and cancellation are the lane's.
  virtual bool lanes_own_threads() const = 0;

  // Lets other threads go on, in a loop that waits for one of them for a moment.
  virtual void Yield() noexcept = 0;

  // Where threads take turns: lets others go on until they may have changed something that this one
  // looks for. False: the deadline has come, on the one clock. A wait is as many of these as it
  // takes, after a BeginTurns: between them it does nothing but look.
  // REQUIRES: !lanes_own_threads(); no lock is held that others need.
  virtual void BeginTurns() noexcept {}
  virtual bool AwaitTurn(int64_t /*deadline_nanos*/) noexcept { return true; }
};

// A clock that belongs to a system of its own.
class SystemClock : public Clock {
 public:
  virtual std::shared_ptr<System> system() = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_SYSTEM_H_
