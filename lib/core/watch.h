// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Whether an attempt hangs, from what is known of it: a pure function.
//
//   it misses        at
//   ---------------  ---------------------------------------------------------------------------
//   its heartbeat    the last of: its beginning, its last heartbeat, the process going on after it
//                    was suspended; plus heartbeat_timeout
//   its run timeout  its beginning plus run_timeout, but no less than kGraceNanos after the process
//                    went on
//
// If both are due the earlier one is told. A process that is suspended (SIGSTOP, a virtual machine
// that is paused) can't beat, so what it misses meanwhile is not held against it. Nor does it
// matter how often an attempt beats: whoever looks comes back at `next_nanos`, which is late enough
// for all that has been seen.

#ifndef FOXTIVE_LIB_CORE_WATCH_H_
#define FOXTIVE_LIB_CORE_WATCH_H_

#include <algorithm>
#include <cstdint>

namespace foxtive::internal {

// As a Clock has them.
inline constexpr int64_t kNeverNanos = INT64_MAX;
inline constexpr int64_t kPastNanos = INT64_MIN;

inline constexpr int64_t kGraceNanos = 1'000'000'000;

// Of a task; kNeverNanos: no such limit.
struct WatchLimits {
  int64_t heartbeat_nanos = kNeverNanos;
  int64_t run_nanos = kNeverNanos;

  bool any() const { return heartbeat_nanos != kNeverNanos || run_nanos != kNeverNanos; }
};

// Of an attempt, as points in time.
struct WatchFacts {
  int64_t began = 0;
  int64_t last_beat = kPastNanos;  // may be that of an attempt before
  int64_t resumed = kPastNanos;    // the process
};

enum class Missed : uint8_t { kNothing, kHeartbeat, kRunTimeout };

struct WatchLook {
  Missed missed = Missed::kNothing;
  int64_t next_nanos = kNeverNanos;  // when to look again, if nothing is missed
};

inline int64_t Later(int64_t nanos, int64_t by) {
  int64_t sum;
  return by == kNeverNanos || __builtin_add_overflow(nanos, by, &sum) ? kNeverNanos : sum;
}

inline WatchLook LookAt(const WatchLimits& limits, const WatchFacts& facts, int64_t now) {
  const int64_t last_sign = std::max({facts.began, facts.last_beat, facts.resumed});
  const int64_t beat_due = Later(last_sign, limits.heartbeat_nanos);
  int64_t run_due = Later(facts.began, limits.run_nanos);
  if (facts.resumed > facts.began) {
    run_due = std::max(run_due, Later(facts.resumed, std::min(limits.run_nanos, kGraceNanos)));
  }
  const int64_t due = std::min(beat_due, run_due);
  if (now < due || due == kNeverNanos) return {.next_nanos = due};
  return {.missed = beat_due <= run_due ? Missed::kHeartbeat : Missed::kRunTimeout};
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_WATCH_H_
