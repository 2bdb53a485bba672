// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Simulation: a System whose threads are fibers that take turns on the calling thread, and whose
// time stands still while any of them can go on. Everything above it is the real thing: engine,
// monitor, lane pool, tasks, façade.
//
//   a fiber parks, yields or ends ─▶ somebody can go on? ─ yes ─▶ `chooser` picks one
//                                       │ no
//                                       └▶ time jumps to the next deadline, whose fiber goes on
//
// The calling thread is a fiber too, the caller: whatever blocks it lets the others go on, and time
// pass. It is chosen when nobody else can go on at the moment, so that what is due at the same time
// has happened. `AdvanceTo` is the same with a time to wait for.
//
// A fiber that waits for a condition of the user's, which nobody tells the simulation of, looks
// again when another one has run and nobody else can go on: on one thread nothing changes
// otherwise.
//
// Code takes no time. A fiber is left where it parks; where a test wants more, `Preempt` may be
// called wherever no lock is held.
//
// Faults are the chooser's: which thread can't be had, which lane is late.
//
// Lifetime: shared-owned by engines and pools, and by itself while it has threads; so one with a
// worker that never returns is leaked. Thread safety: one thread, that which made it; others
// end the process with a message, as does a wait that nothing can end.

#ifndef FOXTIVE_LIB_TESTING_SIMULATION_H_
#define FOXTIVE_LIB_TESTING_SIMULATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "foxtive/clock.h"
#include "lib/shell/system.h"
#include "lib/testing/fiber.h"

namespace foxtive::internal {

class Simulation final : public SystemClock,
                         public System,
                         public std::enable_shared_from_this<Simulation> {
 public:
  // What is left open by the rest. The base class: first come, first served, and no faults.
  class Chooser {
   public:
    virtual ~Chooser() = default;
    // Which of `count` threads goes on, in the order in which they came; below `count`, at least 1.
    virtual size_t Next(size_t /*count*/) { return 0; }
    // Whether a thread is to be left where it could go on.
    virtual bool Preempts() { return false; }
    // How much time passes before the next one goes on, in nanoseconds.
    virtual int64_t Pause() { return 0; }
    virtual bool HasThread() { return true; }
    // For how long a lane that is launched waits for its thread, in nanoseconds.
    virtual int64_t LaneDelay() { return 0; }
    // What Look is to say.
    virtual bool IsLimited() { return false; }
    // Asked before each unpark, by the thread that calls it, which may be left there. False: it
    // gets lost, a fault of the system that must be found out.
    virtual bool PassesUnpark() { return true; }
    virtual std::shared_ptr<Executor> Adorn(std::shared_ptr<Executor> executor) { return executor; }
  };

  // Away from 0, so that code which takes a time for a duration is found out.
  static constexpr int64_t kStartNanos = int64_t{1'000'000} * 1'000'000'000;

  explicit Simulation(std::unique_ptr<Chooser> chooser);
  ~Simulation() override;

  // --- For the caller.

  // Lets everything go on that can, and time pass, until `nanos`.
  void AdvanceTo(int64_t nanos);
  // Waits for so long, whatever happens; on the calling thread or another.
  void Sleep(int64_t nanos);
  // A thread of the host; null if there is none.
  std::unique_ptr<Thread> Spawn(std::function<void()> body);
  // Lets another thread go on, if the chooser says so; nothing on the calling thread, and nothing
  // where no simulation is at work. REQUIRES: no lock is held.
  static void Preempt();
  bool is_caller() const { return current_ == caller_.get(); }
  // AdvanceTo returns at once, and nobody goes on any more. The simulation is of no use then.
  void Interrupt() { interrupted_ = true; }
  // Threads that have not ended, without the caller.
  size_t threads() const { return threads_; }

  // --- Clock.
  int64_t NowNanos() const noexcept override { return now_; }
  bool Park(Parker& parker, int64_t deadline_nanos) noexcept override;
  void Unpark(Parker& parker) noexcept override;

  // --- SystemClock, System.
  std::shared_ptr<System> system() override { return shared_from_this(); }
  Clock& real_clock() override { return *this; }
  absl::StatusOr<std::unique_ptr<Thread>> StartThread(std::function<void()> body) override;
  LaunchReport Launch(std::shared_ptr<LaneBody> body) override;
  bool RaiseByOne() override;
  LaunchReport Look() override;
  std::shared_ptr<Executor> Adorn(std::shared_ptr<Executor> executor) override {
    return chooser_->Adorn(std::move(executor));
  }
  bool lanes_own_threads() const override { return false; }
  void Yield() noexcept override;
  void BeginTurns() noexcept override;
  bool AwaitTurn(int64_t deadline_nanos) noexcept override;

 private:
  struct Strand;  // a thread of the simulation
  class StrandThread;

  // Of a wait with a deadline. Nothing, if the strand does not wait any more, or waits anew.
  struct Alarm {
    int64_t nanos;
    uint64_t wait;
    Strand* strand;
  };
  static bool IsLater(const Alarm& a, const Alarm& b) {
    return a.nanos != b.nanos ? a.nanos > b.nanos : a.wait > b.wait;
  }

  static constexpr size_t kBuckets = 1024;
  Strand*& BucketOf(const Parker& parker);

  std::shared_ptr<Strand> NewStrand(std::function<void()> body);
  void RunStrand(Strand& strand);
  void WaitUntil(int64_t deadline_nanos);
  void SetAlarm(Strand& strand, int64_t nanos);
  void DropStaleAlarms();
  bool IsStale(const Alarm& alarm) const;
  void MakeReady(Strand& strand);
  void Leave(bool for_good);
  bool WakeWatchers();
  Strand& Choose();
  void WakeDue();
  void CheckThread() const;
  [[noreturn]] void DieStuck() const;

  const std::unique_ptr<Chooser> chooser_;
  const std::thread::id thread_;
  int64_t now_ = kStartNanos;
  std::shared_ptr<Strand> caller_;
  Strand* current_;
  Simulation* outer_ = nullptr;  // which the caller is a thread of
  // Of both the capacity is enough for all strands, so that a wait never allocates.
  std::vector<Strand*> ready_;              // without the caller
  std::vector<Alarm> alarms_;               // a heap, the earliest first
  std::array<Strand*, kBuckets> parked_{};  // by the address of the parker
  std::shared_ptr<Strand> ended_;           // its stack is kept until another one runs
  std::shared_ptr<Simulation> self_;        // while there are threads
  size_t threads_ = 0;
  Strand* first_watcher_ = nullptr;  // of those in AwaitTurn
  uint64_t changes_ = 0;             // how often a strand has run and done more than to look
  bool interrupted_ = false;
  uint64_t waits_ = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_TESTING_SIMULATION_H_
