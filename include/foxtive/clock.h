// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Clock: where a Supervisor gets its time from, and how its threads wait.
//
// Every delay, every timeout and every duration of the library comes from one Clock, and every
// timed wait is a `Park` in a loop around its own condition. So a test can replace time as a whole
// (`SupervisorOptions::clock`), and a step of the wall clock changes nothing: the Clock itself,
// which is the default, follows CLOCK_MONOTONIC. Whoever does not replace time does not need this
// header.
//
// Lifetime: kept alive by every Supervisor and every handle that uses it.
// Thread safety: all members may be called from all threads at once; one thread at a time parks on
// one Parker.
// Blocking: `Park` only.
// Errors: none; nothing may be thrown.
//
// Example: a clock that stands still until a test moves it.
//
//   int64_t NowNanos() const noexcept override { return now_; }
//   bool Park(Parker& parker, int64_t deadline_nanos) noexcept override {
//     if (deadline_nanos <= now_) return Clock::Park(parker, kPast);
//     ... remember parker and deadline, so that whoever moves now_ can call Clock::Unpark(parker)
//     ... return Clock::Park(parker, kNever);
//   }

#ifndef FOXTIVE_CLOCK_H_
#define FOXTIVE_CLOCK_H_

#include <atomic>
#include <cstdint>

namespace foxtive {

class Clock {
 public:
  // A deadline that never comes, and one that is always past.
  static constexpr int64_t kNever = INT64_MAX;
  static constexpr int64_t kPast = INT64_MIN;

  // Where one thread waits. Holds at most one unpark that nobody has waited for yet.
  class Parker {
   public:
    Parker() = default;
    Parker(const Parker&) = delete;
    Parker& operator=(const Parker&) = delete;

   private:
    friend class Clock;
    std::atomic<int32_t> state_{0};  // int32_t is what the kernel can wait for
  };

  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  // Nanoseconds since an arbitrary, fixed origin. Never goes back.
  virtual int64_t NowNanos() const noexcept;

  // Waits until `parker` is unparked or `deadline_nanos` is reached. True: unparked, maybe before
  // this call, and that unpark is used up; it wins over a deadline that is due as well. False: due.
  // An implementation may also return early; callers look at their condition again.
  //
  // A derived clock that lets time pass differently waits with `Clock::Park(parker, kNever)`.
  virtual bool Park(Parker& parker, int64_t deadline_nanos) noexcept;

  // Ends the current or the next `Park` on `parker`. The parker may be gone as soon as the thread
  // that parks has been woken: an override must call `Clock::Unpark` last. Never blocks. The base
  // function may be called from a signal handler.
  virtual void Unpark(Parker& parker) noexcept;
};

}  // namespace foxtive

#endif  // FOXTIVE_CLOCK_H_
