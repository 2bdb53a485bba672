// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ManualClock: a Clock whose time stands still until the test moves it, and that can tell when the
// code under test has come to rest in a wait. A test of a limit looks like this:
//
//   auto clock = std::make_shared<ManualClock>();
//   ... // start what waits for one second
//   clock->AwaitDeadline(start + absl::Seconds(1));
//   clock->Advance(absl::Seconds(1) - absl::Nanoseconds(1));
//   ... // nothing has happened
//   clock->Advance(absl::Nanoseconds(1));
//   ... // it happens now
//
// Thread safety: all members may be called from all threads.
// Blocking: `Park` and the Await functions. The latter end the program with a message after
// `kSafetyLimit` of real time, so that a test fails instead of hanging.
//
// Who wakes whom: a thread that parks is in `parked_` until it has woken up and taken the mutex, so
// `Advance`, which unparks under the mutex, never meets a parker that is gone.

#ifndef FOXTIVE_TESTS_SUPPORT_MANUAL_CLOCK_H_
#define FOXTIVE_TESTS_SUPPORT_MANUAL_CLOCK_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {

class ManualClock final : public Clock {
 public:
  // Starts away from 0, so that code which takes a time for a duration is found out.
  explicit ManualClock(absl::Duration now = absl::Hours(1000))
      : now_(absl::ToInt64Nanoseconds(now)) {}

  int64_t NowNanos() const noexcept override;
  bool Park(Parker& parker, int64_t deadline_nanos) noexcept override;

  absl::Duration Now() const { return absl::Nanoseconds(NowNanos()); }

  // Moves the time and wakes whoever waits for a deadline that is reached by that.
  // REQUIRES: `duration` is not negative.
  void Advance(absl::Duration duration);

  // Blocks until a thread waits for the deadline `at`, neither earlier nor later.
  void AwaitDeadline(absl::Duration at) const;
  void AwaitDeadlineBy(absl::Duration at) const;  // or earlier, and still to come

 private:
  struct Parked {
    Parker* parker;
    int64_t deadline_nanos;
  };

  void Await(const std::string& what, const std::function<bool()>& reached) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_:
  int64_t now_;
  std::list<Parked> parked_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_MANUAL_CLOCK_H_
