// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StressLog: what user code, listeners and callers have seen, as all threads wrote it down. An
// entry takes its place by one relaxed increment, and nothing else is shared: the log must not
// order what the library under test has to.
//
// Thread safety: Add, from any thread. Entries, when whatever adds has ended before, by the means
// of the library. Blocking: none. Errors: a log that is full ends the program.

#ifndef FOXTIVE_TESTS_STRESS_LOG_H_
#define FOXTIVE_TESTS_STRESS_LOG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "foxtive/clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {

enum class What : uint8_t {
  // Of the callers; the number is the answer.
  kSubmitting,    // or registering, which is 1
  kAccepted,      // 1, or 0 where it was refused
  kStopAnswered,  // what RequestStop said
  kShuttingDown,  // of no task
  kHandedOut,     // by WaitAny or WaitAll
  // Of the task; the number is the attempt.
  kSetup,
  kOnRestart,
  kRunBegins,
  kRunEnds,
  kOnError,
  kOnException,
  kShouldRestart,
  kWaits,         // for a descriptor or on a condition; 1: it has been asked to stop before
  kWaited,        // the number is that of Waited
  kCallbackLeft,  // is about to be, with OnStop
  kCallbackMade,  // 1: it had been asked to stop before
  kCallbackCalled,
  kCallbackGone,
  kOnShutdown,
  kCleanup,
  kDestroyed,
  // The number is the SupervisionStatus.
  kFinished,
  // Of the listener; the number is the EventKind.
  kEvent,
  // A promise that was broken where it could be seen at once; of no task, or of one.
  kOverlap,
};

struct Entry {
  int64_t nanos = 0;
  int32_t task = -1;
  What what = What::kOverlap;
  int64_t number = 0;
};

// How a wait has ended.
struct Waited {
  absl::StatusCode code = absl::StatusCode::kOk;
  bool there = false;  // what it was for
  bool stopped = false;
};
inline int64_t NumberOf(const Waited& waited) {
  return static_cast<int64_t>(waited.code) * 4 + (waited.there ? 2 : 0) + (waited.stopped ? 1 : 0);
}
inline Waited WaitedOf(int64_t number) {
  return {.code = static_cast<absl::StatusCode>(number / 4),
          .there = (number & 2) != 0,
          .stopped = (number & 1) != 0};
}

class StressLog {
 public:
  static constexpr int32_t kNoTask = -1;

  explicit StressLog(size_t capacity) : entries_(capacity) {}

  void Add(int32_t task, What what, int64_t number = 0) {
    // Taken before the place: a later entry of the same thread has a later place and a later time.
    const int64_t now = clock_.NowNanos();
    const size_t place = used_.fetch_add(1, std::memory_order_relaxed);
    if (place >= entries_.size()) Die("the log of the stress test is full");
    entries_[place] = {.nanos = now, .task = task, .what = what, .number = number};
  }

  std::span<const Entry> Entries() const { return {entries_.data(), used_}; }

 private:
  const Clock clock_{};
  std::atomic<size_t> used_{0};
  std::vector<Entry> entries_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_STRESS_LOG_H_
